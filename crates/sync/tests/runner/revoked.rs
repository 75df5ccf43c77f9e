//! A laptop that was lost: what it wrote before counts, what it sends afterwards waits for review, and another takes its
//! place.

use crate::town::{Laptop, Town, promise};
use city::DeviceState;
use replica::RawChange;

fn lives(laptop: &Laptop, id: &str) -> bool {
    laptop.store.record("promise", id).unwrap().is_some_and(|record| record.is_live())
}

/// A branch with two laptops, both with one record, the second revoked.
fn revoked() -> (Town, Laptop, Laptop) {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    let b = Laptop::joined(&town, "b");
    a.write("of-a", promise(1));
    a.exchange().unwrap();
    b.exchange().unwrap();
    b.write("before", promise(2));
    b.exchange().unwrap();
    let stream = a.store.own_stream().unwrap().unwrap();
    town.city.revoke(&stream, &b.store.device().unwrap()).unwrap();
    (town, a, b)
}

#[test]
fn what_a_revoked_laptop_sends_waits_for_review_and_counts_once_released() {
    let (town, a, b) = revoked();
    let stream = a.store.own_stream().unwrap().unwrap();
    b.write("after", promise(3));
    assert_eq!(b.exchange().unwrap_err().code(), "revoked");
    assert_eq!(b.exchange().unwrap_err().code(), "revoked", "again and again");
    let held = town.city.quarantine(&stream).unwrap();
    assert_eq!(held.len(), 1);
    a.exchange().unwrap();
    assert!(lives(&a, "before") && !lives(&a, "after"));
    a.agrees_with(&town);

    town.city.release("operator", &stream, &[held[0].change.id]).unwrap();
    assert_eq!(town.city.quarantine(&stream).unwrap().len(), 0);
    a.exchange().unwrap();
    assert!(lives(&a, "after"));
    a.agrees_with(&town);
    let again = town.city.release("operator", &stream, &[held[0].change.id]).unwrap_err();
    assert!(again.to_string().contains("不在待审查的内容里"), "{again}");
    assert_eq!(town.city.check().unwrap().findings, []);
}

#[test]
fn all_that_a_revoked_laptop_had_goes_into_quarantine_however_much() {
    let (town, a, b) = revoked();
    b.write_many("after", 120);
    let mut engine = b.engine();
    engine.budget = wire::SMALLEST_BUDGET;
    assert_eq!(engine.exchange(&b.store).unwrap_err().code(), "revoked");
    let stream = a.store.own_stream().unwrap().unwrap();
    assert_eq!(town.city.quarantine(&stream).unwrap().len(), 120);
}

#[test]
fn a_revoked_laptop_with_a_new_identity_stays_outside_and_its_words_can_be_released() {
    let (town, a, b) = revoked();
    let stream = a.store.own_stream().unwrap().unwrap();
    b.store.renew_identity(&store::Author::new("zhd"), "b").unwrap();
    b.write("after", promise(3));
    assert_eq!(b.exchange().unwrap_err().code(), "revoked");
    let states: Vec<DeviceState> =
        town.city.devices(&stream).unwrap().into_iter().map(|device| device.state).collect();
    assert_eq!(states.iter().filter(|state| **state == DeviceState::NotLetIn).count(), 1, "{states:?}");
    let held = town.city.quarantine(&stream).unwrap();
    assert_eq!(held.len(), 2, "the introduction, and the record");
    let record = held.iter().find(|it| it.change.touches("promise", "after")).unwrap();
    town.city.release("operator", &stream, &[record.change.id]).unwrap();
    a.exchange().unwrap();
    assert!(lives(&a, "after"));
    a.agrees_with(&town);
    assert_eq!(b.exchange().unwrap_err().code(), "revoked", "the words count, the device does not");
}

#[test]
fn a_city_set_back_to_before_a_revocation_learns_it_from_whoever_comes() {
    let mut town = Town::new();
    let (a, b) = (Laptop::enrolled(&town, "a"), Laptop::joined(&town, "b"));
    a.exchange().unwrap();
    let earlier = town.copy("earlier");
    let stream = a.store.own_stream().unwrap().unwrap();
    town.city.revoke(&stream, &b.store.device().unwrap()).unwrap();
    a.exchange().unwrap();
    town.set_back(earlier);
    // The city has forgotten, so the thief is let in once more.
    b.write("after", promise(3));
    b.exchange().unwrap();
    a.exchange().unwrap();
    assert!(!lives(&a, "after"), "the ruling came back with a");
    assert_eq!(town.city.quarantine(&stream).unwrap().len(), 1);
    assert_eq!(b.exchange().unwrap_err().code(), "revoked");
    a.agrees_with(&town);
    assert_eq!(town.city.check().unwrap().findings, []);
}

/// Somebody got the header of a refused change and not the ruling, the city forgot both, and the change's author was
/// revoked: its values are asked for nevertheless, and it is refused again.
#[test]
fn a_city_set_back_asks_a_revoked_laptop_for_what_it_alone_has_and_judges_it_again() {
    let mut town = Town::new();
    let (a, b) = (Laptop::enrolled(&town, "a"), Laptop::joined(&town, "b"));
    a.exchange().unwrap();
    b.exchange().unwrap();
    let earlier = town.copy("earlier");
    let stream = a.store.own_stream().unwrap().unwrap();
    crate::rule::issue(&b, &stream, "person", "bad", "born", serde_json::json!("三月五日"));
    b.exchange().unwrap();
    let bad = |of: &Laptop| {
        of.store.changes(&stream).unwrap().into_iter().find(|it| it.touches("person", "bad")).unwrap()
    };
    a.store.apply(&[RawChange { payload: None, ..bad(&b).raw }]).unwrap();
    town.set_back(earlier);
    town.city.revoke(&stream, &b.store.device().unwrap()).unwrap();
    a.exchange().unwrap();
    let bare = "SELECT count(*) FROM change WHERE payload IS NULL";
    assert_eq!(town.count(&town.folder, bare), 1);
    assert_eq!(b.exchange().unwrap_err().code(), "revoked");
    assert_eq!(town.count(&town.folder, bare), 0, "it had the values");
    a.exchange().unwrap();
    let rulings = a.store.record("stream", "~stream").unwrap().unwrap();
    let over = format!("~ruling/{}", &bad(&a).id.to_string()[..32]);
    assert_eq!(rulings.value(&over).unwrap()["code"], "not_a_date");
    a.agrees_with(&town);
    assert_eq!(town.city.check().unwrap().findings, []);
}

#[test]
fn a_revoked_laptop_hands_in_what_the_city_itself_wrote_before_it_was_set_back() {
    let mut town = Town::new();
    let (a, b) = (Laptop::enrolled(&town, "a"), Laptop::joined(&town, "b"));
    a.write("r1", promise(1));
    a.exchange().unwrap();
    b.exchange().unwrap();
    let earlier = town.copy("earlier");
    let stream = a.store.own_stream().unwrap().unwrap();
    town.city.seal(&stream, "promise", "r1").unwrap();
    b.exchange().unwrap();
    town.set_back(earlier);
    // The city's chain parts here, and has nothing of the laptop's to ask for.
    town.city.revoke(&stream, &b.store.device().unwrap()).unwrap();
    assert_eq!(b.exchange().unwrap_err().code(), "revoked");
    a.exchange().unwrap();
    let about = a.store.record("stream", "~stream").unwrap().unwrap();
    assert!(about.value("~seal/promise/r1").is_some(), "archived, as only the revoked laptop knew");
    a.agrees_with(&town);
}

#[test]
fn a_lost_laptop_is_replaced_and_the_new_one_gets_everything() {
    let town = Town::new();
    let lost = Laptop::enrolled(&town, "lost");
    lost.write_many("r", 30);
    lost.exchange().unwrap();
    let stream = lost.store.own_stream().unwrap().unwrap();
    town.city.revoke(&stream, &lost.store.device().unwrap()).unwrap();
    let new = Laptop::joined(&town, "new");
    assert_eq!(new.store.count_records().unwrap(), (30, 30));
    new.write("r0", serde_json::json!({ "text": "改过了" }));
    new.exchange().unwrap();
    new.agrees_with(&town);
    assert_eq!(lost.exchange().unwrap_err().code(), "revoked");
}

#[test]
fn a_laptop_that_was_found_again_is_reinstated() {
    let (town, a, b) = revoked();
    let stream = a.store.own_stream().unwrap().unwrap();
    let device = b.store.device().unwrap();
    b.write("after", promise(3));
    assert_eq!(b.exchange().unwrap_err().code(), "revoked");
    let twice = town.city.revoke(&stream, &device).unwrap_err();
    assert!(
        twice.to_string().contains("已经停用"),
        "revoking again would let count what came since: {twice}"
    );
    town.city.reinstate("operator", &stream, &device).unwrap();
    b.exchange().unwrap();
    a.exchange().unwrap();
    assert!(lives(&a, "after"));
    a.agrees_with(&town);
    b.agrees_with(&town);
}

#[test]
fn photos_of_a_revoked_laptop_wait_beside_its_records_and_come_out_with_them() {
    let (town, a, b) = revoked();
    let stream = a.store.own_stream().unwrap().unwrap();
    let hashes = b.attach("m1", 1);
    let mut engine = b.engine();
    assert_eq!(engine.exchange(&b.store).unwrap_err().code(), "revoked");
    let go_on = &mut |_| std::ops::ControlFlow::Continue(());
    assert_eq!(engine.hand_in_blobs(&b.store, go_on).unwrap().sent, 2);
    assert!(
        hashes.iter().all(|hash| town.has_file(hash) && !b.at_city(hash)),
        "kept, and nothing is promised"
    );
    let fetch = || {
        a.exchange().unwrap();
        let plan = sync::BlobPlan { fetch: sync::Reach::All, ..sync::BlobPlan::usual() };
        a.engine().blobs(&a.store, &plan, &mut |_| std::ops::ControlFlow::Continue(())).unwrap().fetched
    };
    assert_eq!(fetch(), 0);
    let held: Vec<_> = town.city.quarantine(&stream).unwrap().iter().map(|it| it.change.id).collect();
    town.city.release("operator", &stream, &held).unwrap();
    assert_eq!(fetch(), 2);
    assert!(hashes.iter().all(|hash| a.has_file(hash)));
    assert_eq!(town.city.check().unwrap().findings, []);
}
