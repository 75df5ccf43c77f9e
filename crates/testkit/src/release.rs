//! What is kept of a released version: the folders of a laptop and a city, what passed between them, and what must
//! be found in all of it. `keep-release` writes it once; `tests/upgrades` opens it with every later program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use city::City;
use serde::{Deserialize, Serialize};
use sync::{Carrier, NoReply, Reply};
use wire::enrol::EXCHANGE_PATH;
use wire::{Answer, Request, RequestHead, Whole};

use crate::secretary::Holdings;
use crate::simulate::Line;

/// What must be found, as it was when it was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    pub version: String,
    /// The format number of the laptop's database.
    pub format: i64,
    pub stream: String,
    /// Digests of the stored records.
    pub laptop: String,
    pub city: String,
    pub holdings: Holdings,
    /// A draft and the summary that stands in it.
    pub draft: (String, String),
    /// Records that the city does not hold yet.
    pub waiting: u32,
    /// Ids of the changes in the wire capture, in order.
    pub captured: Vec<String>,
}

/// The folder of a kept version.
#[derive(Debug, Clone)]
pub struct Release(pub PathBuf);

impl Release {
    /// Every version that is kept, by name.
    pub fn all() -> Result<BTreeMap<String, Release>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/upgrades");
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.path().join("expected.json").is_file() {
                found.insert(entry.file_name().to_string_lossy().into_owned(), Release(entry.path()));
            }
        }
        Ok(found)
    }

    pub fn expected(&self) -> Result<Expected> {
        let text = fs::read_to_string(self.0.join("expected.json"))?;
        serde_json::from_str(&text).context("expected.json is not as this program writes it")
    }

    pub fn keep(&self, expected: &Expected) -> Result<()> {
        let text = serde_json::to_string_pretty(expected)?;
        Ok(fs::write(self.0.join("expected.json"), text + "\n")?)
    }

    /// The data folder of the laptop; holds the folder of its one branch.
    pub fn laptop(&self) -> PathBuf {
        self.0.join("laptop")
    }

    pub fn city(&self) -> PathBuf {
        self.0.join("city")
    }

    /// Requests and answers of an exchange, in order.
    pub fn capture(&self) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let read = |name: String| fs::read(self.0.join("wire").join(name));
        let mut bodies = Vec::new();
        while self.0.join("wire").join(format!("{}.request", bodies.len() + 1)).is_file() {
            let at = bodies.len() + 1;
            bodies.push((read(format!("{at}.request"))?, read(format!("{at}.answer"))?));
        }
        ensure!(!bodies.is_empty(), "nothing was captured");
        Ok(bodies)
    }
}

/// Carries to a city in this process and writes down what passes.
pub struct Tap {
    line: Line,
    folder: PathBuf,
}

impl Tap {
    pub fn new(city: &Arc<City>, folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { line: Line::clean(city), folder })
    }

    fn write(&self, at: usize, what: &str, body: &[u8]) {
        fs::write(self.folder.join(format!("{at}.{what}")), body)
            .expect("the capture's folder was just made");
    }
}

impl Carrier for Tap {
    fn get(&self, path: &str, media_type: &str) -> Result<Reply, NoReply> {
        self.line.get(path, media_type)
    }

    fn post(&self, path: &str, media_type: &str, body: Vec<u8>) -> Result<Reply, NoReply> {
        if path != EXCHANGE_PATH {
            return self.line.post(path, media_type, body);
        }
        let at = fs::read_dir(&self.folder).map_or(0, Iterator::count) / 2 + 1;
        self.write(at, "request", &body);
        let reply = self.line.post(path, media_type, body)?;
        self.write(at, "answer", &reply.body);
        Ok(reply)
    }
}

/// Reads what was captured with this program: the changes that passed, each verified as signed.
pub fn capture(release: &Release) -> Result<Vec<String>> {
    let mut ids = BTreeSet::new();
    for (request, answer) in release.capture()? {
        let (head, body) = RequestHead::split(&request)?;
        let (request, whole) = Request::decode(body)?;
        ensure!(whole == Whole::Yes, "a captured request is cut");
        let (answer, whole) = Answer::decode(&answer, &request.streams, head.nonce, head.device)?;
        ensure!(whole == Whole::Yes, "a captured answer is cut");
        for raw in request.changes.into_iter().chain(answer.changes) {
            ids.insert(raw.verify()?.id.to_string());
        }
    }
    Ok(ids.into_iter().collect())
}
