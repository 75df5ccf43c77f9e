//! What the exchange is measured on: a city that is a process of its own, behind a line that counts, three streams that
//! others founded, and laptops of which only the store and the exchange are used.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use replica::StreamId;
use store::Store;
use sync::{Address, Engine, Report, Stop};
use testkit::{BRANCH, CityProcess, Entry, History, Link, PASSWORD, Proxy, Town, Traffic};

use crate::branch::{Computer, author, create};
use crate::floor::Bytes;

const SEED: u64 = 20_161_103;
/// The organisations of the three streams.
const ORGANISATIONS: [&str; 3] = [BRANCH, "O013", "O018"];

/// A city, and the line that counts.
pub struct Place {
    pub city: CityProcess,
    pub line: Proxy,
}

pub struct Laptop {
    pub store: Store,
    pub computer: Arc<Computer>,
    folder: PathBuf,
}

/// An exchange that moved everything.
pub struct Bulk {
    pub took: Duration,
    pub traffic: Traffic,
    /// Changes that went out and came in.
    pub moved: u64,
}

/// The same beside its floor, which was measured right after it.
pub struct Measured {
    pub bulk: Bulk,
    pub floor: Duration,
}

impl Bulk {
    pub fn beside(self, bytes: &Bytes) -> Result<Measured> {
        ensure!(self.moved >= bytes.len() as u64, "only {} changes moved", self.moved);
        let requests = usize::try_from(self.traffic.requests)?.max(1);
        let floor = bytes.floor(bytes.len().div_ceil(requests))?;
        Ok(Measured { bulk: self, floor })
    }
}

impl Place {
    pub fn begin(folder: &Path) -> Result<Self> {
        let mut city = CityProcess::init(&folder.join("city"))?;
        city.serve()?;
        let line = Proxy::before(city.listens())?;
        Ok(Self { city, line })
    }

    /// The same city at the end of another line.
    pub fn line_like(&self, link: Link) -> Result<Proxy> {
        Proxy::over(self.city.listens(), link)
    }

    /// Three laptops found the three streams and are never used again. The first took a new identity on the way and
    /// retired the old one.
    pub fn founded_by_others(&self, folder: &Path) -> Result<Vec<StreamId>> {
        let few = History::of(&Town::read()?, SEED, 80)?;
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

    /// A new laptop that is let into the three streams.
    pub fn laptop(&self, folder: &Path, seed: u64) -> Result<Laptop> {
        let laptop = Laptop::new(folder, seed)?;
        ORGANISATIONS.iter().try_for_each(|organisation| self.enrol(&laptop, organisation))?;
        Ok(laptop)
    }

    fn enrol(&self, laptop: &Laptop, organisation: &str) -> Result<()> {
        let (address, code) = (Address::parse(&self.line.address())?, self.city.code_for(organisation)?);
        sync::enrol(&laptop.store, &address, &code, "bench", &*laptop.computer, &Stop::default())?;
        Ok(())
    }

    /// One exchange of a laptop, timed and counted.
    pub fn bulk(&self, laptop: &Laptop) -> Result<Bulk> {
        self.line.traffic();
        let begin = Instant::now();
        let report = exchange(laptop)?;
        let moved = report.sent + report.received;
        Ok(Bulk { took: begin.elapsed(), traffic: self.line.traffic(), moved })
    }

    /// The laptops and the city stored the same.
    pub fn is_one_with(&self, laptops: &[&Laptop], streams: &[StreamId]) -> Result<()> {
        for stream in streams {
            let city = self.city.digest(&stream.to_string())?;
            for laptop in laptops {
                let laptop = laptop.store.digest(stream)?;
                ensure!(laptop == city, "{stream}: a laptop stored {laptop}, the city {city}");
            }
        }
        Ok(())
    }
}

impl Laptop {
    fn new(folder: &Path, seed: u64) -> Result<Self> {
        let computer = Computer::new(seed);
        let (store, _) = Store::create(folder, PASSWORD, computer.clone())?;
        store.found(&author(), "bench")?;
        Ok(Self::with(store, computer, folder))
    }

    /// Opens the folder of a laptop that was closed. `seed` is one that it never had, or its requests would repeat.
    pub fn open(folder: &Path, seed: u64) -> Result<Self> {
        let computer = Computer::new(seed);
        let store = Store::open(folder, PASSWORD, computer.clone())?;
        Ok(Self::with(store, computer, folder))
    }

    /// The city's clock is the real one: a laptop with another would need a second try.
    fn with(store: Store, computer: Arc<Computer>, folder: &Path) -> Self {
        computer.world.set(app::World::real().now());
        Self { store, computer, folder: folder.to_owned() }
    }

    /// Closes the branch and says where it lies.
    pub fn close(self) -> PathBuf {
        self.folder
    }
}

/// Exchanges with the city until nothing is left, as on a line that holds.
pub fn exchange(laptop: &Laptop) -> Result<Report> {
    let report =
        Engine::open(&laptop.store, laptop.computer.clone(), &Stop::default())?.exchange(&laptop.store)?;
    ensure!(report.refused.is_empty(), "the city refused something: {:?}", report.refused);
    ensure!(report.cuts == 0, "the line was cut {} times", report.cuts);
    Ok(report)
}

/// How many bytes `zstd -3` makes of the same records.
pub fn packed<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<usize> {
    let lines: String = entries.into_iter().map(|entry| entry.json() + "\n").collect();
    Ok(zstd::bulk::compress(lines.as_bytes(), 3)?.len())
}
