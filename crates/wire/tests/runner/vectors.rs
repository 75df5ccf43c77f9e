//! Golden vectors in `schemas/wire`: bytes of the exchange and what they say. `JISHI_BLESS=1` writes them anew.

use std::path::PathBuf;

use ed25519_dalek::Signer;
use replica::{BlobHash, ChangeId, DeviceId, Frontier, RawChange, RootKey, StreamId, from_hex, to_hex};
use serde_json::{Value, json};
use wire::blobs::{BLOBS_PATH, BlobAnswer, BlobAsk, BlobHeld, blob_path};
use wire::{
    Answer, Have, Presented, REVOKED, Receipt, RefusedPart, Request, RequestHead, StreamAnswer, StreamAsk,
    StreamState, Target, digest_of,
};

use crate::world::Device;

pub fn check(name: &str, made: &Value) -> Value {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas/wire").join(format!("{name}.json"));
    if std::env::var_os("JISHI_BLESS").is_some() {
        std::fs::write(&path, format!("{}\n", serde_json::to_string_pretty(made).unwrap())).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

pub fn bytes(value: &Value) -> Vec<u8> {
    let hex = value.as_str().unwrap();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn carried(changes: &[RawChange]) -> Value {
    let one = |change: &RawChange| {
        json!({
            "id": change.id().to_string(),
            "header": String::from_utf8(change.header.clone()).unwrap(),
            "signature": to_hex(&change.signature),
            "payload": change.payload.clone().map(|payload| String::from_utf8(payload).unwrap()),
        })
    };
    changes.iter().map(one).collect()
}

pub fn changes() -> Vec<RawChange> {
    let mut a = Device::new(1, None);
    let born = a.commit("meeting", "m1", &[("~born", json!(true), &[]), ("place", json!("一会议室"), &[])]);
    let mut b = Device::new(2, a.stream);
    let edit = b.commit("meeting", "m1", &[("place", json!("二会议室"), &[born.id])]);
    let mut withheld = a.commit("meeting", "m1", &[("note", json!("不给别人看"), &[])]);
    withheld.drop_payload();
    let newer = String::from_utf8(edit.raw.header.clone()).unwrap().replace("\"v\":1", "\"v\":2");
    let newer = b.sign_raw(newer.into_bytes(), edit.raw.payload.clone());
    vec![born.raw, edit.raw, withheld.raw, newer]
}

pub fn frontier() -> Frontier {
    let mut frontier = Frontier::default();
    frontier.advance(DeviceId([1; 32]), 1, ChangeId([3; 32]), None);
    frontier.advance(DeviceId([1; 32]), 1, ChangeId([4; 32]), None);
    frontier.advance(DeviceId([2; 32]), 1, ChangeId([5; 32]), None);
    frontier
}

#[test]
fn request() {
    let digest = StreamAsk { stream: StreamId([1; 32]), have: Have::Digest(digest_of(&frontier())) };
    let full = StreamAsk { stream: StreamId([2; 32]), have: Have::Full(frontier()) };
    let request =
        Request { streams: vec![digest, full], budget: 65_536, presented: Vec::new(), changes: changes() };
    let device = Device::new(1, None);
    let body = request.encode();
    let target =
        Target { method: "POST", path: "/v1/exchange", query: "", encoding: "", city: RootKey([9; 32]) };
    let mut head =
        RequestHead { device: device.id, nonce: [7; 16], at: 1_790_000_000_000, signature: [0; 64] };
    let input = head.signature_input(&target, &body);
    head.signature = device.key.sign(&input).to_bytes();
    let framed = head.frame(&body);

    let kept = check(
        "request",
        &json!({
            "about": "A signed request: two streams, one by digest and one with a full frontier, and four changes.",
            "target": { "method": "POST", "path": "/v1/exchange", "query": "", "encoding": "", "city": RootKey([9; 32]).to_string() },
            "signature_input": String::from_utf8(input).unwrap(),
            "bytes": to_hex(&framed),
            "says": {
                "device": device.id.to_string(),
                "nonce": to_hex(&[7; 16]),
                "at": head.at,
                "budget": 65_536,
                "digest": to_hex(&digest_of(&frontier())),
                "changes": carried(&request.changes),
            },
        }),
    );
    let stored = bytes(&kept["bytes"]);
    let (read, body) = RequestHead::split(&stored).unwrap();
    assert!(read.is_signed(&target, body), "the stored request is signed");
    let (read, _) = Request::decode(body).unwrap();
    assert_eq!(read, request, "the stored request says what it said");
    assert_eq!(kept["says"]["changes"], carried(&read.changes));
}

#[test]
fn answer() {
    let key = Device::new(50, None);
    let mut receipt = Receipt {
        nonce: [7; 16],
        device: Device::new(1, None).id,
        frontiers: wire::frontiers_digest([(StreamId([2; 32]), &frontier())]),
        at: 1_790_000_000_500,
        key: key.id,
        signature: [0; 64],
    };
    receipt.signature = key.key.sign(&receipt.signature_input()).to_bytes();
    let asked: Vec<StreamAsk> = (1..=3)
        .map(|seed| StreamAsk { stream: StreamId([seed; 32]), have: Have::Full(Frontier::default()) })
        .collect();
    let traces = [(DeviceId([1; 32]), vec![(4, ChangeId([4; 32])), (3, ChangeId([3; 32]))])].into();
    let states =
        [StreamState::Same, StreamState::Differs { frontier: frontier(), traces }, StreamState::Refused];
    let answer = Answer {
        streams: asked
            .iter()
            .zip(states)
            .map(|(ask, state)| StreamAnswer { stream: ask.stream, state })
            .collect(),
        refused: vec![RefusedPart::Stream { stream: StreamId([3; 32]), code: "not_permitted".into() }],
        retry_after: Some(30),
        receipt: Some(receipt),
        wanted: Vec::new(),
        more: true,
        changes: changes(),
    };
    let kept = check(
        "answer",
        &json!({
            "about": "An answer: one stream the same, one that differs with a trace, one refused; a receipt; more is waiting.",
            "asked": asked.iter().map(|ask| ask.stream.to_string()).collect::<Vec<_>>(),
            "nonce": to_hex(&[7; 16]),
            "device": receipt.device.to_string(),
            "bytes": to_hex(&answer.encode()),
            "receipt": to_hex(&receipt.to_bytes()),
            "receipt_signature_input": to_hex(&receipt.signature_input()),
            "says": { "retry_after": 30, "more": true, "frontiers": to_hex(&receipt.frontiers), "changes": carried(&answer.changes) },
        }),
    );
    let (read, _) = Answer::decode(&bytes(&kept["bytes"]), &asked, [7; 16], receipt.device).unwrap();
    assert_eq!(read, answer, "the stored answer says what it said");
    assert!(Receipt::from_bytes(&bytes(&kept["receipt"])).unwrap().is_signed());
    assert_eq!(from_hex::<32>(kept["says"]["frontiers"].as_str().unwrap()).unwrap(), receipt.frontiers);
}

/// What is said after a city was set back, and to a device whose right to write was taken.
#[test]
fn healing() {
    let (key, device) = (Device::new(50, None), Device::new(1, None).id);
    let frontiers = vec![(StreamId([2; 32]), frontier())];
    let digest = wire::frontiers_digest(frontiers.iter().map(|(stream, frontier)| (*stream, frontier)));
    let mut receipt = Receipt {
        nonce: [7; 16],
        device,
        frontiers: digest,
        at: 1_790_000_000_500,
        key: key.id,
        signature: [0; 64],
    };
    receipt.signature = key.key.sign(&receipt.signature_input()).to_bytes();
    let asked = vec![StreamAsk { stream: StreamId([2; 32]), have: Have::Full(frontier()) }];
    let request = Request {
        streams: asked.clone(),
        budget: 65_536,
        presented: vec![Presented { receipt, frontiers }],
        changes: changes(),
    };
    let answer = |receipt: Option<Receipt>, refused: Vec<RefusedPart>, wanted: Vec<ChangeId>| Answer {
        streams: vec![StreamAnswer {
            stream: StreamId([2; 32]),
            state: StreamState::Differs { frontier: frontier(), traces: Default::default() },
        }],
        refused,
        retry_after: None,
        receipt,
        wanted,
        more: false,
        changes: Vec::new(),
    };
    let wanting = answer(Some(receipt), Vec::new(), vec![ChangeId([4; 32]), ChangeId([5; 32])]);
    let revoked = answer(None, vec![RefusedPart::Device { device, code: REVOKED.into() }], Vec::new());
    let kept = check(
        "healing",
        &json!({
            "about": "The body of a request that presents a receipt; of an answer that wants two values; of an answer to a revoked device.",
            "asked": [StreamId([2; 32]).to_string()],
            "nonce": to_hex(&[7; 16]),
            "device": device.to_string(),
            "request": to_hex(&request.encode()),
            "presented": { "receipt": to_hex(&receipt.to_bytes()), "frontiers": to_hex(&digest) },
            "wanting": to_hex(&wanting.encode()),
            "wanted": wanting.wanted.iter().map(ChangeId::to_string).collect::<Vec<_>>(),
            "revoked": to_hex(&revoked.encode()),
        }),
    );
    let (read, _) = Request::decode(&bytes(&kept["request"])).unwrap();
    assert_eq!(read, request);
    assert!(read.presented[0].is_sound());
    let mut other = read.presented[0].clone();
    other.frontiers[0].0 = StreamId([3; 32]);
    assert!(!other.is_sound(), "a receipt for something else");
    for (name, answer, to_revoked) in [("wanting", wanting, false), ("revoked", revoked, true)] {
        let (read, _) = Answer::decode(&bytes(&kept[name]), &asked, [7; 16], device).unwrap();
        assert_eq!(read, answer);
        assert_eq!(read.is_to_revoked(&device), to_revoked, "{name}");
    }
}

#[test]
fn blobs() {
    let hashes: Vec<BlobHash> = [b"one", b"two"].map(|bytes| BlobHash::of(bytes)).into();
    let ask =
        BlobAsk { streams: vec![(StreamId([1; 32]), hashes.clone()), (StreamId([2; 32]), vec![hashes[0]])] };
    let (device, city) = (Device::new(1, None), RootKey([9; 32]));
    let sign = |method: &str, path: &str, body: &[u8]| {
        let target = Target { method, path, query: "", encoding: "", city };
        let mut head =
            RequestHead { device: device.id, nonce: [7; 16], at: 1_790_000_000_000, signature: [0; 64] };
        let input = head.signature_input(&target, body);
        head.signature = device.key.sign(&input).to_bytes();
        (head, String::from_utf8(input).unwrap())
    };
    let body = ask.encode();
    let (head, _) = sign("POST", BLOBS_PATH, &body);
    let streams = vec![Some(vec![BlobHeld::Partial(65_536), BlobHeld::Whole]), None];
    let operating = Device::new(3, None);
    let mut receipt = Receipt {
        nonce: head.nonce,
        device: head.device,
        frontiers: BlobAnswer::digest(&body, &streams),
        at: 1_790_000_000_500,
        key: operating.id,
        signature: [0; 64],
    };
    receipt.signature = operating.key.sign(&receipt.signature_input()).to_bytes();
    let answer = BlobAnswer { streams, receipt };
    let path = blob_path(&StreamId([1; 32]), &hashes[0]);
    let (piece, input) = sign("PATCH", &path, b"one");
    let kept = check(
        "blobs",
        &json!({
            "about": "A signed question about three attachments of two streams, its answer, and a piece of one.",
            "question": to_hex(&head.frame(&body)),
            "answer": to_hex(&answer.encode()),
            "digest": to_hex(&receipt.frontiers),
            "says": {
                "asked": ask.streams.iter().map(|(stream, hashes)| json!([stream, hashes])).collect::<Value>(),
                "held": [[["partial", 65_536], ["whole"]], null],
                "root": city.to_string(),
                "at": receipt.at,
            },
            "piece": {
                "method": "PATCH",
                "path": path,
                "body": to_hex(b"one"),
                "signature_input": input,
                "jishi-request": to_hex(&piece.frame(&[])),
            },
        }),
    );
    let (head, read) = {
        let question = bytes(&kept["question"]);
        let (head, body) = RequestHead::split(&question).unwrap();
        (head, BlobAsk::decode(body).unwrap())
    };
    assert_eq!(read, ask);
    assert_eq!(BlobAnswer::decode(&bytes(&kept["answer"]), &read, head.nonce, head.device), Ok(answer));
    let piece = bytes(&kept["piece"]["jishi-request"]);
    let (head, rest) = RequestHead::split(&piece).unwrap();
    let path = kept["piece"]["path"].as_str().unwrap();
    let target = Target { method: "PATCH", path, query: "", encoding: "", city };
    assert!(rest.is_empty() && head.is_signed(&target, &bytes(&kept["piece"]["body"])));
}
