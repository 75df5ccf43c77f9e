//! Different values at one path, and values that are not held.

use replica::{Change, RawChange};
use serde_json::{Value, json};

use super::folds::{Pair, pair};
use super::{Case, state};
use crate::world::Device;

pub fn cases() -> Vec<Value> {
    vec![
        copied_computer(),
        decided(),
        equal_heads(),
        cleared(),
        nearest_base(),
        no_single_base(),
        withheld_comes_later(),
        withheld_side(),
    ]
}

fn copied_computer() -> Value {
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
    Case::new("copied-computer", about, &[&right, &left, &born]).all()
}

fn decided() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let left = a.m1(&[("place", json!("甲"), &[born.id])]);
    let right = b.m1(&[("place", json!("乙"), &[born.id])]);
    let seen = state(None, &[&born, &let_in, &left, &right]).heads("place");
    let settled = a.m1(&[("place", json!("丙"), &seen)]);
    let about = "Two computers write one path: a conflict until a write is over both.";
    Case::new("conflict-and-decision", about, &[&born, &let_in, &left, &right, &settled])
        .given(&["0 1 2 3", "3 2 1 0"])
        .all()
}

fn equal_heads() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let left = a.m1(&[("place", json!({"a": 1, "b": [2]}), &[born.id])]);
    let right = spelled(&b, born.id, r#"[{"b":[2],"a":1}]"#);
    b.took(&right);
    let about = "Equal values are one value, however their keys are ordered in the payload.";
    Case::new("equal-heads", about, &[&born, &let_in, &left, &right]).all()
}

/// A write of the place over `born` with a payload in this spelling.
fn spelled(device: &Device, born: replica::ChangeId, payload: &str) -> Change {
    let header = format!(
        r#"{{"v":1,"stream":"{}","device":"{}","n":1,"lamport":3,"at":1790000002000,"author":"张书记","action":"save","refs":["{born}"],"writes":[{{"record":"m1","kind":"meeting","path":"place","over":[0]}}],"payload":"{}","len":{}}}"#,
        device.stream.unwrap(),
        device.id,
        blake3::hash(payload.as_bytes()).to_hex(),
        payload.len(),
    );
    device.sign_raw(header.into_bytes(), payload.as_bytes()).verify().unwrap()
}

fn cleared() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let cleared = a.m1(&[("place", Value::Null, &[born.id])]);
    let other = b.m1(&[("place", json!("乙"), &[born.id])]);
    let about = "null clears, and is a value like others in a conflict.";
    Case::new("cleared", about, &[&born, &let_in, &cleared, &other]).given(&["0 1 2"]).all()
}

fn nearest_base() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let base = a.m1(&[("place", json!("近的"), &[born.id])]);
    let left = a.m1(&[("place", json!("甲"), &[base.id])]);
    let right = b.m1(&[("place", json!("乙"), &[base.id])]);
    let again = b.m1(&[("place", json!("乙二"), &[right.id])]);
    let about =
        "The base of a conflict is the nearest write that all heads supersede, at once or over others.";
    Case::new("nearest-base", about, &[&born, &let_in, &base, &left, &right, &again]).all()
}

fn no_single_base() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let left = a.m1(&[("place", json!("甲"), &[born.id])]);
    let right = b.m1(&[("place", json!("乙"), &[born.id])]);
    let one = a.m1(&[("place", json!("甲二"), &[left.id, right.id])]);
    let two = b.m1(&[("place", json!("乙二"), &[left.id, right.id]), ("topic", json!("无"), &[])]);
    let bare = a.m1(&[("topic", json!("有"), &[])]);
    let about = "No base where the heads supersede two different heads, or nothing in common.";
    Case::new("no-single-base", about, &[&born, &let_in, &left, &right, &one, &two, &bare]).all()
}

fn without_payload(change: &Change) -> RawChange {
    RawChange { payload: None, ..change.raw.clone() }
}

fn withheld_comes_later() -> Value {
    let Pair { mut a, born, let_in, .. } = pair();
    let secret = a.m1(&[("place", json!("乙"), &[born.id]), ("note", json!("不给别人看"), &[])]);
    let next = a.m1(&[("topic", json!("议题"), &[])]);
    let about = "A change whose payload is withheld keeps its place, and what it is over does not come back. Change 4 is \
                 change 2 with its payload, which fills it in whenever it comes.";
    Case::new("withheld-payload-comes-later", about, &[&born, &let_in])
        .and(without_payload(&secret))
        .and(next.raw)
        .and(secret.raw)
        .each()
        .given(&["0 1 2 3", "3 2 1 0"])
        .given(&["0 1 2 3 4", "4 3 2 1 0", "0 1 4 3", "0 1 4 2 3"])
        .finish()
}

fn withheld_side() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let left = a.m1(&[("place", json!("甲"), &[born.id])]);
    let right = b.m1(&[("place", json!("乙"), &[born.id])]);
    let about = "Withheld against a value is a conflict; withheld against withheld is withheld.";
    Case::new("withheld-side-of-a-conflict", about, &[&born, &let_in, &left])
        .and(without_payload(&left))
        .and(without_payload(&right))
        .each()
        .given(&["0 1 2 4"])
        .given(&["0 1 3 4"])
        .finish()
}
