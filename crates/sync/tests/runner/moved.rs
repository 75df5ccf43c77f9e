//! The city moves house: it says where to in its own stream, and a laptop believes it once the same city answers there.

use crate::line::Line;
use crate::town::{Laptop, START, Town, promise};
use replica::{ChangeBuilder, End};
use serde_json::{Value, json};
use std::net::SocketAddr;
use sync::{Enrolment, Stop};

/// The city's own change with its address.
fn announce(town: &Town, laptop: &Laptop, address: &str) {
    let stream = laptop.store.own_stream().unwrap().unwrap();
    let city = town.city.operating().unwrap().device();
    let end = laptop.store.frontier(&stream).unwrap().last(&city).map(|(n, id)| End { n, id });
    let state = laptop.store.record("stream", "~stream").unwrap().unwrap();
    let value = json!({ "address": address });
    let change = ChangeBuilder::new(Some(stream), end, city, 9, START, "city", "announce")
        .write("~stream", "stream", "~city/address", &value, &state.heads("~city/address"))
        .sign(&town.city.operating().unwrap().key)
        .unwrap();
    laptop.store.apply(&[change.raw]).unwrap();
}

fn address(laptop: &Laptop) -> String {
    Enrolment::of(&laptop.store).unwrap().unwrap().address
}

/// A second way to the same city.
fn other_line(town: &Town) -> SocketAddr {
    Line::to(town.line.address).address
}

#[test]
fn an_announced_address_is_taken_over_when_the_same_city_answers_there() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.exchange().unwrap();
    let there = other_line(&town).to_string();
    announce(&town, &a, &there);
    let report = a.exchange().unwrap();
    assert_eq!(report.moved_to, Some(format!("http://{there}")));
    assert_eq!(address(&a), format!("http://{there}"));
    a.write("r1", promise(1));
    assert_eq!(a.exchange().unwrap().moved_to, None, "it is there already");
    a.agrees_with(&town);
}

#[test]
fn an_address_that_cannot_be_the_citys_changes_nothing() {
    let (town, other) = (Town::new(), Town::new());
    let table: [(&str, String); 4] = [
        ("nobody answers", "127.0.0.1:9".to_owned()),
        ("another city answers", other.line.address.to_string()),
        ("it would not be encrypted", "http://dj.example.cn".to_owned()),
        ("it is no address", "两个 词".to_owned()),
    ];
    let a = Laptop::enrolled(&town, "a");
    a.exchange().unwrap();
    let before = address(&a);
    for (what, announced) in table {
        announce(&town, &a, &announced);
        assert_eq!(a.exchange().unwrap().moved_to, None, "{what}");
        assert_eq!(address(&a), before, "{what}");
    }
}

#[test]
fn a_branch_cannot_announce_an_address() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.exchange().unwrap();
    let before = address(&a);
    let value: Value = json!({ "address": other_line(&town).to_string() });
    a.store.write(&store::Author::new("zhd"), "x", |w| w.put_stream("~city/address", value)).unwrap();
    assert_eq!(a.exchange().unwrap().moved_to, None);
    assert_eq!(address(&a), before);
    a.agrees_with(&town);
}

#[test]
fn a_branch_that_came_in_by_file_learns_the_citys_address_from_its_files_or_from_a_person() {
    let town = Town::new();
    let one = Laptop::enrolled_by_file(&town, "one");
    assert_eq!(address(&one), "", "nobody said one");
    sync::move_city(&one.store, &town.address(), &Stop::default()).unwrap();
    one.write("a", promise(1));
    one.exchange_until_through();
    one.agrees_with(&town);

    town.city.announce("operator", "https://dj.example.cn").unwrap();
    assert_eq!(one.reads(&town.takes(&one.exports()).answer.bytes).unwrap().moved_to, None);
    assert_eq!(
        address(&one),
        town.address().to_string(),
        "one that is known is left only for one that answers"
    );
    let two = Laptop::new(&town, "two");
    let done = two.reads(&town.takes(&two.asks(&town.code("O003"))).answer.bytes).unwrap();
    assert_eq!(done.moved_to.as_deref(), Some("https://dj.example.cn"));
    assert_eq!(address(&two), "https://dj.example.cn");
}
