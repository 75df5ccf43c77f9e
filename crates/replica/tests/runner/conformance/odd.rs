//! Newer programs, hostile bytes, numbers that lie, and the spelling of states.

use replica::{Change, End, RawChange};
use serde_json::{Value, json};

use super::Case;
use super::folds::{Pair, pair};
use crate::world::Device;

pub fn cases() -> Vec<Value> {
    vec![
        unknown_kind_and_fields(),
        newer_version(),
        hostile(),
        forged(),
        wrong_number(),
        far_future(),
        two_streams(),
        spelling(),
    ]
}

/// A header in this spelling, with a place at the end of a chain. `rest` is what stands before the payload's hash.
fn next(device: &mut Device, version: u32, rest: &str, payload: &str) -> RawChange {
    let End { n, id } = device.end.unwrap();
    let header = format!(
        r#"{{"v":{version},"stream":"{}","device":"{}","n":{},"prev":"{id}",{rest},"payload":"{}","len":{}}}"#,
        device.stream.unwrap(),
        device.id,
        n + 1,
        blake3::hash(payload.as_bytes()).to_hex(),
        payload.len(),
    );
    let raw = device.sign_raw(header.into_bytes(), payload.as_bytes());
    device.took(&raw.clone().verify().unwrap());
    raw
}

const FRONT: &str = r#""lamport":4,"at":5,"author":"a","action":"b""#;

fn unknown_kind_and_fields() -> Value {
    let Pair { mut a, born, let_in, .. } = pair();
    let unknown = a.commit(&[("r1", "hologram", "beam/x/~born", json!(true), &[])]);
    let rest = format!(
        r#"{FRONT},"seal":{{"deep":[1]}},"refs":["{}"],"writes":[{{"weight":3,"record":"m1","kind":"meeting","path":"mood","over":[0]}}]"#,
        born.id
    );
    let fields = next(&mut a, 1, &rest, r#"[{"x":1}]"#);
    let about = "A kind, a path and fields of headers that nobody knows: kept and folded like others.";
    Case::new("unknown-kind-and-fields", about, &[&born, &let_in, &unknown]).and(fields).all()
}

fn newer_version() -> Value {
    let Pair { mut a, born, let_in, .. } = pair();
    let newer = next(&mut a, 2, r#""schreibt":"neu","writes":7"#, "anything at all");
    let after = a.m1(&[("place", json!("乙"), &[born.id])]);
    let about = "A header of a newer version: held, folded as nothing, and the chain goes on.";
    Case::new("newer-version", about, &[&born, &let_in]).and(newer).and(after.raw).all()
}

fn hostile() -> Value {
    let Pair { mut a, born, let_in, .. } = pair();
    let rest = format!(
        r#"{FRONT},"refs":["{}"],"writes":[{{"record":"m1","kind":"meeting","path":"place","over":[0]}}]"#,
        born.id
    );
    let mut case = Case::new(
        "hostile-payloads",
        "Payloads that readers could understand differently: held, folded as nothing, and what they are over stands.",
        &[&born, &let_in],
    );
    for payload in
        [r#"[{"a":1,"a":2}]"#, r#"["\u0000"]"#, r#"["\ud800"]"#, "[9007199254740993]", "[1.5]", "[1,2]"]
    {
        case = case.and(next(&mut a, 1, &rest, payload));
    }
    case.and(a.m1(&[("topic", json!("后来"), &[])]).raw).all()
}

fn forged() -> Value {
    let Pair { mut a, born, let_in, .. } = pair();
    let edit = a.m1(&[("place", json!("乙"), &[born.id])]);
    let mut signature = edit.raw.clone();
    signature.signature[0] ^= 1;
    let payload = RawChange { payload: Some("[\"丙\"]".into()), ..edit.raw.clone() };
    let about =
        "Change 2 with another signature (3) and with another payload (4) is refused and changes nothing.";
    Case::new("forged", about, &[&born, &let_in, &edit])
        .and(signature)
        .and(payload)
        .given(&["0 1 3 4", "4 3 1 0"])
        .all()
}

fn wrong_number() -> Value {
    let mut device = Device::new(1, None);
    let born = device.m1(&[("~born", json!(true), &[]), ("place", json!("甲"), &[])]);
    let end = device.end.unwrap();
    let mut other = Device::new(2, Some(born.stream));
    other.end = Some(end);
    let stolen = other.m1(&[("place", json!("乙"), &[born.id])]);
    device.end = Some(End { n: 6, ..end });
    let jump = device.m1(&[("place", json!("丙"), &[born.id])]);
    let about =
        "Changes after one of another device, or not numbered one higher, have no place in any chain.";
    Case::new("wrong-number", about, &[&born, &stolen, &jump]).all()
}

fn far_future() -> Value {
    let mut device = Device::new(1, None);
    let born = device.m1(&[("~born", json!(true), &[])]);
    device.lamport = 1 << 52;
    let jump = device.m1(&[("place", json!("甲"), &[])]);
    let next = device.m1(&[("topic", json!("乙"), &[])]);
    let about =
        "A lamport value far above the one before it is shown as one more, and so are those after it.";
    Case::new("far-future", about, &[&born, &jump, &next]).all()
}

fn two_streams() -> Value {
    let born = |seed: u8| -> Change {
        Device::new(seed, None).m1(&[("~born", json!(true), &[]), ("place", json!("甲"), &[])])
    };
    let about =
        "Two streams that have a record of the same kind and id: the digest takes the streams in order.";
    Case::new("two-streams", about, &[&born(1), &born(2)]).all()
}

fn spelling() -> Value {
    let Pair { mut a, born, let_in, .. } = pair();
    let write = |path: &str| format!(r#"{{"record":"m1","kind":"meeting","path":"{path}"}}"#);
    let paths = ["z", "a", "é", "A", "b/~x"].map(write).join(",");
    let payload = "[ {\"é\":1,\"z\":[-2,{\"b\":null,\"a\":true}],\"Z\":0,\"\u{1F600}\":2,\"\u{FFFD}\":3} ,\
                   \"\\u4e2d\\/\\t\\b\\f\\n\\r\\\"\\\\\\u001f\\u007f\u{2028}\\ud83d\\ude00\",\t9007199254740992,\"\",[ ] ]";
    let odd = next(&mut a, 1, &format!(r#"{FRONT},"writes":[{paths}]"#), payload);
    let about = "How a state is spelled: keys by their bytes, no spaces, escapes only where JSON needs them.";
    Case::new("spelling", about, &[&born, &let_in]).and(odd).all()
}
