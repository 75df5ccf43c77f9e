//! `bench sync`: three streams, two laptops, one retired identity. Ten years of records go from a laptop to the city,
//! a process of its own behind a counting line, and from there to a second laptop.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use replica::StreamId;
use serde_json::json;
use store::Store;
use sync::{Address, Engine, Report};
use testkit::{BRANCH, CityProcess, Entry, History, PASSWORD, Proxy, Town, Traffic};

use crate::branch::{Computer, author, create};
use crate::figures::{Figures, Unit};
use crate::floor::{Bytes, key_of};

const SEED: u64 = 20_161_102;
/// The organisations of the three streams.
const ORGANISATIONS: [&str; 3] = [BRANCH, "O013", "O018"];

pub fn measure(records: usize) -> Result<Figures> {
    let mut figures = Figures::default();
    let folder = tempfile::tempdir()?;
    let place = Place::begin(folder.path())?;
    let history = History::of(&Town::read()?, SEED, records)?;
    let packed = packed(&history)?;

    let a = place.laptop("a", 1)?;
    let streams = place.founded_by_others(folder.path())?;
    place.enrol_everywhere(&a)?;
    exchange(&a)?;
    enter(&a, &streams, &history)?;

    let up = place.bulk(&a)?;
    let bytes = Bytes::written(&a.file(), &a.key()?, records)?;
    figures.bulk("laptop → city", records, &up, &bytes, packed)?;
    let b = place.laptop("b", 2)?;
    place.enrol_everywhere(&b)?;
    let down = place.bulk(&b)?;
    figures.bulk("city → second laptop", records, &down, &bytes, packed)?;
    same(&a, &b, &place.city, &streams)?;

    exchange(&a)?;
    small(&place, &a, &history, &streams[0], &mut figures)?;
    Ok(figures)
}

/// A city, and the line that counts.
struct Place {
    city: CityProcess,
    line: Proxy,
}

/// A laptop of which only the store and the exchange are used.
struct Laptop {
    store: Store,
    computer: Arc<Computer>,
}

/// An exchange that moved everything.
struct Bulk {
    took: Duration,
    traffic: Traffic,
    report: Report,
}

impl Place {
    fn begin(folder: &Path) -> Result<Self> {
        let mut city = CityProcess::init(&folder.join("city"))?;
        city.serve()?;
        let line = Proxy::before(city.listens())?;
        Ok(Self { city, line })
    }

    fn laptop(&self, name: &str, seed: u64) -> Result<Laptop> {
        let folder = tempfile::Builder::new().prefix(name).tempdir()?.keep();
        Laptop::new(&folder, seed)
    }

    /// Three laptops found the three streams and are never used again. The first took a new identity on the way and
    /// retired the old one.
    fn founded_by_others(&self, folder: &Path) -> Result<Vec<StreamId>> {
        let few = History::of(&Town::read()?, SEED + 1, 80)?;
        let promises: Vec<&Entry> = few.entries.iter().filter(|entry| entry.kind == "promise").collect();
        let mut streams = Vec::new();
        for (index, organisation) in ORGANISATIONS.iter().enumerate() {
            let founder = Laptop::new(&folder.join(format!("founder-{index}")), 100 + index as u64)?;
            let (before, after) = promises.split_at(promises.len() / 2);
            before.iter().try_for_each(|entry| create(&founder.store, entry))?;
            if index == 0 {
                founder.store.renew_identity(&author(), "bench")?;
            }
            after.iter().try_for_each(|entry| create(&founder.store, entry))?;
            self.enrol(&founder, organisation)?;
            exchange(&founder)?;
            streams.push(founder.store.own_stream()?.context("it founded one")?);
        }
        Ok(streams)
    }

    fn enrol_everywhere(&self, laptop: &Laptop) -> Result<()> {
        ORGANISATIONS.iter().try_for_each(|organisation| self.enrol(laptop, organisation))
    }

    fn enrol(&self, laptop: &Laptop, organisation: &str) -> Result<()> {
        let (address, code) = (Address::parse(&self.line.address())?, self.city.code_for(organisation)?);
        sync::enrol(&laptop.store, &address, &code, "bench", &*laptop.computer)?;
        Ok(())
    }

    fn bulk(&self, laptop: &Laptop) -> Result<Bulk> {
        self.line.traffic();
        let begin = Instant::now();
        let report = exchange(laptop)?;
        Ok(Bulk { took: begin.elapsed(), traffic: self.line.traffic(), report })
    }
}

impl Laptop {
    fn new(folder: &Path, seed: u64) -> Result<Self> {
        let computer = Computer::new(seed);
        let (store, _) = Store::create(folder, PASSWORD, computer.clone())?;
        store.found(&author(), "bench")?;
        Ok(Self { store, computer })
    }

    fn file(&self) -> std::path::PathBuf {
        self.store.file().to_owned()
    }

    fn key(&self) -> Result<[u8; 32]> {
        key_of(&self.file(), &self.computer.drawn())
    }
}

fn exchange(laptop: &Laptop) -> Result<Report> {
    let report = Engine::open(&laptop.store, laptop.computer.clone())?.exchange(&laptop.store)?;
    ensure!(report.refused.is_empty(), "the city refused something: {:?}", report.refused);
    ensure!(report.cuts == 0, "the line was cut {} times", report.cuts);
    Ok(report)
}

/// Enters the history, a third into each stream.
fn enter(laptop: &Laptop, streams: &[StreamId], history: &History) -> Result<()> {
    let third = history.entries.len().div_ceil(streams.len());
    for (stream, entries) in streams.iter().zip(history.entries.chunks(third)) {
        laptop.store.join_stream(stream)?;
        for entry in entries {
            laptop.computer.world.set(entry.at);
            create(&laptop.store, entry)?;
        }
    }
    // The city's clock is the real one: a laptop with another would need a second try.
    laptop.computer.world.set(app::World::real().now());
    Ok(())
}

/// How many bytes `zstd -3` makes of the same records.
fn packed(history: &History) -> Result<usize> {
    let lines: String = history.entries.iter().map(|entry| entry.json() + "\n").collect();
    Ok(zstd::bulk::compress(lines.as_bytes(), 3)?.len())
}

/// The laptops and the city stored the same.
fn same(a: &Laptop, b: &Laptop, city: &CityProcess, streams: &[StreamId]) -> Result<()> {
    exchange(a)?;
    for stream in streams {
        let digests = [a.store.digest(stream)?, b.store.digest(stream)?, city.digest(&stream.to_string())?];
        ensure!(digests.iter().all(|digest| *digest == digests[0]), "{stream}: {digests:?}");
    }
    Ok(())
}

fn small(
    place: &Place,
    a: &Laptop,
    history: &History,
    stream: &StreamId,
    figures: &mut Figures,
) -> Result<()> {
    a.store.join_stream(stream)?;
    let promise =
        history.entries.iter().find(|entry| entry.kind == "promise").context("there are promises")?;
    let Entry { kind, id, .. } = promise;
    let fields = [("text".to_owned(), json!("每周五检查七号库责任区，结果贴公开栏"))].into();
    a.store.write(&author(), "save", |write| write.put(kind, id, &fields))?;
    for (what, reach) in [("one changed field", 1536.0), ("nothing changed", 1024.0)] {
        let done = place.bulk(a)?;
        figures.at_most(&format!("{what}, requests"), done.traffic.requests as f64, 1.0, Unit::Requests);
        figures.at_most(&format!("{what}, bytes both ways"), done.traffic.bytes() as f64, reach, Unit::Bytes);
        figures.detail(format!("up {} B, down {} B", done.traffic.up, done.traffic.down));
    }
    Ok(())
}

impl Figures {
    fn bulk(&mut self, way: &str, records: usize, bulk: &Bulk, bytes: &Bytes, packed: usize) -> Result<()> {
        let Bulk { took, traffic, report } = bulk;
        let moved = report.sent + report.received;
        ensure!(moved >= records as u64, "{way}: only {moved} changes moved");
        let requests = usize::try_from(traffic.requests)?.max(1);
        let floor = bytes.floor(bytes.len().div_ceil(requests))?;
        let ratio = took.as_secs_f64() / floor.as_secs_f64();
        self.at_most(&format!("{records} records {way}, time"), ratio, 3.0, Unit::TimesFloor);
        self.detail(format!("{:.2} s, floor {:.2} s", took.as_secs_f64(), floor.as_secs_f64()));
        let ratio = traffic.bytes() as f64 / packed as f64;
        self.at_most(&format!("{records} records {way}, bytes"), ratio, 2.0, Unit::TimesZstd);
        self.detail(format!(
            "{} requests, up {} B, down {} B, zstd -3 of the records {packed} B",
            traffic.requests, traffic.up, traffic.down
        ));
        Ok(())
    }
}
