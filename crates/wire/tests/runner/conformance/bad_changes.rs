//! Changes that are refused, and changes that are held and fold as nothing.

use ed25519_dalek::Signer;
use replica::{signature_input, to_hex};
use serde_json::{Value, json};

use super::bodies::{changes, laptop};
use super::{case, good, refused};
use crate::pack::{bytes, spelled};

const WRITES: &str = r#"[{"record":"m1","kind":"meeting","path":"place"}]"#;
const PLAIN: &str = r#""lamport":2,"at":5,"author":"a","action":"b""#;

/// A first change of the laptop, signed. `front` is everything between the names of the envelope and the writes.
fn change(front: Value, writes: Value, payload: Value) -> Value {
    envelope(&format!(r#"{{"v":1,"device":"{}","n":1,"#, laptop().id), front, writes, payload)
}

fn envelope(names: &str, front: Value, writes: Value, payload: Value) -> Value {
    let held = bytes(&payload);
    let end = format!(r#","payload":"{}","len":{}}}"#, blake3::hash(&held).to_hex(), held.len());
    signed(joined([json!(names), front, json!(r#","writes":"#), writes, json!(end)]), payload)
}

/// Texts beside each other are one text.
fn joined(parts: [Value; 5]) -> Value {
    match parts.iter().all(Value::is_string) {
        true => spelled(&bytes(&json!(parts))),
        false => json!(parts),
    }
}

fn signed(header: Value, payload: Value) -> Value {
    let signature = laptop().key.sign(&signature_input(&bytes(&header))).to_bytes();
    json!({ "header": header, "signature": to_hex(&signature), "payload": payload })
}

/// With this payload, which is otherwise all right.
fn payload(payload: Value) -> Value {
    change(json!(PLAIN), json!(WRITES), payload)
}

fn writes(writes: Value, values: Value) -> Value {
    change(json!(PLAIN), writes, values)
}

fn front(front: Value) -> Value {
    change(front, json!(WRITES), json!("[1]"))
}

/// A good second change with another header, signed.
fn replaced(from: &str, to: &str) -> Value {
    let born = &changes()[0];
    let names = format!(
        r#"{{"v":1,"stream":"{}","device":"{}","n":2,"prev":"{}","#,
        born.stream, born.header.device, born.id
    );
    let good = envelope(&names, json!(PLAIN), json!(WRITES), json!("[1]"));
    let header = good["header"].as_str().unwrap();
    assert!(header.contains(from), "{from} in {header}");
    signed(json!(header.replacen(from, to, 1)), json!("[1]"))
}

fn with(mut change: Value, field: &str, value: Value) -> Value {
    change[field] = value;
    change
}

pub fn cases() -> Vec<Value> {
    let all = [fine(), no_place(), not_signed(), bad_payloads(), bad_headers(), bad_writes()];
    all.into_iter().flatten().map(|(name, given, expect)| case("change", name, given, expect)).collect()
}

type Cases = Vec<(&'static str, Value, Value)>;

fn fine() -> Cases {
    let spaced = r#" "lamport" : 2 ,	"at":5,"author":"a","action":"b""#;
    vec![
        ("good", front(json!(PLAIN)), good()),
        ("without its payload", with(front(json!(PLAIN)), "payload", Value::Null), good()),
        ("spaces and tabs between the tokens", front(json!(spaced)), good()),
        ("unknown fields", front(json!(format!(r#"{PLAIN},"seal":{{"a":[null,true]}}"#))), good()),
        ("null where a field may be left out", front(json!(format!(r#"{PLAIN},"batch":null"#))), good()),
        ("2^53", payload(json!("[9007199254740992]")), good()),
        ("16 deep", payload(json!("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]")), good()),
        ("a surrogate pair", payload(json!(r#"["\ud83d\ude00"]"#)), good()),
    ]
}

fn no_place() -> Cases {
    let refuse = |name, from: &str, to: &str| (name, replaced(from, to), refused("no_envelope"));
    let born = &changes()[0];
    let (device, stream) = (born.header.device.to_string(), format!(r#""stream":"{}","#, born.stream));
    let prev = format!(r#""prev":"{}","#, born.id);
    let in_order = format!(r#"[1,"{0}","{device}",2,"{0}","{0}",3]"#, born.id);
    vec![
        ("not JSON", signed(json!("not JSON"), json!("[1]")), refused("no_envelope")),
        ("an empty object", signed(json!("{}"), json!("[1]")), refused("no_envelope")),
        ("an array of the fields in order", signed(json!(in_order), json!("[1]")), refused("no_envelope")),
        refuse("bytes after the end", r#","len":3}"#, r#","len":3}}"#),
        refuse("no version", r#""v":1,"#, ""),
        refuse("a version as text", r#""v":1,"#, r#""v":"1","#),
        refuse("a version beyond 32 bits", r#""v":1,"#, r#""v":4294967296,"#),
        refuse("number 0", r#""n":2"#, r#""n":0"#),
        refuse("number 1 with a change before it", r#""n":2"#, r#""n":1"#),
        refuse("number 2 without a change before it", &prev, ""),
        refuse("number 2 with null before it", &prev, r#""prev":null,"#),
        refuse("number 2 without a stream", &stream, ""),
        refuse("a number with a fraction", r#""n":2"#, r#""n":2.0"#),
        refuse("a number twice", r#""n":2"#, r#""n":2,"n":2"#),
        refuse("a number twice, once escaped", r#""n":2"#, r#""n":2,"\u006e":2"#),
        refuse("a device in upper case", &device, &device.to_uppercase()),
        refuse("a device that is too short", &device, &device[2..]),
        refuse("a length below 0", r#""len":3"#, r#""len":-3"#),
        refuse("a control character in a text", r#""author":"a""#, "\"author\":\"a\tb\""),
        refuse("a leading zero", r#""at":5"#, r#""at":05"#),
        (
            "a header beyond what is held",
            signed(json!({ "repeat": "x", "times": 262_145 }), json!("[1]")),
            refused("too_long"),
        ),
        (
            "a payload beyond what is held",
            with(front(json!(PLAIN)), "payload", json!({ "repeat": "x", "times": 262_145 })),
            refused("too_long"),
        ),
    ]
}

/// The order of the group that signatures lie in, the lowest byte first.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The same signature in its other spelling, which a careless reader takes too.
fn respelled(signature: &str) -> String {
    let mut bytes: [u8; 64] = replica::from_hex(signature).unwrap();
    let mut carry = 0;
    for (byte, add) in bytes[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    to_hex(&bytes)
}

fn not_signed() -> Cases {
    let whole = front(json!(PLAIN));
    let signature = whole["signature"].as_str().unwrap();
    let header = bytes(&whole["header"]);
    let other = |input: &[u8]| json!(to_hex(&laptop().key.sign(input).to_bytes()));
    let device = changes()[0].header.device.to_string();
    let flipped = format!("{}{}", if signature.starts_with('0') { "1" } else { "0" }, &signature[1..]);
    let no_key = |key: &str| replaced(&device, &key.repeat(32));
    // With the weak key whose point is 1, R = 1 and S = 0 fit every message.
    let weak_key = format!("01{}", "00".repeat(31));
    let weak =
        with(replaced(&device, &weak_key), "signature", json!(format!("{weak_key}{}", "00".repeat(32))));
    vec![
        ("another signature", with(whole.clone(), "signature", json!(flipped)), refused("bad_signature")),
        (
            "signed without the purpose",
            with(whole.clone(), "signature", other(&header)),
            refused("bad_signature"),
        ),
        (
            "signed for another purpose",
            with(whole.clone(), "signature", other(&[b"jishi file v1\n", &header[..]].concat())),
            refused("bad_signature"),
        ),
        (
            "a second spelling of the signature",
            with(whole.clone(), "signature", json!(respelled(signature))),
            refused("bad_signature"),
        ),
        ("a device that is no point", no_key("ff"), refused("bad_signature")),
        ("a weak key", weak, refused("bad_signature")),
        ("another payload", with(whole.clone(), "payload", json!("[2]")), refused("wrong_payload")),
        ("another length than the payload's", replaced(r#""len":3"#, r#""len":4"#), refused("wrong_payload")),
    ]
}

fn nothing(why: &str) -> Value {
    json!({ "nothing": why })
}

fn bad_payloads() -> Cases {
    let case = |name, text: &str, why: &str| (name, payload(json!(text)), nothing(why));
    vec![
        case("a payload that is not JSON", "[1", "syntax"),
        case("a payload with something after it", "[1] 2", "syntax"),
        case("a payload on two lines", "[\n1]", "not_one_line"),
        case("a payload that is no array", r#"{"0":1}"#, "bad_payload"),
        case("a payload of too many values", "[1,2]", "bad_payload"),
        case("a payload of too few values", "[]", "bad_payload"),
        case("a key twice", r#"[{"a":1,"a":1}]"#, "duplicate_key"),
        case("a key twice, once escaped", r#"[{"a":1,"\u0061":2}]"#, "duplicate_key"),
        case("U+0000", r#"["\u0000"]"#, "nul"),
        case("half a surrogate pair", r#"["\ud800"]"#, "lone_surrogate"),
        case("the other half", r#"["\udc00x"]"#, "lone_surrogate"),
        case("2^53 + 1", "[9007199254740993]", "big_integer"),
        case("-2^53 - 1", "[-9007199254740993]", "big_integer"),
        case("a fraction", "[1.0]", "float"),
        case("an exponent", "[1e2]", "float"),
        case("-0", "[-0]", "float"),
        case("17 deep", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", "too_deep"),
        ("a payload that is not UTF-8", payload(json!({ "hex": "5b22ff225d" })), nothing("not_utf8")),
        (
            "a payload that is too long",
            payload(json!(["[\"", { "repeat": "x", "times": 98_301 }, "\"]"])),
            nothing("too_long"),
        ),
    ]
}

fn bad_headers() -> Cases {
    let more = |name, more: &str, why: &str| (name, front(json!(format!("{PLAIN}{more}"))), nothing(why));
    let instead = |name, from: &str, to: &str, why: &str| (name, replaced(from, to), nothing(why));
    let long = |times: u32| json!([r#""lamport":2,"at":5,"action":"b","author":""#, { "repeat": "x", "times": times }, "\""]);
    let deep = |times: u32| json!([PLAIN, r#","x":"#, { "repeat": "[", "times": times }, { "repeat": "]", "times": times }]);
    vec![
        instead("a newer version", r#""v":1"#, r#""v":2"#, "newer"),
        instead("version 0", r#""v":1"#, r#""v":0"#, "newer"),
        instead("no lamport value", r#""lamport":2,"#, "", "bad_header"),
        instead("a lamport value as text", r#""lamport":2"#, r#""lamport":"2""#, "bad_header"),
        instead(
            "a lamport value beyond 2^53",
            r#""lamport":2"#,
            r#""lamport":9007199254740993"#,
            "big_integer",
        ),
        instead("a number beyond 2^53", r#""n":2"#, r#""n":9007199254740993"#, "big_integer"),
        instead("a time with a fraction", r#""at":5"#, r#""at":5.5"#, "float"),
        more("an unknown field twice", r#","x":1,"x":1"#, "duplicate_key"),
        more("a known field twice", r#","at":5"#, "duplicate_key"),
        more("U+0000 in a header", r#","x":"\u0000""#, "nul"),
        more("half a surrogate pair in a header", r#","x":"\udfff""#, "lone_surrogate"),
        more("a reference in upper case", &format!(r#","refs":["{}"]"#, "AB".repeat(32)), "bad_header"),
        more("a line break between tokens", ",\n\"x\":1", "not_one_line"),
        ("a header that is 17 deep", front(deep(16)), nothing("too_deep")),
        ("a header that is 1,001 deep", front(deep(1_000)), nothing("too_deep")),
        ("an author of 129 bytes", front(long(129)), nothing("bad_header")),
        ("a header that is too long", front(long(65_536)), nothing("too_long")),
        (
            "a header that is not UTF-8",
            front(json!([PLAIN, r#","x":""#, { "hex": "ff" }, "\""])),
            nothing("not_utf8"),
        ),
    ]
}

fn bad_writes() -> Cases {
    let one = |name, record: &str, kind: &str, path: &str| {
        let write = format!(r#"[{{"record":"{record}","kind":"{kind}","path":"{path}"}}]"#);
        (name, writes(json!(write), json!("[1]")), nothing("bad_write"))
    };
    let many = json!(["[", { "repeat": r#"{"record":"m1","kind":"meeting","path":"p#"},"#, "times": 500 },
                      r#"{"record":"m1","kind":"meeting","path":"last"}]"#]);
    let values = json!(["[", { "repeat": "1,", "times": 500 }, "1]"]);
    let twice = WRITES.replace(']', ",").to_owned() + &WRITES[1..];
    let over = WRITES.replace("}]", r#","over":[0]}]"#);
    vec![
        one("an empty record", "", "meeting", "place"),
        one("a record with a space", "m 1", "meeting", "place"),
        one("a record of 129 bytes", &"m".repeat(129), "meeting", "place"),
        one("a kind that is not ASCII", "m1", "会议", "place"),
        one("an empty path", "m1", "meeting", ""),
        one("a path with an empty part", "m1", "meeting", "a//b"),
        one("a path that ends with a slash", "m1", "meeting", "a/"),
        one("a path with a control character", "m1", "meeting", "a\\u0085b"),
        one("a path of 257 bytes", "m1", "meeting", &"a".repeat(257)),
        ("one path twice", writes(json!(twice), json!("[1,2]")), nothing("bad_write")),
        ("over beyond refs", writes(json!(over), json!("[1]")), nothing("bad_write")),
        ("501 writes", writes(many, values), nothing("too_long")),
        (
            "a write as an array",
            writes(json!(r#"[["m1","meeting","place"]]"#), json!("[1]")),
            nothing("bad_header"),
        ),
        (
            "a write without a path",
            writes(json!(r#"[{"record":"m1","kind":"meeting"}]"#), json!("[1]")),
            nothing("bad_header"),
        ),
    ]
}
