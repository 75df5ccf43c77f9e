//! `bench sync`: three streams, two laptops, one retired identity. Ten years of records go from a laptop to the city,
//! a process of its own behind a counting line, and from there to a second laptop; then what two laptops write at once,
//! what a slow line makes of it, a photo over a line that breaks, and a log ten times as long.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use replica::StreamId;
use serde_json::{Value, json};
use sync::{Address, Stop};
use testkit::{Entry, History, Link, Random, Town, phrases};

use crate::branch::{author, create};
use crate::figures::{Figures, Unit, middle};
use crate::floor::Bytes;
use crate::large;
use crate::photo;
use crate::place::{Laptop, Measured, Place, exchange, packed};

const SEED: u64 = 20_161_102;
/// How often the way down is measured, each time with a new laptop and its floor beside it.
const TIMES: usize = 3;
/// A line in a village: 64 kbit/s, 600 ms there and 600 ms back.
const SLOW: Link = Link { bytes_per_second: 8_000, latency: Duration::from_millis(600) };
/// Records of a busy month.
const MONTH: usize = 100;
/// Edits of each laptop that meet the other's at the same place, and as many that do not.
const EDITS: usize = 100;

pub fn measure(records: usize, changes: usize) -> Result<Figures> {
    let mut figures = Figures::default();
    let folder = tempfile::tempdir()?;
    let place = Place::begin(folder.path())?;
    let history = History::of(&Town::read()?, SEED, records)?;
    let streams = place.founded_by_others(folder.path())?;
    let a = place.laptop(&folder.path().join("a"), 1)?;
    exchange(&a)?;
    enter(&a, &streams, &history.entries)?;

    let packed = packed(&history.entries)?;
    let up = place.bulk(&a)?;
    let bytes = Bytes::written(a.store.file(), &a.store.database_key(), records)?;
    figures.bulk(&format!("{records} records laptop → city"), &[up.beside(&bytes)?], packed)?;
    let (b, down) = second_laptops(&place, folder.path(), &bytes)?;
    figures.bulk(&format!("{records} records city → second laptop"), &down, packed)?;
    let begin = Instant::now();
    b.store.index_words()?;
    figures
        .detail(format!("the search box had caught up after another {:.2} s", begin.elapsed().as_secs_f64()));
    exchange(&a)?;
    place.is_one_with(&[&a, &b], &streams)?;

    let promise =
        history.entries.iter().find(|entry| entry.kind == "promise").context("there are promises")?;
    small(&place, &a, promise, &streams[0], &mut figures)?;
    at_once(&place, [&a, &b], &history, &streams, &mut figures)?;
    slowly(&place, &a, &mut figures)?;
    photo::broken(&place, [&a, &b], &streams[0], &mut figures)?;
    drop((a, b));
    large::measure(changes, &mut figures)?;
    Ok(figures)
}

/// New laptops take everything, one after another. Gives the last.
fn second_laptops(place: &Place, folder: &Path, bytes: &Bytes) -> Result<(Laptop, Vec<Measured>)> {
    let mut taken = Vec::new();
    let mut last = None;
    for time in 0..TIMES {
        let laptop = place.laptop(&folder.join(format!("b-{time}")), 2 + time as u64)?;
        taken.push(place.bulk(&laptop)?.beside(bytes)?);
        last = Some(laptop);
    }
    Ok((last.context("it is measured at least once")?, taken))
}

/// Enters records, a third into each stream.
fn enter(laptop: &Laptop, streams: &[StreamId], entries: &[Entry]) -> Result<()> {
    let third = entries.len().div_ceil(streams.len());
    for (stream, entries) in streams.iter().zip(entries.chunks(third)) {
        laptop.store.join_stream(stream)?;
        for entry in entries {
            laptop.computer.world.set(entry.at);
            create(&laptop.store, entry)?;
        }
    }
    laptop.computer.world.set(app::World::real().now());
    Ok(())
}

/// One field, then nothing.
pub fn small(
    place: &Place,
    laptop: &Laptop,
    promise: &Entry,
    stream: &StreamId,
    figures: &mut Figures,
) -> Result<()> {
    laptop.store.join_stream(stream)?;
    put(laptop, promise, "text", json!("每周五检查七号库责任区，结果贴公开栏"))?;
    for (what, reach) in [("one changed field", 1536.0), ("nothing changed", 1024.0)] {
        let done = place.bulk(laptop)?;
        figures.at_most(&format!("{what}, requests"), done.traffic.requests as f64, 1.0, Unit::Requests);
        figures.at_most(&format!("{what}, bytes both ways"), done.traffic.bytes() as f64, reach, Unit::Bytes);
        figures.detail(format!("up {} B, down {} B", done.traffic.up, done.traffic.down));
    }
    Ok(())
}

fn put(laptop: &Laptop, entry: &Entry, path: &str, value: Value) -> Result<()> {
    let fields = [(path.to_owned(), value)].into();
    laptop.store.write(&author(), "save", |write| write.put(entry.kind, &entry.id, &fields))?;
    Ok(())
}

/// Two laptops edit the same records while neither knows of the other: half at the same field, half at different ones.
fn at_once(
    place: &Place,
    laptops: [&Laptop; 2],
    history: &History,
    streams: &[StreamId],
    figures: &mut Figures,
) -> Result<()> {
    let third = history.entries.len().div_ceil(streams.len());
    let promises = history.entries[..third].iter().filter(|entry| entry.kind == "promise");
    let promises: Vec<&Entry> = promises.take(2 * EDITS).collect();
    ensure!(promises.len() == 2 * EDITS, "there are only {} promises", promises.len());
    let mut random = Random::seeded(SEED);
    for (laptop, own) in laptops.iter().zip(["text", "published_how"]) {
        laptop.store.join_stream(&streams[0])?;
        for (index, promise) in promises.iter().enumerate() {
            let path = if index % 2 == 0 { "text" } else { own };
            put(laptop, promise, path, json!(phrases::task(&mut random)))?;
        }
    }
    let mut done = Vec::new();
    for laptop in [laptops[0], laptops[1], laptops[0]] {
        done.push(place.bulk(laptop)?);
    }
    place.is_one_with(&laptops, streams)?;
    let conflicts = conflicts(laptops[0], &promises)?;
    ensure!(conflicts == EDITS, "{conflicts} of {EDITS} edits at one place are a conflict");
    let requests: u64 = done.iter().map(|bulk| bulk.traffic.requests).sum();
    let bytes: u64 = done.iter().map(|bulk| bulk.traffic.bytes()).sum();
    let took: Duration = done.iter().map(|bulk| bulk.took).sum();
    let edits = 2 * promises.len();
    figures.at_most("concurrent edits of two laptops, requests", requests as f64, 5.0, Unit::Requests);
    let each = bytes as f64 / edits as f64;
    figures.at_most("concurrent edits, bytes for each, to the city and on", each, 768.0, Unit::Bytes);
    figures.at_most("concurrent edits, time of all exchanges", took.as_secs_f64(), 2.0, Unit::Seconds);
    figures.detail(format!("{edits} edits, {conflicts} conflicts kept on both laptops and on the city"));
    Ok(())
}

fn conflicts(laptop: &Laptop, entries: &[&Entry]) -> Result<usize> {
    let mut conflicts = 0;
    for entry in entries {
        let state = laptop.store.record(entry.kind, &entry.id)?.context("the record is there")?;
        conflicts += state.conflicts().count();
    }
    Ok(conflicts)
}

/// A month's records, then nothing, over a line in a village.
fn slowly(place: &Place, laptop: &Laptop, figures: &mut Figures) -> Result<()> {
    let line = place.line_like(SLOW)?;
    sync::move_city(&laptop.store, &Address::parse(&line.address())?, &Stop::default())?;
    let more = History::of(&Town::read()?, SEED + 10, 2 * MONTH)?.entries.into_iter();
    let month: Vec<Entry> =
        more.filter(|entry| !["organisation", "person"].contains(&entry.kind)).take(MONTH).collect();
    month.iter().try_for_each(|entry| create(&laptop.store, entry))?;
    let packed = packed(&month)?;
    for (what, bytes) in [
        (format!("{MONTH} records at 64 kbit/s and 600 ms"), packed),
        ("nothing at 64 kbit/s and 600 ms".to_owned(), 0),
    ] {
        line.traffic();
        let begin = std::time::Instant::now();
        let report = exchange(laptop)?;
        let (took, traffic) = (begin.elapsed().as_secs_f64(), line.traffic());
        // A connection, a request with what is new, an answer; a few hundred bytes of addresses, signatures, receipt.
        let floor = SLOW.opening() + 2 * SLOW.latency + SLOW.leaving(bytes + 600);
        figures.at_most(&format!("{what}, time"), took / floor.as_secs_f64(), 1.6, Unit::TimesLine);
        figures.detail(format!(
            "{took:.1} s, the line alone {:.1} s; {} requests, up {} B, down {} B, {} changes",
            floor.as_secs_f64(),
            traffic.requests,
            traffic.up,
            traffic.down,
            report.sent
        ));
    }
    Ok(())
}

impl Figures {
    /// A bulk that was moved once or several times, beside its floor and its bytes.
    pub fn bulk(&mut self, what: &str, done: &[Measured], packed: usize) -> Result<()> {
        let ratio = |one: &Measured| one.bulk.took.as_secs_f64() / one.floor.as_secs_f64();
        let mut ratios: Vec<f64> = done.iter().map(ratio).collect();
        for Measured { bulk, floor } in done {
            self.detail(format!("{:.2} s, floor {:.2} s", bulk.took.as_secs_f64(), floor.as_secs_f64()));
        }
        self.at_most(&format!("{what}, time"), middle(&mut ratios), 2.5, Unit::TimesFloor);
        let last = done.last().context("it was moved")?.bulk.traffic;
        self.at_most(&format!("{what}, bytes"), last.bytes() as f64 / packed as f64, 1.6, Unit::TimesZstd);
        self.detail(format!(
            "{} requests, up {} B, down {} B, zstd -3 of the records {packed} B",
            last.requests, last.up, last.down
        ));
        Ok(())
    }
}
