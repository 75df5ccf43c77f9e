use crate::line::{Fault, send_raw};
use crate::town::{Laptop, Town};
use wire::enrol::EXCHANGE_PATH;

const RECORDS: usize = 40;

const CUTS: [Fault; 10] = [
    Fault::BeforeSend,
    Fault::MidRequest(1),
    Fault::MidRequest(500),
    Fault::MidRequest(999),
    Fault::BeforeAck,
    Fault::MidResponse(1),
    Fault::MidResponse(200),
    Fault::MidResponse(500),
    Fault::MidResponse(900),
    Fault::MidResponse(999),
];

#[test]
fn an_upload_is_cut_at_every_place_once() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    for (round, cut) in CUTS.into_iter().enumerate() {
        a.write_many(&format!("r{round}-"), RECORDS);
        town.line.plan(&[cut]);
        let report = a.exchange_until_through();
        a.agrees_with(&town);
        town.holds(2 + (round + 1) * RECORDS);
        assert!(report.requests <= 4, "{cut:?}: {} requests", report.requests);
    }
}

#[test]
fn a_download_is_cut_again_and_again() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    let b = Laptop::joined(&town, "b");
    for (round, cut) in CUTS.into_iter().enumerate() {
        a.write_many(&format!("r{round}-"), RECORDS);
        a.exchange().unwrap();
        town.line.plan(&[cut, Fault::None, cut, cut]);
        b.exchange_until_through();
        b.exchange_until_through();
        b.agrees_with(&town);
        town.holds(3 + (round + 1) * RECORDS);
    }
    a.exchange().unwrap();
    a.agrees_with(&town);
}

#[test]
fn a_line_that_lets_only_pieces_through_still_gets_somewhere() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write_many("r", 400);
    a.exchange().unwrap();
    let b = Laptop::enrolled(&town, "b");
    let mut engine = b.engine();
    engine.budget = 4 << 20;
    town.line.plan(&[Fault::None, Fault::MidResponse(400), Fault::MidResponse(400), Fault::MidResponse(400)]);
    let report = engine.exchange(&b.store).unwrap();
    assert_eq!(report.cuts, 3);
    assert!(report.received >= 401, "every whole change of a cut body was kept: {}", report.received);
    let again = report.bytes_down as f64 / 400.0;
    assert!(again < 1600.0, "what arrived was not asked for again: {again} B a record");
}

#[test]
fn a_line_that_is_dead_is_said_to_be() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write_many("r", 3);
    town.line.plan(&[Fault::BeforeAck; 50]);
    assert_eq!(a.exchange().unwrap_err().code(), "cut_off");
    assert!(a.store.outbox().unwrap().changes > 0, "nothing counts as reported without a receipt");
    town.line.plan(&[]);
}

#[test]
fn the_server_dies_in_the_middle() {
    for cut in [Fault::MidRequest(700), Fault::BeforeAck, Fault::MidResponse(500)] {
        let mut town = Town::new();
        let a = Laptop::enrolled(&town, "a");
        a.write_many("r", RECORDS);
        town.line.plan(&[cut; 6]);
        a.exchange().unwrap_err();
        town.kill_and_start();
        a.exchange_until_through();
        a.agrees_with(&town);
        town.holds(2 + RECORDS);
    }
}

#[test]
fn the_same_request_twice_is_refused_and_changes_nothing() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write_many("r", 3);
    town.line.passed();
    a.exchange().unwrap();
    let passed = town.line.passed();
    let request = &passed.iter().find(|it| contains(&it.request, EXCHANGE_PATH.as_bytes())).unwrap().request;
    let answer = String::from_utf8_lossy(&send_raw(town.line.address, request)).into_owned();
    assert!(answer.starts_with("HTTP/1.1 409"), "{answer}");
    assert!(answer.contains("\"replayed\""), "{answer}");
    town.holds(2 + 3);
    a.agrees_with(&town);
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
