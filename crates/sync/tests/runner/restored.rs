//! A city that was set back to an earlier copy, and a laptop that died in the middle: the next exchange heals both.

use crate::town::{Laptop, START, Town, promise};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::Author;

#[test]
fn a_city_set_back_to_before_an_enrolment_learns_it_from_that_laptop() {
    let mut town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write("r1", promise(1));
    a.exchange().unwrap();
    let earlier = town.copy("earlier");
    let b = Laptop::joined(&town, "b");
    b.write("r2", promise(2));
    b.exchange().unwrap();
    town.set_back(earlier);
    b.write("r3", promise(3));
    b.exchange().unwrap();
    b.agrees_with(&town);
    a.exchange().unwrap();
    a.agrees_with(&town);
}

#[test]
fn a_city_set_back_to_before_a_new_identity_learns_it_from_that_laptop() {
    let mut town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write("r1", promise(1));
    a.exchange().unwrap();
    let earlier = town.copy("earlier");
    a.store.renew_identity(&Author::new("zhd"), "a").unwrap();
    a.exchange().unwrap();
    town.set_back(earlier);
    a.exchange().unwrap();
    a.agrees_with(&town);
}

#[test]
fn a_city_set_back_that_wrote_before_anyone_came_back_takes_a_fresh_key_and_both_lives_stand() {
    let mut town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write("r1", promise(1));
    a.exchange().unwrap();
    let earlier = town.copy("earlier");
    let b = Laptop::joined(&town, "b");
    b.write("r2", promise(2));
    b.exchange().unwrap();
    let old = town.city.operating().unwrap().device();
    town.set_back(earlier);
    // The old key signs again from the same place of its chain: two ends, which is legal.
    let c = Laptop::joined(&town, "c");
    assert_eq!(town.city.operating().unwrap().device(), old, "nothing showed it yet");
    c.write("r3", promise(3));
    c.exchange().unwrap();
    for laptop in [&b, &a, &c, &b] {
        laptop.exchange().unwrap();
    }
    assert_ne!(town.city.operating().unwrap().device(), old, "it signs with a fresh key");
    let stream = a.store.own_stream().unwrap().unwrap();
    assert_eq!(a.store.frontier(&stream).unwrap().ends(&old).count(), 2);
    for laptop in [&a, &b, &c] {
        laptop.agrees_with(&town);
        assert_eq!(laptop.store.count_records().unwrap(), (3, 3));
    }
    assert_eq!(town.city.check().unwrap().findings, []);
}

#[test]
fn a_city_set_back_again_and_again_says_when_it_needs_the_root() {
    let mut town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.exchange().unwrap();
    for life in 0..4 {
        let earlier = town.copy(&format!("earlier{life}"));
        Laptop::joined(&town, &format!("b{life}"));
        a.exchange().unwrap();
        town.set_back(earlier);
        a.exchange().unwrap();
    }
    let advice = town.city.key_advice().unwrap();
    assert!(advice.contains(&city::Advice::FreshKeyWanted), "{advice:?}");
    town.city.rotate(&town.root()).unwrap();
    assert_eq!(town.city.key_advice().unwrap(), []);
    a.exchange().unwrap();
    a.agrees_with(&town);
}

#[test]
fn refused_values_come_back_to_a_city_that_was_set_back() {
    let mut town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write("r1", promise(1));
    a.exchange().unwrap();
    let b = Laptop::joined(&town, "b");
    let earlier = town.copy("earlier");
    let stream = a.store.own_stream().unwrap().unwrap();
    crate::rule::issue(&a, &stream, "person", "bad", "born", serde_json::json!("三月五日"));
    a.exchange().unwrap();
    b.exchange().unwrap();
    town.set_back(earlier);
    // Who was never shown the refused values comes first, with the header and the ruling.
    b.exchange().unwrap();
    let bare = "SELECT count(*) FROM change WHERE payload IS NULL";
    assert_eq!(town.count(&town.folder, bare), 1);
    a.exchange().unwrap();
    assert_eq!(town.count(&town.folder, bare), 0, "their author still had them");
    a.agrees_with(&town);
    b.agrees_with(&town);
    assert_eq!(town.city.check().unwrap().findings, []);
}

/// A restored city keeps the time of the receipt, and does not judge again what it judged before.
#[test]
fn receipts_say_when_a_restored_city_had_got_a_change_and_that_it_judged_it() {
    let mut town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.exchange().unwrap();
    let earlier = town.copy("earlier");
    let stream = a.store.own_stream().unwrap().unwrap();
    a.write_many("r", 40);
    crate::rule::issue(&a, &stream, "person", "bad", "born", serde_json::json!("三月五日"));
    a.exchange().unwrap();
    // A second thought: the ruling was lifted. A city that judged again would void the change once more.
    let voided = a.store.record("stream", "~stream").unwrap().unwrap();
    let ruling = voided.values().find(|(path, _)| path.starts_with("~ruling/")).unwrap().0.to_owned();
    town.city.lift("operator", &stream, &ruling).unwrap();
    a.exchange().unwrap();
    assert!(a.store.record("person", "bad").unwrap().unwrap().is_live());

    town.set_back_at(earlier, START + 86_400_000);
    let mut engine = a.engine();
    engine.budget = wire::SMALLEST_BUDGET;
    engine.exchange(&a.store).unwrap();
    a.agrees_with(&town);
    let late = format!(
        "SELECT count(*) FROM change WHERE received_at > {START} AND device = x'{}'",
        a.store.device().unwrap()
    );
    assert_eq!(town.count(&town.folder, &late), 0, "the receipts' time, not today's");
    assert_eq!(town.count(&town.folder, "SELECT count(*) FROM promised_end"), 0);
    assert!(a.store.record("person", "bad").unwrap().unwrap().is_live(), "not judged again");
    a.write("new", promise(1));
    a.exchange().unwrap();
    assert_eq!(town.count(&town.folder, &late), 1, "what is new is new");
}

#[test]
fn a_receipt_keeps_a_change_from_being_judged_again_whatever_the_clock_of_the_restored_city_says() {
    let mut town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write("r1", promise(1));
    a.exchange().unwrap();
    let earlier = town.copy("earlier");
    a.write("r1", promise(2));
    a.exchange().unwrap();
    town.set_back_at(earlier, START - 3653 * 86_400_000);
    let stream = a.store.own_stream().unwrap().unwrap();
    town.city.seal(&stream, "promise", "r1").unwrap();
    a.exchange().unwrap();
    assert_eq!(a.store.returned().unwrap(), [], "it was accepted before the record was archived");
    a.agrees_with(&town);
    a.write("r1", promise(3));
    a.exchange().unwrap();
    assert_eq!(a.store.returned().unwrap().len(), 1, "what is new is judged");
}

#[test]
fn a_city_restored_by_the_command_heals_from_its_laptops() {
    let mut town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write("r1", promise(1));
    a.exchange().unwrap();
    let backup = town.place.path().join("backup");
    town.city.backup(&town.folder, &backup, None).unwrap();
    let b = Laptop::joined(&town, "b");
    b.write("r2", promise(2));
    b.exchange().unwrap();
    let open = town.code("O003");
    let restored = town.restore(&backup, "restored");
    assert_eq!(town.city.operating().unwrap().device(), restored.device);
    for laptop in [&b, &a, &b] {
        laptop.exchange().unwrap();
    }
    for laptop in [&a, &b] {
        laptop.agrees_with(&town);
        assert_eq!(laptop.store.count_records().unwrap(), (2, 2));
    }
    let c = Laptop::new(&town, "c");
    assert_eq!(c.enrol_with(&town, &open).unwrap_err().code(), "code_unknown", "made after the backup");
    assert_eq!(town.city.check().unwrap().findings, []);
}

#[test]
fn redacted_words_are_gone_from_laptops_too_and_stay_gone_when_the_city_is_set_back() {
    let mut town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    let b = Laptop::joined(&town, "b");
    a.write("r1", serde_json::json!({ "text": "不该写的话", "promised_on": "2026-10-13" }));
    a.exchange().unwrap();
    b.exchange().unwrap();
    let earlier = town.copy("earlier");
    let stream = a.store.own_stream().unwrap().unwrap();
    town.city.add_operator("李建国").unwrap();
    let subject = city::Subject::Field { kind: "promise".into(), record: "r1".into(), path: "text".into() };
    let id = town.city.ask_redaction("operator", &stream, &subject, "写了他人的病情").unwrap();
    town.city.confirm_redaction("李建国", id).unwrap();
    a.exchange().unwrap();
    town.set_back(earlier);
    b.exchange().unwrap();
    a.exchange().unwrap();
    b.exchange().unwrap();
    let said = |change: &replica::Change| {
        change.raw.payload.as_ref().is_some_and(|bytes| String::from_utf8_lossy(bytes).contains("不该写"))
    };
    for laptop in [&a, &b] {
        assert!(!laptop.store.changes(&stream).unwrap().iter().any(said));
        let record = laptop.store.record("promise", "r1").unwrap().unwrap();
        assert_eq!(record.value("text"), None);
        assert_eq!(record.value("promised_on"), Some(&serde_json::json!("2026-10-13")), "the rest stays");
        laptop.agrees_with(&town);
    }
    assert_eq!(town.city.check().unwrap().findings, []);
}

#[test]
fn what_arrived_just_before_the_process_died_counts_as_held_by_the_city() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write_many("r", 3);
    a.exchange().unwrap();
    for commit in 1..=5 {
        let b = Laptop::joined(&town, &format!("b{commit}"));
        a.write(&format!("later{commit}"), promise(commit));
        a.exchange().unwrap();
        let commits = Arc::new(AtomicUsize::new(0));
        let counted = commits.clone();
        b.store.on_changed(Arc::new(move |_| {
            if counted.fetch_add(1, Ordering::SeqCst) + 1 == commit {
                resume_unwind(Box::new("the process died"));
            }
        }));
        let _died = catch_unwind(AssertUnwindSafe(|| b.exchange()));
        b.exchange().unwrap();
        b.agrees_with(&town);
    }
}
