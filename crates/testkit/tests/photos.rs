//! A photo of 1 MB over a line that breaks every 200 KB: it arrives, and a break costs at most a piece.

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::Result;
use replica::{BlobHash, BlobRef};
use serde_json::json;
use store::{Author, Store};
use sync::{Address, BlobPlan, BlobReport, Engine, Stop, SyncError};
use testkit::{BRANCH, LoopbackCity, PASSWORD, Proxy, Weather, World};

const PHOTO: usize = 1_000_000;
const EVERY: u64 = 200_000;
const PIECE: u64 = 65_536;
/// Heads of requests and answers, and questions.
const AROUND: u64 = 64 * 1024;

/// A store that is enrolled, and what moves its attachments.
struct Computer {
    store: Store,
    world: Arc<World>,
    _folder: tempfile::TempDir,
}

impl Computer {
    fn enrolled(city: &LoopbackCity, line: &Proxy, seed: u64) -> Result<Self> {
        let (folder, world) = (tempfile::tempdir()?, World::new(seed));
        let (store, _) = Store::create(folder.path(), PASSWORD, world.clone())?;
        store.found(&Author::new("zhd"), "电脑")?;
        let address = Address::parse(&line.address())?;
        sync::enrol(&store, &address, &city.code_for(BRANCH)?, "电脑", &*world, &Stop::default())?;
        let computer = Self { store, world, _folder: folder };
        computer.engine()?.exchange(&computer.store)?;
        sync::reissue(&computer.store, &Default::default(), 0, "zhd")?;
        Ok(computer)
    }

    fn engine(&self) -> Result<Engine> {
        Ok(Engine::open(&self.store, self.world.clone(), &Stop::default())?)
    }

    fn exchange(&self) -> Result<()> {
        self.engine()?.exchange(&self.store)?;
        Ok(())
    }

    /// Again and again, as the program does when a line is bad. What all attempts moved together.
    fn moves(&self, plan: &BlobPlan) -> Result<BlobReport> {
        let mut engine = self.engine()?;
        loop {
            match engine.blobs(&self.store, plan, &mut |_| ControlFlow::Continue(())) {
                Ok(report) => return Ok(report),
                Err(SyncError::CutOff) => {}
                Err(other) => return Err(other.into()),
            }
        }
    }
}

#[test]
fn a_break_costs_at_most_a_piece() -> Result<()> {
    let city = LoopbackCity::new(&World::new(1))?;
    let line = Proxy::before(city.listens())?;
    let (a, b) = (Computer::enrolled(&city, &line, 2)?, Computer::enrolled(&city, &line, 3)?);
    // Bytes that do not pack away.
    let photo: Vec<u8> = (0..).flat_map(|n: u64| BlobHash::of(&n.to_le_bytes()).0).take(PHOTO).collect();
    let hash = a.store.add_blob(&photo)?;
    let named = BlobRef { hash, len: PHOTO as u64, media: "image/jpeg".to_owned() };
    let fields = [("attachments/f1/file".to_owned(), json!({ "blob": named.to_value() }))].into();
    a.store.write(&Author::new("zhd"), "create", |w| w.create("meeting", "m1", &fields))?;
    a.exchange()?;
    b.exchange()?;

    line.set_weather(Weather { break_every: Some(EVERY), ..Weather::default() });
    line.traffic();
    let up = a.moves(&BlobPlan::usual())?;
    let passed = line.traffic();
    assert_eq!(BlobHash::of(&city.city.blob(&hash).ok().flatten().expect("it is whole there")), hash);
    assert!(up.cuts >= 4, "the line broke: {up:?}");
    let again = up.bytes_up - PHOTO as u64;
    assert!(again <= PIECE * u64::from(up.cuts), "{again} bytes again after {} cuts", up.cuts);
    assert!(passed.bytes() <= PHOTO as u64 + PIECE * u64::from(up.cuts) + AROUND, "{passed:?}");

    let down = b.moves(&BlobPlan::wanted(&[hash]))?;
    let passed = line.traffic();
    assert!(b.store.blob(&hash)?.expect("it is whole here") == photo);
    assert!(down.cuts >= 4, "the line broke: {down:?}");
    assert_eq!(down.bytes_down, PHOTO as u64, "what arrived was not asked for again");
    assert!(passed.bytes() <= PHOTO as u64 + PIECE * u64::from(down.cuts) + AROUND, "{passed:?}");
    Ok(())
}
