//! What the exchange asks of the log: what to send, what the city has, and changes issued again.

use std::collections::BTreeMap;

use replica::Frontier;
use serde_json::json;
use store::{Issue, IssueWrite, Outbox, Query, Sources, StoredReceipt};

use crate::world::{World, fields, me, meeting, person};

fn covered(world: &World, frontier: &Frontier, at: i64) {
    let receipt = StoredReceipt { at, body: b"signed".to_vec(), frontiers: b"ends".to_vec() };
    world
        .store()
        .put_receipt(Some(&receipt), &BTreeMap::from([(world.stream(), frontier.clone())]), &[])
        .unwrap();
}

#[test]
fn the_outbox_is_what_no_receipt_covers() {
    let world = World::founded();
    world.create("person", "p1", &person("张三"));
    let outbox = world.store().outbox().unwrap();
    assert_eq!(
        (outbox.changes, outbox.records),
        (2, 1),
        "the founding change is sent, but is no record of anybody"
    );
    assert!(outbox.bytes > 300);
    let frontier = world.store().frontier(&world.stream()).unwrap();
    covered(&world, &frontier, 100);
    assert_eq!(world.store().outbox().unwrap(), Outbox::default());
    world.put("person", "p1", "job", json!("会计"));
    world.create("person", "p2", &person("李四"));
    assert_eq!(world.store().count_records().unwrap(), (2, 0));
    let hit = |typed: &str| world.store().search(typed, 1).unwrap().remove(0);
    assert!(!hit("lisi").at_city && !hit("zhangsan").at_city);
    let unsent = Query { unsent: true, ..Query::of("person") };
    assert_eq!(world.store().list(&unsent).unwrap().total, 2);
    let later = world.store().frontier(&world.stream()).unwrap();
    covered(&world, &later, 200);
    let rows = world.store().list(&Query::of("person")).unwrap().rows;
    assert!(rows.iter().all(|row| row.at_city && row.received_at == Some(200)));
    assert!(hit("lisi").at_city);
    let history = world.store().history("person", "p1").unwrap();
    assert_eq!(history.iter().map(|entry| entry.received_at).collect::<Vec<_>>(), [Some(200), Some(100)]);
    assert_eq!(world.store().receipts(1).unwrap()[0].at, 200);
    assert_eq!(world.store().city_frontier(&world.stream()).unwrap(), later);
}

#[test]
fn what_came_of_a_chain_stays_reported_while_its_end_is_not_here() {
    let (writer, reader) = (World::founded(), World::founded_as(2));
    for at in 0..4 {
        writer.create("person", &format!("p{at}"), &person("张三"));
    }
    let city = BTreeMap::from([(writer.stream(), writer.store().frontier(&writer.stream()).unwrap())]);
    reader.store().join_stream(&writer.stream()).unwrap();
    let all = writer.all();
    let said = |at: i64, came: &[replica::ChangeId]| {
        let receipt = StoredReceipt { at, body: at.to_le_bytes().to_vec(), frontiers: b"ends".to_vec() };
        reader.store().put_receipt(Some(&receipt), &city, came).unwrap();
        reader.store().outbox().unwrap().changes
    };
    let first = reader.store().apply(&all[..2]).unwrap().new;
    assert_eq!(said(100, &first), 0, "half of it came");
    assert_eq!(said(200, &[]), 0, "the city says the same again, and nothing came");
    let second = reader.store().apply(&all[2..4]).unwrap().new;
    assert_eq!(said(300, &second), 0);
    reader.store().apply(&all[4..]).unwrap();
    assert_eq!(said(400, &[]), 0, "its end is here");
    let history = reader.store().history("person", "p0").unwrap();
    assert_eq!(history[0].received_at, Some(100), "the first receipt for it is the one that counts");
}

#[test]
fn a_restored_city_is_told_again() {
    let world = World::founded();
    world.create("person", "p1", &person("张三"));
    let early = world.store().frontier(&world.stream()).unwrap();
    world.create("person", "p2", &person("李四"));
    let late = world.store().frontier(&world.stream()).unwrap();
    covered(&world, &late, 100);
    covered(&world, &early, 200);
    assert_eq!(world.store().outbox().unwrap().changes, 1);
    covered(&world, &late, 300);
    let history = world.store().history("person", "p2").unwrap();
    assert_eq!(history[0].received_at, Some(100), "the earliest receipt stays");
}

#[test]
fn of_a_chain_with_two_ends_only_the_covered_one_is_reported() {
    let mut world = World::founded();
    world.create("person", "p1", &person("张三"));
    let copy = world.copy();
    world.create("person", "p2", &person("李四"));
    let one_end = world.store().frontier(&world.stream()).unwrap();
    copy.write(&me(), "create", |w| w.create("person", "p3", &person("王五"))).unwrap();
    let other: Vec<_> = copy.changes(&world.stream()).unwrap().into_iter().map(|change| change.raw).collect();
    world.store().apply(&other).unwrap();
    covered(&world, &one_end, 100);
    let reported = |id: &str| {
        let query = Query { id: Some(id.to_owned()), ..Query::of("person") };
        world.store().list(&query).unwrap().rows[0].at_city
    };
    assert!(reported("p1") && reported("p2") && !reported("p3"));
    assert_eq!(world.store().outbox().unwrap().changes, 1);
    let both = world.store().frontier(&world.stream()).unwrap();
    covered(&world, &both, 200);
    assert!(reported("p3"));
    assert_eq!(world.store().history("person", "p1").unwrap()[0].received_at, Some(100));
}

#[test]
fn an_empty_or_foreign_answer_covers_nothing() {
    let world = World::founded();
    world.create("person", "p1", &person("张三"));
    let foreign = World::founded_as(3);
    let elsewhere = foreign.store().frontier(&foreign.stream()).unwrap();
    for frontier in [Frontier::default(), elsewhere] {
        covered(&world, &frontier, 100);
        assert_eq!(world.store().outbox().unwrap().changes, 2);
    }
}

#[test]
fn changes_are_handed_out_within_a_budget_and_in_order() {
    let world = World::founded();
    for at in 0..10 {
        world.create("person", &format!("p{at}"), &person("张三"));
    }
    let device = world.store().device().unwrap();
    let mut after = 0;
    let mut sent = Vec::new();
    loop {
        let page =
            world.store().changes_after(&world.stream(), &BTreeMap::from([(device, after)]), 3000).unwrap();
        after += page.changes.len() as u64;
        assert!(!page.changes.is_empty(), "a budget that holds one change makes progress");
        sent.extend(page.changes);
        if !page.more {
            break;
        }
    }
    assert_eq!(sent, world.all());
    let ids = world.store().chain_ids(&world.stream(), &device, &[11, 10, 1, 99]).unwrap();
    assert_eq!(ids.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [11, 10, 1]);
    assert_eq!(world.store().founding(&world.stream()).unwrap().unwrap(), sent[0]);
}

/// The changes of a stream, to be issued again elsewhere.
fn issues(world: &World) -> Vec<Issue> {
    let changes = world.store().changes(&world.stream()).unwrap();
    let records = changes.iter().filter(|change| !change.touches("stream", "~stream"));
    records
        .map(|change| {
            let values = change.values.as_ref().unwrap();
            let writes = change.header.writes.iter().zip(values).map(|(head, value)| IssueWrite {
                record: head.record.clone(),
                kind: head.kind.clone(),
                path: head.path.clone(),
                value: value.clone(),
                over: change.header.over(head).collect(),
            });
            Issue {
                at: change.header.at,
                author: change.header.author.clone(),
                action: change.header.action.clone(),
                batch: None,
                origin: Some(change.id),
                writes: writes.collect(),
            }
        })
        .collect()
}

#[test]
fn records_are_issued_again_into_another_stream_once() {
    let city = World::founded_as(4);
    let world = World::founded();
    world.create("meeting", "m1", &meeting("会", "2026-10-13T14:00"));
    world.still.pass(5000);
    world.put("meeting", "m1", "place", json!("二楼"));
    world.store().write(&me(), "finalise", |w| w.finalise("meeting", "m1", json!({}))).unwrap();
    let issues = issues(&world);
    let path = format!("~device/{}", world.store().device().unwrap());
    city.store().write(&me(), "let in", |w| w.put_stream(&path, json!({"name": "一号"}))).unwrap();
    world.store().apply(&city.all()).unwrap();
    let made = world.store().issue(&city.stream(), &issues).unwrap();
    assert_eq!(made.len(), 3);
    assert_eq!(world.store().issue(&city.stream(), &issues).unwrap(), [], "issuing twice is issuing once");
    world.store().join_stream(&city.stream()).unwrap();
    let state = world.store().record("meeting", "m1").unwrap().unwrap();
    assert!(state.late.is_empty() && state.conflicts().next().is_none(), "what was over what is kept");
    assert_eq!(state.value("place"), Some(&json!("二楼")));
    assert_eq!(state.last.unwrap().at, world.still.now(), "the author's times are kept");
    assert_eq!(world.store().origins(&city.stream()).unwrap().len(), 3);
    world.put_place();
}

impl World {
    /// Writing goes on in the joined stream, at the end of the chain that issuing made.
    fn put_place(&self) {
        let with = fields([("place", json!("三楼"))]);
        self.store().write(&me(), "correct", |w| w.correct("meeting", "m1", &with, json!({}))).unwrap();
        let device = self.store().device().unwrap();
        let end = self.store().frontier(&self.stream()).unwrap().last(&device).unwrap();
        assert_eq!(end.0, 4);
    }
}

#[test]
fn a_new_identity_continues_after_an_introduction() {
    let world = World::founded();
    world.create("person", "p1", &person("张三"));
    let old = world.store().device().unwrap();
    let new = world.store().renew_identity(&me(), "办公室电脑").unwrap();
    assert_ne!(old, new);
    assert_eq!(world.store().device().unwrap(), new);
    let touched = world.create("person", "p2", &person("李四"));
    let change = world.store().change(&touched.changes[0]).unwrap().unwrap();
    assert_eq!((change.header.device, change.header.n), (new, 1));
    assert_eq!(world.store().list(&Query::of("person")).unwrap().total, 2, "the old key let the new one in");
}
