//! What the IT person of the city does on the command line while the server runs, each command a process of its own.

use anyhow::{Context, Result, bail};
use testkit::{BRANCH, CityProcess, Laptop, World, process::output};

/// A city that runs, a computer of a branch which has reported, and a second of the same branch.
struct Office {
    _folder: tempfile::TempDir,
    city: CityProcess,
    a: Laptop,
    b: Laptop,
}

impl Office {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut city = CityProcess::init(&folder.path().join("city"))?;
        city.serve()?;
        let a = Laptop::with_branch(World::new(2))?;
        let b = Laptop::new(World::new(3))?;
        b.secretary.sets_up("李秀英")?;
        let office = Self { _folder: folder, city, a, b };
        office.lets_in(&office.a)?;
        Ok(office)
    }

    fn lets_in(&self, laptop: &Laptop) -> Result<()> {
        laptop.secretary.enrols(&self.city.address(), &self.city.code_for(BRANCH)?)?;
        laptop.secretary.reports()?;
        Ok(())
    }

    /// Runs a command about the branch and gives what it printed.
    fn says(&self, command: &str, words: &[&str]) -> Result<String> {
        output(self.city.command(command)?.args(["--organisation", BRANCH]).args(words))
    }

    /// Adds an operator and gives the password that is shown once.
    fn operator(&self, name: &str) -> Result<String> {
        let said = output(self.city.command("operator")?.arg(name))?;
        let (_, password) = said.trim().rsplit_once('：').context("no password was printed")?;
        Ok(password.to_owned())
    }

    /// Runs a step of a redaction as an operator.
    fn redact(&self, password: &str, words: &[&str]) -> Result<String> {
        output(self.city.command("redact")?.args(words).env("JISHI_CITY_PASSWORD", password))
    }

    /// Laptop and city hold the same, and the city's own check finds nothing.
    fn agrees_with(&self, laptop: &Laptop) -> Result<()> {
        let (stream, digest) = laptop.stored()?;
        assert_eq!(digest, self.city.digest(&stream.to_string())?);
        self.city.check()?;
        Ok(())
    }
}

/// The beginnings of the ids of the computers that are in a state, as `city devices` prints them.
fn computers(said: &str, state: &str) -> Vec<String> {
    let lines = said.lines().filter(|line| line.contains(state));
    lines.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

#[test]
fn a_lost_computer_is_stopped_its_words_are_reviewed_and_it_is_used_again() -> Result<()> {
    let office = Office::new()?;
    let first = computers(&office.says("devices", &[])?, "使用中");
    office.lets_in(&office.b)?;
    let mut new = computers(&office.says("devices", &[])?, "使用中");
    new.retain(|device| !first.contains(device));
    let [lost] = &new[..] else { bail!("one computer was let in, not {new:?}") };

    office.says("revoke", &["--device", lost])?;
    assert_eq!(computers(&office.says("devices", &[])?, "已停用"), new);
    office.b.secretary.promises("停用以后写的")?;
    let refused = office.b.secretary.exchanges().expect_err("it is stopped").to_string();
    assert!(refused.contains("revoked"), "{refused}");

    let said = office.says("quarantine", &[])?;
    assert!(said.contains("promise") && said.contains("共 1 项待审查"), "{said}");
    let held = said.split_whitespace().next().context("no change is listed")?.to_owned();
    office.a.secretary.reports()?;
    assert_eq!(office.a.secretary.promises_with("停用以后写的")?, 0);

    office.says("release", &[&held])?;
    assert!(office.says("quarantine", &[])?.contains("共 0 项待审查"));
    office.a.secretary.reports()?;
    assert_eq!(office.a.secretary.promises_with("停用以后写的")?, 1);
    let again = office.says("release", &[&held]).expect_err("it was released").to_string();
    assert!(again.contains("不在待审查的内容里"), "{again}");

    office.says("reinstate", &["--device", lost])?;
    office.b.secretary.promises("恢复以后写的")?;
    office.b.secretary.reports()?;
    office.a.secretary.reports()?;
    assert_eq!(office.a.secretary.promises_with("恢复以后写的")?, 1);
    office.agrees_with(&office.a)?;
    office.agrees_with(&office.b)
}

#[test]
fn what_must_not_be_kept_goes_when_two_operators_want_it() -> Result<()> {
    let office = Office::new()?;
    office.lets_in(&office.b)?;
    let record = office.a.secretary.promises("误写入的身份证号")?;
    office.a.secretary.reports()?;
    office.b.secretary.reports()?;
    let (first, second) = (office.operator("甲")?, office.operator("乙")?);

    let what = ["--organisation", BRANCH, "--kind", "promise", "--record", &record, "--reason", "写错了"];
    let wrong = office.redact("不是口令", &[&["ask", "--operator", "甲"], &what[..]].concat());
    assert!(wrong.is_err(), "a wrong password asks for nothing");
    let said = office.redact(&first, &[&["ask", "--operator", "甲"], &what[..]].concat())?;
    assert!(said.contains("申请编号 1"), "{said}");
    let alone = office.redact(&first, &["confirm", "--operator", "甲", "1"]).expect_err("one is not two");
    assert!(alone.to_string().contains("另一位管理员"), "{alone}");
    assert_eq!(office.b.secretary.promises_with("误写入的身份证号")?, 1);

    office.redact(&second, &["confirm", "--operator", "乙", "1"])?;
    let said = office.redact(&second, &["list"])?;
    assert!(said.contains("已撤下"), "{said}");
    for laptop in [&office.a, &office.b] {
        laptop.secretary.reports()?;
        assert_eq!(laptop.secretary.promises_with("误写入的身份证号")?, 0);
        office.agrees_with(laptop)?;
    }
    Ok(())
}
