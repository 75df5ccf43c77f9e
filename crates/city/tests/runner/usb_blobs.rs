//! Attachments in USB files, and what becomes of those that a revoked device names.

use crate::blobs::{naming, photo, reported};
use crate::world::{Laptop, TestCity};
use city::FileDone;
use replica::{BlobHash, StreamId};
use serde_json::json;
use wire::blobs::BlobHeld;
use wire::file::{Inventory, Label, OpeningKey, SectionKind, open};

impl Laptop {
    /// What an answer says that the city holds, and the attachments that it brings.
    fn opens(&self, done: &FileDone) -> (Inventory, Vec<Vec<u8>>) {
        let mut behind = done.answer.bytes.as_slice();
        let label = Label::read(&mut behind).unwrap();
        let key = OpeningKey::new(&replica::opening_key(&self.key).into());
        let (mut file, mut held, mut blobs) = (open(&label, behind, &key).unwrap(), None, Vec::new());
        while let Some(section) = file.next().unwrap() {
            match section.kind {
                SectionKind::Held => held = Inventory::decode(&section.bytes).ok(),
                SectionKind::Blob => blobs.push(section.bytes),
                SectionKind::Message | SectionKind::Enrolment | SectionKind::Other(_) => {}
            }
        }
        (held.unwrap(), blobs)
    }

    /// A second computer of the same branch.
    async fn colleague(&self, town: &TestCity, seed: u8) -> Laptop {
        let mut second = Laptop::new(seed);
        second.join(town, "O003").await;
        second.stream = self.stream;
        second
    }
}

fn holding(stream: StreamId, hashes: &[BlobHash]) -> Vec<u8> {
    Inventory { streams: vec![(stream, hashes.to_vec())] }.encode()
}

fn blob(bytes: &[u8]) -> (SectionKind, &[u8], &[u8]) {
    (SectionKind::Blob, bytes, bytes)
}

#[tokio::test]
async fn photos_are_taken_in_with_the_changes_that_name_them_and_no_others() {
    let photos = [photo(1, 200_000), photo(2, 5_000), photo(3, 5_000), photo(4, 5_000)];
    let (town, mut laptop, _) = reported(&photos[..1]).await;
    let mut other = Laptop::new(2);
    other.join(&town, "O004").await;
    let theirs = other.write("meeting", "m1", &naming(&photos[3]));
    other.exchange(&town, &[&theirs]).await.answer();
    let change = laptop.write("meeting", "m9", &naming(&photos[1]));
    let behind = [
        blob(&photos[0]),
        (SectionKind::Blob, &photos[2], &photos[3]),
        blob(&photos[2]),
        blob(&photos[3]),
        blob(&photos[1]),
    ];
    let file = laptop.file_with(&town, &[&change], &behind, 1);
    let report = town.city.import_file(&file).unwrap().report;
    assert_eq!((report.new, report.attachments, report.attachments_refused), (1, 2, 3));
    assert_eq!(report.damaged, None, "other bytes than named, nobody's, and another branch's stop nothing");
    let again = town.city.import_file(&file).unwrap().report;
    assert_eq!((again.attachments, again.attachments_refused), (0, 3));
    for photo in &photos[..2] {
        assert_eq!(laptop.held(&town, BlobHash::of(photo)).await, BlobHeld::Whole);
        assert!(laptop.blob(&town, "GET", BlobHash::of(photo), &[], &[]).await.body == *photo);
    }
    assert_eq!(town.files(), 2);
    assert_eq!(town.city.check().unwrap().findings, []);
}

#[tokio::test]
async fn an_answer_says_what_is_held_and_brings_what_the_laptop_lacks() {
    let photos = [photo(1, 200_000), photo(2, 5_000), photo(3, 6_000)];
    let (town, laptop, changes) = reported(&photos).await;
    let hashes = [0, 1, 2].map(|at: usize| BlobHash::of(&photos[at]));
    laptop.upload(&town, &photos[0]).await;
    laptop.upload(&town, &photos[1]).await;
    let behind = |held: &[BlobHash]| holding(laptop.stream, held);
    let asks = |held: &[BlobHash], nonce| {
        let held = behind(held);
        let file = laptop.file_with(&town, &[], &[(SectionKind::Held, &held, &held)], nonce);
        town.city.import_file(&file).unwrap()
    };
    let (held, blobs) = laptop.opens(&asks(&[], 1));
    assert_eq!(held.hashes(), hashes[..2].iter().copied().collect());
    assert_eq!(blobs, [photos[1].clone(), photos[0].clone()], "thumbnails first");
    assert_eq!(laptop.opens(&asks(&hashes, 2)).1.len(), 0);
    assert_eq!(laptop.opens(&asks(&hashes[..1], 3)).1, [photos[1].clone()]);
    let silent = town.city.import_file(&laptop.file(&town, &[], 4)).unwrap();
    assert_eq!(laptop.opens(&silent).1.len(), 0, "a program that says nothing of attachments gets none");

    let drop = town.citys_change(&laptop.stream, "~ruling/r1", &json!({ "drop": changes[0].id }));
    let file = laptop.file(&town, &[&drop], 5);
    town.city.import_file(&file).unwrap();
    assert_eq!(town.files(), 1, "a redaction that comes by file erases as well");
    let (held, blobs) = laptop.opens(&asks(&[], 6));
    assert_eq!((held.hashes().len(), blobs.len()), (1, 1), "what was redacted is not carried");
}

#[tokio::test]
async fn what_only_a_revoked_device_names_is_kept_and_seen_by_nobody_until_it_is_released() {
    let photos = [photo(1, 5_000), photo(2, 6_000)];
    let (town, mut laptop, _) = reported(&photos[..1]).await;
    laptop.upload(&town, &photos[0]).await;
    let colleague = laptop.colleague(&town, 4).await;
    town.city.revoke(&laptop.stream, &laptop.device()).unwrap();
    let late = laptop.write("meeting", "m9", &naming(&photos[1]));
    let file = laptop.file_with(&town, &[&late], &[blob(&photos[1])], 1);
    assert_eq!(town.city.import_file(&file).unwrap_err().code, "revoked");
    let [before, after] = [0, 1].map(|at: usize| BlobHash::of(&photos[at]));
    assert_eq!(town.city.quarantine(&laptop.stream).unwrap().len(), 1);
    assert!(town.city.blob(&after).unwrap().is_some(), "it is kept, as the change is");

    assert_eq!(colleague.held(&town, before).await, BlobHeld::Whole, "what counts stays");
    assert_eq!(colleague.held(&town, after).await, BlobHeld::NotNamed);
    colleague.blob(&town, "GET", after, &[], &[]).await.is(404, "not_named");
    laptop.blob(&town, "GET", after, &[], &[]).await.is(403, "revoked");
    let held = holding(laptop.stream, &[]);
    let behind = [(SectionKind::Held, held.as_slice(), held.as_slice())];
    let ask = |nonce| town.city.import_file(&colleague.file_with(&town, &[], &behind, nonce)).unwrap();
    assert_eq!(colleague.opens(&ask(2)).1, [photos[0].clone()]);

    town.city.release("operator", &laptop.stream, &[late.id]).unwrap();
    assert!(colleague.blob(&town, "GET", after, &[], &[]).await.body == photos[1]);
    assert_eq!(colleague.opens(&ask(3)).1.len(), 2);
    assert_eq!(town.city.check().unwrap().findings, []);
}

#[tokio::test]
async fn a_revoked_device_hands_in_what_its_own_changes_name_and_is_told_nothing_else() {
    let photos = [photo(1, 5_000), photo(2, 100_000)];
    let (town, mut laptop, _) = reported(&[]).await;
    let mut colleague = laptop.colleague(&town, 4).await;
    let theirs = colleague.write("meeting", "m8", &naming(&photos[0]));
    colleague.exchange(&town, &[&theirs]).await.answer();
    colleague.upload(&town, &photos[0]).await;
    town.city.revoke(&laptop.stream, &laptop.device()).unwrap();
    let late = laptop.write("meeting", "m9", &naming(&photos[1]));
    laptop.exchange(&town, &[&late]).await.answer();
    let [before, after] = [0, 1].map(|at: usize| BlobHash::of(&photos[at]));
    laptop.blob(&town, "HEAD", before, &[], &[]).await.is(404, "");
    laptop.upload(&town, &photos[1]).await;
    laptop.blob(&town, "GET", after, &[], &[]).await.is(403, "revoked");
    laptop.blob(&town, "DELETE", after, &[], &[]).await.is(403, "revoked");
    colleague.blob(&town, "GET", after, &[], &[]).await.is(404, "not_named");
    town.city.release("operator", &laptop.stream, &[late.id]).unwrap();
    assert!(colleague.blob(&town, "GET", after, &[], &[]).await.body == photos[1]);
}
