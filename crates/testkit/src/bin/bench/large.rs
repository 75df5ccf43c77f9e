//! A log of 100,000 changes: four fifths new records, one fifth edits of them. It is folded in memory, goes to the city
//! and to a second laptop, each laptop a process of its own whose memory is watched.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use replica::{ChangeId, StreamId};
use serde_json::json;
use store::{Issue, IssueWrite};
use testkit::{Entry, History, Random, Town, phrases};

use crate::away::{self, Folded};
use crate::branch::author;
use crate::figures::{Figures, Unit, median};
use crate::floor::Bytes;
use crate::place::{Bulk, Laptop, Place, exchange, packed};
use crate::sync::small;

const SEED: u64 = 20_161_104;
/// Changes that are written in one transaction while the log is made.
const TOGETHER: usize = 1_000;
const MIB: f64 = 1024.0;

pub fn measure(changes: usize, figures: &mut Figures) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let place = Place::begin(folder.path())?;
    let streams = place.founded_by_others(folder.path())?;
    let a = place.laptop(&folder.path().join("a"), 11)?;
    exchange(&a)?;
    let log = Log::of(changes)?;
    let begin = Instant::now();
    log.enter(&a, &streams)?;
    figures.detail(format!("{changes} changes written in {:.1} s", begin.elapsed().as_secs_f64()));
    let bytes = Bytes::written(a.store.file(), &a.store.database_key(), changes)?;
    let packed = packed(log.created.iter().chain(&log.edited))?;
    let b = place.laptop(&folder.path().join("b"), 12)?;
    let closed = [a.close(), b.close()];
    folded(&closed[0], changes, figures)?;

    for (laptop, way, seed) in [(&closed[0], "laptop → city", 22), (&closed[1], "city → second laptop", 23)]
    {
        let what = format!("{changes} changes {way}");
        place.line.traffic();
        let told = away::exchange_of(laptop, seed)?;
        let bulk = Bulk {
            took: Duration::from_secs_f64(told.seconds),
            traffic: place.line.traffic(),
            moved: told.moved,
        };
        figures.bulk(&what, &[bulk.beside(&bytes)?], packed)?;
        let above = (told.most - told.idle.min(told.most)) as f64 / MIB;
        figures.at_most(&format!("{what}, memory above idle"), above, 80.0, Unit::Mebibytes);
        figures.detail(format!("idle {:.0} MiB", told.idle as f64 / MIB));
    }
    let laptops = [Laptop::open(&closed[0], 31)?, Laptop::open(&closed[1], 32)?];
    exchange(&laptops[0])?;
    place.is_one_with(&[&laptops[0], &laptops[1]], &streams)?;
    let promise = log.created.iter().find(|entry| entry.kind == "promise").context("there are promises")?;
    small(&place, &laptops[0], promise, &streams[0], figures)
}

/// New records, and edits of some of them.
struct Log {
    created: Vec<Entry>,
    edited: Vec<Entry>,
}

impl Log {
    fn of(changes: usize) -> Result<Self> {
        let edits = changes / 5;
        let created = History::of(&Town::read()?, SEED, changes - edits)?.entries;
        let mut random = Random::seeded(SEED);
        let texts = [("promise", "text"), ("enterprise", "problems"), ("meeting", "summary")];
        let path = |entry: &Entry| texts.iter().find(|(kind, _)| *kind == entry.kind).map(|(_, path)| *path);
        let some = created.iter().filter_map(|entry| Some((entry, path(entry)?)));
        let edited = some.step_by(3).take(edits).map(|(entry, path)| {
            let fields = [(path.to_owned(), json!(phrases::task(&mut random)))].into();
            Entry { fields, ..entry.clone() }
        });
        let log = Self { edited: edited.collect(), created };
        ensure!(log.edited.len() == edits, "there are only {} records to edit", log.edited.len());
        Ok(log)
    }

    /// A third of the records into each stream, each edit after its record.
    fn enter(&self, laptop: &Laptop, streams: &[StreamId]) -> Result<()> {
        let third = self.created.len().div_ceil(streams.len());
        let mut edits = self.edited.iter().peekable();
        for (stream, created) in streams.iter().zip(self.created.chunks(third)) {
            for created in created.chunks(TOGETHER) {
                let issued = laptop.store.issue(stream, &created.iter().map(birth).collect::<Vec<_>>())?;
                let mut edited = Vec::new();
                for (entry, change) in created.iter().zip(issued) {
                    edited
                        .extend(edits.next_if(|edit| edit.id == entry.id).map(|edit| issue(edit, &[change])));
                }
                laptop.store.issue(stream, &edited)?;
            }
        }
        Ok(())
    }
}

fn birth(entry: &Entry) -> Issue {
    let mut issue = issue(entry, &[]);
    issue.writes.insert(0, write(entry, "~born", json!(true), &[]));
    issue
}

fn issue(entry: &Entry, over: &[ChangeId]) -> Issue {
    let writes = entry.fields.iter().map(|(path, value)| write(entry, path, value.clone(), over)).collect();
    Issue { at: entry.at, author: author().0, action: "save".to_owned(), batch: None, origin: None, writes }
}

fn write(entry: &Entry, path: &str, value: serde_json::Value, over: &[ChangeId]) -> IssueWrite {
    let (record, kind) = (entry.id.clone(), entry.kind.to_owned());
    IssueWrite { record, kind, path: path.to_owned(), value, over: over.to_vec() }
}

fn folded(laptop: &Path, changes: usize, figures: &mut Figures) -> Result<()> {
    let Folded { changes: held, seconds } = away::folds_of(laptop, 21)?;
    ensure!(held >= changes, "only {held} changes are there");
    let each = seconds.iter().map(|time| format!("{time:.2} s")).collect::<Vec<_>>().join(", ");
    let mut times: Vec<Duration> = seconds.into_iter().map(Duration::from_secs_f64).collect();
    let middle = median(&mut times).as_secs_f64();
    figures.at_most(&format!("{changes} changes folded, on one core"), middle, 2.0, Unit::Seconds);
    figures.detail(format!("{each}; the first with memory that is new to the process"));
    Ok(())
}
