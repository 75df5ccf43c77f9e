use crate::town::{Laptop, START, Town};
use replica::StreamId;
use serde_json::{Value, json};
use store::{Issue, IssueWrite};

/// A change that the program itself would not write.
pub fn issue(laptop: &Laptop, stream: &StreamId, kind: &str, record: &str, path: &str, value: Value) {
    let write = |path: &str, value: Value| IssueWrite {
        record: record.to_owned(),
        kind: kind.to_owned(),
        path: path.to_owned(),
        value,
        over: Vec::new(),
    };
    let mut writes = vec![write(path, value)];
    if kind != replica::STREAM_KIND {
        writes.push(write("~born", json!(true)));
    }
    let issue = Issue {
        at: START,
        author: "zhd".to_owned(),
        action: "save".to_owned(),
        batch: None,
        origin: None,
        writes,
    };
    laptop.store.issue(stream, &[issue]).unwrap();
}

#[test]
fn what_is_refused_by_rule_is_voided_with_a_reason_and_the_rest_goes_on() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    let stream = a.store.own_stream().unwrap().unwrap();
    a.write_many("good", 2);
    issue(&a, &stream, "person", "bad", "born", json!("三月五日"));
    issue(&a, &stream, "stream", "~stream", "city", json!({ "address": "http://elsewhere" }));
    a.write_many("after", 2);
    a.exchange().unwrap();
    a.agrees_with(&town);
    town.holds(2 + 2 + 2 + 2 + 1);

    let bad = a.store.record("person", "bad").unwrap().unwrap();
    assert!(!bad.is_live(), "voided: it does not count");
    let city = a.store.record("stream", "~stream").unwrap().unwrap();
    assert_eq!(city.value("city"), None, "only the city says where it is");
    let codes: Vec<&str> = city
        .values()
        .filter(|(path, _)| path.starts_with("~ruling/"))
        .filter_map(|(_, ruling)| ruling["code"].as_str())
        .collect();
    assert_eq!(codes.len(), 2, "each with its reason: {codes:?}");
    assert!(codes.contains(&"not_a_date") && codes.contains(&"city_only"), "{codes:?}");

    let b = Laptop::joined(&town, "b");
    b.agrees_with(&town);
    let voided =
        b.store.changes(&stream).unwrap().into_iter().find(|it| it.touches("person", "bad")).unwrap();
    assert_eq!(voided.raw.payload, None, "the refused values stay with their author");
}

#[test]
fn a_device_that_nobody_let_in_is_turned_away() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.exchange().unwrap();
    // A stranger who got hold of a copy of the stream and of the city's name.
    let stranger = Laptop::new(&town, "stranger");
    let enrolment = sync::Enrolment::of(&a.store).unwrap().unwrap();
    stranger.store.set_root(&enrolment.stream, &enrolment.root).unwrap();
    let raw: Vec<_> = a.store.changes(&enrolment.stream).unwrap().into_iter().map(|it| it.raw).collect();
    stranger.store.apply(&raw).unwrap();
    stranger.store.set_meta("city", &serde_json::to_string(&enrolment).unwrap()).unwrap();
    issue(&stranger, &enrolment.stream, "promise", "x", "text", json!("冒充"));
    assert_eq!(stranger.exchange().unwrap_err().code(), "not_enrolled");
    town.holds(2);
}

#[test]
fn a_request_signed_for_another_city_is_refused() {
    let (town, other) = (Town::new(), Town::new());
    let a = Laptop::enrolled(&town, "a");
    // The line now leads to another city, as after a mistaken change of a name server.
    let there = other.address().to_string();
    town.line.turn_to(there.trim_start_matches("http://").parse().unwrap());
    assert_eq!(a.exchange().unwrap_err().code(), "bad_signature");
}
