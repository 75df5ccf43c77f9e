//! The doors through which bytes of others come in, each as a function that takes anything and may never panic, run
//! away, or break a rule that holds for all bytes.

use std::collections::HashMap;

use replica::{Change, ChangeId, DeviceId, RawChange, Replica, StreamId, merge_text};
use wire::{Answer, Have, Receipt, Request, RequestHead, StreamAsk, Whole, read_body};

/// An entry and the name of its corpus.
pub type Entry = (&'static str, fn(&[u8]));

pub const ENTRIES: [Entry; 3] = [("change", change), ("exchange", exchange), ("text", text)];

/// Between two changes, and between a header and its payload: bytes that no JSON holds.
const NEXT: u8 = 0xff;
const PAYLOAD: u8 = 0xfe;

/// Headers and payloads, as a laptop reads them from its log. Order of arrival may not matter, and what is held is
/// carried byte for byte.
pub fn change(bytes: &[u8]) {
    let raws: Vec<RawChange> = bytes.split(|byte| *byte == NEXT).take(16).map(raw).collect();
    let mut held: Vec<Change> = raws.iter().filter_map(|raw| raw.clone().read().ok()).collect();
    one_payload_each(&mut held);
    let mut forwards = Replica::new(None);
    forwards.insert(held.clone());
    let mut backwards = Replica::new(None);
    backwards.insert(held.iter().rev().cloned());
    backwards.insert(held);
    assert_eq!(forwards.state_bytes(), backwards.state_bytes(), "order and repetition do not matter");
    let incremental = forwards.state_bytes();
    forwards.refold();
    assert_eq!(incremental, forwards.state_bytes(), "the fold as it goes is the fold from scratch");
    carried(raws);
}

/// A header signs the hash of its payload, so that no log ever holds two payloads for one.
fn one_payload_each(held: &mut Vec<Change>) {
    let mut signed: HashMap<ChangeId, Vec<u8>> = HashMap::new();
    held.retain(|change| {
        let payload = change.raw.payload.as_ref();
        payload.is_none_or(|payload| signed.entry(change.id).or_insert_with(|| payload.clone()) == payload)
    });
}

fn raw(bytes: &[u8]) -> RawChange {
    let mut parts = bytes.splitn(2, |byte| *byte == PAYLOAD);
    let header = parts.next().unwrap_or_default().to_vec();
    RawChange { header, signature: [7; 64], payload: parts.next().map(<[u8]>::to_vec) }
}

fn carried(raws: Vec<RawChange>) {
    let request = Request { streams: Vec::new(), budget: 0, presented: Vec::new(), changes: raws };
    let (read, whole) = Request::decode(&request.encode()).expect("what this program wrote it reads");
    assert_eq!((read, whole), (request, Whole::Yes), "bytes are carried as they are");
}

/// Bodies, heads and receipts, as a city and a laptop get them from a line.
pub fn exchange(bytes: &[u8]) {
    if let Ok((head, body)) = RequestHead::split(bytes) {
        assert_eq!(head.frame(body), bytes, "a head is read in one way");
        request(body);
    }
    request(bytes);
    let asked = [StreamId([1; 32]), StreamId([2; 32])]
        .map(|stream| StreamAsk { stream, have: Have::Digest([0; 16]) });
    for count in 0..=asked.len() {
        if let Ok((answer, _)) = Answer::decode(bytes, &asked[..count], [9; 16], DeviceId([3; 32])) {
            let again = Answer::decode(&answer.encode(), &asked[..count], [9; 16], DeviceId([3; 32]));
            let (again, whole) = again.expect("what this program wrote it reads");
            assert_eq!((again, whole), (answer, Whole::Yes));
        }
    }
    if let Ok(receipt) = Receipt::from_bytes(bytes) {
        assert_eq!(Receipt::from_bytes(&receipt.to_bytes()).as_ref(), Ok(&receipt));
    }
    // A body that is cut anywhere gives whole changes or an error, never another change.
    let whole = read_body(bytes);
    if let (Ok(whole), Ok(part)) = (whole, read_body(&bytes[..bytes.len() / 2])) {
        assert!(whole.changes.starts_with(&part.changes), "what arrived of a body is the beginning of it");
    }
}

fn request(body: &[u8]) {
    if let Ok((request, _)) = Request::decode(body) {
        let (again, whole) = Request::decode(&request.encode()).expect("what this program wrote it reads");
        assert_eq!((again, whole), (request, Whole::Yes));
    }
}

/// A base and what two people made of it. Neither side may be preferred, and what only one side did must stand.
pub fn text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.splitn(3, '\u{fffd}');
    let mut next = || parts.next().unwrap_or_default();
    let (base, left, right) = (next(), next(), next());
    let (there, back) = (merge_text(base, left, right), merge_text(base, right, left));
    assert_eq!(there.text(), back.text(), "the sides are equal");
    assert_eq!(there.pieces.len(), back.pieces.len());
    assert_eq!(merge_text(base, left, base).text().as_deref(), Some(left));
    assert_eq!(merge_text(base, base, right).text().as_deref(), Some(right));
    assert_eq!(merge_text(base, left, left).text().as_deref(), Some(left));
}
