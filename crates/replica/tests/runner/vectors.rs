//! Golden vectors in `schemas/wire`: bytes in, state out, for clients in other languages.
//!
//! `JISHI_BLESS=1` writes them anew; otherwise the test holds this program to the files as they are.

use std::path::PathBuf;

use ed25519_dalek::SigningKey;
use replica::{
    Change, RawChange, RecordState, Replica, RootKey, Ruling, canonical, certify, device_of, from_hex,
    merge_text, ruling_path, to_hex,
};
use serde_json::{Value, json};

use crate::world::Device;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas/wire").join(format!("{name}.json"))
}

fn root() -> SigningKey {
    SigningKey::from_bytes(&[99; 32])
}

/// What a vector says goes in, as JSON.
fn input(change: &RawChange) -> Value {
    json!({
        "header": String::from_utf8(change.header.clone()).unwrap(),
        "signature": to_hex(&change.signature),
        "payload": change.payload.clone().map(|payload| String::from_utf8(payload).unwrap()),
    })
}

fn read_input(value: &Value) -> RawChange {
    RawChange {
        header: value["header"].as_str().unwrap().into(),
        signature: from_hex(value["signature"].as_str().unwrap()).unwrap(),
        payload: value["payload"].as_str().map(Into::into),
    }
}

/// What must come out: every record's state, the changes that could not be read, what was refused, the digest.
fn output(root: Option<RootKey>, inputs: &[RawChange]) -> Value {
    let mut replica = Replica::new(root);
    let (mut refused, mut unreadable) = (Vec::new(), Vec::new());
    for (index, raw) in inputs.iter().enumerate() {
        match raw.clone().verify() {
            Ok(change) => {
                if let Some(reason) = change.unreadable {
                    unreadable
                        .push(json!({ "change": change.id.to_string(), "reason": format!("{reason:?}") }));
                }
                replica.insert([change]);
            }
            Err(reason) => refused.push(json!({ "index": index, "reason": format!("{reason:?}") })),
        }
    }
    let streams = replica.streams().map(|stream| {
        // As text, since the order of its fields goes into the digest.
        let text = |state: &RecordState| String::from_utf8(state.to_bytes()).unwrap();
        let records: Vec<String> = replica.records(&stream).map(text).collect();
        let frontier = to_hex(&replica.frontier(&stream).digest());
        json!({ "stream": stream.to_string(), "frontier": frontier, "records": records })
    });
    json!({
        "streams": streams.collect::<Vec<_>>(),
        "unreadable": unreadable,
        "refused": refused,
        "digest": replica.state_digest(),
    })
}

fn vector(about: &str, root: Option<RootKey>, inputs: &[RawChange]) -> Value {
    json!({
        "about": about,
        "root": root.map(|root| root.to_string()),
        "changes": inputs.iter().map(input).collect::<Vec<_>>(),
        "comes_to": output(root, inputs),
    })
}

fn check(name: &str, made: Value) {
    let path = file(name);
    if std::env::var_os("JISHI_BLESS").is_some() {
        std::fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&made).unwrap())).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let kept: Value = serde_json::from_str(&text).unwrap();
    if let Some(changes) = kept["changes"].as_array() {
        let inputs: Vec<RawChange> = changes.iter().map(read_input).collect();
        let root = kept["root"].as_str().map(|root| root.parse().unwrap());
        assert_eq!(
            canonical(&output(root, &inputs)),
            canonical(&kept["comes_to"]),
            "{name}: the same bytes come to something else"
        );
    }
    assert_eq!(
        canonical(&made),
        canonical(&kept),
        "{name}: this program makes other bytes; a new version, or a fault"
    );
}

fn raws(changes: &[&Change]) -> Vec<RawChange> {
    changes.iter().map(|change| change.raw.clone()).collect()
}

#[test]
fn conflict() {
    let mut a = Device::new(1, None);
    let born = a.m1(&[
        ("~born", json!(true), &[]),
        ("place", json!("一会议室"), &[]),
        ("summary", json!("一。二。"), &[]),
    ]);
    let mut b = a.copy();
    let left = a.m1(&[("place", json!("甲"), &[born.id]), ("summary", json!("一改。二。"), &[born.id])]);
    let right = b.m1(&[("place", json!("乙"), &[born.id]), ("summary", json!("一。二改。"), &[born.id])]);
    let about = "A copied computer: one device with two ends, and a conflict at two paths with their base.";
    check("state-conflict", vector(about, None, &raws(&[&right, &left, &born])));
}

#[test]
fn closing() {
    let mut a = Device::new(1, None);
    let born = a.m1(&[
        ("~born", json!(true), &[]),
        ("place", json!("一会议室"), &[]),
        ("agenda/x/~born", json!(true), &[]),
        ("agenda/x/topic", json!("议题"), &[]),
    ]);
    let mut b = a.copy();
    let gone = a.m1(&[("agenda/x/~gone", json!(true), &[born.id])]);
    let closed = a.m1(&[("number", json!("1-A"), &[]), ("~final", json!(true), &[born.id, gone.id])]);
    let late = b.m1(&[("place", json!("二会议室"), &[born.id])]);
    let about = "A closed record, an item that is gone, and a late write that the closing does not cover.";
    check("state-closing", vector(about, None, &raws(&[&born, &gone, &closed, &late])));
}

#[test]
fn rulings() {
    let mut laptop = Device::new(1, None);
    let born =
        laptop.m1(&[("~born", json!(true), &[]), ("place", json!("甲"), &[]), ("note", json!("旧"), &[])]);
    let mut city = Device::new(50, Some(born.stream));
    let mut lost = Device::new(2, Some(born.stream));
    let keyed =
        city.rule(&format!("~key/{}", city.id), certify(&root(), &city.id, "2026-01-01", "2027-01-01"), &[]);
    let let_in = city.rule(&format!("~device/{}", lost.id), json!({"name": "二号机"}), &[]);
    let voided = laptop.m1(&[("place", json!("乙"), &[born.id])]);
    let over = laptop.m1(&[("place", json!("丙"), &[voided.id])]);
    let void =
        Ruling::Void { change: voided.id, code: "bad_value".into(), words: "不合规".into(), at: None };
    let void = city.rule(&ruling_path("r1"), void.to_value(), &[]);
    let good = lost.m1(&[("topic", json!("议题"), &[])]);
    let end = lost.end.unwrap();
    let stolen = lost.m1(&[("topic", json!("盗写"), &[good.id])]);
    let revoke = Ruling::Revoke { device: lost.id, ends: vec![(end.n, end.id)] };
    let revoke = city.rule(&ruling_path("r2"), revoke.to_value(), &[]);
    let secret = laptop.m1(&[("note", json!("不该写的"), &[born.id])]);
    let dropped = laptop.rule(&ruling_path("r3"), Ruling::Drop { change: secret.id }.to_value(), &[]);
    let mut stranger = Device::new(9, Some(born.stream));
    let unknown = stranger.m1(&[("place", json!("外人"), &[born.id])]);
    let about = "A certified city key, a voided change with one over it, a revoked device, an author's redaction, a stranger.";
    let all =
        [&born, &keyed, &let_in, &voided, &over, &void, &good, &stolen, &revoke, &secret, &dropped, &unknown];
    check("state-rulings", vector(about, Some(RootKey(device_of(&root()).0)), &raws(&all)));
}

#[test]
fn hostile() {
    let mut device = Device::new(1, None);
    let first = device.m1(&[("~born", json!(true), &[]), ("place", json!("甲"), &[])]);
    let mut inputs = vec![first.raw.clone()];
    let payloads = [
        r#"[{"a":1,"a":2}]"#,
        r#"["\u0000"]"#,
        r#"["\ud800"]"#,
        "[9007199254740993]",
        "[1.5]",
        "[1,2]",
        "[1",
    ];
    for payload in payloads {
        let (end, hash) = (device.end.unwrap(), blake3::hash(payload.as_bytes()).to_hex());
        let header = format!(
            r#"{{"v":1,"stream":"{}","device":"{}","n":{},"prev":"{}","lamport":2,"at":5,"author":"a","action":"b","refs":["{}"],"writes":[{{"record":"m1","kind":"meeting","path":"place","over":[0]}}],"payload":"{hash}","len":{},"seal":"x"}}"#,
            first.stream,
            device.id,
            end.n + 1,
            end.id,
            first.id,
            payload.len(),
        );
        let raw = device.sign_raw(header.into_bytes(), payload.as_bytes());
        device.took(&raw.clone().verify().unwrap());
        inputs.push(raw);
    }
    let newer = String::from_utf8(inputs[1].header.clone()).unwrap().replace("\"v\":1", "\"v\":2");
    let newer = newer.replace("\"n\":2", &format!("\"n\":{}", device.end.unwrap().n + 1));
    let newer = newer.replace(&first.id.to_string(), &device.end.unwrap().id.to_string());
    let newer = device.sign_raw(newer.into_bytes(), payloads[0].as_bytes());
    device.took(&newer.clone().verify().unwrap());
    inputs.push(newer);
    inputs.push(device.m1(&[("topic", json!("后来"), &[])]).raw);
    let mut forged = inputs[0].clone();
    forged.signature[0] ^= 1;
    inputs.push(forged);
    let about = "Hostile payloads and a newer version: held, folded as nothing, and the chain goes on. The last is forged.";
    check("state-hostile", vector(about, None, &inputs));
}

#[test]
fn text_merge() {
    let cases = [
        ("甲。乙。丙。", "甲一。乙。丙。", "甲。乙。丙三。"),
        ("甲。\n乙。", "头。\n甲。\n乙。", "甲。\n乙。\n尾。"),
        ("头。甲。尾。", "头。甲一。尾。", "头。甲二。尾。"),
        ("甲。乙。", "甲。左。乙。", "甲。右。乙。"),
        ("甲。乙。丙。", "甲。丙。", "甲。乙。丙。丁。"),
        ("同意。甲。同意。", "同意。甲。同意。同意。", "同意。甲一。同意。"),
    ];
    let cases = cases.map(|(base, left, right)| {
        let pieces = merge_text(base, left, right).pieces.into_iter().map(|piece| match piece {
            replica::Piece::Merged(text) => json!({ "merged": text }),
            replica::Piece::Conflict { base, left, right } => {
                json!({ "conflict": { "base": base, "left": left, "right": right } })
            }
        });
        json!({ "base": base, "left": left, "right": right, "pieces": pieces.collect::<Vec<_>>() })
    });
    check("text-merge", json!({ "about": "Three-way merges of long texts.", "cases": cases }));
}
