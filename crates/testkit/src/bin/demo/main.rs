//! `cargo xtask demo`: the main job of the product from an empty folder, with every program a process of its own.
//!
//! It prints one line a step and ends with the state digests of both laptops and the city, read from what each of
//! them stored. The exit code says whether they are the same.

mod city;
mod digest;
mod laptop;
mod typing;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};
use testkit::{Enrolled, Holdings};

use crate::city::DemoCity;
use crate::laptop::Laptop;

fn main() -> ExitCode {
    match demo() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let steps = Steps::begin();
    let a = alone(&folder.path().join("laptop-a"), &steps)?;
    let city = DemoCity::begin(&folder.path().join("city"), &steps)?;
    report(&a, &city, &steps)?;
    let b = second(&folder.path().join("laptop-b"), &a, &city, &steps)?;
    a.reports()?;
    steps.tell("电脑甲再上报一次，取回电脑乙的接入");
    digest::compare(a.close()?, b.close()?, city, &steps)
}

/// What a laptop does that has never seen the city.
fn alone(data: &Path, steps: &Steps) -> Result<Laptop> {
    let a = Laptop::start(data)?;
    a.sets_up("周海东")?;
    steps.tell("电脑甲：新建支部，没有网络");
    let people = a.pastes_people()?;
    steps.tell(format!("电脑甲：从表格粘贴 {people} 名党员"));
    let committee = a.records("committee", &a.days_ago(2)?, "研究十一月主题党日")?;
    steps.tell("电脑甲：记录一次支委会");

    let (draft, typed) = typing::until_killed(a)?;
    steps.tell(format!("电脑甲：正在录入主题党日，保存到第 {typed} 字时断电（SIGKILL）"));
    let a = Laptop::start(data)?;
    a.opens()?;
    let found = a.draft(&draft)?.summary;
    typing::is_whole(&found, typed)?;
    steps.tell(format!("电脑甲：重新打开，草稿还在，共 {} 字", found.chars().count()));

    let theme_day = a.commits(&draft)?;
    steps.tell("电脑甲：主题党日记入");
    a.finalises(&committee)?;
    a.finalises(&theme_day)?;
    steps.tell("电脑甲：两次会议定稿");
    a.promises("每周五检查七号库责任区")?;
    steps.tell("电脑甲：承诺践诺台账记一条");
    Ok(a)
}

fn report(a: &Laptop, city: &DemoCity, steps: &Steps) -> Result<()> {
    let outcome = a.enrols(&city.address(), &city.code()?)?;
    steps.tell(format!("电脑甲：凭接入码接入，{}", words(outcome)));
    let done = a.reports()?;
    steps.tell(format!("电脑甲：上报 {} 项，收到市级回执，没有待上报", done.sent));
    Ok(())
}

fn second(data: &Path, a: &Laptop, city: &DemoCity, steps: &Steps) -> Result<Laptop> {
    let b = Laptop::start(data)?;
    b.sets_up("李秀英")?;
    steps.tell("电脑乙：同一支部的另一台新电脑");
    let outcome = b.enrols(&city.address(), &city.code()?)?;
    steps.tell(format!("电脑乙：凭另一个接入码接入，{}", words(outcome)));
    b.reports()?;
    let (there, here) = (a.holdings()?, b.holdings()?);
    ensure!(there == here, "the second laptop shows {here:?}, the first {there:?}");
    let Holdings { people, meetings, promises } = here;
    steps.tell(format!("电脑乙：党员 {people} 名、会议 {meetings} 次、承诺 {promises} 条，一样不少"));
    Ok(b)
}

fn words(enrolled: Enrolled) -> &'static str {
    match enrolled {
        Enrolled::Adopted => "沿用本机记录",
        Enrolled::Matched => "与市级已有记录对照后并入",
    }
}

/// Prints the steps as they are done.
pub struct Steps(Instant);

impl Steps {
    fn begin() -> Self {
        Self(Instant::now())
    }

    pub fn tell(&self, step: impl AsRef<str>) {
        println!("{:6.2} s  {}", self.0.elapsed().as_secs_f64(), step.as_ref());
    }
}
