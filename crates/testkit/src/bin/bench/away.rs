//! A laptop as a process of its own, so that its memory can be told from everybody else's.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
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

/// Runs one exchange of a closed laptop in a process of its own.
pub fn exchange_of(folder: &Path, seed: u64) -> Result<Told> {
    let mut program = Command::new(std::env::current_exe()?);
    let output = program.arg("laptop").arg(folder).arg(seed.to_string()).output()?;
    ensure!(output.status.success(), "the laptop failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What that process does.
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
