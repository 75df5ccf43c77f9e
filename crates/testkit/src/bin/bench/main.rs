//! `cargo xtask bench local | sync`: what the product takes, beside a floor that is measured in the same run.
//!
//! One line a figure, `name: value (reach …) ok` or `… short`; the exit code is 1 when any is short. Lines that begin
//! with spaces say what a figure was made of. Only optimised builds are measured.

mod branch;
mod figures;
mod floor;
mod local;
mod sync;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;

use crate::figures::Figures;

#[derive(Parser)]
#[command(name = "bench")]
enum Bench {
    /// One branch with ten years of records: commit, lists, search, home page, rebuild.
    Local {
        #[arg(long, default_value_t = 10_000)]
        records: usize,
    },
    /// Laptop to city to second laptop: time, bytes, requests.
    Sync {
        #[arg(long, default_value_t = 10_000)]
        records: usize,
    },
}

fn main() -> ExitCode {
    match measure(&Bench::parse()) {
        Ok(figures) if figures.all_reached() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(bench: &Bench) -> Result<Figures> {
    ensure!(!cfg!(debug_assertions), "only an optimised build says anything: cargo xtask bench");
    match bench {
        Bench::Local { records } => local::measure(*records),
        Bench::Sync { records } => sync::measure(*records),
    }
}
