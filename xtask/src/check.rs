//! `xtask check`: everything that can be said about the sources without running the product.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::process::{cargo, program, root, run, target};
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
    write_contract(&root().join(CONTRACT))
}

fn fresh() -> Result<()> {
    let expected = target().join("contract.ts");
    write_contract(&expected)?;
    let [found, wanted] = [root().join(CONTRACT), expected].map(|path| read(&path));
    if found? != wanted? {
        bail!("{CONTRACT} is not what app declares; run: cargo xtask gen");
    }
    println!("generated files: fresh");
    Ok(())
}

fn write_contract(path: &Path) -> Result<()> {
    run(cargo().args(["run", "--quiet", "--locked", "-p", "app", "--bin", "contract", "--"]).arg(path))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
