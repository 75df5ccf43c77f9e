//! One event that two computers recorded, and forms that stood open while something arrived.

use crate::conflicts::{exchanged, listed, matter, page, says, taking};
use crate::reporting::{City, form, two_computers};
use crate::world::{Laptop, findings, text};
use app::Code;
use serde_json::{Value, json};

/// One event, recorded on both computers before they met.
fn recorded_twice(city: &City) -> (Laptop, Laptop, String, String) {
    let (first, second, _) = two_computers(city);
    let typed = |extra: Value| {
        let mut form = form();
        form["date"] = json!("2026-10-12");
        for (name, value) in extra.as_object().expect("fields") {
            form[name] = value.clone();
        }
        form
    };
    let agenda = |id: &str, topic: &str| json!([{ "id": id, "topic": topic }]);
    let here = json!({ "title": "这边记的", "summary": "小结一。", "agenda": agenda("a1", "学习") });
    let there = json!({ "title": "那边记的", "start": "15:00", "end": "17:00", "theme": "主题", "summary": "小结二。", "agenda": agenda("b1", "讨论") });
    let (one, _) = crate::world::record(&first, &typed(here));
    let (other, _) = crate::world::record(&second, &typed(there));
    exchanged(&first, &second);
    (first, second, one, other)
}

#[test]
fn one_event_on_two_records_counts_once_and_one_of_them_goes() {
    let city = City::new();
    let (first, second, one, other) = recorded_twice(&city);
    for laptop in [&first, &second] {
        let rows = listed(laptop);
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(
            (&rows[0]["id"], &rows[0]["other"]),
            (&json!(one), &json!(other)),
            "the earlier one first"
        );
        let page = page(laptop, &one);
        let overlap = findings(&page["derived"], "overlapping_records");
        assert_eq!(
            (overlap[0]["severity"].as_str(), &overlap[0]["params"]["record"]),
            (Some("E"), &json!(other))
        );
    }
    let met = |laptop: &Laptop| crate::world::duties(laptop, "2026-10", "F5")[0]["met_by"].clone();
    assert_eq!(met(&first).as_array().map(Vec::len), Some(2), "that day's and the other day's, not three");

    let pair = json!({ "keep": one, "other": other });
    let shown = first.call("same_event_card", pair.clone());
    assert_eq!((&shown["duty"], &shown["correction"]), (&json!("theme_day"), &json!(false)));
    assert_eq!((&shown["keep"]["here"], &shown["other"]["here"]), (&json!(true), &json!(false)));
    let keys: Vec<String> =
        shown["matters"].as_array().unwrap().iter().map(|matter| text(&matter["key"])).collect();
    assert_eq!(keys, ["summary", "theme", "time", "title", "agenda/b1/~"]);
    let request = json!({ "keep": one, "other": other, "seen": shown["seen"], "merge": true, "reason": "",
        "decisions": [{ "key": "title", "takes": [1] }] });
    let mut stale = request.clone();
    stale["seen"] = json!("");
    first.refused_as("settle_same_event", stale, Code::Changed);
    first.call("settle_same_event", request);
    exchanged(&first, &second);
    for laptop in [&first, &second] {
        laptop.refused_as("get_meeting", json!({ "id": other }), Code::NotFound);
        assert!(listed(laptop).is_empty());
        let form = page(laptop, &one)["form"].clone();
        assert_eq!(
            (&form["title"], &form["theme"], &form["start"]),
            (&json!("那边记的"), &json!("主题"), &json!("14:00"))
        );
        assert_eq!(form["summary"], "小结一。\n小结二。");
        assert_eq!(form["agenda"].as_array().map(Vec::len), Some(2));
        laptop.refused_as("same_event_card", pair.clone(), Code::NotFound);
    }
    let undone = first.call("undelete_meeting", json!({ "id": other }));
    assert_eq!(undone, json!({}), "the removed one can still be brought back");
}

#[test]
fn the_other_record_may_stay_and_nothing_be_taken_over() {
    let city = City::new();
    let (first, second, one, other) = recorded_twice(&city);
    let shown = second.call("same_event_card", json!({ "keep": other, "other": one }));
    second.call(
        "settle_same_event",
        json!({ "keep": other, "other": one, "seen": shown["seen"], "merge": false,
        "decisions": [], "reason": "" }),
    );
    exchanged(&first, &second);
    assert_eq!(page(&first, &other)["form"]["summary"], "小结二。");
    first.refused_as("get_meeting", json!({ "id": one }), Code::NotFound);
}

#[test]
fn what_arrives_while_a_form_is_open_is_not_overwritten_by_saving_it() {
    let city = City::new();
    let (first, second, _) = two_computers(&city);
    let people = crate::world::people(&first, "姓名\t入党时间\t转正日期\n周海东\t2001.7\t2002.7\n");
    let id = people["周海东"].clone();
    exchanged(&first, &second);
    let open = |laptop: &Laptop| laptop.call("get_person", json!({ "id": id }));
    let save = |laptop: &Laptop, page: &Value, field: &str, value: &str| {
        let mut form = page["form"].clone();
        form[field] = json!(value);
        laptop.call("save_person", json!({ "id": id, "form": form, "base": page["base"] }))
    };
    let page = open(&first);
    save(&second, &open(&second), "unit", "那边的单位");
    save(&second, &open(&second), "phone", "13900980002");
    exchanged(&second, &first);
    assert_eq!(save(&first, &page, "job", "装卸")["conflict"], false, "different fields do not meet");
    assert_eq!(open(&first)["form"]["unit"], "那边的单位");
    assert_eq!(save(&first, &page, "phone", "13900980001")["conflict"], true);
    let shown = first.call("conflict_card", json!({ "kind": "person", "id": id }));
    let sides = matter(&shown, "phone")["sides"].as_array().map(Vec::len);
    assert_eq!(
        (sides, &open(&first)["undecided"]),
        (Some(2), &json!(1)),
        "both stand until a person decides"
    );
    first.call("settle_conflict", taking(&shown, "phone", says("13900980001")));
    assert_eq!(save(&first, &open(&first), "phone", "13900980003")["conflict"], false);

    let organisation = |laptop: &Laptop| laptop.call("get_organisation", json!({}));
    exchanged(&first, &second);
    let page = organisation(&first);
    let group = |name: &str| json!([{ "id": "", "name": name, "from": "2026-10-01", "to": null }]);
    let found = |laptop: &Laptop, page: &Value, name: &str| {
        let mut form = page["form"].clone();
        form["groups"] = group(name);
        laptop.call("save_organisation", json!({ "form": form, "base": page["base"] }))
    };
    found(&second, &organisation(&second), "第二党小组");
    exchanged(&second, &first);
    found(&first, &page, "第一党小组");
    let groups = organisation(&first)["form"]["groups"].as_array().map(Vec::len);
    assert_eq!(groups, Some(2), "a group that the page did not show is not taken out by it");
}
