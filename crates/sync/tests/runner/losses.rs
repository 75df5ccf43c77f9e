//! More than twenty records at once are not taken away without a question, in either direction.

use crate::town::{Laptop, START, Town, promise};
use store::MOST_LOST;
use sync::file::{Scope, Terms, exported};
use sync::{Consent, SyncError, Way};

fn consenting(laptop: &Laptop, consent: Consent) -> Result<sync::Report, SyncError> {
    let mut engine = laptop.engine();
    engine.consent = consent;
    engine.exchange(&laptop.store)
}

#[track_caller]
fn asks(ran: Result<sync::Report, SyncError>, expected: Way, count: u64) {
    match ran {
        Err(SyncError::TooManyLost { way, losses }) => {
            assert_eq!((way, losses.count), (expected, count));
            assert!(!losses.named.is_empty(), "the person sees some of them");
        }
        other => panic!("no question: {other:?}"),
    }
}

fn live(laptop: &Laptop) -> usize {
    laptop.store.records(&store::Query::of("promise")).unwrap().len()
}

#[test]
fn a_mass_deletion_asks_before_it_goes_out_and_before_it_comes_in() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write_many("r", 30);
    a.exchange().unwrap();
    let b = Laptop::joined(&town, "b");
    (0..25).for_each(|at| b.remove(&format!("r{at}")));
    a.write("from-a", promise(1));
    a.exchange().unwrap();

    asks(b.exchange(), Way::Outgoing, 25);
    b.has(&["from-a"]);
    asks(b.exchange(), Way::Outgoing, 25);
    a.exchange().unwrap();
    assert_eq!(live(&a), 31, "nothing of it went out");
    let all = Consent { outgoing: 25, ..Consent::default() };
    consenting(&b, all).unwrap();
    b.agrees_with(&town);

    a.write("also-from-a", promise(2));
    asks(a.exchange(), Way::Incoming, 25);
    assert_eq!(live(&a), 32, "not one was taken away");
    assert_eq!(a.store.outbox().unwrap().changes, 0, "what is here went out nevertheless");
    b.exchange().unwrap();
    b.has(&["also-from-a"]);
    asks(a.exchange(), Way::Incoming, 25);
    let fewer = Consent { incoming: 24, ..Consent::default() };
    asks(consenting(&a, fewer), Way::Incoming, 25);
    consenting(&a, Consent { incoming: 25, ..Consent::default() }).unwrap();
    assert_eq!(live(&a), 7);
    a.agrees_with(&town);
    a.exchange().unwrap();
}

#[test]
fn a_handful_needs_no_question_and_what_the_city_never_had_is_no_loss() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write_many("r", 20);
    a.exchange().unwrap();
    (0..20).for_each(|at| a.remove(&format!("r{at}")));
    a.exchange().unwrap();
    a.write_many("short", 30);
    (0..30).for_each(|at| a.remove(&format!("short{at}")));
    a.exchange().unwrap();
    a.agrees_with(&town);
    assert_eq!(MOST_LOST, 20);
}

#[test]
fn deletions_in_small_portions_within_one_exchange_are_counted_together() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write_many("r", 60);
    a.exchange().unwrap();
    let b = Laptop::joined(&town, "b");
    (0..40).for_each(|at| b.remove(&format!("r{at}")));
    consenting(&b, Consent { outgoing: 40, ..Consent::default() }).unwrap();
    let mut engine = a.engine();
    engine.budget = 4 * 1024;
    let ran = engine.exchange(&a.store);
    assert!(matches!(ran, Err(SyncError::TooManyLost { way: Way::Incoming, .. })), "{ran:?}");
    assert!(live(&a) >= 40, "{} are left", live(&a));
}

#[test]
fn a_file_that_would_take_many_records_away_asks_first_and_its_receipt_counts_nevertheless() {
    let town = Town::new();
    let one = Laptop::enrolled_by_file(&town, "one");
    one.write_many("r", 30);
    one.reads(&town.takes(&one.exports()).answer.bytes).unwrap();
    let two = Laptop::enrolled_by_file(&town, "two");
    sync::reissue(&two.store, &Default::default(), START, "zhd").unwrap();
    (0..25).for_each(|at| two.remove(&format!("r{at}")));
    let agreed = Terms { most_lost: 25, ..Terms::of(Scope::SinceReceipt) };
    town.takes(&two.makes_on(agreed).unwrap().0);

    one.write("mine", promise(7));
    let answer = town.takes(&one.exports()).answer.bytes;
    for _ in 0..2 {
        let done = one.reads(&answer).unwrap();
        let losses = done.question.expect("the person is asked, every time");
        assert_eq!((losses.count, losses.named.len(), done.new), (25, 5, 0));
        assert_eq!(
            (live(&one), one.waits()),
            (31, 0),
            "nothing was taken away, and what is here is reported"
        );
    }
    assert!(one.reads_within(&answer, 24).unwrap().question.is_some(), "a yes to fewer is none");
    let done = one.reads_within(&answer, 25).unwrap();
    assert!(done.question.is_none() && done.new > 0 && !done.stale);
    assert_eq!(live(&one), 6);
    one.agrees_with(&town);
}

#[test]
fn a_file_that_would_take_many_records_away_at_the_city_asks_before_it_is_made() {
    let town = Town::new();
    let one = Laptop::enrolled_by_file(&town, "one");
    one.write_many("r", 30);
    one.reads(&town.takes(&one.exports()).answer.bytes).unwrap();
    (0..20).for_each(|at| one.remove(&format!("r{at}")));
    let usual = Terms::of(Scope::SinceReceipt);
    assert!(one.makes_on(usual).is_ok(), "a handful needs no question");
    one.remove("r20");
    for terms in [usual, Terms::of(Scope::Everything)] {
        match one.makes_on(terms) {
            Err(SyncError::TooManyLost { way: Way::Outgoing, losses }) => assert_eq!(losses.count, 21),
            other => panic!("{other:?}"),
        }
    }
    let (file, made) = one.makes_on(Terms { most_lost: 21, ..usual }).unwrap();
    exported(&one.store, &made).unwrap();
    one.reads(&town.takes(&file).answer.bytes).unwrap();
    assert_eq!((live(&one), one.waits()), (9, 0));
    one.agrees_with(&town);
}
