use super::{Closings, Open, Plan, open, plan};
use crate::values::kind;
use replica::RecordState;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn id(letter: char) -> String {
    letter.to_string().repeat(64)
}

fn meta(letter: char) -> Value {
    json!({ "change": id(letter), "lamport": 1, "at": 0, "author": "a", "device": id('d'), "action": "save" })
}

fn head(letter: char, value: Value) -> Value {
    json!({ "meta": meta(letter), "value": value })
}

/// A folded meeting with these parts.
fn state(parts: Value) -> RecordState {
    let mut whole = json!({
        "kind": "meeting", "id": "m1", "life": { "is": "live" }, "closing": { "is": "open" }, "fields": {}, "items": {},
        "late": [], "born": null, "last": null, "ignored": [], "life_heads": [], "final_heads": [], "hidden": {},
    });
    for (name, part) in parts.as_object().expect("parts") {
        whole[name] = part.clone();
    }
    RecordState::from_bytes(whole.to_string().as_bytes()).expect("a state")
}

fn closed() -> Value {
    json!({ "is": "final", "change": meta('f'), "value": {} })
}

fn one(value: Value) -> Value {
    json!({ "is": "one", "value": value, "by": [id('a')] })
}

fn conflict(values: &[Value]) -> Value {
    let heads: Vec<Value> =
        values.iter().zip("bcde".chars()).map(|(value, at)| head(at, value.clone())).collect();
    json!({ "is": "conflict", "heads": heads })
}

fn contested() -> Value {
    json!({ "is": "contested", "gone": [id('b')], "against": [id('c')] })
}

fn late(path: &str, value: Value) -> Value {
    json!({ "path": path, "meta": meta('e'), "value": value })
}

fn decided(state: &RecordState, key: &str, takes: &[u32]) -> Option<Plan> {
    let decisions = BTreeMap::from([(key.to_owned(), takes.to_vec())]);
    plan(state, kind("meeting"), &Closings::new(), &decisions)
}

#[test]
fn everything_that_waits_is_found_once() {
    let base = json!({ "is": "conflict", "heads": [head('b', json!("一改。二。")), head('c', json!("一。二改。"))], "base": "一。二。" });
    let item = json!({ "life": contested(), "closing": { "is": "open" }, "heads": [] });
    let cases = [
        (json!({}), vec![]),
        (json!({ "fields": { "place": conflict(&[json!("东"), json!("西")]) } }), vec!["place"]),
        (json!({ "fields": { "summary": base } }), vec![]),
        (json!({ "fields": { "summary": conflict(&[json!("一"), json!("二")]) } }), vec!["summary"]),
        (json!({ "life": contested() }), vec!["~life"]),
        (
            json!({ "life": { "is": "gone", "by": [] }, "fields": { "place": conflict(&[json!("东"), json!("西")]) } }),
            vec![],
        ),
        (json!({ "items": { "agenda/a": item } }), vec!["agenda/a/~life"]),
        (
            json!({ "closing": { "is": "final_conflict", "changes": [id('b'), id('c')] },
                    "fields": { "number": conflict(&[json!("A01"), json!("B01")]) } }),
            vec!["~final"],
        ),
        (
            json!({ "closing": closed(), "fields": { "place": one(json!("东")), "agenda/a/topic": one(json!("学习")) },
                    "late": [late("place", json!("西")), late("agenda/a/topic", json!("讨论")),
                             late("agenda/b/topic", json!("补")), late("agenda/b/resolution", json!("同意"))] }),
            vec!["~late/agenda/b/~", "~late/agenda/a/topic", "~late/place"],
        ),
    ];
    for (parts, expected) in cases {
        let state = state(parts.clone());
        let found: Vec<String> = open(&state, kind("meeting")).iter().map(Open::key).collect();
        assert_eq!(found, expected, "{parts}");
    }
}

#[test]
fn a_decision_becomes_writes() {
    let field = state(json!({ "fields": { "place": conflict(&[json!("东"), json!("西"), Value::Null]) } }));
    let text = state(json!({ "fields": { "summary": conflict(&[json!("一"), json!("二"), json!("一")]) } }));
    let item = json!({ "life": contested(), "closing": { "is": "open" }, "heads": [] });
    let item = state(json!({ "items": { "agenda/a": item } }));
    let late_ones = state(json!({ "closing": closed(),
        "fields": { "place": one(json!("东")), "summary": one(json!("一")), "agenda/a/topic": one(json!("学习")) },
        "late": [late("place", json!("西")), late("summary", json!("二")), late("agenda/a/~gone", json!({})),
                 late("agenda/b/topic", json!("补"))] }));
    let cases: [(&RecordState, &str, &[u32], Value, bool); 15] = [
        (&field, "place", &[0], json!({ "place": "东" }), false),
        (&field, "place", &[1], json!({ "place": "西" }), false),
        (&field, "place", &[2], json!({ "place": null }), false),
        (&text, "summary", &[3], json!({ "summary": "一\n二" }), false),
        (&item, "agenda/a/~life", &[0], json!({ "agenda/a/~born": true }), false),
        (&item, "agenda/a/~life", &[1], json!({ "agenda/a/~gone": {} }), false),
        (&late_ones, "~late/place", &[0], json!({ "place": "东" }), true),
        (&late_ones, "~late/place", &[1], json!({ "place": "西" }), true),
        (&late_ones, "~late/summary", &[2], json!({ "summary": "一\n二" }), true),
        (&late_ones, "~late/agenda/a/~gone", &[0], json!({ "agenda/a/~born": true }), true),
        (&late_ones, "~late/agenda/a/~gone", &[1], json!({ "agenda/a/~gone": {} }), true),
        (&late_ones, "~late/agenda/b/~", &[0], json!({ "agenda/b/topic": null }), true),
        (&late_ones, "~late/agenda/b/~", &[1], json!({ "agenda/b/topic": "补" }), true),
        (&field, "place", &[0], json!({ "place": "东" }), false),
        (&text, "summary", &[1], json!({ "summary": "二" }), false),
    ];
    for (state, key, takes, fields, closes) in cases {
        let plan = decided(state, key, takes).unwrap_or_else(|| panic!("{key} {takes:?}"));
        assert_eq!((json!(plan.fields), plan.closes, plan.stays), (fields, closes, None), "{key} {takes:?}");
    }
}

#[test]
fn what_becomes_of_the_record_goes_before_its_fields() {
    let torn =
        state(json!({ "life": contested(), "fields": { "place": conflict(&[json!("东"), json!("西")]) } }));
    let both = |life: u32| {
        let decisions = [("~life".to_owned(), vec![life]), ("place".to_owned(), vec![1])].into();
        plan(&torn, kind("meeting"), &Closings::new(), &decisions).expect("it fits")
    };
    assert_eq!((both(0).stays, json!(both(0).fields)), (Some(true), json!({ "place": "西" })));
    assert_eq!((both(1).stays, json!(both(1).fields)), (Some(false), json!({})));
    let closed = state(json!({ "life": contested(), "closing": closed() }));
    assert!(!decided(&closed, "~life", &[0]).expect("it fits").closes, "that it stays is no 更正");
}

#[test]
fn of_two_closings_one_stands_with_all_that_it_closed() {
    let twice = state(json!({
        "closing": { "is": "final_conflict", "changes": [id('b'), id('c')] },
        "fields": { "number": conflict(&[json!("A01"), json!("B01")]), "place": one(json!("西")),
                    "agenda/a/topic": one(json!("学习")), "theme": conflict(&[json!("一"), json!("二")]) },
    }));
    let fields = |values: Value| values.as_object().expect("an object").clone().into_iter().collect();
    let ids: Vec<replica::ChangeId> =
        [id('b'), id('c')].iter().map(|id| serde_json::from_value(json!(id)).expect("an id")).collect();
    let closings: Closings = [
        (ids[0], fields(json!({ "number": "A01", "place": "东" }))),
        (ids[1], fields(json!({ "number": "B01", "place": "西", "agenda/a/topic": "学习", "theme": "二" }))),
    ]
    .into();
    let stands = |take: u32| {
        let decisions = [("~final".to_owned(), vec![take])].into();
        let plan = plan(&twice, kind("meeting"), &closings, &decisions).expect("it fits");
        assert!(plan.closes);
        json!(plan.fields)
    };
    let first = json!({ "number": "A01", "place": "东", "theme": null, "agenda/a/~gone": {} });
    assert_eq!(stands(0), first);
    assert_eq!(stands(1), json!({ "number": "B01", "theme": "二" }));
}

#[test]
fn a_decision_that_does_not_fit_writes_nothing() {
    let field = state(json!({ "fields": { "place": conflict(&[json!("东"), json!("西")]) } }));
    let withheld = json!({ "is": "conflict", "heads": [{ "meta": meta('b') }, head('c', json!("西"))] });
    let withheld = state(json!({ "fields": { "place": withheld } }));
    let cases: [(&RecordState, &str, &[u32]); 6] = [
        (&field, "place", &[2]),
        (&field, "place", &[]),
        (&field, "place", &[0, 1]),
        (&field, "title", &[0]),
        (&field, "~life", &[0]),
        (&withheld, "place", &[0]),
    ];
    for (state, key, takes) in cases {
        assert_eq!(decided(state, key, takes), None, "{key} {takes:?}");
    }
    assert_eq!(
        plan(&field, kind("meeting"), &Closings::new(), &BTreeMap::new()),
        None,
        "nothing was decided"
    );
}
