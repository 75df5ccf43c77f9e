//! Attachments in backups: while the city serves, and where some of them are lost.

use crate::blobs::{photo, reported};
use crate::world::{Laptop, TestCity, blob_files, world};
use city::{Folder, Key, Restored, Restoring};
use replica::BlobHash;
use std::path::Path;
use wire::blobs::{BlobHeld, LEAST_PIECE, PIECE};

/// A city from a backup, in place of the one that was.
fn restored(town: TestCity, backup: &Path, name: &str) -> (TestCity, Restored) {
    let (folder, key) = (Folder::new(town.place.path().join(name)), town.folder().key());
    let restoring = Restoring { from: backup, key: Key::File(&key), root: None };
    let restored = city::restore(&folder, restoring, &world(&town.clock)).unwrap();
    (town.opened(&folder), restored)
}

impl Laptop {
    /// Goes on where the city says that it is.
    async fn finish(&self, town: &TestCity, photo: &[u8]) {
        let hash = BlobHash::of(photo);
        let mut at = match self.held(town, hash).await {
            BlobHeld::Whole => photo.len(),
            BlobHeld::Partial(have) => usize::try_from(have).unwrap(),
            BlobHeld::Missing | BlobHeld::NotNamed => {
                self.post(town, hash, photo.len() as u64, &[]).await.is(201, "");
                0
            }
        };
        while at < photo.len() {
            let until = photo.len().min(at + PIECE);
            self.patch(town, hash, at as u64, &photo[at..until]).await.is(204, "");
            at = until;
        }
    }

    async fn reads(&self, town: &TestCity, photo: &[u8]) {
        let got = self.blob(town, "GET", BlobHash::of(photo), &[], &[]).await;
        assert!(got.body == photo, "{}", got.status);
    }
}

#[tokio::test]
async fn a_backup_has_every_photo_that_its_database_knows_and_names_what_is_lost() {
    let photos = [photo(1, 200_000), photo(2, 5_000), photo(3, 90_000), photo(4, 5_000)];
    let (town, laptop, _) = reported(&photos).await;
    let mut files = Vec::new();
    for photo in &photos[..3] {
        laptop.upload(&town, photo).await;
        files.push(town.blob_files().into_iter().find(|file| !files.contains(file)).unwrap());
    }
    laptop.post(&town, BlobHash::of(&photos[3]), 5_000, &photos[3][..LEAST_PIECE]).await.is(201, "");
    let mut spoilt = std::fs::read(&files[2]).unwrap();
    spoilt[50_000] ^= 1;
    std::fs::write(&files[2], spoilt).unwrap();
    std::fs::remove_file(&files[1]).unwrap();

    let to = town.place.path().join("backup");
    let made = town.city.backup(&town.folder(), &to, None).unwrap().attachments;
    let mut lost: Vec<_> = made.lost.iter().map(|lost| lost.hash).collect();
    let mut expected = [BlobHash::of(&photos[1]), BlobHash::of(&photos[2])];
    lost.sort();
    expected.sort();
    assert_eq!((made.whole, lost.as_slice()), (1, &expected[..]));
    assert_eq!(made.lost[0].organisations, ["中国共产党泰安恒岱食品有限公司支部委员会"]);
    let held = laptop.held(&town, BlobHash::of(&photos[2])).await;
    assert_eq!(held, BlobHeld::Missing, "the city asks for what it found damaged");
    laptop.upload(&town, &photos[2]).await;

    let (town, _) = restored(town, &to, "restored");
    assert_eq!(laptop.held(&town, BlobHash::of(&photos[0])).await, BlobHeld::Whole);
    for lost in &expected {
        assert_eq!(laptop.held(&town, *lost).await, BlobHeld::Missing, "it does not say that it has it");
    }
    assert_eq!(laptop.held(&town, BlobHash::of(&photos[3])).await, BlobHeld::Partial(LEAST_PIECE as u64));
    let rest = &photos[3][LEAST_PIECE..];
    laptop.patch(&town, BlobHash::of(&photos[3]), LEAST_PIECE as u64, rest).await.is(204, "");
    laptop.upload(&town, &photos[1]).await;
    for photo in [&photos[0], &photos[1], &photos[3]] {
        laptop.reads(&town, photo).await;
    }
    assert_eq!(town.city.check().unwrap().findings, []);
}

#[tokio::test]
async fn a_backup_while_photos_arrive_has_the_ones_that_were_whole_before_it() {
    let photos: Vec<Vec<u8>> = (0..12).map(|seed| photo(seed, 150_000)).collect();
    let (town, laptop, _) = reported(&photos).await;
    for photo in &photos[..6] {
        laptop.upload(&town, photo).await;
    }
    let (to, folder, city) = (town.place.path().join("backup"), town.folder(), town.city.clone());
    let backup = std::thread::spawn(move || city.backup(&folder, &to, None).unwrap());
    for photo in &photos[6..] {
        laptop.upload(&town, photo).await;
    }
    let made = backup.join().unwrap().attachments;
    assert!(made.whole >= 6 && made.lost.is_empty(), "{made:?}");
    let to = town.place.path().join("backup");
    let (town, _) = restored(town, &to, "restored");
    for photo in &photos[..6] {
        laptop.reads(&town, photo).await;
    }
    for photo in &photos[6..] {
        laptop.finish(&town, photo).await;
        laptop.reads(&town, photo).await;
    }
    assert_eq!(town.city.check().unwrap().findings, []);
}

#[tokio::test]
async fn a_backup_whose_photos_were_spoilt_or_left_behind_is_restored_without_them() {
    let photos = [photo(1, 100_000), photo(2, 5_000)];
    let (town, laptop, _) = reported(&photos).await;
    let hashes = [laptop.upload(&town, &photos[0]).await, laptop.upload(&town, &photos[1]).await];
    let to = town.place.path().join("backup");
    town.city.backup(&town.folder(), &to, None).unwrap();
    let mut town = town;
    let spoil = |name: &str| {
        for file in blob_files(&Folder::new(to.clone())) {
            match name {
                "spoilt" => std::fs::write(&file, vec![7; 100]).unwrap(),
                _ => std::fs::remove_file(&file).unwrap(),
            }
        }
    };
    for name in ["spoilt", "left"] {
        spoil(name);
        let made;
        (town, made) = restored(town, &to, name);
        assert_eq!((made.attachments.whole, made.attachments.lost.len()), (0, 2), "{name}");
        for hash in hashes {
            assert_eq!(laptop.held(&town, hash).await, BlobHeld::Missing, "{name}");
        }
        laptop.upload(&town, &photos[1]).await;
        assert_eq!(town.city.check().unwrap().findings, [], "{name}");
    }
}
