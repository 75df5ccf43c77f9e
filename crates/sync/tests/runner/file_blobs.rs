//! Attachments on USB sticks: both ways, in portions, twice, late, damaged, and never in the way of the records.

use crate::blobs::{PHOTO, THUMB, photo};
use crate::town::{Laptop, START, Town, promise};
use replica::BlobHash;
use sync::file::{Book, Imported, Scope};

impl Laptop {
    /// To the city and back.
    fn round(&self, town: &Town) -> Imported {
        self.reads(&town.takes(&self.exports()).answer.bytes).unwrap()
    }

    /// A second computer of the branch, which has what the city has of records.
    fn joined_by_file(town: &Town, name: &str) -> Laptop {
        let laptop = Laptop::enrolled_by_file(town, name);
        sync::reissue(&laptop.store, &Default::default(), START, "zhd").unwrap();
        laptop
    }

    fn is_here(&self, hashes: &[BlobHash]) -> Vec<bool> {
        hashes.iter().map(|hash| self.has_file(hash)).collect()
    }

    fn left(&self) -> u64 {
        self.store.blob_outbox().unwrap().blobs
    }
}

#[test]
fn photos_go_to_the_city_with_their_records_and_only_its_answer_says_that_they_are_there() {
    let town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    let hashes = laptop.attach("m1", 1);
    let (file, made) = laptop.makes(Scope::SinceReceipt);
    assert_eq!((made.note.blobs, made.note.blobs_left), (2, 0));
    let done = town.takes(&file);
    assert_eq!((done.report.attachments, done.report.attachments_refused), (2, 0));
    assert!(hashes.iter().all(|hash| town.has_file(hash)));
    assert_eq!(laptop.left(), 2, "nothing came back yet");
    let imported = laptop.reads(&done.answer.bytes).unwrap();
    assert_eq!((imported.blobs_reported, imported.blobs, imported.blobs_left), (2, 0, 0));
    assert!(hashes.iter().all(|hash| laptop.at_city(hash)));
    assert_eq!(laptop.makes(Scope::SinceReceipt).1.note.blobs, 0, "the next file has only what is new");
    laptop.agrees_with(&town);
    assert_eq!(town.city.check().unwrap().findings, []);
}

#[test]
fn a_file_comes_twice_late_or_after_the_network_and_changes_nothing() {
    let town = Town::new();
    let laptop = Laptop::enrolled(&town, "one");
    let first = laptop.attach("m1", 1);
    let file = laptop.exports();
    let early = town.takes(&file);
    let again = town.takes(&file);
    assert_eq!((early.report.attachments, again.report.attachments), (2, 0));
    let second = laptop.attach("m2", 2);
    let late = town.takes(&laptop.exports()).answer;
    laptop.reads(&late.bytes).unwrap();
    assert!(first.iter().chain(&second).all(|hash| laptop.at_city(hash)));
    assert!(laptop.reads(&early.answer.bytes).unwrap().stale);
    assert!(second.iter().all(|hash| laptop.at_city(hash)), "an old answer takes nothing back");
    laptop.exchange_until_through();
    laptop.reads(&late.bytes).unwrap();
    assert_eq!(laptop.left(), 0);
    laptop.agrees_with(&town);
}

#[test]
fn what_does_not_fit_goes_with_the_next_file_whether_or_not_the_first_came_back() {
    let town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    let hashes: Vec<[BlobHash; 2]> = (0..4).map(|seed| laptop.attach(&format!("m{seed}"), seed)).collect();
    let room = (4 * THUMB + PHOTO) as u64;
    let (first, made) = laptop.makes_within(Scope::SinceReceipt, room);
    assert_eq!((made.note.blobs, made.note.blobs_left), (5, 3), "thumbnails go first");
    assert!(first.len() < THUMB * 4 + PHOTO + 20_000, "{}", first.len());
    let (second, made) = laptop.makes_within(Scope::SinceReceipt, 2 * PHOTO as u64);
    assert_eq!((made.note.blobs, made.note.blobs_left), (2, 6), "others than the first file has");
    // The last photo that is in no file, and once more what fits beside it.
    let third = laptop.makes_within(Scope::SinceReceipt, 2 * PHOTO as u64).0;
    town.takes(&third);
    town.takes(&first);
    let answer = town.takes(&second).answer;
    assert!(hashes.iter().flatten().all(|hash| town.has_file(hash)), "in any order");
    laptop.reads(&answer.bytes).unwrap();
    assert_eq!(laptop.left(), 0);
    let notes = Book::of(&laptop.store).unwrap().exports;
    assert_eq!(notes.iter().map(|note| note.blobs).collect::<Vec<_>>(), [5, 2, 5]);
}

#[test]
fn a_lost_stick_costs_nothing_but_another_one() {
    let town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    let hashes = laptop.attach("m1", 1);
    laptop.exports();
    laptop.round(&town);
    assert!(hashes.iter().all(|hash| town.has_file(hash) && laptop.at_city(hash)));
}

#[test]
fn another_computer_gets_what_it_lacks_thumbnails_first_and_the_rest_later() {
    let town = Town::new();
    let one = Laptop::enrolled_by_file(&town, "one");
    let hashes: Vec<[BlobHash; 2]> = (0..3).map(|seed| one.attach(&format!("m{seed}"), seed)).collect();
    one.round(&town);
    let two = Laptop::new(&town, "two");
    let asked = two.asks(&town.code("O003"));
    let yes = town.city.import_file_within(&asked, (3 * THUMB) as u64).unwrap();
    assert_eq!((yes.report.attachments_back, yes.report.attachments_left), (3, 3));
    let done = two.reads(&yes.answer.bytes).unwrap();
    assert_eq!((done.blobs, done.blobs_left), (3, 3), "the yes brings the thumbnails");
    sync::reissue(&two.store, &Default::default(), START, "zhd").unwrap();
    assert!(hashes.iter().all(|[large, small]| two.is_here(&[*large, *small]) == [false, true]));
    let answer = town.city.import_file_within(&two.exports(), (2 * PHOTO) as u64).unwrap();
    assert_eq!((answer.report.attachments_back, answer.report.attachments_left), (2, 1));
    two.reads(&answer.answer.bytes).unwrap();
    assert_eq!(two.round(&town).blobs, 1, "what did not fit came with the next file");
    assert!(hashes.iter().flatten().all(|hash| two.has_file(hash)));
    assert_eq!(two.store.blob(&hashes[0][0]).unwrap(), Some(photo(0, PHOTO)));
    let nothing = town.takes(&two.exports()).report;
    assert_eq!((nothing.attachments_back, nothing.attachments), (0, 0), "nothing goes twice");
    assert_eq!(town.takes(&one.exports()).report.attachments_back, 0, "nor to who made it");
}

#[test]
fn files_that_nobody_asked_for_bring_what_others_made() {
    let town = Town::new();
    let one = Laptop::enrolled_by_file(&town, "one");
    let two = Laptop::joined_by_file(&town, "two");
    two.round(&town);
    let hashes = one.attach("m1", 1);
    one.round(&town);
    let files = town.city.export_files("O003").unwrap();
    let done: Vec<Imported> = files.iter().filter_map(|file| two.reads(&file.bytes).ok()).collect();
    assert_eq!(done.iter().map(|done| done.blobs).collect::<Vec<_>>(), [2]);
    assert_eq!(two.is_here(&hashes), [true, true]);
    let own: Vec<Imported> = files.iter().filter_map(|file| one.reads(&file.bytes).ok()).collect();
    assert_eq!((own.len(), own[0].blobs), (1, 0));
    assert!(files.iter().any(|file| file.bytes.len() < PHOTO), "the maker's file is without them");
}

#[test]
fn a_cut_file_keeps_its_records_and_the_photos_before_the_cut() {
    let town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    let hashes: Vec<[BlobHash; 2]> = (0..3).map(|seed| laptop.attach(&format!("m{seed}"), seed)).collect();
    let file = laptop.exports();
    let cut = &file[..file.len() - PHOTO / 2];
    let done = town.takes(cut);
    assert!(done.report.damaged.is_some());
    assert_eq!((done.report.new, done.report.attachments), (3, 5));
    let imported = laptop.reads(&done.answer.bytes).unwrap();
    assert_eq!((imported.blobs_reported, laptop.left()), (5, 1), "the receipt says which one is missing");
    laptop.agrees_with(&town);
    let (file, made) = laptop.makes(Scope::SinceReceipt);
    assert_eq!((made.note.changes, made.note.blobs), (0, 1), "the next file brings just that");
    laptop.reads(&town.takes(&file).answer.bytes).unwrap();
    assert_eq!(laptop.left(), 0);

    let two = Laptop::joined_by_file(&town, "two");
    let hashes: Vec<BlobHash> = hashes.into_iter().flatten().collect();
    assert!(two.is_here(&hashes).into_iter().all(|here| here), "the yes brought them");
    let three = Laptop::new(&town, "three");
    let yes = town.takes(&three.asks(&town.code("O003"))).answer.bytes;
    let done = three.reads(&yes[..yes.len() - 1000]).unwrap();
    assert!(done.damaged.is_some() && done.enrolled.is_some() && done.receipt_at.is_some());
    assert_eq!((done.blobs, done.blobs_left), (5, 1));
}

#[test]
fn a_city_that_was_set_back_gets_its_photos_again_by_file() {
    let mut town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    laptop.write("early", promise(1));
    laptop.round(&town);
    let copy = town.copy("before");
    let hashes = laptop.attach("m1", 1);
    laptop.round(&town);
    assert_eq!(laptop.left(), 0);
    town.set_back(copy);
    let imported = laptop.round(&town);
    assert_eq!(imported.blobs_reported, 0);
    assert_eq!(laptop.left(), 2, "the city said that it has none of them");
    laptop.round(&town);
    assert!(hashes.iter().all(|hash| town.has_file(hash) && laptop.at_city(hash)));
    laptop.agrees_with(&town);
}

#[test]
fn what_no_record_names_or_is_not_here_any_more_is_not_carried() {
    let town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    laptop.store.add_blob(b"a photo that no record names yet").unwrap();
    let [large, small] = laptop.attach("m1", 1);
    assert_eq!(laptop.makes(Scope::SinceReceipt).1.note.blobs, 2);
    laptop.store.set_blobs_aside().unwrap();
    laptop.store.add_blob(&photo(101, THUMB)).unwrap();
    let (file, made) = laptop.makes(Scope::SinceReceipt);
    assert_eq!((made.note.blobs, made.note.changes > 0), (1, true), "the file is made without it");
    assert_eq!(town.takes(&file).report.attachments, 1);
    assert!(town.has_file(&small) && !town.has_file(&large));
}
