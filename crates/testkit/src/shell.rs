//! A laptop as a process of its own: the browser shell, asked over loopback as its page asks it.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;
use reqwest::blocking::{Client, Response};
use reqwest::header::{CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use serde_json::Value;

use crate::faketime;
use crate::process::{PATIENCE, Process, built};

/// A running browser shell with a session.
pub struct Shell {
    process: Process,
    caller: Caller,
}

/// The page's side of a [`Shell`]; it may outlive the program that it talks to.
#[derive(Clone)]
pub struct Caller {
    client: Client,
    origin: String,
    cookie: String,
}

/// What the program said instead of an answer.
#[derive(Debug)]
pub struct Refusal {
    pub call: String,
    /// As the contract has it; empty where the answer has none.
    pub code: String,
    status: StatusCode,
    text: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.call, self.status, self.text)
    }
}

impl Error for Refusal {}

impl Shell {
    /// Starts the program on a folder of records.
    pub fn start(data: &Path) -> Result<Self> {
        Self::run(&mut command(data)?)
    }

    /// The same on a computer whose clock is so many seconds fast; negative: slow.
    pub fn start_with_clock_off(data: &Path, seconds: i64) -> Result<Self> {
        Self::run(command(data)?.envs(faketime::environment(seconds)?))
    }

    fn run(command: &mut Command) -> Result<Self> {
        let process = Process::start(command)?;
        let address = process.wait_for(|line| line.find("http://").map(|start| line[start..].to_owned()))?;
        let caller = Caller::enter(&address)?;
        Ok(Self { process, caller })
    }

    pub fn call(&self, name: &str, payload: Value) -> Result<Value> {
        self.caller.call(name, payload)
    }

    pub fn caller(&self) -> Caller {
        self.caller.clone()
    }

    /// Ends the program as a power cut does.
    pub fn kill(self) -> Result<()> {
        self.process.kill()?;
        Ok(())
    }
}

impl Caller {
    /// Uses the address that the shell printed, once, for a session.
    fn enter(address: &str) -> Result<Self> {
        let client = Client::builder().redirect(Policy::none()).timeout(PATIENCE * 4).no_proxy().build()?;
        let answer = client.get(address).send().context("the shell does not answer")?;
        let cookie = answer.headers().get(SET_COOKIE).context("the shell gave no session")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let (origin, _) = address.split_once("/enter").context("the shell printed another address")?;
        Ok(Self { client, origin: origin.to_owned(), cookie })
    }

    /// Asks for one of the calls of the contract.
    pub fn call(&self, name: &str, payload: Value) -> Result<Value> {
        let answer = self
            .client
            .post(format!("{}/call/{name}", self.origin))
            .header(ORIGIN, &self.origin)
            .header(COOKIE, &self.cookie)
            .header(CONTENT_TYPE, "application/json")
            .body(payload.to_string())
            .send()
            .with_context(|| format!("{name}: the shell is gone"))?;
        read(name, answer)
    }
}

fn command(data: &Path) -> Result<Command> {
    let mut command = Command::new(built("jishi-web")?);
    command.arg("--data").arg(data).args(["--no-browser", "--stay", "--by-hand"]).env("RUST_LOG", "warn");
    Ok(command)
}

fn read(name: &str, answer: Response) -> Result<Value> {
    let status = answer.status();
    let text = answer.text().with_context(|| format!("{name}: the answer broke off"))?;
    if !status.is_success() {
        let said: Value = serde_json::from_str(&text).unwrap_or_default();
        let code = said["code"].as_str().unwrap_or_default().to_owned();
        return Err(Refusal { call: name.to_owned(), code, status, text }.into());
    }
    ensure!(!text.is_empty(), "{name}: an empty answer");
    serde_json::from_str(&text).with_context(|| format!("{name}: not JSON"))
}
