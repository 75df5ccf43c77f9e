//! `xtask simulate`: an optimised build of the simulator, with the planted bugs in it only if they are asked for.

use anyhow::Result;

use crate::process::{cargo, run};
use crate::setup;

pub fn simulate(arguments: &[&str]) -> Result<()> {
    setup::for_build()?;
    let mut start = cargo();
    start.args(["run", "--quiet", "--release", "--locked", "-p", "testkit", "--bin", "simulate"]);
    if arguments.contains(&"--zoo") {
        start.args(["--features", "zoo"]);
    }
    run(start.arg("--").args(arguments))
}
