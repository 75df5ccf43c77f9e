//! The search box and the lists.

use serde_json::json;
use store::{Order, Place, Query};

use crate::world::{World, fields, me, meeting, person};

fn world() -> World {
    let world = World::founded();
    for (id, name) in [("p1", "单田芳"), ("p2", "吕布"), ("p3", "尉迟敬德"), ("p4", "安宁"), ("p5", "欧阳修")]
    {
        world.create("person", id, &person(name));
    }
    let mut lecture = meeting("书记讲党课", "2026-03-05T09:00");
    lecture.insert("types".into(), json!(["lecture"]));
    lecture.insert("agenda/a1/speeches/s1/text".into(), json!("会上强调，要把纪律挺在前面。"));
    world.create("meeting", "m1", &lecture);
    world.create("meeting", "m2", &meeting("十月主题党日", "2026-10-13T14:00"));
    world.create("meeting", "m3", &meeting("年终总结", "2025-12-31T14:00"));
    world
}

#[test]
fn names_titles_and_text_are_found_in_one_box() {
    let world = world();
    let cases: &[(&str, &[&str])] = &[
        ("stf", &["p1"]),
        ("dtf", &["p1"]),
        ("shantianfang", &["p1"]),
        ("shant", &["p1"]),
        ("lvb", &["p2"]),
        ("lubu", &["p2"]),
        ("LB", &["p2"]),
        ("yu'chi", &["p3"]),
        ("yuchi jing", &["p3"]),
        ("oyx", &["p5"]),
        ("田芳", &["p1"]),
        ("布", &["p2"]),
        ("党课", &["m1"]),
        ("课", &["m1"]),
        ("书记讲党课", &["m1"]),
        ("党", &["m2", "m1", "m3", "p5", "p4", "p3", "p2", "p1"]),
        ("纪律", &["m1"]),
        ("律", &["m1"]),
        ("党课 纪律", &["m1"]),
        ("课会", &[]),
        ("主题党日", &["m2", "m3"]),
        ("379999196305240890", &[]),
        ("13900983959", &[]),
        ("，", &[]),
        ("", &[]),
    ];
    for (typed, wanted) in cases {
        let hits = world.store().search(typed, 10).unwrap();
        let found: Vec<&str> = hits.iter().map(|hit| hit.id.as_str()).collect();
        assert_eq!(&found, wanted, "{typed}");
    }
}

#[test]
fn a_hit_says_where_it_was_found() {
    let world = world();
    let place = |typed: &str| world.store().search(typed, 1).unwrap().remove(0);
    assert_eq!(place("oyx").place, Place::Name);
    assert_eq!(place("书记").place, Place::Title);
    let text = place("纪律");
    assert_eq!((text.place, text.excerpt.as_deref()), (Place::Text, Some("会上强调，要把纪律挺在前面。")));
    assert!(!format!("{text:?}").contains("纪律"), "nothing of a record in a log line");
}

#[test]
fn a_changed_word_is_found_and_the_old_one_is_not() {
    let world = world();
    world.put("person", "p4", "name", json!("安静"));
    assert_eq!(world.store().search("安宁", 10).unwrap(), []);
    assert_eq!(world.store().search("an", 10).unwrap()[0].id, "p4");
    assert_eq!(world.store().search("aj", 10).unwrap()[0].id, "p4");
}

#[test]
fn lists_are_filtered_sorted_and_paged() {
    let world = world();
    let ids = |query: &Query| -> Vec<String> {
        world.store().list(query).unwrap().rows.into_iter().map(|row| row.id).collect()
    };
    let meetings = Query::of("meeting");
    assert_eq!(ids(&meetings), ["m2", "m1", "m3"], "the newest first");
    assert_eq!(ids(&Query { order: Order::Oldest, ..meetings.clone() }), ["m3", "m1", "m2"]);
    let people = Query { order: Order::Title, ..Query::of("person") };
    assert_eq!(ids(&people), ["p4", "p2", "p5", "p1", "p3"], "an lü ou shan yu");
    let year =
        Query { from: Some("2025-01-01".into()), until: Some("2025-12-31".into()), ..meetings.clone() };
    assert_eq!(ids(&year), ["m3"], "a time on the last day counts");
    let lectures =
        Query { facets: vec![("types".into(), vec!["lecture".into(), "life".into()])], ..meetings.clone() };
    assert_eq!(ids(&lectures), ["m1"]);
    assert_eq!(ids(&Query { text: Some("dtf".into()), ..people.clone() }), ["p1"]);
    assert_eq!(ids(&Query { text: Some("，".into()), ..people.clone() }), Vec::<String>::new());
    let page = world.store().list(&Query { offset: 1, limit: Some(2), ..people }).unwrap();
    assert_eq!((page.rows.len(), page.rows[0].id.as_str(), page.total), (2, "p2", 5));
    assert_eq!(world.store().years("meeting").unwrap(), ["2026", "2025"]);
    let states = world.store().records(&lectures).unwrap();
    assert_eq!(states[0].value("title"), Some(&json!("书记讲党课")));
}

#[test]
fn secret_fields_are_in_no_list() {
    let world = world();
    for row in world.store().list(&Query::of("person")).unwrap().rows {
        assert!(!row.list.to_string().contains("139"), "{}", row.list);
        assert!(!format!("{row:?}").contains(&row.title));
    }
}

#[test]
fn a_ledger_that_exists_only_as_a_kind_file_is_listed_and_found() {
    let world = world();
    let promise = fields([
        ("person", json!("p1")),
        ("text", json!("帮助两名青年职工成长")),
        ("promised_on", json!("2026-01-20")),
        ("due", json!("2026-12-31")),
        ("state", json!("promised")),
    ]);
    world.store().write(&me(), "create", |w| w.create("promise", "c1", &promise)).unwrap();
    let row = world.store().list(&Query::of("promise")).unwrap().rows.remove(0);
    assert_eq!((row.title.as_str(), row.date.as_str()), ("帮助两名青年职工成长", "2026-01-20"));
    assert_eq!(world.store().search("青年", 10).unwrap()[0].id, "c1");
    let of_p1 = Query { facets: vec![("person".into(), vec!["p1".into()])], ..Query::of("promise") };
    assert_eq!(world.store().list(&of_p1).unwrap().total, 1);
}

/// A branch of which another computer wrote so much that its words are indexed afterwards.
fn taken_in_bulk() -> World {
    let here = World::founded();
    for at in 0..100 {
        here.create("meeting", &format!("b{at}"), &meeting(&format!("第{at}次学习"), "2026-10-13T14:00"));
    }
    here.second()
}

fn found(world: &World, typed: &str) -> Vec<String> {
    world.store().search(typed, 5).unwrap().into_iter().map(|hit| hit.id).collect()
}

#[test]
fn what_came_in_bulk_is_found_by_the_first_question() {
    let mut there = taken_in_bulk();
    there.reopen();
    assert_eq!(found(&there, "第42次"), ["b42"]);
    let query = Query { text: Some("第77次".into()), ..Query::of("meeting") };
    assert_eq!(there.store().list(&query).unwrap().total, 1);
}

#[test]
fn a_list_finds_what_came_in_bulk_and_a_record_that_was_changed_before_it_was_indexed_once() {
    let there = taken_in_bulk();
    there.put("meeting", "b42", "title", json!("改过的标题"));
    there.store().index_words().unwrap();
    let query = |text: &str| Query { text: Some(text.into()), ..Query::of("meeting") };
    assert_eq!(there.store().list(&query("第42次")).unwrap().total, 0, "its old title is gone");
    assert_eq!(there.store().list(&query("改过的标题")).unwrap().total, 1);
    assert_eq!(there.store().list(&query("学习")).unwrap().total, 100);
}
