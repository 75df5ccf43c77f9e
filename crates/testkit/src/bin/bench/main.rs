//! `cargo xtask bench local | sync`: what the product takes, beside a floor that is measured in the same run.
//!
//! One line a figure, `name: value (reach …) ok` or `… short`; the exit code is 1 when any is short. Lines that begin
//! with spaces say what a figure was made of. Only optimised builds are measured.

mod away;
mod branch;
mod figures;
mod floor;
mod large;
mod local;
mod photo;
mod place;
mod sync;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;

/// The one of the programs that are measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "bench")]
enum Bench {
    /// One branch with ten years of records: commit, lists, search, home page, rebuild.
    Local {
        #[arg(long, default_value_t = 10_000)]
        records: usize,
    },
    /// Laptop to city to second laptop: time, bytes, requests, memory.
    Sync {
        #[arg(long, default_value_t = 10_000)]
        records: usize,
        /// Of the large log.
        #[arg(long, default_value_t = 100_000)]
        changes: usize,
    },
    /// One exchange of a laptop that another bench has closed.
    #[command(hide = true)]
    Laptop { folder: PathBuf, seed: u64 },
    /// Folds of everything that such a laptop holds.
    #[command(hide = true)]
    Fold { folder: PathBuf, seed: u64 },
}

fn main() -> ExitCode {
    match measure(&Bench::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything was reached.
fn measure(bench: &Bench) -> Result<bool> {
    ensure!(!cfg!(debug_assertions), "only an optimised build says anything: cargo xtask bench");
    match bench {
        Bench::Local { records } => Ok(local::measure(*records)?.all_reached()),
        Bench::Sync { records, changes } => Ok(sync::measure(*records, *changes)?.all_reached()),
        Bench::Laptop { folder, seed } => away::be(folder, *seed).map(|()| true),
        Bench::Fold { folder, seed } => away::fold(folder, *seed).map(|()| true),
    }
}
