//! A photo over a line that breaks every 200 KB: how much of it a break makes go again, to the city and on to a second
//! laptop.
//!
//! Everything is counted at the line, heads of requests and answers and the questions included. What these take is
//! known from a photo of the same length that the same laptops moved before over the same line while it held, and is
//! taken off for each request. The rest beyond the length of the photo went again.

use std::ops::ControlFlow;

use anyhow::{Context, Result, ensure};
use replica::{BlobHash, BlobRef, StreamId};
use serde_json::json;
use sync::{Address, BlobPlan, Engine, Stop, SyncError};
use testkit::{Proxy, Random, Traffic, Weather};

use crate::branch::author;
use crate::figures::{Figures, Unit};
use crate::place::{Laptop, Place, exchange};

const LENGTH: u64 = 1_000_000;
/// Both ways together, as a line counts; against the photo next to nothing passes.
const EVERY: u64 = 200_000;
/// One piece.
const REACH: f64 = 65_536.0;

/// What the photo's way took on the line.
struct Passage {
    /// In the direction of the photo.
    bytes: u64,
    requests: u64,
    cuts: u64,
}

pub fn broken(place: &Place, laptops: [&Laptop; 2], stream: &StreamId, figures: &mut Figures) -> Result<()> {
    let address = Address::parse(&place.line.address())?;
    for laptop in laptops {
        sync::move_city(&laptop.store, &address, &Stop::default())?;
    }
    laptops[0].store.join_stream(stream)?;
    let fair = carried(place, laptops, 1, Weather::default())?;
    let broken = carried(place, laptops, 2, Weather { break_every: Some(EVERY), ..Weather::default() })?;
    for (way, fair, broken) in
        [("laptop → city", &fair[0], &broken[0]), ("city → second laptop", &fair[1], &broken[1])]
    {
        ensure!(fair.cuts == 0 && broken.cuts > 0, "{way}: {} cuts, {} cuts", fair.cuts, broken.cuts);
        let around = (fair.bytes - LENGTH) as f64 / fair.requests as f64;
        let again = (broken.bytes - LENGTH) as f64 - around * broken.requests as f64;
        let each = again.max(0.0) / broken.cuts as f64;
        figures.at_most(&format!("photo of 1 MB {way}, sent again per cut"), each, REACH, Unit::Bytes);
        figures.detail(format!(
            "{} cuts, {} requests, {} B in all; the line that held: {} requests, {} B",
            broken.cuts, broken.requests, broken.bytes, fair.requests, fair.bytes
        ));
    }
    Ok(())
}

/// A new photo goes to the city and on in this weather, after the records that name it went in fair weather.
fn carried(place: &Place, [from, to]: [&Laptop; 2], seed: u64, weather: Weather) -> Result<[Passage; 2]> {
    let photo = attached(from, seed)?;
    exchange(from)?;
    exchange(to)?;
    place.line.set_weather(weather);
    let up = passage(&place.line, from, &BlobPlan::usual(), |traffic| traffic.up)?;
    ensure!(from.store.blob_state(&photo)?.at_city, "the city does not say that it holds the photo");
    let down = passage(&place.line, to, &BlobPlan::wanted(&[photo]), |traffic| traffic.down)?;
    place.line.set_weather(Weather::default());
    let arrived = to.store.blob(&photo)?.context("the photo is not on the second laptop")?;
    ensure!(BlobHash::of(&arrived) == photo, "another photo arrived");
    Ok([up, down])
}

/// A record with a photo of bytes that do not pack.
fn attached(laptop: &Laptop, seed: u64) -> Result<BlobHash> {
    let mut photo = vec![0; LENGTH as usize];
    Random::seeded(seed).fill(&mut photo);
    let hash = laptop.store.add_blob(&photo)?;
    let named = BlobRef { hash, len: LENGTH, media: "image/jpeg".to_owned() };
    let fields = [("attachments/f1/file".to_owned(), json!({ "blob": named.to_value() }))].into();
    laptop
        .store
        .write(&author(), "create", |write| write.create("meeting", &format!("photo-{seed}"), &fields))?;
    Ok(hash)
}

/// Moves attachments until all is there, as the program does on a bad line: again after each attempt that gave up.
fn passage(line: &Proxy, laptop: &Laptop, plan: &BlobPlan, way: fn(&Traffic) -> u64) -> Result<Passage> {
    let cuts = line.felt().cuts;
    line.traffic();
    let mut engine = Engine::open(&laptop.store, laptop.computer.clone(), &Stop::default())?;
    loop {
        match engine.blobs(&laptop.store, plan, &mut |_| ControlFlow::Continue(())) {
            Ok(_) => break,
            Err(SyncError::CutOff) => {}
            Err(other) => return Err(other.into()),
        }
    }
    let traffic = line.traffic();
    Ok(Passage { bytes: way(&traffic), requests: traffic.requests, cuts: line.felt().cuts - cuts })
}
