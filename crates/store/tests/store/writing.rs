//! One user action: what it writes, what it refuses, and what is there afterwards.

use std::sync::{Arc, Mutex};

use replica::{Closing, Life};
use serde_json::{Value, json};
use store::{ClosingCode, LifeCode, Query, StoreError, Touched};

use crate::world::{World, fields, me, meeting, person};

#[test]
fn without_a_stream_nothing_is_written() {
    let world = World::new();
    let refused = world
        .store()
        .write(&me(), "create", |w| w.create("meeting", "m1", &meeting("会", "2026-10-13T14:00")));
    assert!(matches!(refused, Err(StoreError::NoStream)));
    world.store().found(&me(), "办公室电脑").unwrap();
    assert!(matches!(world.store().found(&me(), "再来一次"), Err(StoreError::HasStream)));
}

#[test]
fn a_record_is_there_after_the_commit_and_after_reopening() {
    let mut world = World::founded();
    let touched = world.create("meeting", "m1", &meeting("十月主题党日", "2026-10-13T14:00"));
    assert_eq!(touched.changes.len(), 1, "one action is one change");
    assert_eq!(touched.records.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["m1"]);
    world.reopen();
    let state = world.store().record("meeting", "m1").unwrap().unwrap();
    assert!(state.is_live());
    assert_eq!(state.value("place"), Some(&json!("三楼会议室")));
    let row = &world.store().list(&Query::of("meeting")).unwrap().rows[0];
    assert_eq!(
        (row.title.as_str(), row.date.as_str(), row.date_end.as_str()),
        ("十月主题党日", "2026-10-13T14:00", "2026-10-13T17:30")
    );
    assert_eq!(row.list["types"], json!(["theme_day"]));
    assert_eq!(
        (row.life, row.closing, row.conflicts, row.at_city),
        (LifeCode::Live, ClosingCode::Open, 0, false)
    );
}

#[test]
fn only_what_differs_is_written() {
    let world = World::founded();
    world.create("meeting", "m1", &meeting("十月主题党日", "2026-10-13T14:00"));
    let same = world
        .store()
        .write(&me(), "edit", |w| w.put("meeting", "m1", &meeting("十月主题党日", "2026-10-13T14:00")));
    assert!(same.unwrap().is_nothing(), "no change for no difference");
    let cleared =
        world.store().write(&me(), "edit", |w| w.put("meeting", "m1", &fields([("theme", Value::Null)])));
    assert!(cleared.unwrap().is_nothing(), "nothing to clear");
    let touched = world.put("meeting", "m1", "place", json!("二楼"));
    let change = world.store().change(&touched.changes[0]).unwrap().unwrap();
    assert_eq!(change.header.writes.len(), 1);
    assert_eq!(change.header.refs.len(), 1, "over the one head that it saw");
}

#[test]
fn a_second_creation_of_one_id_is_refused() {
    let world = World::founded();
    world.create("person", "p1", &person("张三"));
    let again = world.store().write(&me(), "create", |w| w.create("person", "p1", &person("李四")));
    assert!(matches!(again, Err(StoreError::RecordExists { .. })));
    let nobody = world.store().write(&me(), "edit", |w| w.put("person", "p2", &person("李四")));
    assert!(matches!(nobody, Err(StoreError::NoRecord { .. })));
}

#[test]
fn bad_values_name_their_path_and_change_nothing() {
    let world = World::founded();
    world.create("person", "p1", &person("张三"));
    let before = world.digests();
    let cases = [
        ("category", json!("boss"), "not_a_choice"),
        ("joined", json!("2026-02-30"), "not_a_date"),
        ("name", json!("名".repeat(61)), "too_long"),
        ("name", json!("文".repeat(3_500_000)), "too_long"),
        ("nickname", json!("小张"), "unknown_field"),
    ];
    for (path, value, code) in cases {
        let draft = json!({"kept": false});
        let refused = world.store().write(&me(), "edit", |w| {
            w.set_draft("person", "p1", &draft)?;
            w.put("person", "p1", &fields([("job", json!("会计")), (path, value)]))
        });
        match refused {
            Err(error @ StoreError::BadValue { .. }) => {
                let text = error.to_string();
                assert!(text.contains(path) && text.contains(code), "{text}");
                assert!(
                    text.len() < 200 && !text.contains("文文") && !text.contains("小张"),
                    "no values: {text}"
                );
            }
            other => panic!("{path}: {other:?}"),
        }
    }
    assert_eq!(world.digests(), before);
    assert_eq!(world.store().drafts().unwrap(), [], "the draft was part of the same action");
}

#[test]
fn a_change_that_no_exchange_could_carry_is_refused() {
    let world = World::founded();
    let many: Vec<(String, Value)> =
        (0..100).map(|at| (format!("agenda/a{at}/speeches/s1/text"), json!("议".repeat(1000)))).collect();
    let mut with = meeting("会", "2026-10-13T14:00");
    with.extend(many);
    let refused = world.store().write(&me(), "create", |w| w.create("meeting", "m1", &with));
    assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
    assert_eq!(world.store().record("meeting", "m1").unwrap(), None);
}

#[test]
fn what_the_caller_refuses_leaves_no_trace() {
    let world = World::founded();
    let before = world.digests();
    let refused = world.store().write(&me(), "create", |w| {
        w.create("meeting", "m1", &meeting("会", "2026-10-13T14:00"))?;
        w.drop_draft("meeting", "m1")?;
        Err(StoreError::Abandoned("E-finding".to_owned()))
    });
    assert!(matches!(refused, Err(StoreError::Abandoned(_))));
    assert_eq!(world.digests(), before);
}

#[test]
fn closing_covers_and_only_a_correction_changes_it() {
    let world = World::founded();
    world.create("meeting", "m1", &meeting("十月主题党日", "2026-10-13T14:00"));
    let with = fields([("place", json!("二楼"))]);
    world
        .store()
        .write(&me(), "finalise", |w| {
            w.put("meeting", "m1", &with)?;
            w.finalise("meeting", "m1", json!({"number": "1"}))
        })
        .unwrap();
    let state = world.store().record("meeting", "m1").unwrap().unwrap();
    assert!(matches!(state.closing, Closing::Final { .. }) && state.late.is_empty());
    let edit = fields([("place", json!("一楼"))]);
    let refused = world.store().write(&me(), "edit", |w| w.put("meeting", "m1", &edit));
    assert!(matches!(refused, Err(StoreError::Closed { .. })));
    world
        .store()
        .write(&me(), "correct", |w| w.correct("meeting", "m1", &edit, json!({"why": "笔误"})))
        .unwrap();
    let state = world.store().record("meeting", "m1").unwrap().unwrap();
    assert_eq!(state.value("place"), Some(&json!("一楼")));
    assert!(matches!(state.closing, Closing::Final { .. }) && state.late.is_empty());
    assert_eq!(
        world
            .store()
            .list(&Query { closing: vec![ClosingCode::Final], ..Query::of("meeting") })
            .unwrap()
            .total,
        1
    );
    assert_eq!(world.store().history("meeting", "m1").unwrap().len(), 3);
}

#[test]
fn removed_records_leave_the_list_and_come_back() {
    let world = World::founded();
    world.create("meeting", "m1", &meeting("十月主题党日", "2026-10-13T14:00"));
    world.store().write(&me(), "void", |w| w.remove("meeting", "m1", json!({"reason": "重复"}))).unwrap();
    assert!(matches!(world.store().record("meeting", "m1").unwrap().unwrap().life, Life::Gone { .. }));
    assert_eq!(world.store().list(&Query::of("meeting")).unwrap().total, 0);
    assert_eq!(world.store().search("主题党日", 10).unwrap(), []);
    assert_eq!(
        world.store().list(&Query { life: vec![LifeCode::Gone], ..Query::of("meeting") }).unwrap().total,
        1
    );
    world.store().write(&me(), "restore", |w| w.restore("meeting", "m1")).unwrap();
    assert_eq!(world.store().list(&Query::of("meeting")).unwrap().total, 1);
    assert_eq!(world.store().search("主题党日", 10).unwrap().len(), 1);
}

#[test]
fn a_removed_item_takes_its_fields_with_it() {
    let world = World::founded();
    world.create("meeting", "m1", &meeting("会", "2026-10-13T14:00"));
    world.put("meeting", "m1", "agenda/a1/~gone", json!({"reason": "removed"}));
    assert_eq!(world.value("meeting", "m1", "agenda/a1/topic"), None);
    assert_eq!(world.store().search("四中全会", 10).unwrap(), [], "nor is it found");
}

#[test]
fn listeners_are_told_after_the_commit_and_not_of_a_failure() {
    let world = World::founded();
    let heard: Arc<Mutex<Vec<Touched>>> = Arc::default();
    let copy = heard.clone();
    world.store().on_changed(Arc::new(move |touched| copy.lock().unwrap().push(touched.clone())));
    world.create("person", "p1", &person("张三"));
    let refused =
        world.store().write(&me(), "edit", |w| w.put("person", "p1", &fields([("category", json!("boss"))])));
    refused.unwrap_err();
    world.store().set_draft("meeting", "m9", &json!({})).unwrap();
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0].records[0].id, "p1");
    assert_eq!(heard[1].drafts, [("meeting".to_owned(), "m9".to_owned())]);
}

#[test]
fn a_listener_may_read_and_write() {
    let world = World::founded();
    let store = Arc::new(world.store.expect("open"));
    let seen = Arc::new(Mutex::new(None));
    let (inner, copy) = (Arc::downgrade(&store), seen.clone());
    store.on_changed(Arc::new(move |touched| {
        if let Some(store) = inner.upgrade().filter(|_| !touched.records.is_empty()) {
            *copy.lock().unwrap() = store.record("person", "p1").unwrap();
            store.set_meta("seen", "1").unwrap();
        }
    }));
    store.write(&me(), "create", |w| w.create("person", "p1", &person("张三"))).unwrap();
    assert!(seen.lock().unwrap().is_some(), "what a listener reads is committed");
}

#[test]
fn two_threads_write_one_chain() {
    let world = World::founded();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let world = &world;
            scope.spawn(move || {
                for at in 0..10 {
                    world.create("person", &format!("p-{thread}-{at}"), &person("张三"));
                }
            });
        }
    });
    let changes = world.store().changes(&world.stream()).unwrap();
    assert_eq!(changes.len(), 41);
    assert!(
        changes.iter().enumerate().all(|(at, change)| change.header.n == at as u64 + 1),
        "one chain, no fork"
    );
    assert_eq!(world.store().frontier(&world.stream()).unwrap().forked().count(), 0);
}

#[test]
fn what_arrived_after_a_page_was_shown_stands_beside_what_is_saved_from_it() {
    let first = World::founded();
    first.create("organisation", "o1", &fields([("name", json!("支部")), ("groups/g1/name", json!("一组"))]));
    let second = first.second();
    let seen = first.store().record("organisation", "o1").unwrap().unwrap().seen();
    second.put("organisation", "o1", "name", json!("那边的"));
    second.put("organisation", "o1", "groups/g1/name", json!("二组"));
    first.pull(&second);
    let typed =
        fields([("name", json!("这边的")), ("superior", json!("上级")), ("groups/g1/~gone", json!({}))]);
    let save = |w: &mut store::Write| w.put_over_seen("organisation", "o1", &typed, &seen);
    first.store().write(&me(), "save", save).unwrap();
    let state = first.store().record("organisation", "o1").unwrap().unwrap();
    assert_eq!(state.conflicts().collect::<Vec<_>>(), ["name"], "neither replaced the other");
    assert_eq!(state.value("superior"), Some(&json!("上级")));
    let life = state.items["groups/g1"].life.clone();
    assert!(matches!(life, Some(Life::Contested { .. })), "removed here, edited there: {life:?}");

    let seen = state.seen();
    first.store().write(&me(), "save", |w| w.put_over_seen("organisation", "o1", &typed, &seen)).unwrap();
    let state = first.store().record("organisation", "o1").unwrap().unwrap();
    assert_eq!(state.value("name"), Some(&json!("这边的")), "who saw both decides");
    assert!(matches!(state.items["groups/g1"].life, Some(Life::Gone { .. })));
}

#[test]
fn records_whose_times_overlap_are_found() {
    let world = World::founded();
    for (id, start) in [("a", "2026-10-13T14:00"), ("b", "2026-10-13T15:00"), ("c", "2026-10-14T14:00")] {
        world.create("meeting", id, &meeting("会", start));
    }
    let pair = |a: &str, b: &str| vec![(a.to_owned(), b.to_owned())];
    assert_eq!(world.store().overlapping("meeting").unwrap(), pair("a", "b"));
    world.put("meeting", "b", "time", json!({"start": "2026-10-14T13:00", "end": "2026-10-14T14:00"}));
    assert_eq!(world.store().overlapping("meeting").unwrap(), [], "one ends when the other begins");
    world.put("meeting", "b", "time", json!({"start": "2026-10-14T14:00", "end": "2026-10-14T14:30"}));
    assert_eq!(world.store().overlapping("meeting").unwrap(), pair("b", "c"));
    world.store().write(&me(), "delete", |w| w.remove("meeting", "c", json!({}))).unwrap();
    assert_eq!(world.store().overlapping("meeting").unwrap(), []);
}
