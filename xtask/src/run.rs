//! `xtask run`: a city with a made-up town and one of its branches on a laptop, kept in target/run between starts.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::laptop::{Laptop, wait_for};
use crate::process::{Running, built, cargo, program, read, root, run as execute, target};
use crate::{product, setup};

/// The branch of the town that the laptop belongs to: fourteen people, a committee, two groups.
const BRANCH: &str = "O004";

/// Of the made-up branch; nothing that it protects is real.
const PASSWORD: &str = "zhibu-jishi";

/// The laptop remembers the city's address, so it stays the same.
const CITY: &str = "127.0.0.1:8620";

/// Builds everything, brings the city and the laptop up, and hands over to the person.
pub fn run(arguments: &[&str]) -> Result<()> {
    let folder = target().join("run");
    match arguments {
        [] => {}
        ["--fresh"] => clear(&folder)?,
        _ => bail!("cargo xtask run [--fresh]"),
    }
    setup::for_build()?;
    product::pages()?;
    build()?;
    let city = City::start(&folder.join("city"))?;
    let laptop = folder.join("laptop");
    fs::create_dir_all(&laptop).with_context(|| format!("cannot make {}", laptop.display()))?;
    enrol(&laptop, &city)?;
    println!("\n市级平台: http://{CITY}/console.html  管理密码: {}", city.password);
    println!("支部密码: {PASSWORD}\n");
    hand_over(&laptop)
}

fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot empty {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn build() -> Result<()> {
    let selection = ["--workspace", "--locked", "--features", "jishi/custom-protocol"];
    execute(cargo().args(["build", "--bins"]).args(selection))
}

fn has_display() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(target_os = "linux")) || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// The window where there is a display, otherwise the browser shell with its address.
fn hand_over(laptop: &Path) -> Result<()> {
    if has_display() {
        return execute(program(built("jishi"), "", &[]).env("JISHI_DATA", laptop));
    }
    execute(program(built("jishi-web"), "", &["--no-browser", "--stay", "--data"]).arg(laptop))
}

struct City {
    // Ends with this value.
    _server: Running,
    folder: PathBuf,
    password: String,
}

impl City {
    fn start(folder: &Path) -> Result<Self> {
        let password = folder.join("password.txt");
        if !password.exists() {
            Self::init(folder, &password)?;
        }
        let log = folder.join("city.log");
        let mut command = program(built("city"), "", &["serve", "--listen", CITY, "--data"]);
        let mut server = Running::start(command.arg(folder.join("data")), &log)?;
        wait_for(&mut server, &log, "http://")?;
        let password = fs::read_to_string(&password).context("the city's password file cannot be read")?;
        Ok(Self { _server: server, folder: folder.to_path_buf(), password })
    }

    fn init(folder: &Path, password: &Path) -> Result<()> {
        clear(folder)?;
        fs::create_dir_all(folder)?;
        let town = root().join("tests/fixtures/town/organisations.csv");
        let mut command = program(built("city"), "", &["init", "--data"]);
        let said = read(command.arg(folder.join("data")).arg("--organisations").arg(town))?;
        let printed = said.lines().find_map(|line| line.split_once("管理密码")?.1.split_once('：'));
        let (_, printed) = printed.context("city init printed no password")?;
        fs::write(password, printed.trim()).with_context(|| format!("cannot write {}", password.display()))
    }

    fn code(&self) -> Result<String> {
        let mut command = program(built("city"), "", &["enrol", "--organisation", BRANCH, "--data"]);
        let said = read(command.arg(self.folder.join("data")))?;
        said.lines().last().map(str::to_owned).context("city enrol printed no code")
    }
}

/// Sets the branch up and enrols it, unless an earlier start did.
fn enrol(folder: &Path, city: &City) -> Result<()> {
    let laptop = Laptop::open(folder)?;
    let session = laptop.call("session", &json!({}))?;
    match session["branches"][0]["folder"].as_str() {
        Some(name) => laptop.call("open_branch", &json!({"folder": name, "password": PASSWORD}))?,
        None => set_up(&laptop, session["today"].as_str().unwrap_or_default())?,
    };
    if laptop.call("sync_page", &json!({}))?["enrolment"].is_null() {
        let request = json!({"address": format!("http://{CITY}"), "code": city.code()?});
        laptop.call("enrol", &request)?;
        laptop.call("exchange", &json!({}))?;
    }
    Ok(())
}

fn set_up(laptop: &Laptop, today: &str) -> Result<Value> {
    let organisations = table("organisations.csv")?;
    let named =
        |id: &str| organisations.iter().find(|row| row[0] == id).context("the branch is not in the town");
    let branch = named(BRANCH)?;
    let people: Vec<Vec<String>> = table("people.csv")?.into_iter().filter(|row| row[0] == BRANCH).collect();
    let secretary = people.first().context("the branch has nobody")?;
    let mut groups: Vec<&str> =
        people.iter().map(|row| row[10].as_str()).filter(|name| !name.is_empty()).collect();
    groups.sort_unstable();
    groups.dedup();
    let month = today.get(..7).context("the session names no day")?;
    laptop.call(
        "create_branch",
        &json!({
            "name": branch[1], "short": "", "type": "branch", "superior": named(&branch[3])?[1],
            "records_since": format!("{month}-01"), "committee_seats": 3, "groups": groups,
            "author": secretary[1], "password": PASSWORD,
        }),
    )?;
    laptop.call("import_roster", &json!({"text": roster(&people), "columns": null}))
}

/// The people as a secretary would copy them out of a spreadsheet.
fn roster(people: &[Vec<String>]) -> String {
    let header = "姓名\t性别\t入党日期\t转正日期\t党内职务\t党小组".to_owned();
    let row = |row: &Vec<String>| [1, 2, 7, 8, 9, 10].map(|column| row[column].as_str()).join("\t");
    std::iter::once(header).chain(people.iter().map(row)).collect::<Vec<_>>().join("\n")
}

/// The rows of a fixture; its cells hold neither quotes nor commas.
fn table(name: &str) -> Result<Vec<Vec<String>>> {
    let path = root().join("tests/fixtures/town").join(name);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect())
}
