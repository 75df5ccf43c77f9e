//! `xtask run` and `xtask package`: the product as a person starts it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process::{cargo, program, root, run, target};
use crate::setup;

/// What the built pages depend on.
const PAGE_SOURCES: &[&str] =
    &["ui/src", "ui/index.html", "ui/console.html", "ui/package-lock.json", "ui/vite.config.ts"];

/// Builds ui/dist unless it was built from the same sources.
pub fn pages() -> Result<()> {
    let stamp = target().join("pages.stamp");
    let sources = source_digest()?;
    let built = root().join("ui/dist/index.html").exists();
    if built && fs::read_to_string(&stamp).is_ok_and(|found| found == sources) {
        return Ok(());
    }
    run(&mut program("npm", "ui", &["run", "--silent", "build"]))?;
    fs::create_dir_all(target())?;
    fs::write(&stamp, sources).with_context(|| format!("cannot write {}", stamp.display()))
}

/// The Debian package, which carries the browser shell too; the Windows installer is built on Windows with the same
/// configuration.
pub fn package() -> Result<()> {
    setup::for_build()?;
    pages()?;
    run(cargo().args(["build", "--release", "--locked", "-p", "shell-web"]))?;
    let tauri = root().join("ui/node_modules/@tauri-apps/cli/tauri.js");
    run(program("node", "src-tauri", &[]).arg(tauri).args(["build", "--bundles", "deb"]))
}

fn source_digest() -> Result<String> {
    let mut files = BTreeSet::new();
    for source in PAGE_SOURCES {
        collect(&root().join(source), &mut files)?;
    }
    let mut all = Vec::new();
    for file in files {
        all.extend_from_slice(file.as_os_str().as_encoded_bytes());
        all.extend(fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?);
    }
    Ok(setup::digest(&all))
}

fn collect(path: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else if path.is_file() {
        files.insert(path.to_path_buf());
    }
    Ok(())
}
