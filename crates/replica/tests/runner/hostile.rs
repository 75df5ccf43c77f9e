//! Broken, hostile and newer bytes: held, folded as nothing, and the chain goes on.

use replica::{End, Inserted, RawChange, Refused, Replica, StreamId, Unreadable, limits};
use serde_json::json;

use crate::world::Device;

fn blake(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Header text for the change after `end`, with the writes given as text.
fn header(device: &Device, end: End, writes: &str, extra: &str, payload: &[u8]) -> String {
    format!(
        r#"{{"v":1,"stream":"{}","device":"{}","n":{},"prev":"{}","lamport":2,"at":5,"author":"a","action":"b"{extra},"writes":{writes},"payload":"{}","len":{}}}"#,
        device.stream.unwrap(),
        device.id,
        end.n + 1,
        end.id,
        blake(payload),
        payload.len(),
    )
}

const WRITE: &str = r#"[{"record":"m1","kind":"meeting","path":"place"}]"#;

#[test]
fn unreadable_changes_are_held_and_the_chain_goes_on() {
    let deep = format!("[{}{}]", "[".repeat(16), "]".repeat(16));
    let long = format!(r#"["{}"]"#, "长".repeat(limits::MAX_PAYLOAD / 3));
    let cases: [(&str, &str, &str, Unreadable); 17] = [
        (WRITE, "", r#"[{"a":1,"a":2}]"#, Unreadable::DuplicateKey),
        (WRITE, "", r#"["\u0000"]"#, Unreadable::Nul),
        (WRITE, "", r#"["\ud800"]"#, Unreadable::LoneSurrogate),
        (WRITE, "", "[9007199254740993]", Unreadable::BigInteger),
        (WRITE, "", "[1.5]", Unreadable::Float),
        (WRITE, "", &deep, Unreadable::TooDeep),
        (WRITE, "", &long, Unreadable::TooLong),
        (WRITE, "", "[1,2]", Unreadable::BadPayload),
        (WRITE, "", r#"{"0":1}"#, Unreadable::BadPayload),
        (WRITE, "", "[1", Unreadable::Syntax),
        (WRITE, r#","x":1,"x":2"#, "[1]", Unreadable::DuplicateKey),
        (WRITE, r#","x":1.0"#, "[1]", Unreadable::Float),
        (r#"[{"record":"m1","kind":"meeting","path":"a//b"}]"#, "", "[1]", Unreadable::BadWrite),
        (r#"[{"record":"m1","kind":"meeting","path":"a","over":[0]}]"#, "", "[1]", Unreadable::BadWrite),
        (
            r#"[{"record":"m1","kind":"meeting","path":"a"},{"record":"m1","kind":"meeting","path":"a"}]"#,
            "",
            "[1,2]",
            Unreadable::BadWrite,
        ),
        (r#"[{"record":7}]"#, "", "[1]", Unreadable::BadHeader),
        // What a list of fields in their order would be read as is nobody's format.
        (r#"[["m1","meeting","place"]]"#, "", "[1]", Unreadable::BadHeader),
    ];
    for (writes, extra, payload, reason) in cases {
        let mut device = Device::new(1, None);
        let first = device.m1(&[("~born", json!(true), &[]), ("place", json!("甲"), &[])]);
        let text = header(&device, device.end.unwrap(), writes, extra, payload.as_bytes());
        let bad = device.sign_raw(text.into_bytes(), payload.as_bytes()).verify().unwrap();
        assert_eq!(bad.unreadable, Some(reason), "{writes} {extra} {payload:.40}");
        device.took(&bad);
        let after = device.m1(&[("place", json!("乙"), &[first.id])]);

        let mut replica = Replica::new(None);
        let inserted = replica.insert([after.clone(), bad.clone(), first.clone()]);
        assert_eq!(inserted, Inserted { new: vec![first.id, bad.id, after.id], known: 0, waiting: 2 });
        let state = replica.record(&first.stream, "meeting", "m1").unwrap();
        assert_eq!(state.value("place"), Some(&json!("乙")));
        assert_eq!(replica.change(&bad.stream, &bad.id).unwrap().raw, bad.raw, "carried as it was");
    }
}

#[test]
fn a_newer_program_writes_what_this_one_keeps() {
    let mut device = Device::new(1, None);
    let first = device.m1(&[("~born", json!(true), &[])]);
    let newer = header(&device, device.end.unwrap(), WRITE, r#","seal":{"deep":[1]}"#, b"[1]");
    let known = device.sign_raw(newer.clone().into_bytes(), b"[1]").verify().unwrap();
    assert_eq!(known.unreadable, None, "an unknown field is ignored and kept");
    assert!(String::from_utf8(known.raw.header.clone()).unwrap().contains("seal"));

    let text = newer.replacen("\"v\":1", "\"v\":2", 1).replace("\"writes\"", "\"schreibt\"");
    let unknown = device.sign_raw(text.into_bytes(), b"[1]").verify().unwrap();
    assert_eq!(unknown.unreadable, Some(Unreadable::Newer));
    assert_eq!((unknown.stream, unknown.header.n), (first.stream, 2), "it still has its place");
}

#[test]
fn what_has_no_place_or_no_signer_is_refused() {
    let device = Device::new(1, Some(StreamId([1; 32])));
    let mut signed = Device::new(1, Some(StreamId([1; 32])));
    let good = signed.m1(&[("place", json!("甲"), &[])]).raw;
    let text = String::from_utf8(good.header.clone()).unwrap();
    let sign = |text: String| device.sign_raw(text.into_bytes(), &good.payload.clone().unwrap());
    let mut other = good.signature;
    other[3] ^= 1;
    let hash = blake(good.payload.as_ref().unwrap());
    let in_order = format!(r#"[1,"{}","{}",1,null,"{hash}",9]"#, "01".repeat(32), device.id);
    let cases: Vec<(RawChange, Refused)> = vec![
        (RawChange { signature: other, ..good.clone() }, Refused::BadSignature),
        (RawChange { payload: Some(b"[\"\xe4\xb9\x99\"]".to_vec()), ..good.clone() }, Refused::WrongPayload),
        (RawChange { header: vec![b'x'; limits::MAX_HELD + 1], ..good.clone() }, Refused::TooLong),
        (sign("{}".into()), Refused::NoEnvelope),
        (sign("not json".into()), Refused::NoEnvelope),
        (sign(in_order), Refused::NoEnvelope),
        (sign(text.replace("\"n\":1", "\"n\":0")), Refused::NoEnvelope),
        (sign(text.replace("\"n\":1", "\"n\":2")), Refused::NoEnvelope),
        (sign(text.replace("\"n\":1", "\"n\":1,\"n\":1")), Refused::NoEnvelope),
        (sign(text.replace(&device.id.to_string(), &"00".repeat(32))), Refused::BadSignature),
        (sign(text.replace(&device.id.to_string(), &"ff".repeat(32))), Refused::BadSignature),
    ];
    for (raw, refused) in cases {
        let shown = String::from_utf8_lossy(&raw.header).chars().take(80).collect::<String>();
        assert_eq!(raw.verify().err(), Some(refused), "{shown}");
    }
    let withheld = RawChange { payload: None, ..good };
    assert!(withheld.verify().is_ok(), "a header without its payload is whole");
}

#[test]
fn a_change_with_a_wrong_number_has_no_place() {
    let mut device = Device::new(1, None);
    let first = device.m1(&[("~born", json!(true), &[])]);
    let end = device.end.unwrap();
    let text = header(&device, End { n: 7, ..end }, WRITE, "", b"[1]");
    let jump = device.sign_raw(text.into_bytes(), b"[1]").verify().unwrap();
    let mut replica = Replica::new(None);
    replica.insert([first.clone(), jump.clone()]);
    assert_eq!(replica.change(&first.stream, &jump.id), None);
    assert_eq!(replica.frontier(&first.stream).last(&device.id), Some((1, first.id)));
}

#[test]
fn nobody_stands_above_everyone_by_claiming_the_future() {
    let mut device = Device::new(1, None);
    let first = device.m1(&[("~born", json!(true), &[])]);
    device.lamport = 1 << 52;
    let jump = device.m1(&[("place", json!("甲"), &[])]);
    let next = device.m1(&[("topic", json!("乙"), &[])]);
    let mut replica = Replica::new(None);
    replica.insert([next.clone(), first.clone(), jump.clone()]);
    let shown = |id| replica.change(&first.stream, id).unwrap().lamport;
    assert_eq!([shown(&first.id), shown(&jump.id), shown(&next.id)], [1, 2, 3]);
    assert_eq!(replica.next_lamport(&first.stream), 4);
}
