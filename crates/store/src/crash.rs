//! Power failures and full disks: whatever was acknowledged is there afterwards, and nothing is half there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use disk::Disk;
use replica::{BlobHash, BlobRef};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::db::{Ground, Place};
use crate::folder::Folder;
use crate::keys::{self, FileKey};
use crate::{Author, Query, Store, StoreError, SystemSources};

const PASSWORD: &str = "柳树下的老井";

/// A branch that was closed properly, and its key, so that each failure begins with the same bytes.
struct Base {
    dir: TempDir,
    key: FileKey,
}

impl Base {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = Store::create(dir.path(), PASSWORD, sources()).unwrap();
        store.found(&author(), "办公室电脑").unwrap();
        store.write(&author(), "create", |w| w.create("person", "p0", &person("王强"))).unwrap();
        drop(store);
        let key = keys::read(dir.path()).unwrap().open_with_password(PASSWORD).unwrap();
        Self { dir, key }
    }

    fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        for name in ["branch.db", "keys.json", "keys.copy.json"] {
            std::fs::copy(self.dir.path().join(name), copy.path().join(name)).unwrap();
        }
        copy
    }

    fn open(&self, folder: &Path, vfs: Option<&'static str>) -> Result<Store, StoreError> {
        let keys = keys::read(folder)?;
        let folder = Folder::lock(folder)?;
        let place = Place { file: folder.database(), ground: Ground { disk: vfs, plain: false } };
        Store::open_with_key(folder, place, self.key.clone(), keys, sources())
    }
}

fn sources() -> Arc<SystemSources<fn() -> i64>> {
    Arc::new(SystemSources(|| 1_791_000_000_000))
}

fn author() -> Author {
    Author::new("p-secretary")
}

fn person(name: &str) -> BTreeMap<String, Value> {
    [("name".to_owned(), json!(name)), ("category".to_owned(), json!("member"))].into()
}

fn meeting(at: usize) -> BTreeMap<String, Value> {
    let mut fields: BTreeMap<String, Value> =
        (0..20).map(|who| (format!("attendance/p{who}/status"), json!("present"))).collect();
    fields.insert("title".to_owned(), json!(format!("第{at}次主题党日")));
    if at.is_multiple_of(2) {
        let file = BlobRef { hash: BlobHash::of(&photo(at)), len: 70_000, media: "image/jpeg".to_owned() };
        fields.insert("attachments/f1/file".to_owned(), json!({ "blob": file.to_value() }));
    }
    fields.insert("agenda/a1/speeches/s1/text".to_owned(), json!("发言".repeat(400)));
    fields
}

/// 70 KB that do not pack away.
fn photo(at: usize) -> Vec<u8> {
    let mut bytes = vec![0; 70_000];
    blake3::Hasher::new().update(&at.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// What the store said was done.
#[derive(Debug, Default)]
struct Acknowledged {
    meetings: BTreeSet<usize>,
    closed: BTreeSet<usize>,
    draft: Option<usize>,
    photos: BTreeSet<usize>,
}

/// A working day, as far as the power lasts.
fn work(store: &Store, done: &mut Acknowledged) -> Result<(), StoreError> {
    // Folding the WAL back often puts those writes among the failures, too.
    store.transact(|db| Ok(db.pragma_update_and_check(None, "wal_autocheckpoint", 12, |_| Ok(()))?))?;
    for at in 0..8 {
        store.set_draft("meeting", "typing", &json!({ "at": at }))?;
        done.draft = Some(at);
        if at.is_multiple_of(2) {
            store.add_blob(&photo(at))?;
            done.photos.insert(at);
        }
        let id = format!("m{at}");
        store.write(&author(), "create", |w| w.create("meeting", &id, &meeting(at)))?;
        done.meetings.insert(at);
        if at % 3 == 0 {
            store.write(&author(), "finalise", |w| w.finalise("meeting", &id, json!({ "number": at })))?;
            done.closed.insert(at);
        }
    }
    Ok(())
}

/// Opens what the disk kept and holds it against what was acknowledged.
fn examine(base: &Base, folder: &Path, done: &Acknowledged, when: &str) {
    let store = base.open(folder, None).unwrap_or_else(|error| panic!("{when}: {error}"));
    store.check().unwrap_or_else(|error| panic!("{when}: {error}"));
    for at in &done.meetings {
        let state = store.record("meeting", &format!("m{at}")).unwrap();
        let state = state.unwrap_or_else(|| panic!("{when}: meeting {at} was acknowledged and is lost"));
        assert_eq!(state.values().count(), meeting(*at).len(), "{when}: meeting {at} is whole");
        let closed = !matches!(state.closing, replica::Closing::Open);
        assert!(closed || !done.closed.contains(at), "{when}: closing {at} was acknowledged and is lost");
    }
    for at in &done.photos {
        let kept = store.blob(&BlobHash::of(&photo(*at))).unwrap();
        assert!(
            kept.is_some_and(|kept| kept == photo(*at)),
            "{when}: photo {at} was acknowledged and is lost"
        );
    }
    assert_eq!(store.blobs_to_fetch().unwrap(), [], "{when}: what a record names was kept before it");
    let draft = store.draft("meeting", "typing").unwrap().map(|draft| draft.content["at"].as_u64().unwrap());
    assert!(
        draft >= done.draft.map(|at| at as u64),
        "{when}: draft {:?} was acknowledged: {draft:?}",
        done.draft
    );
    for row in store.list(&Query::of("meeting")).unwrap().rows {
        assert!(!row.title.is_empty(), "{when}: {} is half there", row.id);
    }
    let stream = store.own_stream().unwrap().unwrap();
    let before = (store.digest(&stream).unwrap(), store.projection_digest(&stream).unwrap());
    store.rebuild().unwrap();
    let after = (store.digest(&stream).unwrap(), store.projection_digest(&stream).unwrap());
    assert_eq!(after, before, "{when}: log, records and lists agree");
    store.write(&author(), "create", |w| w.create("person", "after", &person("赵敏"))).unwrap();
}

/// Bits that repeat for one seed.
fn chance(seed: u64) -> impl FnMut() -> bool {
    let mut reader = blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof();
    move || {
        let mut byte = [0];
        reader.fill(&mut byte);
        byte[0] & 1 == 1
    }
}

#[test]
fn after_a_power_failure_everything_acknowledged_is_there() {
    let base = Base::new();
    let whole = {
        let folder = base.copy();
        let disk = Disk::new("whole-day");
        let store = base.open(folder.path(), Some(disk.name)).unwrap();
        let before = disk.operations();
        work(&store, &mut Acknowledged::default()).unwrap();
        disk.operations() - before
    };
    assert!(whole > 100, "the day has enough operations to fail at: {whole}");
    let step = (whole / 45).max(1);
    for at in (0..whole).step_by(usize::try_from(step).unwrap()) {
        let folder = base.copy();
        let disk = Disk::new(&format!("fails-at-{at}"));
        let store = base.open(folder.path(), Some(disk.name)).unwrap();
        disk.stop_after(at);
        let mut done = Acknowledged::default();
        // Folding the WAL back may fail without the write that set it off.
        let ended = work(&store, &mut done);
        assert!(ended.is_err() || at + step > whole / 2, "the power failed at operation {at} of {whole}");
        drop(store);
        let surfaced = base.copy();
        disk.surface(surfaced.path(), chance(at));
        examine(&base, surfaced.path(), &done, &format!("failure at operation {at}, {done:?}"));
    }
}

#[test]
fn a_lost_sync_is_noticed_by_this_test() {
    // The other test can fail: a disk that kept nothing of the day loses what was acknowledged.
    let base = Base::new();
    let (folder, disk) = (base.copy(), Disk::new("liar"));
    let store = base.open(folder.path(), Some(disk.name)).unwrap();
    let mut done = Acknowledged::default();
    work(&store, &mut done).unwrap();
    drop(store);
    let stale = base.copy();
    let seen = std::panic::catch_unwind(|| examine(&base, stale.path(), &done, "stale"));
    assert!(seen.is_err());
}

#[test]
fn a_full_disk_says_so_and_the_work_goes_on_when_there_is_room() {
    let base = Base::new();
    let (folder, disk) = (base.copy(), Disk::new("full"));
    let store = base.open(folder.path(), Some(disk.name)).unwrap();
    disk.set_room(Some(disk.used() + 400_000));
    let mut done = Acknowledged::default();
    match work(&store, &mut done) {
        Err(StoreError::DiskFull { folder: named }) => assert_eq!(named, folder.path()),
        other => panic!("{other:?}"),
    }
    assert!(!done.meetings.is_empty(), "some work was done before");
    assert!(store.record("meeting", "m0").unwrap().is_some(), "reading goes on");
    disk.set_room(None);
    store.write(&author(), "create", |w| w.create("person", "p9", &person("李四"))).unwrap();
    drop(store);
    examine(&base, folder.path(), &done, "full disk");
}

#[test]
fn a_branch_on_a_disk_that_is_wholly_full_says_so_and_opens_when_there_is_room() {
    let base = Base::new();
    let (folder, disk) = (base.copy(), Disk::new("no-room"));
    disk.set_room(Some(0));
    match base.open(folder.path(), Some(disk.name)) {
        Err(StoreError::DiskFull { folder: named }) => assert_eq!(named, folder.path()),
        other => panic!("{:?}", other.err()),
    }
    disk.set_room(None);
    assert!(base.open(folder.path(), Some(disk.name)).is_ok());
}
