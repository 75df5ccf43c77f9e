//! `keep-release --version 0.1.0 --out tests/upgrades/0.1.0`: writes what is kept of a version, once, when it is
//! released. `--newer DIR` writes a branch folder of a program that is newer than this one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Parser;
use rusqlite::Connection;
use store::Store;
use sync::Engine;
use testkit::simulate::copy;
use testkit::{
    BRANCH, EVENING, Enrolled, Expected, Laptop, LoopbackCity, PASSWORD, Release, Tap, World, a_meeting,
    capture,
};

#[derive(Parser)]
#[command(about = "Keeps the folders and messages of a released version for the tests of later ones")]
struct Cli {
    #[arg(long, requires = "out")]
    version: Option<String>,
    #[arg(long)]
    out: Option<PathBuf>,
    /// Where a folder of tomorrow's program goes.
    #[arg(long)]
    newer: Option<PathBuf>,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    if let (Some(version), Some(out)) = (cli.version, cli.out) {
        keep(version, &Release(out))?;
    }
    cli.newer.map_or(Ok(()), |out| newer(&out))
}

const TYPED: &str = "讨论到一半的文字，还没有记入。";

/// Two laptops of a branch that report to their city; the first has one record that was not reported, and a draft.
fn keep(version: String, release: &Release) -> Result<()> {
    ensure!(
        !release.0.exists(),
        "{} is there already; what was kept is never written again",
        release.0.display()
    );
    let world = World::new(1);
    let city = LoopbackCity::new(&world)?;
    let a = Laptop::with_branch(World::new(2))?;
    let committee = a.secretary.records("committee", "2026-11-03", "研究主题党日")?;
    a.secretary.records("theme_day", "2026-11-04", "推动党建与业务融合")?;
    a.secretary.finalises(&committee)?;
    a.secretary.promises("每周五检查七号库责任区")?;
    a.secretary.enrols(&city.address(), &city.code_for(BRANCH)?)?;
    exchange_tapped(&a, &city, release)?;

    let b = Laptop::with_branch(World::new(3))?;
    b.secretary.records("theme_day", "2026-10-14", "在另一台电脑上记录")?;
    let outcome = b.secretary.enrols(&city.address(), &city.code_for(BRANCH)?)?;
    ensure!(outcome == Enrolled::Matched, "the second laptop's records are matched");
    b.secretary.reports()?;
    exchange_tapped(&a, &city, release)?;

    a.world.set(EVENING + 86_400_000);
    a.secretary.records("committee", "2026-11-05", "断网时记下的支委会")?;
    let draft = a.secretary.begins("theme_day", "2026-11-05")?;
    let form = a.secretary.fills_in(&draft, a_meeting("theme_day").on("2026-11-05").summed_up(TYPED))?;
    a.secretary.saves(&draft, &form)?;
    expect(version, release, &a, &city, draft)
}

fn exchange_tapped(laptop: &Laptop, city: &LoopbackCity, release: &Release) -> Result<()> {
    let folder = laptop.data().join(laptop.secretary.folder()?);
    laptop.secretary.closes()?;
    {
        let store = Store::open(&folder, PASSWORD, laptop.world.clone())?;
        let tap = Tap::new(&city.city, release.0.join("wire"))?;
        Engine::over(&store, Box::new(tap), laptop.world.clone())?.exchange(&store)?;
    }
    laptop.secretary.opens()
}

fn expect(version: String, release: &Release, a: &Laptop, city: &LoopbackCity, draft: String) -> Result<()> {
    let holdings = a.secretary.holdings()?;
    let (stream, laptop) = a.stored()?;
    let folder = a.data().join(a.secretary.folder()?);
    a.secretary.closes()?;
    let waiting = Store::open(&folder, PASSWORD, a.world.clone())?.outbox()?.records;
    copy(a.data(), &release.laptop())?;
    copy(city.data(), &release.city())?;
    release.keep(&Expected {
        version,
        format: store::FORMAT,
        stream: stream.to_string(),
        laptop,
        city: city.city.digest(&stream)?,
        holdings,
        draft: (draft, TYPED.to_owned()),
        waiting: u32::try_from(waiting)?,
        captured: capture(release)?,
    })
}

/// A branch folder whose database has a format number far above this program's.
fn newer(out: &Path) -> Result<()> {
    let laptop = Laptop::new(World::new(9))?;
    laptop.secretary.sets_up("周海东")?;
    let name = laptop.secretary.folder()?;
    laptop.secretary.closes()?;
    let folder = laptop.data().join(&name);
    let key = Store::open(&folder, PASSWORD, laptop.world.clone())?.database_key();
    let database = Connection::open(folder.join("branch.db"))?;
    database.pragma_update(None, "key", format!("x'{}'", replica::to_hex(&key)))?;
    database.execute_batch(
        "CREATE TABLE of_tomorrow (a); PRAGMA user_version = 1000; PRAGMA journal_mode = DELETE;",
    )?;
    drop(database);
    fs::create_dir_all(out)?;
    copy(laptop.data(), out)
}
