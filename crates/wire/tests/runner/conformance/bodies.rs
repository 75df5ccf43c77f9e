//! Messages for the pack, small and not packed, so that what packs may change without them.

use ed25519_dalek::{Signer, SigningKey};
use replica::{Change, DeviceId, Frontier, RawChange, RootKey, StreamId, certify, device_of};
use serde_json::{Value, json};
use wire::{Answer, Have, Receipt, Request, StreamAnswer, StreamAsk, StreamState, frontiers_digest};

use crate::world::Device;

pub const NONCE: [u8; 16] = [7; 16];

pub fn root_key() -> SigningKey {
    SigningKey::from_bytes(&[99; 32])
}

pub fn root() -> RootKey {
    RootKey(device_of(&root_key()).0)
}

pub fn laptop() -> Device {
    Device::new(1, None)
}

pub fn city() -> Device {
    Device::new(50, None)
}

pub fn certificate() -> Value {
    certify(&root_key(), &city().id, "2026-01-01", "2027-01-01")
}

/// A meeting and an edit of it.
pub fn changes() -> Vec<Change> {
    let mut laptop = laptop();
    let born = laptop.commit("meeting", "m1", &[("~born", json!(true), &[]), ("place", json!("甲"), &[])]);
    let edit = laptop.commit("meeting", "m1", &[("place", json!("乙"), &[born.id])]);
    vec![born, edit]
}

pub fn stream() -> StreamId {
    changes()[0].stream
}

pub fn frontier() -> Frontier {
    let mut frontier = Frontier::default();
    for change in changes() {
        frontier.advance(change.header.device, change.header.n, change.id, change.header.prev);
    }
    frontier
}

pub fn raws() -> Vec<RawChange> {
    changes().into_iter().map(|change| change.raw).collect()
}

pub fn ask() -> StreamAsk {
    StreamAsk { stream: stream(), have: Have::Full(frontier()) }
}

pub fn request(streams: Vec<StreamAsk>, changes: Vec<RawChange>) -> Vec<u8> {
    plain(Request { streams, budget: u32::MAX, presented: Vec::new(), changes }.encode())
}

pub fn receipt(device: DeviceId, frontier: &Frontier) -> Receipt {
    let key = city();
    let mut receipt = Receipt {
        nonce: NONCE,
        device,
        frontiers: frontiers_digest([(stream(), frontier)]),
        at: 1_790_000_000_500,
        key: key.id,
        signature: [0; 64],
    };
    receipt.signature = key.key.sign(&receipt.signature_input()).to_bytes();
    receipt
}

pub fn answer(changes: Vec<RawChange>) -> Vec<u8> {
    let state = StreamState::Differs { frontier: frontier(), traces: Default::default() };
    let answer = Answer {
        streams: vec![StreamAnswer { stream: stream(), state }],
        refused: Vec::new(),
        retry_after: None,
        receipt: Some(receipt(laptop().id, &frontier())),
        wanted: Vec::new(),
        more: false,
        changes,
    };
    plain(answer.encode())
}

/// The same body, not packed.
pub fn plain(body: Vec<u8>) -> Vec<u8> {
    match body[0] {
        0 => body,
        _ => [&[0], zstd::decode_all(&body[1..]).unwrap().as_slice()].concat(),
    }
}

/// LEB128.
pub fn number(mut number: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
    out
}

pub fn sized(bytes: &[u8]) -> Vec<u8> {
    [&number(bytes.len()), bytes].concat()
}

/// A plain body by hand: a front and chunks, each of one change whose header goes as it is.
pub fn by_hand(front: &[u8], changes: &[RawChange]) -> Vec<u8> {
    let mut body = [vec![0], sized(front)].concat();
    for change in changes {
        let payload = change.payload.as_ref().unwrap();
        let heads = [vec![3], sized(&change.header)].concat();
        body.extend([number(1), sized(&heads), sized(&sized(payload)), change.signature.to_vec()].concat());
    }
    body.extend([0, 0]);
    body
}

/// The front of a request of one stream.
pub fn front() -> Vec<u8> {
    let body = request(vec![ask()], Vec::new());
    let end = body.len() - 2;
    // The byte of the packing and one or two of the length are before it.
    let skip = 1 + number(end - 2).len();
    body[skip..end].to_vec()
}
