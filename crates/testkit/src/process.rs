//! Programs of the product as processes of their own: started, watched by what they print, killed.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long anything that was asked for may take before it counts as never.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running program. It is killed when this is dropped.
pub struct Process {
    name: String,
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    pub fn start(command: &mut Command) -> Result<Self> {
        let name = name(command);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let output = child.stdout.take().expect("the output was piped");
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Nobody may be listening any more; the pipe is emptied all the same, so that the program goes on.
                let _ = send.send(line);
            }
        });
        Ok(Self { name, child, lines })
    }

    /// The first thing that `wanted` finds in a line of the output, waiting for it if need be.
    pub fn wait_for<T>(&self, wanted: impl Fn(&str) -> Option<T>) -> Result<T> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(found) = wanted(&line) {
                        return Ok(found);
                    }
                }
                Err(RecvTimeoutError::Timeout) => bail!("{} did not say what was waited for", self.name),
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("{} ended before it said what was waited for", self.name)
                }
            }
        }
    }

    /// Ends it as a power cut does (SIGKILL), and waits until it is gone.
    pub fn kill(mut self) -> Result<ExitStatus> {
        self.child.kill().with_context(|| format!("cannot kill {}", self.name))?;
        self.child.wait().with_context(|| format!("cannot wait for {}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing left to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end and returns what it printed; fails with its errors.
pub fn output(command: &mut Command) -> Result<String> {
    let name = name(command);
    let Output { status, stdout, stderr } =
        command.output().with_context(|| format!("cannot start {name}"))?;
    ensure!(status.success(), "{name} failed ({status}): {}", String::from_utf8_lossy(&stderr).trim());
    String::from_utf8(stdout).with_context(|| format!("{name} printed something that is not UTF-8"))
}

/// A program that was built together with this one: beside it, or one folder up from where cargo puts tests.
pub fn built(program: &str) -> Result<PathBuf> {
    let here = std::env::current_exe().context("this program does not know where it is")?;
    let folders = here.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(program)).find(|path| Path::is_file(path));
    found.with_context(|| format!("{program} was not built beside {}", here.display()))
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_waited_for_and_the_end_is_noticed() {
        let mut shell = Command::new("sh");
        let process = Process::start(shell.args(["-c", "echo one; echo two=2"])).unwrap();
        let value = process.wait_for(|line| line.strip_prefix("two=").map(str::to_owned));
        assert_eq!(value.unwrap(), "2");
        let error = process.wait_for(|line| line.strip_prefix("three").map(str::len)).unwrap_err();
        assert!(error.to_string().contains("ended before"), "{error}");
    }

    #[test]
    fn killing_is_sudden() {
        let mut shell = Command::new("sh");
        let process = Process::start(shell.args(["-c", "trap '' TERM; echo up; exec sleep 60"])).unwrap();
        process.wait_for(|line| (line == "up").then_some(())).unwrap();
        let status = process.kill().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    }
}
