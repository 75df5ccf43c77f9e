//! Attachments between laptops and a city.

use crate::line::Fault;
use crate::town::{Laptop, START, Town, promise};
use replica::{BlobHash, BlobRef};
use serde_json::json;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use store::{Author, BlobHere};
use sync::{BlobPlan, BlobReport, Reach, SyncError};

pub const THUMB: usize = 9_000;
pub const PHOTO: usize = 300_000;
const WEEK: i64 = 7 * 24 * 60 * 60 * 1000;

/// Bytes that do not pack away.
pub fn photo(seed: u8, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
    bytes
}

impl Laptop {
    /// Records a meeting with a photo and its thumbnail.
    pub fn attach(&self, id: &str, seed: u8) -> [BlobHash; 2] {
        let (photo, thumb) = (photo(seed, PHOTO), photo(seed + 100, THUMB));
        let refer = |bytes: &[u8]| {
            let hash = self.store.add_blob(bytes).unwrap();
            BlobRef { hash, len: bytes.len() as u64, media: "image/jpeg".to_owned() }
        };
        let (large, small) = (refer(&photo), refer(&thumb));
        let file = json!({ "blob": large.to_value(), "thumb": small.to_value(), "name": "合影.jpg" });
        let fields = BTreeMap::from([
            ("title".to_owned(), json!("三月主题党日")),
            ("attachments/f1/order".to_owned(), json!(1)),
            ("attachments/f1/file".to_owned(), file),
        ]);
        self.store.write(&Author::new("zhd"), "create", |w| w.create("meeting", id, &fields)).unwrap();
        [large.hash, small.hash]
    }

    fn blobs(&self, plan: &BlobPlan) -> Result<BlobReport, SyncError> {
        self.engine().blobs(&self.store, plan, &mut |_| ControlFlow::Continue(()))
    }

    /// As a person does: again until it went through.
    #[track_caller]
    fn blobs_until_through(&self, plan: &BlobPlan) -> BlobReport {
        for _ in 0..20 {
            match self.blobs(plan) {
                Ok(report) => return report,
                Err(SyncError::CutOff | SyncError::Offline(_)) => {}
                Err(other) => panic!("not a cut: {other}"),
            }
        }
        panic!("twenty attempts were cut");
    }

    pub fn has_file(&self, hash: &BlobHash) -> bool {
        self.store.blob(hash).unwrap().is_some()
    }

    pub fn at_city(&self, hash: &BlobHash) -> bool {
        self.store.blob_state(hash).unwrap().at_city
    }
}

impl Town {
    pub fn has_file(&self, hash: &BlobHash) -> bool {
        self.city.blob(hash).unwrap().is_some_and(|bytes| BlobHash::of(&bytes) == *hash)
    }

    /// The thumbnails that are there count as if they took all that a branch may have.
    fn take_all_room(&self) {
        assert_eq!(self.count(&self.folder, "UPDATE blob SET len = 1 << 32 RETURNING 1"), 1);
    }

    fn give_room(&self) {
        assert_eq!(self.count(&self.folder, "UPDATE blob SET len = have RETURNING 1"), 1);
    }

    fn lose_folder(&self) {
        std::fs::remove_dir_all(self.place.path().join("city/blobs")).unwrap();
    }
}

fn all() -> BlobPlan {
    BlobPlan { fetch: Reach::All, ..BlobPlan::usual() }
}

/// A laptop whose meeting is reported, with a photo that is not yet.
fn reported() -> (Town, Laptop, [BlobHash; 2]) {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    let hashes = a.attach("m1", 1);
    a.exchange().unwrap();
    (town, a, hashes)
}

#[test]
fn thumbnails_travel_by_themselves_and_photos_when_somebody_looks() {
    let (town, a, [large, small]) = reported();
    assert_eq!(a.store.blob_outbox().unwrap().bytes, (PHOTO + THUMB) as u64);
    let report = a.blobs(&BlobPlan::usual()).unwrap();
    assert!(town.has_file(&large) && town.has_file(&small));
    assert!(a.at_city(&large) && a.at_city(&small));
    assert_eq!((report.sent, report.bytes_up, report.left.blobs), (2, (PHOTO + THUMB) as u64, 0));
    assert_eq!(report.requests, 1 + 1 + 5 + 1, "a question, a thumbnail, five pieces, and the city's word");

    let b = Laptop::joined(&town, "b");
    b.exchange().unwrap();
    let report = b.blobs(&BlobPlan::usual()).unwrap();
    assert_eq!((report.fetched, report.requests), (1, 2), "a thumbnail, and the city's word");
    assert!(b.at_city(&small), "what came from the city is not to be sent");
    assert!(b.has_file(&small) && !b.has_file(&large));
    b.blobs(&BlobPlan::wanted(&[large])).unwrap();
    assert_eq!(b.store.blob(&large).unwrap(), Some(photo(1, PHOTO)));
    assert_eq!(town.city.check().unwrap().findings, []);
}

#[test]
fn a_key_that_nobody_told_of_yet_is_heard_of_first() {
    let (town, a, [large, _]) = reported();
    town.city.rotate(&town.root()).unwrap();
    a.blobs(&BlobPlan::usual()).unwrap();
    assert!(town.has_file(&large) && a.at_city(&large));
}

#[test]
fn a_photo_that_only_the_time_alone_still_shows_does_not_wait() {
    let town = Town::new();
    Laptop::enrolled(&town, "a");
    let b = Laptop::new(&town, "b");
    let [large, small] = b.attach("m1", 1);
    assert_eq!(b.store.blob_outbox().unwrap().blobs, 2);
    b.enrol(&town, "O003").unwrap();
    b.exchange().unwrap();
    sync::reissue(&b.store, &BTreeMap::new(), START, "zhd").unwrap();
    let none = BTreeMap::from([("attachments/f1/file".to_owned(), json!(null))]);
    b.store.write(&Author::new("zhd"), "edit", |w| w.put("meeting", "m1", &none)).unwrap();
    b.exchange().unwrap();
    assert!(b.has_file(&large) && b.has_file(&small), "the records of before stay as they were");
    assert_eq!(b.store.blob_outbox().unwrap().blobs, 0, "and are nobody else's");
}

#[test]
fn nothing_to_move_asks_nothing() {
    let (_town, a, _) = reported();
    a.blobs(&BlobPlan::usual()).unwrap();
    let report = a.blobs(&BlobPlan::usual()).unwrap();
    assert_eq!(report, BlobReport::default());
}

#[test]
fn a_line_that_is_paid_by_the_byte_carries_thumbnails() {
    let (town, a, [large, small]) = reported();
    let report = a.blobs(&BlobPlan::metered()).unwrap();
    assert!(town.has_file(&small) && !town.has_file(&large));
    assert_eq!((report.bytes_up, report.left.bytes), (THUMB as u64, PHOTO as u64));
    a.blobs(&BlobPlan::usual()).unwrap();
    assert!(town.has_file(&large));
}

#[test]
fn a_cut_anywhere_costs_at_most_the_piece_that_was_on_its_way() {
    let cuts = [
        Fault::BeforeSend,
        Fault::MidRequest(1),
        Fault::MidRequest(500),
        Fault::MidRequest(999),
        Fault::BeforeAck,
        Fault::MidResponse(1),
        Fault::MidResponse(500),
        Fault::MidResponse(999),
    ];
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    let b = Laptop::joined(&town, "b");
    for (round, cut) in cuts.into_iter().enumerate() {
        for at in [round % 6, (round + 3) % 6] {
            let seed = (round * 6 + at) as u8;
            let [large, small] = a.attach(&format!("m{seed}"), seed);
            a.exchange().unwrap();
            let faults = [vec![Fault::None; at], vec![cut]].concat();
            town.line.plan(&faults);
            let up = a.blobs_until_through(&BlobPlan::usual());
            assert!(town.has_file(&large) && town.has_file(&small), "{cut:?} at request {at}");
            let again = up.bytes_up - (PHOTO + THUMB) as u64;
            assert!(again <= 65_536 * u64::from(up.cuts), "{cut:?} at {at}: {again} bytes again");
            b.exchange().unwrap();
            town.line.plan(&faults);
            let down = b.blobs_until_through(&all());
            assert!(b.has_file(&large) && b.has_file(&small), "{cut:?} at request {at}");
            let total = (PHOTO + THUMB) as u64;
            assert_eq!(down.bytes_down, total, "{cut:?} at {at}: what arrived was not asked for again");
        }
    }
}

#[test]
fn a_line_that_is_dead_is_said_to_be_and_what_went_through_stays() {
    let (town, a, [large, _]) = reported();
    town.line.plan(&[Fault::None; 4]);
    town.line.plan(&[Fault::BeforeSend; 20]);
    assert_eq!(a.blobs(&BlobPlan::usual()).unwrap_err().code(), "cut_off");
    assert!(!a.at_city(&large), "nothing counts without the city's word");
    // What is left of the plan is used up.
    a.blobs(&BlobPlan::usual()).unwrap_err();
    a.blobs(&BlobPlan::usual()).unwrap_err();
    let report = a.blobs_until_through(&BlobPlan::usual());
    assert!(town.has_file(&large));
    assert!(report.bytes_up < PHOTO as u64, "it went on where it was: {}", report.bytes_up);
}

#[test]
fn the_server_dies_in_the_middle_and_goes_on() {
    let (mut town, a, [large, small]) = reported();
    town.line.plan(&[Fault::None; 5]);
    town.line.plan(&[Fault::BeforeAck; 5]);
    a.blobs(&BlobPlan::usual()).unwrap_err();
    town.kill_and_start();
    let report = a.blobs_until_through(&BlobPlan::usual());
    assert!(town.has_file(&large) && town.has_file(&small));
    assert!(report.bytes_up < PHOTO as u64, "partial bytes are kept across restarts: {}", report.bytes_up);
}

#[test]
fn the_laptop_dies_in_the_middle_of_a_download_and_goes_on() {
    let (town, a, [large, _]) = reported();
    a.blobs(&BlobPlan::usual()).unwrap();
    let b = Laptop::joined(&town, "b");
    b.exchange().unwrap();
    let mut pieces = 0;
    let stopped = b.engine().blobs(&b.store, &BlobPlan::wanted(&[large]), &mut |_| {
        pieces += 1;
        if pieces == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(stopped.unwrap().bytes_down, 131_072);
    let here = b.store.blob_state(&large).unwrap().here;
    assert_eq!(here, BlobHere::Partial { have: 131_072, len: PHOTO as u64 });
    let report = b.blobs(&BlobPlan::wanted(&[large])).unwrap();
    assert_eq!(report.bytes_down, PHOTO as u64 - 131_072);
    assert!(b.has_file(&large));
}

#[test]
fn a_budget_and_a_person_end_it_between_pieces() {
    let (town, a, [large, small]) = reported();
    let report = a.blobs(&BlobPlan { budget: 100_000, ..BlobPlan::usual() }).unwrap();
    assert_eq!(report.bytes_up, (THUMB + 2 * 65_536) as u64, "the piece that reaches it is the last");
    assert!(town.has_file(&small) && !town.has_file(&large));
    let mut seen = Vec::new();
    let stopped = a.engine().blobs(&a.store, &BlobPlan::usual(), &mut |progress| {
        seen.push((progress.done, progress.of));
        ControlFlow::Break(())
    });
    assert_eq!(stopped.unwrap().bytes_up, 65_536);
    let left = (PHOTO - 2 * 65_536) as u64;
    assert_eq!(seen, [(65_536, left)], "progress tells bytes of what is left");
}

#[test]
fn where_there_was_no_room_the_city_is_asked_before_anything_is_sent_again() {
    let (town, a, [large, _]) = reported();
    a.blobs(&BlobPlan::metered()).unwrap();
    let [other, _] = a.attach("m2", 2);
    a.exchange().unwrap();
    a.blobs(&BlobPlan::metered()).unwrap();
    town.take_all_room();

    let mut tries = (0..3).map(|_| a.blobs(&BlobPlan::usual()).unwrap());
    let full = |report: &BlobReport| {
        let mut refused: Vec<_> = report.refused.clone();
        refused.sort();
        let mut expected = [large, other].map(|hash| (hash, "stream_full".to_owned()));
        expected.sort();
        assert_eq!(refused, expected);
        (report.requests, report.bytes_up)
    };
    assert_eq!(full(&tries.next().unwrap()), (2, 65_536), "a question and one piece; the other is as long");
    assert_eq!(full(&tries.next().unwrap()), (2, 0), "a question, and one whether there is room");
    assert_eq!(full(&tries.next().unwrap()), (2, 0));

    town.give_room();
    let report = a.blobs(&BlobPlan::usual()).unwrap();
    assert_eq!((report.sent, report.bytes_up, report.refused.len()), (2, 2 * PHOTO as u64, 0));
    assert_eq!(report.requests, 1 + 1 + 5 + 5 + 1, "asked once");
    assert!(town.has_file(&large) && town.has_file(&other));
}

#[test]
fn a_wrong_clock_works_on_the_second_try() {
    let (town, a, [large, _]) = reported();
    a.sources.0.store(START + 40 * 365 * 24 * 60 * 60 * 1000, Ordering::SeqCst);
    a.blobs(&BlobPlan::usual()).unwrap();
    assert!(town.has_file(&large));
}

#[test]
fn a_city_that_lost_its_folder_gets_it_again_from_any_holder() {
    let (town, a, [large, small]) = reported();
    a.blobs(&BlobPlan::usual()).unwrap();
    let b = Laptop::joined(&town, "b");
    b.exchange().unwrap();
    b.blobs(&all()).unwrap();
    b.blobs(&BlobPlan::usual()).unwrap();
    drop(a);
    town.lose_folder();
    assert_eq!(b.blobs(&BlobPlan::usual()).unwrap().requests, 0);
    b.sources.0.fetch_add(WEEK, Ordering::SeqCst);
    let report = b.blobs(&BlobPlan::usual()).unwrap();
    assert_eq!(report.sent, 2, "once a week the city is asked about everything");
    assert!(town.has_file(&large) && town.has_file(&small) && b.at_city(&large));
}

#[test]
fn a_city_that_was_set_back_gets_them_again() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.exchange().unwrap();
    let copy = town.copy("before");
    let [large, small] = a.attach("m1", 1);
    a.exchange().unwrap();
    a.blobs(&BlobPlan::usual()).unwrap();
    assert!(a.at_city(&large));
    let mut town = town;
    town.set_back(copy);
    a.exchange().unwrap();
    assert!(!a.at_city(&large), "its word is worth nothing any more");
    a.blobs(&BlobPlan::usual()).unwrap();
    assert!(town.has_file(&large) && town.has_file(&small) && a.at_city(&large));
}

#[test]
fn what_is_damaged_here_is_fetched_again() {
    let (town, a, [large, _]) = reported();
    a.blobs(&BlobPlan::usual()).unwrap();
    let aside = a.store.set_blobs_aside().unwrap();
    assert!(aside.is_file() && !a.has_file(&large));
    let report = a.blobs(&all()).unwrap();
    assert_eq!(report.fetched, 2);
    assert!(a.has_file(&large) && town.has_file(&large));
}

#[test]
fn what_nobody_has_is_told_and_stops_nothing() {
    let (town, a, [large, small]) = reported();
    let b = Laptop::joined(&town, "b");
    b.exchange().unwrap();
    let report = b.blobs(&all()).unwrap();
    assert_eq!(report.missing, [small, large]);
    a.blobs(&BlobPlan::usual()).unwrap();
    b.blobs(&all()).unwrap();
    assert!(b.has_file(&large));
    b.write("p1", promise(1));
    b.exchange().unwrap();
}
