//! Whatever others signed arrives byte for byte.

use proptest::prelude::*;
use replica::{RawChange, StreamId};
use serde_json::json;
use wire::{Request, Whole};

use crate::world::Device;

fn through(changes: &[RawChange]) -> Vec<RawChange> {
    let request =
        Request { streams: Vec::new(), budget: 1, presented: Vec::new(), changes: changes.to_vec() };
    let (back, whole) = Request::decode(&request.encode()).unwrap();
    assert_eq!(whole, Whole::Yes);
    back.changes
}

/// Changes of a program like this one, and what its header could look like from another.
fn history() -> Vec<RawChange> {
    let mut a = Device::new(1, None);
    let born = a.commit("meeting", "m1", &[("~born", json!(true), &[]), ("place", json!("甲"), &[])]);
    let mut b = Device::new(2, a.stream);
    let edit = b.commit("meeting", "m1", &[("place", json!("乙"), &[born.id]), ("topic", json!(null), &[])]);
    let next = a.commit(
        "unknown_kind",
        "r",
        &[("unknown/path", json!({"deep": [1, {"x": "y"}]}), &[edit.id, born.id])],
    );
    let mut c = Device::new(3, Some(StreamId([7; 32])));
    let other = c.commit("meeting", "m1", &[("place", json!("丙"), &[])]);
    let mut withheld = next.raw.clone();
    withheld.payload = None;
    let plain = String::from_utf8(next.raw.header.clone()).unwrap();
    let payload = next.raw.payload.clone();
    let variants = [
        plain.replace("\"v\":1", "\"v\":2"),
        plain.replace("\"author\"", "\"seal\":{\"a\":[1]},\"author\""),
        plain.replace("\"kind\"", "\"weight\":3,\"kind\""),
        plain.replace(':', " : "),
        plain.replace("\"len\":", "\"len\":9"),
        plain.replace("\"at\":", "\"at\":1.5,\"at\":"),
        plain.replace("张", "\\u5f20"),
        "not json at all \u{0}".to_string(),
        String::new(),
    ];
    let mut all = vec![born.raw, edit.raw, next.raw, other.raw, withheld];
    all.extend(variants.map(|header| a.sign_raw(header.into_bytes(), payload.clone())));
    all.push(a.sign_raw(vec![0xFF, 0xFE, 0], None));
    all
}

#[test]
fn unknown_kinds_fields_versions_and_broken_bytes_survive() {
    let all = history();
    assert_eq!(through(&all), all);
    let backwards: Vec<RawChange> = all.iter().rev().cloned().collect();
    assert_eq!(through(&backwards), backwards);
}

/// Which of two devices writes, values by path, and the change that it is over.
type Plan = (bool, Vec<(u8, String)>, Option<u8>);

/// Changes of two devices over each other.
fn written(plan: &[Plan]) -> Vec<RawChange> {
    let mut devices = [Device::new(1, None), Device::new(2, Some(StreamId([9; 32])))];
    let mut all: Vec<(RawChange, replica::ChangeId)> = Vec::new();
    for (first, fields, over) in plan {
        let device = &mut devices[usize::from(*first)];
        let over: Vec<_> =
            over.iter().filter_map(|index| all.get(usize::from(*index)).map(|(_, id)| *id)).collect();
        let mut named: Vec<(String, serde_json::Value)> = Vec::new();
        for (path, value) in fields {
            if !named.iter().any(|(known, _)| known == &format!("p{path}/x")) {
                named.push((format!("p{path}/x"), json!(value)));
            }
        }
        let writes: Vec<_> =
            named.iter().map(|(path, value)| (path.as_str(), value.clone(), &over[..])).collect();
        let change = device.commit("meeting", &format!("m{}", fields.len()), &writes);
        all.push((change.raw, change.id));
    }
    all.into_iter().map(|(raw, _)| raw).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn every_change_comes_back(
        plan in proptest::collection::vec(
            (any::<bool>(), proptest::collection::vec((any::<u8>(), "[ -~一-龥]{0,20}"), 0..6), proptest::option::of(0..20u8)),
            0..30,
        ),
        drop in any::<u64>(),
        turn in any::<usize>(),
    ) {
        let mut all = written(&plan);
        for (index, raw) in all.iter_mut().enumerate() {
            if drop >> (index % 64) & 7 == 0 {
                raw.payload = None;
            }
        }
        let turn = turn % all.len().max(1);
        all.rotate_left(turn);
        all.extend(all.clone());
        prop_assert_eq!(through(&all), all);
    }

    #[test]
    fn broken_bodies_are_refused_or_read_and_never_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        at in any::<usize>(),
        bit in 0..8u8,
    ) {
        let _ = Request::decode(&bytes);
        let _ = Request::decode(&[&[0], &bytes[..]].concat());
        let mut body = Request { streams: Vec::new(), budget: 1, presented: Vec::new(), changes: history() }.encode();
        let at = at % body.len();
        body[at] ^= 1 << bit;
        let _ = Request::decode(&body);
        let mut plain = [&[0u8][..], &zstd::decode_all(&Request { streams: Vec::new(), budget: 1, presented: Vec::new(), changes: history() }.encode()[1..]).unwrap()].concat();
        let at = at % plain.len();
        plain[at] ^= 1 << bit;
        let _ = Request::decode(&plain);
    }
}
