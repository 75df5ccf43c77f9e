//! The browser shell as a client sees it: enough loopback HTTP to set a branch up without anybody at the keyboard.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::process::{Running, built, program};

/// How long a program may take to say its address.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running browser shell and the way in.
pub struct Laptop {
    // Ends with this value.
    _shell: Running,
    host: String,
    cookie: String,
}

impl Laptop {
    /// Starts the shell on a data folder and uses its token up.
    pub fn open(data: &Path) -> Result<Self> {
        let log = data.join("shell.log");
        let mut command = program(built("jishi-web"), "", &["--no-browser", "--stay", "--data"]);
        let mut shell = Running::start(command.arg(data), &log)?;
        let address = wait_for(&mut shell, &log, "http://")?;
        let (host, path) = split(&address)?;
        let entered =
            send(&host, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))?;
        let cookie = entered.head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        let cookie = cookie.and_then(|line| line.split(';').next()).context("the shell gave no cookie")?;
        Ok(Self { _shell: shell, host, cookie: cookie.to_owned() })
    }

    /// One call, as the page would make it.
    pub fn call(&self, name: &str, payload: &Value) -> Result<Value> {
        let Self { host, cookie, .. } = self;
        let body = payload.to_string();
        let answer = send(
            host,
            &format!(
                "POST /call/{name} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            ),
        )?;
        ensure!(answer.head.starts_with("HTTP/1.1 200"), "{name} was refused: {}", answer.body);
        serde_json::from_str(&answer.body)
            .with_context(|| format!("{name} answered something else than JSON"))
    }
}

/// The first word in a log that starts like an address; fails when the program ends or stays silent.
pub fn wait_for(program: &mut Running, log: &Path, start: &str) -> Result<String> {
    let begin = Instant::now();
    loop {
        let said = fs::read_to_string(log).unwrap_or_default();
        let whole = said.rfind('\n').map_or("", |end| &said[..end]);
        if let Some(word) = whole.split_whitespace().find(|word| word.starts_with(start)) {
            return Ok(word.to_owned());
        }
        ensure!(!program.ended(), "the program ended: {said}");
        ensure!(begin.elapsed() < PATIENCE, "the program said no address: {said}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn split(address: &str) -> Result<(String, &str)> {
    let rest = address.strip_prefix("http://").context("the address is not one of loopback HTTP")?;
    let slash = rest.find('/').context("the address names no page")?;
    Ok((rest[..slash].to_owned(), &rest[slash..]))
}

struct Answer {
    head: String,
    body: String,
}

fn send(host: &str, request: &str) -> Result<Answer> {
    let mut stream = TcpStream::connect(host).with_context(|| format!("{host} does not answer"))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) => Ok(Answer { head: head.to_owned(), body: body.to_owned() }),
        None => bail!("{host} broke off"),
    }
}
