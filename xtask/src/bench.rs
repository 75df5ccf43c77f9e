//! `xtask demo`, `xtask bench` and `xtask chaos`: optimised builds of the programs in `testkit`.

use anyhow::{Result, bail};

use crate::process::{cargo, run};
use crate::setup;

pub fn demo(arguments: &[&str]) -> Result<()> {
    setup::for_build()?;
    testkit("demo", arguments)
}

pub fn bench(arguments: &[&str]) -> Result<()> {
    match arguments {
        ["local" | "sync", ..] => {
            setup::for_build()?;
            testkit("bench", arguments)
        }
        _ => bail!("which? cargo xtask bench local | sync"),
    }
}

pub fn chaos(arguments: &[&str]) -> Result<()> {
    setup::for_build()?;
    testkit("chaos", arguments)
}

fn testkit(program: &str, arguments: &[&str]) -> Result<()> {
    let build =
        ["build", "--release", "--locked", "--bins", "-p", "testkit", "-p", "city", "-p", "shell-web"];
    run(cargo().args(build))?;
    let start = ["run", "--quiet", "--release", "--locked", "-p", "testkit", "--bin", program, "--"];
    run(cargo().args(start).args(arguments))
}
