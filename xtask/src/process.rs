//! Starting the tools: every line that is run is printed first, and a failure names it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, ensure};

/// The workspace folder: xtask always runs from a checkout.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask lies in the workspace folder").to_path_buf()
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A program of this workspace after a debug build.
pub fn built(program: &str) -> PathBuf {
    target().join("debug").join(program)
}

/// The cargo that started this program.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// A program with its arguments, in a folder of the workspace.
pub fn program(name: impl AsRef<Path>, folder: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name.as_ref());
    command.args(arguments).current_dir(root().join(folder));
    command
}

/// Runs to the end with the terminal's own output.
pub fn run(command: &mut Command) -> Result<()> {
    println!("+ {}", line(command));
    let status = command.status().with_context(|| format!("cannot start: {}", line(command)))?;
    ensure!(status.success(), "failed ({status}): {}", line(command));
    Ok(())
}

/// Runs quietly and returns what it printed; fails with its errors.
pub fn read(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } =
        command.output().with_context(|| format!("cannot start: {}", line(command)))?;
    ensure!(status.success(), "failed ({status}): {}\n{}", line(command), String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).with_context(|| format!("not UTF-8: {}", line(command)))
}

/// Whether a program starts and ends well; its output is not wanted.
pub fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// A process that ends with its owner.
pub struct Running(Child);

impl Running {
    /// Starts a process whose output goes to a file.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        println!("+ {} (log: {})", line(command), log.display());
        let out = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let errors = out.try_clone()?;
        let child = command.stdin(Stdio::null()).stdout(out).stderr(errors).spawn();
        child.map(Self).with_context(|| format!("cannot start: {}", line(command)))
    }

    /// Whether it has ended by itself.
    pub fn ended(&mut self) -> bool {
        self.0.try_wait().is_ok_and(|status| status.is_some())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing left to stop.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
