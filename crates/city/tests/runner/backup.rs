//! Backups while the city serves, and what comes back from them.

use crate::world::{DAY, Laptop, START, TestCity, promise, world};
use axum::http::StatusCode;
use city::{BackupError, Folder, Key, RestoreError, Restoring};
use std::path::PathBuf;

const WORDS: &str = "泰山脚下有一棵很老的槐树";

fn place(town: &TestCity, name: &str) -> PathBuf {
    town.place.path().join(name)
}

#[tokio::test]
async fn a_backup_with_its_key_under_a_passphrase_comes_back_whole() {
    let (town, mut laptop) = (TestCity::new(), Laptop::new(1));
    laptop.join(&town, "O003").await;
    let change = laptop.write("promise", "p1", &promise("一"));
    laptop.exchange(&town, &[&change]).await.answer();
    let open = town.code();
    let to = place(&town, "backup");
    let refused = town.city.backup(&town.folder(), &to, Some("短")).unwrap_err();
    assert!(matches!(refused, BackupError::ShortPassphrase), "{refused}");
    assert!(!to.exists(), "nothing half made");
    town.city.backup(&town.folder(), &to, Some(WORDS)).unwrap();
    assert!(matches!(town.city.backup(&town.folder(), &to, None), Err(BackupError::Exists(_))));

    let old = town.city.operating().unwrap().device();
    let folder = Folder::new(place(&town, "restored"));
    let restore = |key| {
        let restoring = Restoring { from: &to, key, root: None };
        city::restore(&folder, restoring, &world(&town.clock))
    };
    assert!(matches!(
        restore(Key::Passphrase("泰山脚下有一棵很小的槐树")),
        Err(RestoreError::WrongPassphrase)
    ));
    assert!(!folder.database().exists() && !folder.key().exists(), "nothing half restored");
    let restored = restore(Key::Passphrase(WORDS)).unwrap();
    assert_ne!(restored.device, old, "it signs with another key");
    assert_eq!((restored.voided_codes, restored.until), (1, START));
    assert_eq!(restored.accounts, ["operator"]);
    assert!(matches!(restore(Key::Passphrase(WORDS)), Err(RestoreError::Exists(_))));

    let town = town.opened(&folder);
    let report = town.city.check().unwrap();
    assert_eq!((report.findings.as_slice(), report.changes), (&[][..], 3));
    let refused = Laptop::new(9).enrol(&town, &open).await.unwrap_err();
    assert_eq!(refused, (StatusCode::GONE, "code_expired".into()), "an open code is worth nothing any more");
}

#[tokio::test]
async fn a_backup_without_its_key_needs_the_file_and_without_spares_the_root() {
    let town = TestCity::new();
    let to = place(&town, "backup");
    town.city.backup(&town.folder(), &to, None).unwrap();
    assert!(!Folder::new(&to).key().exists(), "the key is not in it");
    let folder = Folder::new(place(&town, "restored"));
    let key = town.folder().key();
    let root = town.root_key();
    let mut from = to.clone();
    let restore = |from: &std::path::Path, key, root| {
        city::restore(&folder, Restoring { from, key, root }, &world(&town.clock))
    };
    assert!(matches!(restore(&from, Key::Passphrase(WORDS), None), Err(RestoreError::NoKey)));
    // Three times from its own backup, and the spares are used up.
    for turn in 0..3 {
        restore(&from, Key::File(&key), None).unwrap();
        from = place(&town, &format!("again{turn}"));
        std::fs::rename(&folder.root, &from).unwrap();
    }
    assert!(matches!(restore(&from, Key::File(&key), None), Err(RestoreError::NeedsRoot)));
    let other = TestCity::new().root_key();
    assert!(matches!(restore(&from, Key::File(&key), Some(&other)), Err(RestoreError::Root(_))));
    restore(&from, Key::File(&key), Some(&root)).unwrap();
}

#[tokio::test]
async fn people_are_told_before_a_key_ends_and_nothing_stops_when_it_has() {
    let (town, mut laptop) = (TestCity::new(), Laptop::new(1));
    laptop.join(&town, "O003").await;
    assert_eq!(town.city.key_advice().unwrap(), []);
    town.pass(310 * DAY);
    assert_eq!(town.city.key_advice().unwrap(), [city::Advice::Ends(56)]);
    town.pass(100 * DAY);
    assert_eq!(town.city.key_advice().unwrap(), [city::Advice::Ends(-44)]);
    let change = laptop.write("promise", "p1", &promise("一"));
    let answer = laptop.exchange(&town, &[&change]).await.answer();
    assert!(answer.receipt.is_some(), "dates of keys are advice");
    town.city.rotate(&town.root_key()).unwrap();
    assert_eq!(town.city.key_advice().unwrap(), []);
}

#[tokio::test]
async fn the_address_is_said_in_every_stream_and_in_those_that_come_later() {
    let (town, mut early, mut late) = (TestCity::new(), Laptop::new(1), Laptop::new(2));
    early.join(&town, "O003").await;
    let refused = town.city.announce("operator", "http://city.example.cn").unwrap_err();
    assert!(refused.to_string().contains("https://"), "{refused}");
    assert_eq!(town.city.announce("operator", "https://city.example.cn/").unwrap(), 1);
    town.city.announce("operator", "https://new.example.cn").unwrap();
    late.join(&town, "O004").await;
    for laptop in [&early, &late] {
        let record = town.stored(&laptop.stream, "stream", "~stream").unwrap();
        let said = record.value("~city/address").unwrap();
        assert_eq!(*said, serde_json::json!({ "address": "https://new.example.cn" }));
    }
    assert_eq!(town.city.check().unwrap().findings, []);
}
