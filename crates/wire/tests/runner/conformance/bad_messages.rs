//! Requests, answers, receipts, certificates, questions about attachments, and enrolments that are turned away.

use ed25519_dalek::{Signer, SigningKey};
use replica::{BlobHash, DeviceId, StreamId, certify, to_hex};
use serde_json::{Value, json};
use wire::blobs::{BlobAnswer, BlobAsk, BlobHeld};
use wire::enrol::{CodeKey, EnrolCode, Keys, Sealed, Way};
use wire::{Receipt, RequestHead, Target, frontiers_to_bytes};

use super::bodies::{
    NONCE, answer, ask, by_hand, certificate, city, front, frontier, laptop, number, raws, receipt, request,
    root, root_key, sized, stream,
};
use super::{case, good, refused};
use crate::pack::hex;

type Cases = Vec<(&'static str, Value, Value)>;

pub fn cases() -> Vec<Value> {
    let doors: [(&str, Cases); 8] = [
        ("certificate", certificates()),
        ("request", [request_heads(), request_bodies()].concat()),
        ("answer", answers()),
        ("receipt", receipts()),
        ("blob question", blob_questions()),
        ("blob answer", blob_answers()),
        ("code", codes()),
        ("enrolment", enrolments()),
    ];
    doors
        .into_iter()
        .flat_map(|(door, cases)| {
            cases.into_iter().map(move |(name, given, expect)| case(door, name, given, expect))
        })
        .collect()
}

fn certificates() -> Cases {
    let given = |root: String, key: DeviceId, value: Value| json!({ "root": root, "key": key.to_string(), "value": value });
    let with = |field: &str, to: Value| {
        let mut value = certificate();
        value[field] = to;
        given(root().to_string(), city().id, value)
    };
    let bad = || refused("bad_certificate");
    let upper = certificate()["root_sig"].as_str().unwrap().to_uppercase();
    let other_root = certify(&SigningKey::from_bytes(&[98; 32]), &city().id, "2026-01-01", "2027-01-01");
    vec![
        ("good", given(root().to_string(), city().id, certificate()), good()),
        ("an unknown field beside", with("more", json!(1)), good()),
        ("another root's", given(root().to_string(), city().id, other_root), bad()),
        ("another key's", given(root().to_string(), laptop().id, certificate()), bad()),
        ("another date", with("until", json!("2028-01-01")), bad()),
        ("no date", with("from", Value::Null), bad()),
        ("a signature in upper case", with("root_sig", json!(upper)), bad()),
        ("no object", given(root().to_string(), city().id, json!("2026")), bad()),
    ]
}

/// A signed request with this body.
fn framed(body: &[u8]) -> Vec<u8> {
    let target = Target { method: "POST", path: "/v1/exchange", query: "", encoding: "", city: root() };
    let mut head =
        RequestHead { device: laptop().id, nonce: NONCE, at: 1_790_000_000_000, signature: [0; 64] };
    head.signature = laptop().key.sign(&head.signature_input(&target, body)).to_bytes();
    head.frame(body)
}

fn posted(bytes: &[u8]) -> Value {
    json!({ "root": root().to_string(), "path": "/v1/exchange", "query": "", "encoding": "", "bytes": hex(bytes) })
}

fn request_heads() -> Cases {
    let whole = framed(&request(vec![ask()], Vec::new()));
    let with = |at: usize, byte: u8| {
        let mut other = whole.clone();
        other[at] = byte;
        posted(&other)
    };
    let at_place = |field: &str, to: &str| {
        let mut given = posted(&whole);
        given[field] = json!(to);
        given
    };
    let unsigned = |name, given| (name, given, refused("bad_signature"));
    vec![
        ("good", posted(&whole), good()),
        ("empty", posted(&[]), refused("malformed")),
        ("a cut head", posted(&whole[..120]), refused("malformed")),
        ("a newer head", with(0, 2), refused("malformed")),
        unsigned("another device", with(1, whole[1] ^ 1)),
        unsigned("another nonce", with(33, whole[33] ^ 1)),
        unsigned("another time", with(56, whole[56] ^ 1)),
        unsigned("another signature", with(57, whole[57] ^ 1)),
        unsigned("another body", with(whole.len() - 1, 1)),
        unsigned("a cut body of which the whole was signed", posted(&whole[..whole.len() - 1])),
        unsigned("another path", at_place("path", "/v1/other")),
        unsigned("a query", at_place("query", "a=1")),
        unsigned("an encoding", at_place("encoding", "gzip")),
        unsigned("another city", at_place("root", &"09".repeat(32))),
    ]
}

/// Bodies that are signed as they are.
fn request_bodies() -> Cases {
    let ids = |count: usize| json!({ "cut": raws()[..count].iter().map(|raw| raw.id().to_string()).collect::<Vec<_>>() });
    let by_hand = by_hand(&front(), &raws());
    let with_front = |front: &[u8]| posted(&framed(&[&[0], sized(front).as_slice(), &[0, 0]].concat()));
    let malformed = |name, given| (name, given, refused("malformed"));
    let changed = |at: usize, byte: u8| {
        let mut front = front();
        front[at] = byte;
        with_front(&front)
    };
    // A frame of zstd whose blocks each repeat one byte 131,072 times.
    let frame = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x38];
    let bomb = [&[1], &frame[..], &[0x02, 0x00, 0x10, 0x00].repeat(512), &[0x03, 0x00, 0x10, 0x00]].concat();
    let many = [vec![1], number(7), number(1 << 40)].concat();
    let wide = [vec![1], vec![0xFF; 10], vec![0]].concat();
    let beyond = [vec![1], number(1 << 32), vec![0]].concat();
    vec![
        malformed("no body", posted(&framed(&[]))),
        malformed("an unknown packing", posted(&framed(&[2, 1, 2, 3]))),
        malformed("a body that unpacks to more than 64 MiB", posted(&framed(&bomb))),
        malformed("a body that is not zstd", posted(&framed(b"\x01hello"))),
        malformed("a front that does not end", posted(&framed(&[0, 200, 1, 1]))),
        malformed("an empty front", with_front(&[])),
        malformed("a newer front", changed(0, 2)),
        malformed("more streams than there are bytes", with_front(&many)),
        malformed("a number beyond 64 bits", with_front(&wide)),
        malformed("a budget beyond 32 bits", with_front(&beyond)),
        malformed("an unknown form of a frontier", changed(front().len() - frontier_len() - 1, 9)),
        malformed("a cut frontier", with_front(&front()[..front().len() - 1])),
        malformed("presented receipts that are not there", with_front(&[front(), vec![1]].concat())),
        ("headers as they are", posted(&framed(&by_hand)), good()),
        ("cut in the second chunk", posted(&framed(&by_hand[..by_hand.len() - 10])), ids(1)),
        ("cut before its end", posted(&framed(&by_hand[..by_hand.len() - 2])), ids(2)),
        ("cut in the first chunk", posted(&framed(&by_hand[..front().len() + 40])), ids(0)),
        (
            "a number in more bytes than it needs",
            with_front(&[vec![1, 0x80, 0x00], vec![0]].concat()),
            good(),
        ),
    ]
}

/// Bytes of the frontier in the front.
fn frontier_len() -> usize {
    1 + 32 + 1 + 1 + 32
}

fn answers() -> Cases {
    let given = |bytes: &[u8]| json!({ "asked": [stream().to_string()], "nonce": to_hex(&NONCE), "device": laptop().id.to_string(), "bytes": hex(bytes) });
    let whole = answer(raws());
    let two = {
        let mut given = given(&whole);
        given["asked"] = json!([stream().to_string(), StreamId([2; 32]).to_string()]);
        given
    };
    let with_front = |front: &[u8]| given(&[&[0], sized(front).as_slice(), &[0, 0]].concat());
    let malformed = |name, given| (name, given, refused("malformed"));
    vec![
        ("good", given(&whole), good()),
        ("the same, nothing refused, no receipt", with_front(&[1, 1, 0, 0, 0, 0]), good()),
        ("more behind the front than this version knows", with_front(&[1, 1, 0, 0, 0, 0, 0, 9]), good()),
        malformed("empty", given(&[])),
        malformed("cut before its front is whole", given(&whole[..50])),
        ("cut behind its front", given(&whole[..whole.len() - 30]), json!({ "cut": [] })),
        malformed("fewer streams than were asked about", two),
        malformed("a newer front", with_front(&[2, 1, 0, 0, 0, 0])),
        malformed("an unknown state of a stream", with_front(&[1, 1, 3, 0, 0, 0])),
        malformed("an unknown part that is refused", with_front(&[&[1, 1, 0, 1, 3][..], &[0; 35]].concat())),
        malformed(
            "a time to wait beyond 32 bits",
            with_front(&[&[1, 1, 0, 0][..], &number((1 << 32) + 1), &[0]].concat()),
        ),
        malformed("a cut receipt", with_front(&[&[1, 1, 0, 0, 0, 1][..], &[0; 100]].concat())),
    ]
}

fn receipts() -> Cases {
    let kept = receipt(laptop().id, &frontier()).to_bytes();
    let covers = frontiers_to_bytes(&[(stream(), frontier())]);
    let given = |bytes: &[u8], covers: &[u8], certificate: Value| json!({ "root": root().to_string(), "bytes": hex(bytes), "covers": hex(covers), "certificate": certificate });
    let with = |at: usize| {
        let mut other = kept.clone();
        other[at] ^= 1;
        given(&other, &covers, certificate())
    };
    let unsigned = |name, given| (name, given, refused("bad_signature"));
    let elsewhere = frontiers_to_bytes(&[(StreamId([2; 32]), frontier())]);
    let more = frontiers_to_bytes(&[(stream(), frontier()), (StreamId([2; 32]), frontier())]);
    let other_key = certify(&root_key(), &laptop().id, "2026-01-01", "2027-01-01");
    vec![
        ("good", given(&kept, &covers, certificate()), good()),
        ("cut", given(&kept[..184], &covers, certificate()), refused("malformed")),
        ("too long", given(&[&kept[..], &[0]].concat(), &covers, certificate()), refused("malformed")),
        ("a newer one", given(&[&[2], &kept[1..]].concat(), &covers, certificate()), refused("malformed")),
        unsigned("of another request", with(1)),
        unsigned("of another device", with(17)),
        unsigned("over other frontiers", with(49)),
        unsigned("of another time", with(88)),
        unsigned("of another key", with(89)),
        unsigned("with another signature", with(121)),
        unsigned("for another stream", given(&kept, &elsewhere, certificate())),
        unsigned("for more streams", given(&kept, &more, certificate())),
        unsigned("of a key that the root did not certify", given(&kept, &covers, other_key)),
        ("over a cut frontier", given(&kept, &covers[..40], certificate()), refused("malformed")),
    ]
}

fn question() -> BlobAsk {
    BlobAsk { streams: vec![(stream(), vec![BlobHash::of(b"one"), BlobHash::of(b"two")])] }
}

fn blob_questions() -> Cases {
    let whole = question().encode();
    let given = |bytes: Value| json!({ "bytes": bytes });
    let head = |count: usize| [vec![1, 1], stream().0.to_vec(), number(count)].concat();
    let many =
        |count: usize| given(json!([hex(&head(count)), { "repeat": { "hex": "02" }, "times": 32 * count }]));
    let malformed = |name, given| (name, given, refused("malformed"));
    vec![
        ("good", given(hex(&whole)), good()),
        ("2,000 attachments", many(2_000), good()),
        malformed("2,001 attachments", many(2_001)),
        malformed("empty", given(hex(&[]))),
        malformed("a newer one", given(hex(&[&[2], &whole[1..]].concat()))),
        malformed("cut", given(hex(&whole[..whole.len() - 1]))),
        malformed("bytes after the end", given(hex(&[&whole[..], &[0]].concat()))),
    ]
}

fn blob_answers() -> Cases {
    let streams = vec![Some(vec![BlobHeld::Partial(65_536), BlobHeld::Whole])];
    let frontiers = BlobAnswer::digest(&question().encode(), &streams);
    let mut receipt = Receipt { frontiers, ..receipt(laptop().id, &frontier()) };
    receipt.signature = city().key.sign(&receipt.signature_input()).to_bytes();
    let whole = BlobAnswer { streams, receipt }.encode();
    let given = |bytes: &[u8], hashes: [BlobHash; 2]| {
        let hashes = hashes.map(|hash| hash.to_string());
        json!({ "asked": [[stream().to_string(), hashes]], "nonce": to_hex(&NONCE), "device": laptop().id.to_string(), "bytes": hex(bytes) })
    };
    let asked = [BlobHash::of(b"one"), BlobHash::of(b"two")];
    let with = |at: usize, byte: u8| {
        let mut other = whole.clone();
        other[at] = byte;
        given(&other, asked)
    };
    let malformed = |name, given| (name, given, refused("malformed"));
    vec![
        ("good", given(&whole, asked), good()),
        malformed("to another question", given(&whole, [asked[1], asked[0]])),
        malformed("that says more than was signed", with(3, 0)),
        malformed("an unknown state", with(2, 4)),
        malformed("cut", given(&whole[..whole.len() - 1], asked)),
        malformed("bytes after the end", given(&[&whole[..], &[0]].concat(), asked)),
        (
            "with another signature",
            with(whole.len() - 1, whole[whole.len() - 1] ^ 1),
            refused("bad_signature"),
        ),
    ]
}

fn codes() -> Cases {
    let shown = EnrolCode::from_random([3, 1, 4, 1, 5, 9, 2, 6, 5, 3]).to_string();
    let given = |typed: String| json!({ "typed": typed });
    let wide = shown.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect();
    let wrong = if shown.ends_with('0') { "1" } else { "0" };
    vec![
        ("as it is shown", given(shown.clone()), good()),
        (
            "in small letters with spaces",
            given(format!("  {} ", shown.to_lowercase().replace('-', " — "))),
            good(),
        ),
        ("in full-width letters", given(wide), good()),
        (
            "O for 0, I and l for 1",
            given(shown.replace('0', "O").replacen('1', "I", 1).replace('1', "l")),
            good(),
        ),
        ("one letter too few", given(shown[..18].to_owned()), refused("code_length")),
        ("one letter too many", given(format!("{shown}0")), refused("code_length")),
        ("a letter that no code has", given(shown.replacen(&shown[..1], "U", 1)), refused("code_character")),
        ("one letter is another", given(format!("{}{wrong}", &shown[..18])), refused("code_check")),
    ]
}

fn enrolments() -> Cases {
    let key = CodeKey([5; 32]);
    let message = json!({ "any": "message" });
    let keys = Keys { device: &laptop().id, root: &root().0 };
    let up = Sealed::new(&key, "ABCD", Way::ToCity, keys, &message);
    let down = Sealed::new(&key, "ABCD", Way::ToLaptop, keys, &message);
    let given = |way: &str, sealed: &Sealed, key: [u8; 32], device: DeviceId, root: [u8; 32]| json!({ "way": way, "sealed": sealed, "code_key": to_hex(&key), "device": device.to_string(), "root": to_hex(&root) });
    let (device, root) = (laptop().id, root().0);
    let other = Sealed { body: up.body.replace("message", "massage"), ..up.clone() };
    let unknown = |name, given| (name, given, refused("code_unknown"));
    vec![
        ("good", given("up", &up, key.0, device, root), good()),
        ("good, down", given("down", &down, key.0, device, root), good()),
        unknown("another code", given("up", &up, [6; 32], device, root)),
        unknown("another device", given("up", &up, key.0, city().id, root)),
        unknown("another city", given("up", &up, key.0, device, [8; 32])),
        unknown("another body", given("up", &other, key.0, device, root)),
        unknown("an answer sent as an ask", given("up", &down, key.0, device, root)),
        ("an ask sent back", given("down", &up, key.0, device, root), refused("bad_signature")),
    ]
}
