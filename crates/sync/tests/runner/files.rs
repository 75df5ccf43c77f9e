//! USB sticks between laptops that never see a network and a city: any order, twice, late, lost, damaged, for somebody
//! else.

use crate::town::{Laptop, START, Town, promise};
use city::{FileDone, FileReport};
use replica::StreamId;
use serde_json::json;
use store::{Author, MOST_LOST, Store};
use sync::SyncError;
use sync::file::{BLOBS, Book, Exported, Imported, Scope, Terms, ask, begin, export, exported, import};
use wire::file::Place;

/// Records of about 1 KiB packed.
const BULK: usize = 1400;

impl Laptop {
    /// A branch that was let in by file, and has read the city's yes.
    pub fn enrolled_by_file(town: &Town, name: &str) -> Laptop {
        let laptop = Laptop::new(town, name);
        let asked = laptop.asks(&town.code("O003"));
        let done = laptop.reads(&town.takes(&asked).answer.bytes).unwrap();
        assert!(done.enrolled.is_some(), "the yes lets it in");
        laptop
    }

    pub fn asks(&self, code: &str) -> Vec<u8> {
        begin(&self.store, code, &*self.sources).unwrap();
        let mut file = Vec::new();
        ask(&self.store, "支部电脑", &*self.sources, &mut file).unwrap();
        file
    }

    pub fn makes(&self, scope: Scope) -> (Vec<u8>, Exported) {
        self.makes_within(scope, BLOBS)
    }

    /// A file with at most so many bytes of attachments.
    pub fn makes_within(&self, scope: Scope, room: u64) -> (Vec<u8>, Exported) {
        let (file, made) = self.makes_on(Terms { room, ..Terms::of(scope) }).unwrap();
        exported(&self.store, &made).unwrap();
        (file, made)
    }

    /// A file that is not noted as made.
    pub fn makes_on(&self, terms: Terms) -> Result<(Vec<u8>, Exported), SyncError> {
        let mut file = Vec::new();
        let made = export(&self.store, &*self.sources, terms, &mut file)?;
        Ok((file, made))
    }

    pub fn exports(&self) -> Vec<u8> {
        self.makes(Scope::SinceReceipt).0
    }

    pub fn reads(&self, file: &[u8]) -> Result<Imported, SyncError> {
        self.reads_within(file, MOST_LOST)
    }

    /// After a person agreed to this many losses.
    pub fn reads_within(&self, file: &[u8], most_lost: u64) -> Result<Imported, SyncError> {
        import(&self.store, file, most_lost)
    }

    /// Writes what takes several parts of a file.
    fn write_bulk(&self) {
        for at in 0..BULK {
            let noise = |part: usize| blake3::hash(&(at * 100 + part).to_le_bytes()).to_hex().to_string();
            let evidence: String = (0..28).map(noise).collect();
            let text = format!("第{at}条");
            self.write(
                &format!("p{at}"),
                json!({ "text": text, "evidence": evidence, "promised_on": "2026-10-13" }),
            );
        }
    }

    fn stream(&self) -> StreamId {
        self.store.own_stream().unwrap().unwrap()
    }

    pub fn waits(&self) -> u64 {
        self.store.outbox().unwrap().changes
    }

    fn holds(&self, id: &str) -> bool {
        self.store.record("promise", id).unwrap().is_some()
    }
}

impl Town {
    pub fn takes(&self, file: &[u8]) -> FileDone {
        self.city.import_file(file).unwrap_or_else(|refusal| panic!("the city refused: {refusal:?}"))
    }

    #[track_caller]
    pub fn refuses(&self, file: &[u8], code: &str) {
        assert_eq!(self.city.import_file(file).unwrap_err().code, code);
    }
}

#[test]
fn a_stick_goes_to_the_city_and_back_and_only_then_is_it_reported() {
    let town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    laptop.write_many("p", 30);
    let waits = laptop.waits();
    let (file, made) = laptop.makes(Scope::SinceReceipt);
    assert_eq!(made.note.changes, waits, "everything since the last receipt");
    assert_eq!(laptop.waits(), waits, "a file that was made proves nothing");
    let FileDone { report, answer, .. } = town.takes(&file);
    assert_eq!((report.new as u64, report.known, report.waiting), (waits, 0, 0));
    assert_eq!((report.organisation.as_str(), report.refused.len()), ("O003", 0));
    assert_eq!(laptop.waits(), waits, "what the city took is reported when its receipt is here");
    let done = laptop.reads(&answer.bytes).unwrap();
    assert_eq!((done.receipt_at, done.damaged, done.stale), (Some(START), None, false));
    assert_eq!(laptop.waits(), 0);
    assert_eq!(Book::of(&laptop.store).unwrap().exports[0].answered, Some(START));
    laptop.agrees_with(&town);
    assert_eq!(laptop.makes(Scope::SinceReceipt).1.note.changes, 0, "the next file has only what is new");
}

#[test]
fn repetition_changes_nothing() {
    let town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    laptop.write_many("p", 5);
    let file = laptop.exports();
    let first = town.takes(&file);
    let second = town.takes(&file);
    assert_eq!((second.report.new, second.report.known), (0, first.report.new));
    let receipts = |laptop: &Laptop| laptop.store.receipts(10).unwrap().len();
    let before = receipts(&laptop);
    for answer in [&second, &first, &second, &first] {
        laptop.reads(&answer.answer.bytes).unwrap();
    }
    assert_eq!(
        receipts(&laptop) - before,
        1,
        "answers of one moment are one receipt, however often they are read"
    );
    laptop.agrees_with(&town);
    assert_eq!(town.city.check().unwrap().findings, []);
}

#[test]
fn an_old_answer_does_not_take_back_what_a_later_one_said() {
    let town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    laptop.write("a", promise(1));
    let old = town.takes(&laptop.exports()).answer;
    laptop.write("b", promise(2));
    let new = town.takes(&laptop.exports()).answer;
    laptop.reads(&new.bytes).unwrap();
    assert_eq!(laptop.waits(), 0);
    let done = laptop.reads(&old.bytes).unwrap();
    assert!(done.stale, "the receipt is older than the one that stands");
    assert_eq!(laptop.waits(), 0, "still reported");
}

#[test]
fn clocks_do_not_decide_which_answer_is_the_later_one() {
    let town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    laptop.write("a", promise(1));
    laptop.sources.0.store(START + 400 * 86_400_000, std::sync::atomic::Ordering::SeqCst);
    let first = town.takes(&laptop.exports()).answer;
    laptop.reads(&first.bytes).unwrap();
    laptop.sources.0.store(0, std::sync::atomic::Ordering::SeqCst);
    laptop.write("b", promise(2));
    let second = town.takes(&laptop.exports()).answer;
    assert!(!laptop.reads(&second.bytes).unwrap().stale);
    laptop.agrees_with(&town);
}

#[test]
fn files_in_the_wrong_order_are_kept_whole_and_link_later() {
    let town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    laptop.write_many("a", 4);
    let first = laptop.exports();
    // The receipt of the first comes back from another copy of the same file, which the city then forgets.
    let copy = town.copy("before");
    laptop.reads(&town.takes(&first).answer.bytes).unwrap();
    laptop.write_many("b", 4);
    let second = laptop.exports();
    let mut town = town;
    town.set_back(copy);
    let FileReport { new, waiting, kept, .. } = town.takes(&second).report;
    assert_eq!((new, waiting, kept), (0, 4, true), "nothing to link to yet");
    let report = town.takes(&first).report;
    assert_eq!((report.new, report.linked), (4, 1), "the one that waited is in, too");
    let answer = town.takes(&second).answer;
    laptop.reads(&answer.bytes).unwrap();
    laptop.agrees_with(&town);
}

#[test]
fn a_gap_closes_over_the_network_as_well() {
    let mut town = Town::new();
    let laptop = Laptop::enrolled(&town, "one");
    laptop.exchange().unwrap();
    laptop.write_many("a", 4);
    let copy = town.copy("before");
    laptop.exchange().unwrap();
    laptop.write_many("b", 4);
    let file = laptop.exports();
    town.set_back(copy);
    assert_eq!(town.takes(&file).report.waiting, 4);
    laptop.exchange_until_through();
    laptop.agrees_with(&town);
    assert!(!town.takes(&file).report.kept, "it waits no more");
}

#[test]
fn after_a_gap_the_answer_makes_the_next_file_close_it() {
    let mut town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    let copy = town.copy("before");
    laptop.write_many("a", 4);
    laptop.reads(&town.takes(&laptop.exports()).answer.bytes).unwrap();
    laptop.write_many("b", 4);
    let file = laptop.exports();
    town.set_back(copy);
    let answer = town.takes(&file).answer;
    laptop.reads(&answer.bytes).unwrap();
    assert_eq!(laptop.waits(), 8, "the city said that it has none of them");
    laptop.reads(&town.takes(&laptop.exports()).answer.bytes).unwrap();
    laptop.agrees_with(&town);
}

#[test]
fn a_city_that_lost_the_branch_gets_everything_again() {
    let mut town = Town::new();
    let empty = town.copy("empty");
    let laptop = Laptop::enrolled_by_file(&town, "one");
    laptop.write_many("a", 3);
    laptop.reads(&town.takes(&laptop.exports()).answer.bytes).unwrap();
    town.set_back(empty);
    town.refuses(&laptop.exports(), "not_enrolled");
    let everything = laptop.makes(Scope::Everything);
    assert!(everything.1.note.changes > 3);
}

#[test]
fn two_laptops_of_a_branch_meet_through_the_city_and_anybody_may_carry() {
    let town = Town::new();
    let one = Laptop::enrolled_by_file(&town, "one");
    let two = Laptop::enrolled_by_file(&town, "two");
    two.reads(&town.takes(&one.exports()).answer.bytes).unwrap_err();
    sync::reissue(&two.store, &Default::default(), START, "zhd").unwrap();
    one.write("a", promise(1));
    two.write("b", promise(2));
    // Both files lie on one stick; whoever brings it has no say.
    let (from_two, from_one) = (two.exports(), one.exports());
    let for_two = town.takes(&from_two).answer;
    let for_one = town.takes(&from_one).answer;
    one.reads(&for_one.bytes).unwrap();
    assert!(one.holds("b"), "what the other laptop wrote came back");
    two.reads(&for_two.bytes).unwrap();
    assert!(!two.holds("a"), "its file was brought before");
    two.reads(&town.takes(&two.exports()).answer.bytes).unwrap();
    assert!(two.holds("a"));
    one.agrees_with(&town);
    two.agrees_with(&town);
}

#[test]
fn files_for_somebody_else_are_named() {
    let (town, elsewhere) = (Town::new(), Town::new());
    let one = Laptop::enrolled_by_file(&town, "one");
    let two = Laptop::enrolled_by_file(&town, "two");
    let other = Laptop::enrolled_by_file(&elsewhere, "other");
    one.write("a", promise(1));
    let file = one.exports();
    let answer = town.takes(&file).answer.bytes;
    let code = |laptop: &Laptop, file: &[u8]| laptop.reads(file).unwrap_err().code().to_owned();
    assert_eq!(code(&two, &answer), "other_computer");
    assert_eq!(code(&other, &answer), "other_city");
    assert_eq!(code(&one, &file), "wrong_way");
    assert_eq!(code(&one, b"a photo of a meeting, say, long enough"), "not_our_file");
    assert_eq!(code(&Laptop::new(&town, "new"), &answer), "other_computer");
    elsewhere.refuses(&file, "other_city");
    town.refuses(&answer, "wrong_way");
    town.refuses(b"PK\x03\x04 a spreadsheet", "not_our_file");
    let mut newer = file.clone();
    newer[11] = 9;
    town.refuses(&newer, "newer_file");
    assert_eq!(code(&one, &newer), "newer_file");
}

#[test]
fn what_is_whole_of_a_damaged_file_is_taken_and_the_receipt_says_what() {
    let town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    laptop.write_bulk();
    let file = laptop.exports();
    let report = town.takes(&file[..file.len() * 3 / 4]).report;
    let (section, of) = report.damaged.expect("the place is named");
    assert!(of > 2 && section > 1 && section <= of, "part {section} of {of}");
    assert!(report.new > 0, "what came before is good");
    town.refuses(&file[..200], "damaged_file");
    let answer = town.takes(&file[..file.len() * 3 / 4]).answer;
    laptop.reads(&answer.bytes).unwrap();
    let left = laptop.waits();
    assert!(left > 0 && left < BULK as u64, "{left} are open");
    let (rest, made) = laptop.makes(Scope::SinceReceipt);
    assert_eq!(made.note.changes, left, "the next file brings just those");
    laptop.reads(&town.takes(&rest).answer.bytes).unwrap();
    laptop.agrees_with(&town);
}

#[test]
fn a_damaged_answer_still_brings_its_receipt() {
    let town = Town::new();
    let one = Laptop::enrolled_by_file(&town, "one");
    let two = Laptop::enrolled_by_file(&town, "two");
    sync::reissue(&two.store, &Default::default(), START, "zhd").unwrap();
    one.write_bulk();
    one.reads(&town.takes(&one.exports()).answer.bytes).unwrap();
    two.write("b", promise(2));
    let answer = town.takes(&two.exports()).answer.bytes;
    let done = two.reads(&answer[..answer.len() / 2]).unwrap();
    let place = done.damaged.expect("the place is named");
    assert!(matches!(place, Place { section: 2.., of: 3.. }), "{place:?}");
    assert_eq!(two.waits(), 0, "the city has what this computer wrote");
    two.reads(&answer).unwrap();
    two.agrees_with(&town);
}

#[test]
fn a_stick_that_is_lost_costs_nothing() {
    let town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    laptop.write("a", promise(1));
    laptop.exports();
    laptop.write("b", promise(2));
    let _lost_on_the_way_back = town.takes(&laptop.exports()).answer;
    laptop.write("c", promise(3));
    laptop.reads(&town.takes(&laptop.exports()).answer.bytes).unwrap();
    laptop.agrees_with(&town);
}

#[test]
fn network_and_stick_go_together() {
    let town = Town::new();
    let laptop = Laptop::enrolled(&town, "one");
    laptop.write("a", promise(1));
    let file = laptop.exports();
    laptop.write("b", promise(2));
    laptop.exchange_until_through();
    let answer = town.takes(&file).answer;
    laptop.write("c", promise(3));
    laptop.exchange_until_through();
    assert!(laptop.reads(&answer.bytes).unwrap().stale, "the exchange after it knows better");
    laptop.agrees_with(&town);
}

#[test]
fn a_copied_computer_brings_both_ends_in_one_round() {
    let town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    laptop.write("a", promise(1));
    laptop.reads(&town.takes(&laptop.exports()).answer.bytes).unwrap();
    let twin = town.place.path().join("twin");
    drop(copied(&laptop, &twin));
    let twin = copied(&laptop, &twin);
    laptop.write("b", promise(2));
    twin.write("c", promise(3));
    laptop.reads(&town.takes(&laptop.exports()).answer.bytes).unwrap();
    twin.reads(&town.takes(&twin.exports()).answer.bytes).unwrap();
    assert!(twin.holds("b"), "the whole chain came, because the city does not know this end");
    laptop.reads(&town.takes(&laptop.exports()).answer.bytes).unwrap();
    assert!(laptop.holds("c"));
    twin.agrees_with(&town);
    laptop.agrees_with(&town);
}

/// A copy of the data folder, opened beside the original.
fn copied(laptop: &Laptop, to: &std::path::Path) -> Laptop {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(&laptop.folder).unwrap() {
        let file = file.unwrap();
        if file.file_name() != "lock" {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
    let store = Store::open(to, crate::town::PASSWORD, laptop.sources.clone()).unwrap();
    Laptop { store, sources: laptop.sources.clone(), folder: to.to_owned() }
}

#[test]
fn a_code_lets_in_by_file_and_both_ways_are_sealed_by_it() {
    let town = Town::new();
    let laptop = Laptop::new(&town, "one");
    laptop.write("early", promise(7));
    let code = town.code("O003");
    let asked = laptop.asks(&code);
    let answer = town.takes(&asked).answer;
    assert!(town.takes(&asked).report.enrolled, "the same ask again is answered again");
    let other = Laptop::new(&town, "other");
    assert_eq!(other.reads(&answer.bytes).unwrap_err().code(), "other_computer");
    town.refuses(&other.asks(&code), "code_used");
    let done = laptop.reads(&answer.bytes).unwrap();
    let enrolment = done.enrolled.unwrap();
    assert_eq!((enrolment.organisation.as_str(), enrolment.reissue_from), ("O003", None));
    assert!(
        laptop.reads(&answer.bytes).unwrap().enrolled.is_none(),
        "read again it is an answer like others"
    );
    laptop.reads(&town.takes(&laptop.exports()).answer.bytes).unwrap();
    assert!(laptop.holds("early"));
    laptop.agrees_with(&town);
}

#[test]
fn wrong_and_old_codes_are_refused_with_their_reason() {
    let town = Town::new();
    let laptop = Laptop::new(&town, "one");
    let elsewhere = Town::new();
    town.refuses(&laptop.asks(&elsewhere.code("O003")), "code_unknown");
    let typed = begin(&laptop.store, "ABCD-EFGH-0000-0000", &*laptop.sources);
    assert_eq!(typed.unwrap_err().code(), "code_check", "seen before a file is made");
}

#[test]
fn the_yes_of_an_organisation_with_records_brings_them_for_matching() {
    let town = Town::new();
    let one = Laptop::enrolled_by_file(&town, "one");
    one.write_many("p", 5);
    one.reads(&town.takes(&one.exports()).answer.bytes).unwrap();
    let two = Laptop::new(&town, "two");
    two.write("mine", promise(9));
    let done = two.reads(&town.takes(&two.asks(&town.code("O003"))).answer.bytes).unwrap();
    assert!(done.enrolled.unwrap().reissue_from.is_some(), "its own records have to be matched");
    assert!(done.new > 5, "what the city has is here: {}", done.new);
    sync::reissue(&two.store, &Default::default(), START, "zhd").unwrap();
    two.reads(&town.takes(&two.exports()).answer.bytes).unwrap();
    one.reads(&town.takes(&one.exports()).answer.bytes).unwrap();
    assert!(one.holds("mine") && two.holds("p3"));
    assert_eq!(one.stream(), two.stream());
    one.agrees_with(&town);
    two.agrees_with(&town);
}

#[test]
fn the_city_makes_files_without_being_asked() {
    let town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    laptop.write("a", promise(1));
    town.takes(&laptop.exports());
    let files = town.city.export_files("O003").unwrap();
    assert_eq!(files.len(), 1, "one for each computer of the branch");
    let done = laptop.reads(&files[0].bytes).unwrap();
    assert_eq!(done.answers, None);
    assert_eq!(laptop.waits(), 0, "its receipt counts like any other");
    laptop.agrees_with(&town);
}

#[test]
fn a_new_identity_reads_what_was_sealed_to_the_old_one() {
    let town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    laptop.write("a", promise(1));
    let answer = town.takes(&laptop.exports()).answer;
    laptop.store.renew_identity(&Author::new("zhd"), "支部电脑").unwrap();
    laptop.reads(&answer.bytes).unwrap();
    laptop.write("b", promise(2));
    laptop.reads(&town.takes(&laptop.exports()).answer.bytes).unwrap();
    laptop.agrees_with(&town);
}
