//! The whole file: a rebuild from the log gives what the steps gave, and so does another reader of the same log.

use replica::Replica;
use serde_json::json;

use crate::world::{World, fields, me, meeting, person};

#[test]
fn a_rebuild_changes_nothing() {
    let world = World::founded();
    for at in 0..20 {
        world.create(
            "meeting",
            &format!("m{at}"),
            &meeting("主题党日", &format!("2026-10-{:02}T14:00", at + 1)),
        );
        world.put("meeting", &format!("m{at}"), "place", json!(format!("{at} 楼")));
    }
    world.create("person", "p1", &person("单田芳"));
    world.store().write(&me(), "void", |w| w.remove("meeting", "m3", json!({}))).unwrap();
    let before = world.digests();
    let found = world.store().search("stf", 10).unwrap();
    assert_eq!(world.store().rebuild().unwrap(), 22, "with the stream's own record");
    assert_eq!(world.digests(), before);
    assert_eq!(world.store().search("stf", 10).unwrap(), found);
    assert_eq!(world.store().search("主题", 50).unwrap().len(), 19);
}

#[test]
fn the_digest_is_that_of_a_replica_in_memory() {
    let world = World::founded();
    let second = world.second();
    world.create("meeting", "m1", &meeting("会", "2026-10-13T14:00"));
    second.pull(&world);
    world.put("meeting", "m1", "place", json!("一楼"));
    second.put("meeting", "m1", "place", json!("二楼"));
    world.pull(&second);
    let mut replica = Replica::new(None);
    replica.insert(world.all().into_iter().map(|raw| raw.verify().unwrap()));
    assert_eq!(replica.state_digest(), world.digests().0);
}

#[test]
fn a_draft_and_its_commit_are_one() {
    let world = World::founded();
    world.store().set_draft("meeting", "m1", &json!({"title": "会"})).unwrap();
    let with = meeting("会", "2026-10-13T14:00");
    let touched = world
        .store()
        .write(&me(), "create", |w| {
            w.create("meeting", "m1", &with)?;
            w.put("meeting", "m1", &fields([("place", json!("二楼"))]))?;
            w.drop_draft("meeting", "m1")
        })
        .unwrap();
    assert_eq!(touched.drafts, [("meeting".to_owned(), "m1".to_owned())]);
    assert_eq!(world.store().drafts().unwrap(), []);
    assert_eq!(
        world.value("meeting", "m1", "place"),
        Some(json!("二楼")),
        "the second write of a path replaces the first"
    );
}
