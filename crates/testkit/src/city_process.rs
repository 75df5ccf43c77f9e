//! The city as a process of its own, with a fresh folder and the town's organisations.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{Process, built, output};
use crate::town::Town;

/// A city's folder, and the server while it runs.
pub struct CityProcess {
    data: PathBuf,
    server: Option<(Process, SocketAddr)>,
}

impl CityProcess {
    /// Makes a city in an empty folder.
    pub fn init(data: &Path) -> Result<Self> {
        let city = Self { data: data.to_owned(), server: None };
        let organisations = Town::folder().join("organisations.csv");
        output(city.command("init")?.arg("--organisations").arg(organisations))?;
        Ok(city)
    }

    /// Starts the server on a free port.
    pub fn serve(&mut self) -> Result<()> {
        self.serve_at("127.0.0.1:0")
    }

    /// Starts the server again where laptops know it.
    pub fn serve_again(&mut self, address: SocketAddr) -> Result<()> {
        self.serve_at(&address.to_string())
    }

    fn serve_at(&mut self, listen: &str) -> Result<()> {
        let process = Process::start(self.command("serve")?.args(["--listen", listen]))?;
        let address =
            process.wait_for(|line| line.strip_prefix("listening on http://").map(str::to_owned))?;
        let address = address.parse().with_context(|| format!("not an address: {address}"))?;
        self.server = Some((process, address));
        Ok(())
    }

    /// Where the server listens.
    pub fn listens(&self) -> SocketAddr {
        self.server.as_ref().expect("the city was started").1
    }

    pub fn address(&self) -> String {
        format!("http://{}", self.listens())
    }

    /// Ends the server as a power cut does.
    pub fn kill(&mut self) -> Result<()> {
        if let Some((process, _)) = self.server.take() {
            process.kill()?;
        }
        Ok(())
    }

    /// A one-time code for an organisation.
    pub fn code_for(&self, organisation: &str) -> Result<String> {
        let text = output(self.command("enrol")?.args(["--organisation", organisation]))?;
        let code = text.lines().last().context("the city printed no code")?;
        Ok(code.trim().to_owned())
    }

    /// Verifies everything that the city holds.
    pub fn check(&self) -> Result<String> {
        output(&mut self.command("check")?)
    }

    /// The digest of what the city stored for a stream.
    pub fn digest(&self, stream: &str) -> Result<String> {
        let text = output(&mut self.command("digest")?)?;
        let mut lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let digest = lines.find_map(|words| match words[..] {
            [_organisation, held, digest] if held == stream => Some(digest.to_owned()),
            _ => None,
        });
        digest.with_context(|| format!("the city holds no stream {stream}:\n{text}"))
    }

    /// A subcommand on the city's folder, for its words to be added.
    pub fn command(&self, what: &str) -> Result<Command> {
        let mut command = Command::new(built("city")?);
        command.arg(what).arg("--data").arg(&self.data).env("RUST_LOG", "warn");
        Ok(command)
    }
}
