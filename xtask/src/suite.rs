//! `xtask test`: every test of the project, cheapest first, each runner with its own closing lines.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::process::{built, cargo, program, read, root, run, succeeds};
use crate::{product, setup};

/// One selection for every build of a test run: another one would change features and build the world again.
const SELECTION: &[&str] = &["--workspace", "--locked", "--features", "jishi/custom-protocol"];

/// Packages whose dates must not depend on where the computer thinks it is.
const CIVIL: &[&str] = &["domain", "app"];

/// Far enough from +08:00 that a civil date read off a local clock is another day.
const ELSEWHERE: &str = "America/Los_Angeles";

pub fn everything() -> Result<()> {
    setup::for_tests()?;
    timed("pages: build", product::pages)?;
    timed("programs: build", build)?;
    timed("rust: tests", || rust(&[]))?;
    timed("simulator: stories", || simulator(&[]))?;
    timed("pages: vitest", vitest)?;
    timed("browser: stories", || browser(&[]))?;
    timed("window: story", || window(&[]))
}

/// One part alone, for work on it.
pub fn part(name: &str, rest: &[&str]) -> Result<()> {
    setup::for_tests()?;
    match name {
        "pages" => return vitest(),
        "rust" | "browser" | "window" => product::pages()?,
        "simulator" => {}
        _ => bail!("which part? rust, simulator, pages, browser or window"),
    }
    build()?;
    match name {
        "rust" => rust(rest),
        "simulator" => simulator(rest),
        "browser" => browser(rest),
        _ => window(rest),
    }
}

fn timed(what: &str, step: impl FnOnce() -> Result<()>) -> Result<()> {
    let begin = Instant::now();
    println!("== {what}");
    step().with_context(|| what.to_owned())?;
    println!("== {what}: {} s", begin.elapsed().as_secs());
    Ok(())
}

/// The programs with the tests, at once: for the programs alone fewer features would be on, and the tests would then build
/// most of them again.
fn build() -> Result<()> {
    run(cargo().args(["build", "--all-targets"]).args(SELECTION))
}

/// Without the examples in doc comments, of which there are none: to look for them is to build the world again.
fn rust(rest: &[&str]) -> Result<()> {
    if succeeds(cargo().args(["nextest", "--version"])) {
        run(cargo().env("TZ", "UTC").args(["nextest", "run"]).args(SELECTION).args(rest))?;
    } else {
        run(cargo().env("TZ", "UTC").args(["test", "--all-targets"]).args(SELECTION).args(rest))?;
    }
    elsewhere()
}

/// Runs the test programs that are built already, in another time zone.
fn elsewhere() -> Result<()> {
    let messages = read(cargo().args(["test", "--no-run", "--message-format=json"]).args(SELECTION))?;
    let programs = test_programs(&messages)?;
    ensure!(programs.len() >= CIVIL.len(), "cargo built no test program for {CIVIL:?}");
    for (name, path) in programs {
        let folder = format!("crates/{name}");
        run(Command::new(path).env("TZ", ELSEWHERE).arg("--quiet").current_dir(root().join(folder)))?;
    }
    Ok(())
}

fn test_programs(messages: &str) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for line in messages.lines() {
        let message: Value = serde_json::from_str(line).context("cargo wrote a line that is not JSON")?;
        let folder = message["manifest_path"].as_str().and_then(|path| path.strip_suffix("/Cargo.toml"));
        let package = folder.and_then(|folder| folder.rsplit('/').next());
        let Some(package) = package.filter(|package| CIVIL.contains(package)) else { continue };
        if message["profile"]["test"] == true
            && let Some(executable) = message["executable"].as_str()
        {
            found.push((package.to_owned(), executable.into()));
        }
    }
    Ok(found)
}

/// As many stories as a test may take, all that are drawn first; `cargo xtask simulate` plays more.
fn simulator(rest: &[&str]) -> Result<()> {
    run(Command::new(built("simulate")).args(["--seeds", "500"]).args(rest))
}

fn vitest() -> Result<()> {
    run(&mut program("npm", "ui", &["run", "--silent", "test"]))
}

fn browser(rest: &[&str]) -> Result<()> {
    let mut command = program("node", "tests/ui", &["run.mjs"]);
    run(command.args(rest).env("JISHI_WEB", built("jishi-web")).env("JISHI_CITY", built("city")))
}

/// A display and a session bus of its own: the test must neither see nor disturb the person at the computer.
fn window(rest: &[&str]) -> Result<()> {
    let display = ["-a", "-s", "-screen 0 1366x768x24", "dbus-run-session", "--"];
    let runner = ["node", "--test", "--test-timeout=120000", "window.test.mjs"];
    let mut command = program("xvfb-run", "tests/window", &display);
    command.env("JISHI", built("jishi")).env("TAURI_DRIVER", setup::tauri_driver_path());
    run(command.args(runner).args(rest))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::{root, test_programs};

    /// A comment with code in it would be a test that nobody runs.
    #[test]
    fn no_doc_comment_has_an_example() {
        let mut folders: Vec<PathBuf> =
            ["crates", "src-tauri/src", "tests", "xtask"].map(|it| root().join(it)).into();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("the folder can be read") {
                let path = entry.expect("the folder can be read").path();
                if path.is_dir() {
                    folders.extend((!path.ends_with("node_modules")).then_some(path));
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    assert!(!has_example(&path), "{} has code in a doc comment", path.display());
                }
            }
        }
    }

    fn has_example(path: &Path) -> bool {
        let text = fs::read_to_string(path).expect("a source file is text");
        let comments = text.lines().map(str::trim_start).filter(|line| line.starts_with("//"));
        comments.map(|line| line[2..].trim_start_matches(['/', '!', ' '])).any(|line| line.starts_with("```"))
    }

    #[test]
    fn only_test_programs_of_the_named_packages_are_taken() {
        let line = |package: &str, test: bool| {
            let path = format!("/x/crates/{package}/Cargo.toml");
            let executable = if test { format!("/x/target/{package}") } else { "/x/target/bin".to_owned() };
            serde_json::json!({"manifest_path": path, "profile": {"test": test}, "executable": executable})
                .to_string()
        };
        let messages = [line("domain", true), line("city", true), line("app", false)].join("\n");
        let found = test_programs(&messages).expect("the lines are JSON");
        assert_eq!(found, [("domain".to_owned(), "/x/target/domain".into())]);
    }
}
