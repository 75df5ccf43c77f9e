use crate::rule::issue;
use crate::town::{Laptop, START, Town, promise};
use replica::{Life, RawChange, Ruling, ruling_path};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use store::Author;
use wire::LARGEST_BUDGET;

#[test]
fn what_one_laptop_recorded_the_city_and_a_second_laptop_hold() {
    let town = Town::new();
    let a = Laptop::new(&town, "a");
    a.write_many("before", 5);
    let enrolment = a.enrol(&town, "O003").unwrap();
    assert_eq!(enrolment.reissue_from, None, "the city adopts the stream");
    let report = a.exchange().unwrap();
    assert_eq!(report.sent, 7, "five records, the founding, and the enrolment that nobody said the city has");
    a.agrees_with(&town);
    assert_eq!(
        a.store.receipts(9).unwrap().len() as u64,
        report.requests as u64,
        "every round here had news"
    );

    let b = Laptop::joined(&town, "b");
    assert_eq!(b.store.record("promise", "before3").unwrap().unwrap().value("text"), Some(&json!("第3条")));
    b.exchange().unwrap();
    b.agrees_with(&town);

    b.write("from-b", promise(1));
    b.exchange().unwrap();
    a.exchange().unwrap();
    a.agrees_with(&town);
    assert!(a.store.record("promise", "from-b").unwrap().is_some());
    // Two foundings are not both there: b's own stream never went out.
    town.holds(1 + 5 + 2 + 1);
}

#[test]
fn a_copied_laptop_loses_neither_side() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write_many("both", 3);
    a.exchange().unwrap();
    let copy = town.place.path().join("copy");
    copy_folder(&a.folder, &copy);
    let twin = Laptop {
        store: store::Store::open(&copy, crate::town::PASSWORD, a.sources.clone()).unwrap(),
        sources: a.sources.clone(),
        folder: copy,
    };
    a.write_many("first", 4);
    twin.write_many("second", 2);
    a.exchange().unwrap();
    twin.exchange().unwrap();
    a.exchange().unwrap();
    twin.exchange().unwrap();
    a.agrees_with(&town);
    twin.agrees_with(&town);
    assert!(a.store.record("promise", "second1").unwrap().is_some());
    assert!(twin.store.record("promise", "first3").unwrap().is_some());
    assert_ne!(a.store.device().unwrap(), twin.store.device().unwrap(), "each took an identity of its own");
    town.holds(2 + 3 + 4 + 2 + 2);
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten().filter(|entry| entry.file_name() != "lock") {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_clock_ten_years_off_works_on_the_second_try() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    let ten_years = 3653 * 24 * 60 * 60 * 1000;
    for off in [ten_years, -ten_years] {
        a.sources.0.store(START + off, Ordering::SeqCst);
        a.write(&format!("at{off}"), promise(1));
        town.line.passed();
        let report = a.exchange().unwrap();
        assert_eq!(report.clock_off, Some(-off));
        let statuses: Vec<String> = town.line.passed().iter().map(|it| status(&it.response)).collect();
        assert_eq!(statuses[0], "409", "the city does not believe the first");
        assert!(statuses[1..].iter().all(|status| status == "200"), "{statuses:?}");
        a.agrees_with(&town);
    }
}

fn status(response: &[u8]) -> String {
    String::from_utf8_lossy(&response[9..12]).into_owned()
}

#[test]
fn little_costs_little() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write_many("r", 3);
    a.exchange().unwrap();
    let mut engine = a.engine();
    let mut cost = || {
        town.line.passed();
        engine.exchange(&a.store).unwrap();
        let passed = town.line.passed();
        (passed.len(), passed.iter().map(|it| it.request.len() + it.response.len()).sum::<usize>())
    };
    let (requests, bytes) = cost();
    assert_eq!(requests, 1, "nothing new is one request");
    assert!(bytes <= 1024, "nothing new costs {bytes} B with headers");
    a.write("r1", json!({ "text": "改过的第一条" }));
    let (requests, bytes) = cost();
    assert_eq!(requests, 1, "one field is one request");
    assert!(bytes <= 1536, "one field costs {bytes} B with headers");
    a.agrees_with(&town);
}

#[test]
fn a_restored_city_is_healed_by_a_laptop() {
    let mut town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.exchange().unwrap();
    let database = town.place.path().join("city/db");
    let backup = town.place.path().join("backup");
    town.kill_and_start();
    copy_folder(&database, &backup);
    a.write_many("later", 4);
    a.exchange().unwrap();
    a.agrees_with(&town);

    std::fs::remove_dir_all(&database).unwrap();
    copy_folder(&backup, &database);
    town.kill_and_start();
    assert_eq!(town.city.check().unwrap().changes, 2, "the city forgot");
    a.exchange().unwrap();
    a.agrees_with(&town);
    town.holds(2 + 4);
}

#[test]
fn records_of_a_laptop_with_a_history_are_issued_again_once() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    let person = |name: &str| json!({ "name": name, "category": "member" });
    write(&a, "person", "pa", person("周海东"));
    a.exchange().unwrap();

    let b = Laptop::new(&town, "b");
    write(&b, "person", "pb", json!({ "name": "周海东", "category": "member", "sex": "m" }));
    write(&b, "person", "pc", person("李秀英"));
    write(&b, "promise", "m", json!({ "person": "pb", "text": "亮身份" }));
    b.write("m", json!({ "text": "亮身份，立责任区" }));
    let enrolment = b.enrol(&town, "O003").unwrap();
    assert!(enrolment.reissue_from.is_some(), "the city has a stream for this organisation");
    b.exchange().unwrap();
    let candidates = sync::candidates(&b.store).unwrap();
    let named: Vec<_> = candidates.iter().map(|it| (it.id.as_str(), it.there[0].0.as_str())).collect();
    assert_eq!(named, [("pb", "pa")], "only the person of the same name is asked about");

    let same = BTreeMap::from([("pb".to_owned(), "pa".to_owned())]);
    let origin = b.store.changes(&enrolment.reissue_from.unwrap()).unwrap();
    assert_eq!(
        sync::reissue(&b.store, &same, START, "zhd").unwrap(),
        4,
        "three of its own and the empty field"
    );
    assert_eq!(sync::reissue(&b.store, &same, START, "zhd").unwrap(), 0, "a second time nothing");
    b.exchange().unwrap();
    a.exchange().unwrap();
    for laptop in [&a, &b] {
        laptop.agrees_with(&town);
        let value = |kind: &str, id: &str, path: &str| {
            laptop.store.record(kind, id).unwrap().and_then(|it| it.value(path).cloned())
        };
        assert_eq!(
            value("promise", "m", "person"),
            Some(json!("pa")),
            "refers to the person that is the same"
        );
        assert_eq!(value("promise", "m", "text"), Some(json!("亮身份，立责任区")));
        assert_eq!(value("person", "pa", "sex"), Some(json!("m")), "the field that only b had");
        assert_eq!(value("person", "pc", "name"), Some(json!("李秀英")));
        assert_eq!(value("person", "pb", "name"), None, "not a second 周海东");
    }
    let issued = b.store.changes(&enrolment.stream).unwrap();
    let kept = origin.iter().filter(|old| {
        let old_id = old.id.to_string();
        let again = issued.iter().find(|new| new.header.origin.as_deref() == Some(&old_id));
        again.is_some_and(|new| new.header.at == old.header.at && new.header.author == old.header.author)
    });
    assert_eq!(kept.count(), 3, "time and author are those of the first time");
}

#[test]
fn groups_and_terms_of_the_same_branch_do_not_stand_twice() {
    let town = Town::new();
    let branch = |term: &str, group: &str, other: &str| {
        json!({ "name": "速达物流支部", "type": "branch", "records_since": "2026-09-01",
            format!("committee/{term}"): { "from": "2024-05-01", "seats": 3 },
            format!("groups/{group}/name"): "第一党小组", format!("groups/{group}/from"): "2024-05-01",
            format!("groups/{other}/name"): other, format!("groups/{other}/from"): "2024-05-01" })
    };
    let a = Laptop::enrolled(&town, "a");
    let person = |group: &str, item: &str| {
        json!({ "name": "周海东", "category": "member", format!("groups/{item}"): { "group": group, "from": "2024-05-01" },
            format!("memberships/{item}m"): {}, format!("posts/{item}p"): { "post": "secretary", "from": "2024-05-01" } })
    };
    write(&a, "organisation", "oa", branch("ta", "ga", "xa"));
    write(&a, "person", "pa", person("ga", "ia"));
    a.exchange().unwrap();
    let b = Laptop::new(&town, "b");
    write(&b, "organisation", "ob", branch("tb", "gb", "xb"));
    let in_group = json!({ "name": "李秀英", "category": "member", "groups/m": { "group": "gb", "from": "2024-05-01" } });
    write(&b, "person", "pb", in_group);
    write(&b, "person", "pz", person("gb", "iz"));
    b.enrol(&town, "O003").unwrap();
    b.exchange().unwrap();
    let same = [("ob", "oa"), ("pz", "pa")].map(|(here, there)| (here.to_owned(), there.to_owned()));
    sync::reissue(&b.store, &BTreeMap::from(same), START, "zhd").unwrap();
    b.exchange().unwrap();
    b.agrees_with(&town);
    let org = b.store.record("organisation", "oa").unwrap().unwrap();
    let paths: Vec<&str> = org.values().map(|(path, _)| path).filter(|path| path.contains('/')).collect();
    let one_term_three_groups = [
        "committee/ta",
        "groups/ga/from",
        "groups/ga/name",
        "groups/xa/from",
        "groups/xa/name",
        "groups/xb/from",
        "groups/xb/name",
    ];
    assert_eq!(paths, one_term_three_groups);
    let matched = b.store.record("person", "pa").unwrap().unwrap();
    let paths: Vec<&str> = matched.values().map(|(path, _)| path).filter(|path| path.contains('/')).collect();
    assert_eq!(paths, ["groups/ia", "memberships/iam", "posts/iap"], "each once");
    let person = b.store.record("person", "pb").unwrap().unwrap();
    assert_eq!(person.value("groups/m").unwrap()["group"], "ga", "in the group that is the same");
}

fn write(laptop: &Laptop, kind: &str, id: &str, fields: serde_json::Value) {
    let serde_json::Value::Object(fields) = fields else { panic!("fields are an object") };
    let fields = fields.into_iter().collect();
    laptop.store.write(&store::Author::new("zhd"), "save", |w| w.create(kind, id, &fields)).unwrap();
}

#[test]
fn a_change_with_fields_of_a_newer_program_goes_through_byte_for_byte() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    let stream = a.store.own_stream().unwrap().unwrap();
    issue(&a, &stream, "person", "p", "field_of_2031", json!({ "deep": [1, "二"] }));
    issue(&a, &stream, "kind_of_2031", "x", "anything", json!(true));
    a.exchange().unwrap();
    a.agrees_with(&town);
    let b = Laptop::joined(&town, "b");
    let bytes = |laptop: &Laptop| -> Vec<RawChange> {
        laptop.store.changes(&stream).unwrap().into_iter().map(|it| it.raw).collect()
    };
    let theirs = bytes(&b);
    assert!(
        bytes(&a).iter().all(|raw| theirs.contains(raw)),
        "header, signature and payload are the same bytes"
    );
}

/// Does not pack away.
fn noisy(name: &str, at: usize) -> serde_json::Value {
    let mut noise = [0; 600];
    blake3::Hasher::new().update(format!("{name}{at}").as_bytes()).finalize_xof().fill(&mut noise);
    let noise: String = noise.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "text": format!("第{at}条"), "evidence": noise, "promised_on": "2026-10-13" })
}

#[test]
fn what_lets_a_laptop_in_comes_before_what_it_wrote() {
    let town = Town::new();
    Laptop::enrolled(&town, "a").exchange().unwrap();
    for name in ["b", "c", "d"] {
        let laptop = Laptop::joined(&town, name);
        (0..60).for_each(|at| laptop.write(&format!("{name}{at}"), noisy(name, at)));
        laptop.exchange().unwrap();
    }
    let new = Laptop::enrolled(&town, "new");
    let folded: Arc<Mutex<BTreeMap<String, u32>>> = Arc::default();
    let counted = folded.clone();
    new.store.on_changed(Arc::new(move |touched| {
        for record in touched.records.iter().filter(|record| record.kind == "promise") {
            *counted.lock().unwrap().entry(record.id.clone()).or_default() += 1;
        }
    }));
    let mut engine = new.engine();
    engine.budget = wire::SMALLEST_BUDGET;
    assert!(engine.exchange(&new.store).unwrap().requests > 2);
    let folded = folded.lock().unwrap();
    assert_eq!(folded.len(), 180);
    assert!(folded.values().all(|times| *times == 1), "each record is folded once: {folded:?}");
}

#[test]
fn what_is_asked_ahead_is_used_and_goes_over_the_line_once() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write_many("r", 150);
    a.exchange().unwrap();
    let cost = |name, budget| {
        let laptop = Laptop::enrolled(&town, name);
        let mut engine = laptop.engine().with_budget(budget);
        town.line.passed();
        let report = engine.exchange(&laptop.store).unwrap();
        let passed = town.line.passed();
        assert!(report.received >= 150, "{} came", report.received);
        (passed.len(), passed.iter().map(|it| it.request.len() + it.response.len()).sum::<usize>())
    };
    let (few, at_once) = cost("b", LARGEST_BUDGET);
    let (many, in_parts) = cost("c", 2 * 1024);
    assert!(many >= few + 3, "{many} requests in small bodies, {few} in large ones");
    assert!(in_parts * 2 < at_once * 3, "{in_parts} B in small bodies, {at_once} B in large ones");
}

/// An author redacted, while the laptop was alone, what a record began with and what said why another was deleted.
#[test]
fn records_whose_words_were_redacted_begin_and_end_in_the_citys_stream_too() {
    let town = Town::new();
    Laptop::enrolled(&town, "first").exchange().unwrap();
    let late = Laptop::new(&town, "late");
    let record = |id: &str| late.store.record("promise", id).unwrap().unwrap();
    ["kept", "gone"].iter().for_each(|id| late.write(id, promise(1)));
    let began = record("kept").last.unwrap().change;
    late.write("kept", json!({ "text": "后来写的" }));
    late.remove("gone");
    for change in [began, record("gone").last.unwrap().change] {
        let (path, ruling) = (ruling_path(&change.to_string()[..32]), Ruling::Drop { change }.to_value());
        late.store.write(&Author::new("zhd"), "redact", |w| w.put_stream(&path, ruling.clone())).unwrap();
    }
    assert!(record("kept").is_live() && matches!(record("gone").life, Life::Gone { .. }));

    late.enrol(&town, "O003").unwrap();
    late.exchange().unwrap();
    sync::reissue(&late.store, &BTreeMap::new(), START, "zhd").unwrap();
    late.exchange().unwrap();
    assert!(record("kept").is_live());
    let values: Vec<_> = record("kept").values().map(|(path, _)| path.to_owned()).collect();
    assert_eq!(values, ["text"], "the rest is gone");
    assert!(matches!(record("gone").life, Life::Gone { .. }), "nothing rises again");
    late.agrees_with(&town);
}
