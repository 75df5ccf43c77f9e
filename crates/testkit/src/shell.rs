//! A laptop as a process of its own: the browser shell, asked over loopback as its page asks it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use reqwest::blocking::{Client, Response};
use reqwest::header::{CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use serde_json::Value;

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

impl Shell {
    /// Starts the program on a folder of records.
    pub fn start(data: &Path) -> Result<Self> {
        let mut command = Command::new(built("jishi-web")?);
        command.arg("--data").arg(data).args(["--no-browser", "--stay", "--by-hand"]).env("RUST_LOG", "warn");
        let process = Process::start(&mut command)?;
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

fn read(name: &str, answer: Response) -> Result<Value> {
    let status = answer.status();
    let text = answer.text().with_context(|| format!("{name}: the answer broke off"))?;
    if !status.is_success() {
        bail!("{name}: {status}: {text}");
    }
    ensure!(!text.is_empty(), "{name}: an empty answer");
    serde_json::from_str(&text).with_context(|| format!("{name}: not JSON"))
}
