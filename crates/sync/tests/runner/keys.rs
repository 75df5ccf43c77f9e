//! The city signs with a new key every year; laptops learn it from what they exchange.

use crate::line::Fault;
use crate::town::{Laptop, Town, promise};
use sync::Enrolment;
use wire::Receipt;

fn signer(laptop: &Laptop) -> replica::DeviceId {
    Receipt::from_bytes(&laptop.store.receipts(1).unwrap()[0].body).unwrap().key
}

#[test]
fn a_new_key_is_learned_by_exchange_and_old_receipts_stay_good() {
    let town = Town::new();
    let (a, b) = (Laptop::enrolled(&town, "a"), Laptop::joined(&town, "b"));
    a.write("r1", promise(1));
    a.exchange().unwrap();
    let old = signer(&a);
    let rotated = town.city.rotate(&town.root()).unwrap();
    assert_eq!(rotated.streams, 1);
    assert_ne!(rotated.device, old);

    // One who has news, and one who only asks.
    a.write("r2", promise(2));
    a.exchange().unwrap();
    b.exchange().unwrap();
    for laptop in [&a, &b] {
        laptop.exchange().unwrap();
        assert_eq!(Enrolment::of(&laptop.store).unwrap().unwrap().operating, rotated.device);
        laptop.agrees_with(&town);
    }
    assert_eq!(signer(&a), rotated.device);
    let stream = a.store.own_stream().unwrap().unwrap();
    let keys = a.store.city_keys(&stream).unwrap();
    assert!(keys.contains(&old) && keys.contains(&rotated.device), "what the old key signed still speaks");
    assert_eq!(town.city.check().unwrap().findings, [], "old receipts among it");
}

#[test]
fn a_laptop_that_was_away_for_years_believes_the_key_of_today() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write("r1", promise(1));
    a.exchange().unwrap();
    a.write_many("away", 40);
    for _ in 0..3 {
        town.city.rotate(&town.root()).unwrap();
    }
    a.exchange().unwrap();
    a.agrees_with(&town);
    let today = town.city.operating().unwrap().device();
    assert_eq!((signer(&a), Enrolment::of(&a.store).unwrap().unwrap().operating), (today, today));
}

#[test]
fn a_new_laptop_is_let_in_by_a_new_key_and_reads_what_the_old_one_ruled() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    let stream = a.store.own_stream().unwrap().unwrap();
    crate::rule::issue(&a, &stream, "person", "bad", "born", serde_json::json!("三月五日"));
    a.exchange().unwrap();
    town.city.rotate(&town.root()).unwrap();
    let b = Laptop::joined(&town, "b");
    b.agrees_with(&town);
    assert!(!b.store.record("person", "bad").unwrap().unwrap().is_live(), "still voided");
}

#[test]
fn another_root_rotates_nothing() {
    let (town, other) = (Town::new(), Town::new());
    let before = town.city.operating().unwrap().device();
    let refused = town.city.rotate(&other.root()).unwrap_err();
    assert!(refused.to_string().contains("不是本平台的根密钥"), "{refused}");
    assert_eq!(town.city.operating().unwrap().device(), before);
}

#[test]
fn an_answer_that_is_cut_before_the_new_certificate_is_a_cut() {
    let town = Town::new();
    let (a, b) = (Laptop::enrolled(&town, "a"), Laptop::joined(&town, "b"));
    a.write_many("r", 60);
    a.exchange().unwrap();
    town.city.rotate(&town.root()).unwrap();
    for back in [50, 200, 400, 700] {
        town.line.plan(&[Fault::MidResponse(back)]);
        b.exchange_until_through();
    }
    b.agrees_with(&town);
}
