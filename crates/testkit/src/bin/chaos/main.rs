//! `cargo xtask chaos --minutes M --seed S`: three laptops and a city as processes, killed at random, over lines that
//! break, with wrong clocks and a full disk.
//!
//! What the programs acknowledged is written down beside them. When the faults stop, everything must be there, and all
//! computers must hold the same: one that joins only then, and so knows only what the city holds, too. One line a
//! figure; the exit code is 1 when anything was lost, differs, or was answered that has no business to be. A seed
//! draws the same faults and deeds again; when they meet is up to the computer.

mod book;
mod exchange;
mod figures;
mod held;
mod laptop;
mod outside;
mod person;
mod small_disk;
mod stage;
mod verdict;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use clap::Parser;
use serde_json::json;
use testkit::{BRANCH, Caller, CityProcess, Proxy, Random, Secretary, Shell};

use crate::held::Computer;
use crate::laptop::Laptop;
use crate::person::Person;
use crate::small_disk::SmallDisk;
use crate::stage::Stage;

#[derive(Parser)]
#[command(about = "Laptops and a city as processes, under every fault at once")]
struct Cli {
    /// How long the faults last.
    #[arg(long, default_value_t = 5.0)]
    minutes: f64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Who is at the laptops. The last one has the small disk.
const PEOPLE: [(&str, &str); 3] = [("a", "周海东"), ("b", "李秀英"), ("c", "王建军")];
/// What all of them edit all the time.
const SHARED_PROMISES: usize = 6;
const SHARED_MEETINGS: usize = 2;
/// Rounds of everybody with the city after which nothing may be left to say.
const ROUNDS: usize = 12;
/// How often the course of things is told.
const GLANCE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    match chaos(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing was lost.
fn chaos(cli: &Cli) -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let mut random = Random::seeded(cli.seed);
    let stage = Stage::new(&folder.path().join("diary"))?;
    let mut city = CityProcess::init(&folder.path().join("city"))?;
    city.serve_again(outside::address(&mut random)?)?;
    let mut laptops = begin(&stage, folder.path(), &city, &mut random)?;
    println!("seed {}: three laptops are enrolled, {} minutes of faults begin", cli.seed, cli.minutes);
    let stormed =
        storm(&stage, &mut laptops, &mut city, Duration::from_secs_f64(cli.minutes * 60.0), &mut random);
    let held = stormed.and_then(|()| calm(&mut laptops, &mut city, folder.path()));
    let whole = held.as_ref().is_ok_and(|held| judge(&stage, &laptops, &city, held));
    if !whole {
        laptops.iter_mut().for_each(Laptop::keeps_disk);
        println!("everything is kept in {}", folder.keep().display());
    }
    held.map(|_| whole)
}

/// Enrols the laptops, each behind a line of its own, and puts on record what all of them will edit.
fn begin<'a>(
    stage: &'a Stage,
    folder: &Path,
    city: &CityProcess,
    random: &mut Random,
) -> Result<Vec<Laptop<'a>>> {
    let mut laptops: Vec<Laptop> = Vec::new();
    for (name, author) in PEOPLE {
        let data = folder.join(name);
        let disk = if name == "c" { SmallDisk::mount(&data)? } else { None };
        std::fs::create_dir_all(&data)?;
        let line = Arc::new(Proxy::before(city.listens())?);
        let shell = Shell::start(&data)?;
        let desk = sits_down(&shell, author)?;
        if laptops.is_empty() {
            desk.pastes_people()?;
        }
        joins(&desk, &line.address(), city)?;
        let mut person = Person::at(stage, name, desk, promiser(&shell)?, random.draw());
        if laptops.is_empty() {
            (0..SHARED_PROMISES).try_for_each(|_| person.records(true).map(drop))?;
            (0..SHARED_MEETINGS).try_for_each(|_| person.types(true))?;
        }
        person.desk.reports()?;
        laptops.push(Laptop::new(stage, (data, shell, disk), line, person, random.draw())?);
    }
    Ok(laptops)
}

/// Somebody at a computer with a new branch.
fn sits_down(shell: &Shell, author: &str) -> Result<Secretary<Caller>> {
    let desk = Secretary::at(shell.caller());
    desk.sets_up(author)?;
    Ok(desk)
}

fn joins(desk: &Secretary<Caller>, address: &str, city: &CityProcess) -> Result<()> {
    desk.enrols(address, &city.code_for(BRANCH)?)?;
    desk.reports().map(drop)
}

/// The person that all promises are of.
fn promiser(shell: &Shell) -> Result<String> {
    let people =
        shell.call("list_people", json!({"text": "", "include_left": true, "members_only": false}))?;
    Ok(people["rows"][0]["id"].as_str().context("nobody is in the branch")?.to_owned())
}

/// Everything at once, until the time is over.
fn storm(
    stage: &Stage,
    laptops: &mut [Laptop],
    city: &mut CityProcess,
    time: Duration,
    random: &mut Random,
) -> Result<()> {
    let lines: Vec<Arc<Proxy>> = laptops.iter().map(|laptop| laptop.line.clone()).collect();
    thread::scope(|scope| {
        for (line, (name, _)) in lines.iter().zip(PEOPLE) {
            let random = Random::seeded(random.draw());
            scope.spawn(move || outside::weather(stage, line, name, random));
        }
        let draws = Random::seeded(random.draw());
        let watched = lines[random.below(lines.len())].clone();
        let mut living = vec![scope.spawn(move || outside::kill_city(stage, city, &watched, draws))];
        living.extend(laptops.iter_mut().map(|laptop| scope.spawn(move || laptop.live())));
        let glances = (time.as_secs_f64() / GLANCE.as_secs_f64()).ceil() as u32;
        for _ in 0..glances {
            stage.rest(time / glances);
            println!("{}", verdict::glance(stage));
            if living.iter().any(|thread| thread.is_finished()) {
                break;
            }
        }
        stage.end();
        living.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?)
    })
}

/// The faults stop: everybody exchanges until nothing is left to say. Gives what all computers hold, also one that
/// joins only now.
fn calm(laptops: &mut [Laptop], city: &mut CityProcess, folder: &Path) -> Result<Vec<Computer>> {
    laptops.iter_mut().try_for_each(Laptop::calms_down)?;
    let data = folder.join("newcomer");
    std::fs::create_dir_all(&data)?;
    let shell = Shell::start(&data)?;
    let mut rounds = 0;
    while !all_done(laptops)? {
        rounds += 1;
        ensure!(rounds < ROUNDS, "after {ROUNDS} rounds without faults something is still left to say");
    }
    let desk = sits_down(&shell, "赵新来")?;
    joins(&desk, &city.address(), city)?;
    all_done(laptops)?;
    let branch = data.join(desk.folder()?);
    desk.closes()?;
    shell.kill()?;
    city.kill()?;
    let mut places = vec![("newcomer", branch)];
    for laptop in laptops {
        places.push(laptop.closes()?);
    }
    places.iter().map(|(name, folder)| Computer::read(name, folder)).collect()
}

/// One round of everybody; whether it was not needed.
fn all_done(laptops: &[Laptop]) -> Result<bool> {
    let done: Vec<bool> = laptops.iter().map(Laptop::is_done).collect::<Result<_>>()?;
    Ok(done.iter().all(|done| *done))
}

fn judge(stage: &Stage, laptops: &[Laptop], city: &CityProcess, computers: &[Computer]) -> bool {
    let agree = verdict::agree(stage, computers, city);
    verdict::print(&stage.figures, laptops);
    let lost = verdict::look_for(stage, computers);
    println!("digests: {}", if agree { "the same everywhere" } else { "different" });
    println!("answers that nobody should get: {}", stage.figures.wrongs());
    println!("lost: {lost}");
    agree && lost == 0 && stage.figures.wrongs() == 0
}
