//! Attachments: kept, put together from pieces, named by records and drafts, damaged.

use proptest::prelude::*;
use replica::limits::MAX_BLOB;
use replica::{BlobHash, BlobRef, STREAM_KIND, STREAM_RECORD};
use serde_json::{Value, json};
use store::{Appended, BlobHere, BlobState, StoreError};

use crate::world::{World, bytes, fields, me, meeting};

/// Bytes that do not pack away.
fn photo(seed: u8, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
    bytes
}

fn file(of: &[u8]) -> Value {
    json!({ "blob": named(of).to_value(), "name": "合影.jpg" })
}

fn named(of: &[u8]) -> BlobRef {
    BlobRef { hash: BlobHash::of(of), len: of.len() as u64, media: "image/jpeg".into() }
}

fn here(len: usize) -> BlobState {
    BlobState { here: BlobHere::Whole { len: len as u64 }, at_city: false }
}

impl World {
    fn attach(&self, item: &str, photo: &[u8]) {
        self.put("meeting", "m1", &format!("attachments/{item}/file"), file(photo));
    }

    fn hashes(&self, found: &[store::NamedBlob]) -> Vec<BlobHash> {
        assert!(found.iter().all(|named| named.stream == self.stream()));
        found.iter().map(|named| named.hash).collect()
    }

    fn to_send(&self) -> Vec<BlobHash> {
        self.hashes(&self.store().blobs_to_send().unwrap())
    }

    fn to_fetch(&self) -> Vec<BlobHash> {
        self.hashes(&self.store().blobs_to_fetch().unwrap())
    }
}

#[test]
fn a_file_is_kept_once_and_survives() {
    let mut world = World::new();
    let photo = photo(1, 300_000);
    let hash = world.store().add_blob(&photo).unwrap();
    assert_eq!(hash, BlobHash::of(&photo));
    let size = bytes(&world.file("blobs.db")).len() + bytes(&world.file("blobs.db-wal")).len();
    assert_eq!(world.store().add_blob(&photo).unwrap(), hash);
    let again = bytes(&world.file("blobs.db")).len() + bytes(&world.file("blobs.db-wal")).len();
    assert_eq!(again, size, "nothing is written for what is there");
    assert_eq!(world.reopen().blob(&hash).unwrap(), Some(photo));
    assert_eq!(world.store().blob_state(&hash).unwrap(), here(300_000));
}

#[test]
fn looking_for_a_file_makes_none() {
    let world = World::new();
    let hash = BlobHash::of(b"never seen");
    assert_eq!(world.store().blob(&hash).unwrap(), None);
    assert_eq!(world.store().blob_state(&hash).unwrap().here, BlobHere::Missing);
    assert_eq!(world.store().drop_unnamed_blobs(&[]).unwrap(), 0);
    assert!(!world.file("blobs.db").exists(), "a branch without attachments has no file for them");
}

#[test]
fn the_file_of_attachments_is_unreadable_without_the_key() {
    let world = World::new();
    world.store().add_blob("关于发展党员的会议".repeat(1000).as_bytes()).unwrap();
    for name in ["blobs.db", "blobs.db-wal"] {
        let stored = bytes(&world.file(name));
        assert!(!stored.starts_with(b"SQLite format 3"), "{name} has no plain header");
        let needle = "发展党员".as_bytes();
        assert!(!stored.windows(needle.len()).any(|part| part == needle), "{name} holds no plain text");
    }
}

#[test]
fn an_empty_file_and_one_that_is_too_large_are_refused() {
    let world = World::new();
    let most = usize::try_from(MAX_BLOB).unwrap();
    for (len, code) in [(0, "empty_file"), (most + 1, "file_too_large")] {
        match world.store().add_blob(&vec![7; len]) {
            Err(StoreError::BadValue { code: found, .. }) => assert_eq!(found, code),
            other => panic!("{len}: {other:?}"),
        }
        let refused = world.store().append_blob(&BlobHash([1; 32]), len as u64, 0, b"x");
        assert!(matches!(refused, Err(StoreError::BadValue { .. })), "{refused:?}");
    }
    world.store().add_blob(&vec![7; most]).unwrap();
}

#[test]
fn what_comes_in_pieces_goes_on_where_it_ended_also_after_a_restart() {
    let mut world = World::new();
    let (photo, len) = (photo(1, 200_000), 200_000);
    let hash = BlobHash::of(&photo);
    let first = world.store().append_blob(&hash, len, 0, &photo[..65_536]).unwrap();
    assert_eq!(first, Appended::Partial { have: 65_536 });
    let store = world.reopen();
    assert_eq!(store.blob(&hash).unwrap(), None, "half a file is none");
    assert_eq!(store.blob_state(&hash).unwrap().here, BlobHere::Partial { have: 65_536, len });
    let stray = store.append_blob(&hash, len, 100_000, &photo[100_000..]).unwrap();
    assert_eq!(stray, Appended::Partial { have: 65_536 }, "a piece that does not follow is left out");
    assert_eq!(store.append_blob(&hash, len, 65_536, &photo[65_536..]).unwrap(), Appended::Whole);
    assert_eq!(store.append_blob(&hash, len, 0, b"more").unwrap(), Appended::Whole);
    assert_eq!(store.blob(&hash).unwrap(), Some(photo));
}

#[test]
fn bytes_that_are_not_the_ones_named_are_thrown_away() {
    let world = World::new();
    let (photo, mut wrong) = (photo(1, 100_000), photo(1, 100_000));
    wrong[70_000] ^= 1;
    let hash = BlobHash::of(&photo);
    assert_eq!(world.store().append_blob(&hash, 100_000, 0, &wrong).unwrap(), Appended::WrongHash);
    assert_eq!(world.store().blob_state(&hash).unwrap().here, BlobHere::Missing);
    let more = [photo.as_slice(), b"and more"].concat();
    assert_eq!(world.store().append_blob(&hash, 100_000, 0, &more).unwrap(), Appended::Whole);
    assert_eq!(world.store().blob(&hash).unwrap(), Some(photo), "what is beyond the length is not taken");
}

#[test]
fn another_length_for_the_same_name_begins_again() {
    let world = World::new();
    let photo = photo(1, 1000);
    let hash = BlobHash::of(&photo);
    world.store().append_blob(&hash, 5000, 0, &photo).unwrap();
    assert_eq!(world.store().append_blob(&hash, 1000, 0, &photo).unwrap(), Appended::Whole);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// However a file is split, repeated, reordered or cut, the same bytes come out or nothing.
    #[test]
    fn any_split_gives_the_same_file(
        len in 1usize..150_000,
        pieces in prop::collection::vec((0usize..150_000, 0usize..90_000), 0..12),
    ) {
        let world = World::new();
        let (photo, store) = (photo(3, len), world.store());
        let hash = BlobHash::of(&photo);
        let mut have = 0;
        for (at, size) in pieces {
            // Some pieces follow what is there, others come from anywhere.
            let at = if at % 2 == 0 { have } else { at.min(len) };
            let piece = &photo[at..(at + size).min(len)];
            let follows = at == have;
            match store.append_blob(&hash, len as u64, at as u64, piece).unwrap() {
                Appended::Partial { have: now } => {
                    have = if follows { have + piece.len() } else { have };
                    prop_assert_eq!(now, have as u64);
                    prop_assert_eq!(store.blob(&hash).unwrap(), None);
                }
                Appended::Whole => have = len,
                Appended::WrongHash => prop_assert!(false, "right bytes are not refused"),
            }
        }
        if have < len {
            store.append_blob(&hash, len as u64, have as u64, &photo[have..]).unwrap();
        }
        prop_assert_eq!(store.blob(&hash).unwrap(), Some(photo));
    }
}

#[test]
fn what_records_show_is_sent_and_fetched_small_files_first() {
    let first = World::founded();
    let (large, small) = (photo(1, 200_000), photo(2, 9_000));
    first.create("meeting", "m1", &meeting("三月主题党日", "2026-03-13T14:00"));
    first.store().add_blob(&photo(9, 50)).unwrap();
    assert_eq!(first.to_send(), [], "a file that no record names goes nowhere");
    let hashes = [&large, &small].map(|photo| first.store().add_blob(photo).unwrap());
    first.attach("a1", &large);
    first.attach("a2", &small);
    assert_eq!(first.to_send(), [hashes[1], hashes[0]]);
    let outbox = first.store().blob_outbox().unwrap();
    assert_eq!((outbox.blobs, outbox.bytes), (2, 209_000));

    let second = first.second();
    assert_eq!(second.to_fetch(), [hashes[1], hashes[0]]);
    second.store().append_blob(&hashes[1], 9_000, 0, &small).unwrap();
    assert_eq!((second.to_fetch(), second.to_send()), (vec![hashes[0]], vec![hashes[1]]), "any holder sends");

    first.store().note_city_blobs(&[(hashes[0], true)]).unwrap();
    assert_eq!(first.to_send(), [hashes[1]]);
    assert!(first.store().blob_state(&hashes[0]).unwrap().at_city);
    first.store().note_city_blobs(&[(hashes[0], false)]).unwrap();
    assert_eq!(first.to_send(), [hashes[1], hashes[0]], "a city that lost it gets it again");
}

#[test]
fn a_removed_attachment_stays_on_this_computer_and_goes_nowhere() {
    let mut world = World::founded();
    let photo = photo(1, 1000);
    world.create("meeting", "m1", &meeting("三月主题党日", "2026-03-13T14:00"));
    let hash = world.store().add_blob(&photo).unwrap();
    world.attach("a1", &photo);
    assert_eq!(world.to_send(), [hash]);
    world.put("meeting", "m1", "attachments/a1/file", Value::Null);
    assert_eq!((world.to_send(), world.to_fetch()), (vec![], vec![]));
    assert_eq!(world.reopen().drop_unnamed_blobs(&[]).unwrap(), 0, "history names it");
    world.attach("a1", &photo);
    assert_eq!(world.to_send(), [hash], "it is there when somebody takes the removal back");
}

#[test]
fn both_sides_of_a_conflict_show_their_files() {
    let first = World::founded();
    first.create("meeting", "m1", &meeting("三月主题党日", "2026-03-13T14:00"));
    first.attach("a1", &photo(1, 10));
    let second = first.second();
    first.attach("a1", &photo(2, 20));
    second.attach("a1", &photo(3, 30));
    first.pull(&second);
    let mut expected = [photo(2, 20), photo(3, 30)].map(|photo| BlobHash::of(&photo));
    let mut found = first.to_fetch();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    let digests = first.digests();
    first.store().rebuild().unwrap();
    assert_eq!(first.digests(), digests, "a rebuild names the same");
    assert_eq!(first.to_fetch().len(), 2);
}

#[test]
fn what_nothing_names_is_removed_when_the_branch_was_opened_again() {
    let mut world = World::founded();
    let [drafted, beside, kept, forgotten] =
        [1, 2, 3, 4].map(|seed| world.store().add_blob(&photo(seed, 70_000)).unwrap());
    world
        .store()
        .set_draft("meeting", "m1", &json!({ "photos": [{ "hash": drafted.to_string() }] }))
        .unwrap();
    world.store().set_device_field("meeting", "m1", "talk", &json!({ "scan": beside.to_string() })).unwrap();
    world.store().append_blob(&BlobHash([9; 32]), 500, 0, b"the beginning of nothing").unwrap();
    assert_eq!(
        world.store().drop_unnamed_blobs(&[]).unwrap(),
        1,
        "what was added just now may be in no draft yet"
    );
    assert_eq!(world.reopen().drop_unnamed_blobs(&[kept]).unwrap(), 1);
    let is_here = |hash| world.store().blob(&hash).unwrap().is_some();
    assert_eq!([drafted, beside, kept, forgotten].map(is_here), [true, true, true, false]);
    world.store().drop_draft("meeting", "m1").unwrap();
    assert_eq!(world.store().drop_unnamed_blobs(&[kept]).unwrap(), 1);
}

#[test]
fn a_redacted_change_takes_its_files_with_it() {
    let mut world = World::founded();
    world.create("meeting", "m1", &meeting("三月主题党日", "2026-03-13T14:00"));
    let hash = world.store().add_blob(&photo(1, 1000)).unwrap();
    let touched = world.store().write(&me(), "attach", |w| {
        w.put("meeting", "m1", &fields([("attachments/a1/file", file(&photo(1, 1000)))]))
    });
    let change = touched.unwrap().changes[0];
    world.store().write(&me(), "redact", |w| w.put_stream("~ruling/r1", json!({ "drop": change }))).unwrap();
    assert_eq!(world.to_send(), []);
    assert_eq!(world.reopen().drop_unnamed_blobs(&[]).unwrap(), 1);
    assert_eq!(world.store().blob(&hash).unwrap(), None);
    let stream = world.store().record(STREAM_KIND, STREAM_RECORD).unwrap();
    assert!(stream.is_some(), "the text is as it was");
}

#[test]
fn a_damaged_file_of_attachments_harms_nothing_else() {
    let mut world = World::founded();
    world.create("meeting", "m1", &meeting("三月主题党日", "2026-03-13T14:00"));
    let photos: Vec<Vec<u8>> = (0..6).map(|seed| photo(seed, 120_000)).collect();
    for (at, photo) in photos.iter().enumerate() {
        world.store().add_blob(photo).unwrap();
        world.attach(&format!("a{at}"), photo);
    }
    world.close();
    let whole = bytes(&world.file("blobs.db"));
    let (path, pages, mut gone) = (world.file("blobs.db"), whole.len() / 4096, 0);
    for page in (0..pages).step_by(9) {
        world.close();
        let mut damaged = whole.clone();
        damaged[page * 4096 + 1000] ^= 1;
        std::fs::write(world.file("blobs.db"), &damaged).unwrap();
        let store = world.reopen();
        assert!(store.record("meeting", "m1").unwrap().is_some(), "page {page}: the text is there");
        for photo in &photos {
            let hash = BlobHash::of(photo);
            match store.blob(&hash) {
                Ok(Some(read)) => assert!(read == *photo, "page {page}: what is given is right"),
                Ok(None) => {
                    gone += 1;
                    assert_eq!(store.blob_state(&hash).unwrap().here, BlobHere::Missing, "page {page}");
                    let fetched = store.append_blob(&hash, 120_000, 0, photo);
                    if matches!(fetched, Err(StoreError::Damaged { .. })) {
                        store.set_blobs_aside().unwrap();
                        store.append_blob(&hash, 120_000, 0, photo).unwrap();
                    }
                    assert_eq!(
                        store.blob(&hash).unwrap().as_ref(),
                        Some(photo),
                        "page {page}: it comes back"
                    );
                }
                Err(StoreError::Damaged { file, .. }) => {
                    assert_eq!(file, path);
                    let aside = store.set_blobs_aside().unwrap();
                    assert!(aside.is_file(), "page {page}: nothing is thrown away");
                    assert_eq!(store.blob(&hash).unwrap(), None);
                    store.add_blob(photo).unwrap();
                }
                Err(other) => panic!("page {page}: {other}"),
            }
        }
    }
    assert!(gone > 0, "some damage was in the pieces of a photo");
}

#[test]
fn a_newer_file_of_attachments_is_refused_and_the_branch_opens() {
    let mut world = World::new();
    let hash = world.store().add_blob(b"photo").unwrap();
    let key = world.store().database_key();
    world.close();
    let db = rusqlite::Connection::open(world.file("blobs.db")).unwrap();
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    db.pragma_update(None, "key", format!("x'{hex}'")).unwrap();
    db.pragma_update(None, "user_version", 2).unwrap();
    drop(db);
    let refused = world.reopen().blob(&hash);
    assert!(matches!(refused, Err(StoreError::TooNew { found: 2, known: 1, .. })), "{refused:?}");
}
