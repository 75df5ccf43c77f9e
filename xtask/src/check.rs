//! `xtask check`: everything that can be said about the sources without running the product.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::process::{cargo, program, read, root, run};
use crate::{edges, setup};

const CONTRACT: &str = "ui/src/host/contract.ts";

/// Format, clippy, generated files, types and lint of the pages, dependency edges.
pub fn check() -> Result<()> {
    setup::for_build()?;
    setup::rust_components()?;
    run(cargo().args(["fmt", "--all", "--check"]))?;
    edges::check()?;
    run(cargo().args(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))?;
    fresh()?;
    for script in ["types", "lint"] {
        run(&mut program("npm", "ui", &["run", "--silent", script]))?;
    }
    println!("check: all is well");
    Ok(())
}

/// Writes the contract that the pages speak, from the types of `app`.
pub fn generate() -> Result<()> {
    let path = root().join(CONTRACT);
    fs::write(&path, contract()?).with_context(|| format!("cannot write {}", path.display()))
}

fn fresh() -> Result<()> {
    let path = root().join(CONTRACT);
    let found = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(found == contract()?, "{CONTRACT} is not what app declares; run: cargo xtask gen");
    println!("generated files: fresh");
    Ok(())
}

fn contract() -> Result<String> {
    read(cargo().args(["run", "--quiet", "--locked", "-p", "app", "--example", "contract"]))
}
