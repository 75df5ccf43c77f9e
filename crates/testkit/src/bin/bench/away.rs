//! A laptop as a process of its own, so that its memory can be told from everybody else's.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use replica::{Change, Replica};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::place::{Laptop, exchange};

/// What the process says of its exchange.
#[derive(Debug, Serialize, Deserialize)]
pub struct Told {
    pub seconds: f64,
    pub moved: u64,
    /// Memory after the branch was opened, and the most of it during the exchange, in KiB.
    pub idle: u64,
    pub most: u64,
}

/// How often the log is folded: the first has to get its memory from the system.
const FOLDS: usize = 3;

/// What the process says of its folds.
#[derive(Debug, Serialize, Deserialize)]
pub struct Folded {
    pub changes: usize,
    /// Processor time of one thread, in seconds, for each fold.
    pub seconds: Vec<f64>,
}

/// Runs one exchange of a closed laptop in a process of its own.
pub fn exchange_of(folder: &Path, seed: u64) -> Result<Told> {
    told_by(Command::new(std::env::current_exe()?).arg("laptop").arg(folder).arg(seed.to_string()))
}

/// Folds everything that a closed laptop holds in a process of its own, which keeps the memory that one fold lets go of
/// for the next: what is measured is the fold, not how fast the system clears pages.
pub fn folds_of(folder: &Path, seed: u64) -> Result<Folded> {
    let mut program = Command::new(std::env::current_exe()?);
    told_by(program.env("MIMALLOC_PURGE_DELAY", "-1").arg("fold").arg(folder).arg(seed.to_string()))
}

fn told_by<T: DeserializeOwned>(program: &mut Command) -> Result<T> {
    let output = program.output()?;
    ensure!(output.status.success(), "the laptop failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What the process of `exchange_of` does.
pub fn be(folder: &Path, seed: u64) -> Result<()> {
    let laptop = Laptop::open(folder, seed)?;
    forget_the_most()?;
    let idle = memory("VmRSS")?;
    let begin = Instant::now();
    let report = exchange(&laptop)?;
    let seconds = begin.elapsed().as_secs_f64();
    let told = Told { seconds, moved: report.sent + report.received, idle, most: memory("VmHWM")? };
    println!("{}", serde_json::to_string(&told)?);
    Ok(())
}

/// What the process of `folds_of` does.
pub fn fold(folder: &Path, seed: u64) -> Result<()> {
    let laptop = Laptop::open(folder, seed)?;
    let mut folded = Folded { changes: 0, seconds: Vec::new() };
    for _ in 0..FOLDS {
        let (changes, took) = fold_once(&laptop)?;
        folded.changes = changes;
        folded.seconds.push(took.as_secs_f64());
    }
    println!("{}", serde_json::to_string(&folded)?);
    Ok(())
}

fn fold_once(laptop: &Laptop) -> Result<(usize, Duration)> {
    let streams = laptop.store.streams()?;
    let mut held: Vec<Change> = Vec::new();
    for stream in &streams {
        held.extend(laptop.store.changes(&stream.id)?);
    }
    let changes = held.len();
    let mut replica = Replica::new(streams.iter().find_map(|stream| stream.root));
    let begin = processor_time()?;
    replica.insert(held);
    let took = processor_time()? - begin;
    for stream in &streams {
        ensure!(replica.records(&stream.id).next().is_some(), "{} folded to nothing", stream.id);
    }
    Ok((changes, took))
}

/// Processor time of this thread, so that other work on the machine does not count.
fn processor_time() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = stat.split(' ').next().context("schedstat is empty")?.parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

/// Opening a branch takes 64 MiB for a moment, to make the password slow to guess: that is not the exchange's.
fn forget_the_most() -> Result<()> {
    fs::write("/proc/self/clear_refs", "5").context("the kernel does not let the highest mark be forgotten")
}

fn memory(name: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let value = value.and_then(|value| value.trim().strip_suffix(" kB"));
    value.and_then(|value| value.parse().ok()).with_context(|| format!("the kernel does not tell {name}"))
}
