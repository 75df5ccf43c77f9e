//! Bytes on the wire, as the reach of the product asks for them.

use replica::{DeviceId, Frontier, RawChange, RootKey, StreamId};
use serde_json::{Map, Value, json};
use wire::{
    Answer, FIRST_BUDGET, Have, Receipt, Request, RequestHead, StreamAnswer, StreamAsk, StreamState, Target,
    digest_of, frontiers_digest,
};

use crate::world::{Device, Random, record};

/// What HTTP adds, both ways together: request line, host, content type and length, status line, date.
const HTTP_HEADERS: usize = 400;

fn frontier(devices: &[(u8, u64)]) -> Frontier {
    let mut frontier = Frontier::default();
    for (device, n) in devices {
        frontier.advance(DeviceId([*device; 32]), 1, replica::ChangeId([*n as u8; 32]), None);
    }
    frontier
}

/// One exchange of three streams after which both sides hold the same; its bytes both ways without HTTP headers.
fn exchange(changes: &[RawChange]) -> usize {
    let frontiers = [frontier(&[(1, 9), (2, 4)]), frontier(&[(3, 1)]), frontier(&[(4, 2)])];
    let streams: Vec<StreamId> = (1..=3).map(|seed| StreamId([seed; 32])).collect();
    let ask = |(stream, frontier): (&StreamId, &Frontier)| StreamAsk {
        stream: *stream,
        have: Have::Digest(digest_of(frontier)),
    };
    let request = Request {
        streams: streams.iter().zip(&frontiers).map(ask).collect(),
        budget: FIRST_BUDGET,
        presented: Vec::new(),
        changes: changes.to_vec(),
    };
    let head =
        RequestHead { device: DeviceId([1; 32]), nonce: [7; 16], at: 1_790_000_000_000, signature: [8; 64] };
    let target =
        Target { method: "POST", path: "/v1/exchange", query: "", encoding: "", city: RootKey([9; 32]) };
    let body = request.encode();
    assert!(!head.signature_input(&target, &body).is_empty());
    let same = |stream: &StreamId| StreamAnswer { stream: *stream, state: StreamState::Same };
    let receipt = Receipt {
        nonce: head.nonce,
        device: head.device,
        frontiers: frontiers_digest(streams.iter().copied().zip(&frontiers)),
        at: 1_790_000_000_500,
        key: DeviceId([5; 32]),
        signature: [6; 64],
    };
    let answer = Answer {
        streams: streams.iter().map(same).collect(),
        refused: Vec::new(),
        retry_after: None,
        receipt: Some(receipt),
        wanted: Vec::new(),
        more: false,
        changes: Vec::new(),
    };
    let (sent, answered) = (head.frame(&body), answer.encode());
    assert_eq!(Request::decode(RequestHead::split(&sent).unwrap().1).unwrap().0, request);
    assert_eq!(Answer::decode(&answered, &request.streams, head.nonce, head.device).unwrap().0, answer);
    println!("request: {} B, answer: {} B", sent.len(), answered.len());
    sent.len() + answered.len()
}

#[test]
fn nothing_new_takes_a_kilobyte_and_one_field_half_of_one_more() {
    let nothing = exchange(&[]);
    println!("nothing new: {nothing} B (reach {})", 1024 - HTTP_HEADERS);
    assert!(nothing + HTTP_HEADERS <= 1024);

    let mut device = Device::new(1, None);
    let mut random = Random(5);
    let (id, fields) = record(1, device.at, &[random.uuid(1)], &mut Random(6));
    let writes: Vec<_> = fields.iter().map(|(path, value)| (path.as_str(), value.clone(), &[][..])).collect();
    let born = device.commit("promise", &id, &writes);
    let edit = device.commit(
        "promise",
        &id,
        &[("text", json!("把货架重新编号，每周五由专人检查一次。"), &[born.id])],
    );
    let one = exchange(&[edit.raw]);
    println!("one field: {one} B (reach {})", 1536 - HTTP_HEADERS);
    assert!(one + HTTP_HEADERS <= 1536);
}

/// The bytes of many new records, each a change of its own, over those of `zstd -3` of the same records' JSON.
#[test]
fn bulk_is_at_most_twice_the_packed_records() {
    let mut random = Random(42);
    let persons: Vec<String> = (0..40).map(|_| random.uuid(1_700_000_000_000)).collect();
    let mut device = Device::new(1, None);
    let (mut lines, mut lengths) = (Vec::new(), Vec::new());
    let mut changes: Vec<RawChange> = Vec::new();
    for number in 0..10_000 {
        let (id, fields) = record(number, device.at, &persons, &mut random);
        let line = line(&id, &fields);
        lengths.push(line.len());
        lines.push(line);
        let born = json!(true);
        let mut writes: Vec<(&str, Value, &[replica::ChangeId])> = vec![("~born", born, &[])];
        writes.extend(fields.iter().map(|(path, value)| (path.as_str(), value.clone(), &[][..])));
        changes.push(device.commit("promise", &id, &writes).raw);
    }
    lengths.sort_unstable();
    println!("median record: {} B", lengths[lengths.len() / 2]);
    let packed = zstd::bulk::compress(lines.concat().as_bytes(), 3).unwrap().len();

    let (mut sent, mut requests, mut budget) = (0, 0, FIRST_BUDGET);
    let mut left = changes.iter().peekable();
    while left.peek().is_some() {
        let request = Request { streams: Vec::new(), budget, presented: Vec::new(), changes: Vec::new() };
        let mut body = request.begin();
        while let Some(change) = left.next_if(|_| body.has_room(budget)) {
            body.add(change);
        }
        sent += body.finish(left.peek().is_some()).len() + wire::HEAD_LEN + HTTP_HEADERS;
        requests += 1;
        budget = wire::after_success(budget);
    }
    let percent = sent * 100 / packed;
    println!("bulk: {sent} B in {requests} requests, zstd -3 {packed} B, ratio {percent} % (reach 200 %)");
    assert!(percent <= 200);
}

fn line(id: &str, fields: &Map<String, Value>) -> String {
    let mut object = fields.clone();
    object.insert("id".into(), json!(id));
    format!("{}\n", Value::Object(object))
}
