//! The project's commands: `cargo xtask run|test|check|gen|demo|bench|simulate|chaos|package`.
//!
//! It prepares the machine and starts the tools; it holds no product code and depends on none of the parts, so that
//! it builds in seconds. Start at [`main`]: each command is one module.

mod bench;
mod check;
mod edges;
mod laptop;
mod process;
mod product;
mod run;
mod setup;
mod simulate;
mod suite;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
cargo xtask <command>

  run              a city with a made-up town and the desktop app enrolled to it, on this computer
  test [PART]      every test; PART is rust, simulator, pages, browser or window
  check            format, clippy, types, lint, generated files, dependency edges
  gen              writes the generated TypeScript contract
  demo             the main job from an empty folder, in separate processes
  bench local|sync measures against the reaches and says ok or short
  simulate         stories of laptops and a city under faults: --seeds N --from S [--zoo]
  chaos            the same with real processes, kills and lines: --minutes M --seed S
  package          the Debian package of the desktop app
  setup            installs what the other commands need";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(words: &[&str]) -> Result<()> {
    match words {
        ["run", rest @ ..] => run::run(rest),
        ["test"] => suite::everything(),
        ["test", part, rest @ ..] => suite::part(part, rest),
        ["check"] => check::check(),
        ["gen"] => check::generate(),
        ["demo", rest @ ..] => bench::demo(rest),
        ["bench", rest @ ..] => bench::bench(rest),
        ["chaos", rest @ ..] => bench::chaos(rest),
        ["simulate", rest @ ..] => simulate::simulate(rest),
        ["package"] => product::package(),
        ["setup"] => setup::everything(),
        _ => bail!("{USAGE}"),
    }
}
