//! The doors through which bytes of others come in, each as a function that takes anything and may never panic, run
//! away, or break a rule that holds for all bytes.

use std::collections::HashMap;
use std::io::Read;

use ed25519_dalek::{Signer, SigningKey};
use replica::{Change, ChangeId, DeviceId, RawChange, Replica, StreamId, device_of, merge_text, opening_key};
use wire::file::{FileError, Head, Inventory, Label, OpenFile, OpeningKey, open, open_unsealed, seal_all};
use wire::{Answer, Have, Receipt, Request, RequestHead, StreamAsk, Whole, read_body};
use zeroize::Zeroizing;

/// An entry and the name of its corpus.
pub type Entry = (&'static str, fn(&[u8]));

pub const ENTRIES: [Entry; 4] = [("change", change), ("exchange", exchange), ("file", file), ("text", text)];

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

/// A file from a stick, as it is carried, and what may lie behind a seal: a label, the length of a head in two bytes, the
/// head, and sections. Whoever can seal can sign what they like, so the head is signed here.
pub fn file(bytes: &[u8]) {
    let mut behind = bytes;
    let Ok(label) = Label::read(&mut behind) else { return };
    assert_eq!(label.to_bytes(), bytes[..Label::LEN], "a label is read in one way");
    let key = SigningKey::from_bytes(&[0x32; 32]);
    let opening = OpeningKey::new(&Zeroizing::new(opening_key(&key)));
    if let Ok(sealed) = open(&label, behind, &opening) {
        sections(&label, sealed);
    }
    let (len, rest) = behind.split_at_checked(2).unwrap_or_default();
    let len = len.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)).min(rest.len());
    let (head, bodies) = rest.split_at(len);
    let mut head = head.to_vec();
    let sender = device_of(&key).0;
    head.iter_mut().skip(1).zip(sender).for_each(|(byte, sender)| *byte = sender);
    let signature = key.sign(&Head::signed(&label, &head)).to_bytes();
    let inside = [&(head.len() as u64).to_be_bytes()[..], &head, &signature, bodies].concat();
    if let Ok(unsealed) = open_unsealed(&label, &inside[..]) {
        sections(&label, unsealed);
    }
}

/// What is read of a file can be written, and reads the same again.
fn sections(label: &Label, mut file: OpenFile<impl Read>) {
    let mut read = Vec::new();
    while let Ok(Some(section)) = file.next() {
        assert_eq!(
            *blake3::hash(&section.bytes).as_bytes(),
            section.hash,
            "a section is what the head names"
        );
        if let Ok(inventory) = Inventory::decode(&section.bytes) {
            assert_eq!(Inventory::decode(&inventory.encode()), Ok(inventory));
        }
        read.push((section.kind, section.bytes));
    }
    let (key, sealed_to) = (SigningKey::from_bytes(&[0x32; 32]), SigningKey::from_bytes(&[6; 32]));
    let label = Label { recipient: device_of(&sealed_to), ..*label };
    let head = Head { sender: device_of(&key), ..file.head };
    let sign = |input: &[u8]| Ok::<_, FileError>(key.sign(input).to_bytes());
    let written = seal_all(&label, head, &read, sign, Vec::new()).expect("what was read can be written");
    let opening = OpeningKey::new(&Zeroizing::new(opening_key(&sealed_to)));
    let mut again = open(&label, &written[Label::LEN..], &opening).expect("what this program wrote it reads");
    for (kind, bytes) in read {
        let section = again.next().expect("it is whole").expect("it is there");
        assert_eq!((section.kind, section.bytes), (kind, bytes));
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
