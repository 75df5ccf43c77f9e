//! 已记录, 定稿, 更正, 作废: what may happen to a record and what may not.

use crate::world::{Laptop, branch, people, record, text};
use app::Code;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn laptop() -> (Laptop, BTreeMap<String, String>) {
    let laptop = Laptop::new("2026-10-13");
    laptop.call("create_branch", branch("中国共产党某某支部", "某某"));
    let rows = "姓名\t入党时间\t转正日期\t党内职务\n周海东\t2001.7\t2002.7\t书记\n李秀英\t2005.7\t2006.7\t\n";
    let people = people(&laptop, rows);
    (laptop, people)
}

fn form(people: &BTreeMap<String, String>) -> Value {
    json!({ "types": ["assembly"], "title": "支部党员大会", "plan": "planned", "date": "2026-10-13", "start": "14:00", "end": "15:00", "place": "二楼",
        "chair": people["周海东"], "chair_capacity": "secretary", "recorder": people["李秀英"],
        "attendance": [{ "person": people["周海东"], "status": "present" }, { "person": people["李秀英"], "status": "present" }],
        "agenda": [{ "id": "a1", "topic": "学习", "speeches": [{ "id": "s1", "speaker": people["李秀英"], "text": "发言" }] }] })
}

fn edited(laptop: &Laptop, id: &str, field: &str, value: Value) {
    let mut form = laptop.call("get_draft", json!({ "draft": id }))["form"].clone();
    form[field] = value;
    laptop.call("save_draft", json!({ "draft": id, "form": form }));
}

#[test]
fn errors_block_the_closing_and_not_the_record() {
    let (laptop, people) = laptop();
    let mut unregistered = form(&people);
    unregistered["attendance"] = json!([]);
    let (id, _) = record(&laptop, &unregistered);
    assert_eq!(laptop.call("get_meeting", json!({ "id": id }))["state"], "recorded");
    let error = laptop.refused_as("finalise_meeting", json!({ "id": id }), Code::RulesNotMet);
    assert!(error.findings.iter().any(|finding| finding.code == "unregistered"), "{error}");
    assert_eq!(laptop.call("get_meeting", json!({ "id": id }))["times"]["finalised_at"], Value::Null);
}

#[test]
fn a_closed_record_is_corrected_with_a_reason_and_never_edited() {
    let (laptop, people) = laptop();
    let (id, _) = record(&laptop, &form(&people));
    laptop.call("finalise_meeting", json!({ "id": id }));
    laptop.refused_as("edit_meeting", json!({ "id": id }), Code::Closed);
    laptop.refused_as("delete_meeting", json!({ "id": id }), Code::Closed);
    laptop.refused_as("finalise_meeting", json!({ "id": id }), Code::Closed);
    laptop.refused_as("correct_meeting", json!({ "id": id, "reason": " " }), Code::Invalid);

    laptop.evening_of("2026-10-20");
    laptop.call("correct_meeting", json!({ "id": id, "reason": "地点写错" }));
    assert_eq!(laptop.call("get_draft", json!({ "draft": id }))["correction"], "地点写错");
    edited(&laptop, &id, "attendance", json!([]));
    laptop.refused_as("commit_draft", json!({ "draft": id }), Code::RulesNotMet);
    edited(&laptop, &id, "attendance", form(&people)["attendance"].clone());
    edited(&laptop, &id, "place", json!("三楼会议室"));
    laptop.call("commit_draft", json!({ "draft": id }));
    let page = laptop.call("get_meeting", json!({ "id": id }));
    assert_eq!((&page["state"], &page["form"]["place"]), (&json!("final"), &json!("三楼会议室")));
    assert_eq!(page["number"], "某某-2026-大会-A01", "the number stays");
    let correction = &page["corrections"][0];
    assert_eq!((&correction["reason"], &correction["author"]), (&json!("地点写错"), &json!("记录员")));
    assert!(text(&correction["at"]).starts_with("2026-10-20T20:00"));
    assert!(
        text(&page["times"]["finalised_at"]).starts_with("2026-10-13T20:00"),
        "定稿 was then, 更正 is now"
    );
}

#[test]
fn a_closed_record_is_annulled_and_an_open_one_deleted() {
    let (laptop, people) = laptop();
    let (open, _) = record(&laptop, &form(&people));
    laptop.refused_as("annul_meeting", json!({ "id": open, "reason": "重复" }), Code::BadRequest);
    laptop.call("delete_meeting", json!({ "id": open }));
    laptop.refused_as("get_meeting", json!({ "id": open }), Code::NotFound);
    laptop.refused_as("edit_meeting", json!({ "id": open }), Code::NotFound);
    laptop.call("undelete_meeting", json!({ "id": open }));
    assert_eq!(laptop.call("get_meeting", json!({ "id": open }))["form"]["title"], "支部党员大会");

    laptop.call("finalise_meeting", json!({ "id": open }));
    laptop.refused_as("annul_meeting", json!({ "id": open, "reason": "" }), Code::Invalid);
    laptop.call("annul_meeting", json!({ "id": open, "reason": "会议没有开" }));
    let page = laptop.call("get_meeting", json!({ "id": open }));
    assert_eq!((&page["state"], &page["annulled"]["reason"]), (&json!("annulled"), &json!("会议没有开")));
    laptop.refused_as("undelete_meeting", json!({ "id": open }), Code::Closed);
    let home = laptop.call("home", json!({ "month": "2026-10" }));
    let duty = home["duties"].as_array().expect("duties").iter().find(|duty| duty["id"] == "F1").expect("F1");
    assert_eq!(duty["state"], "due", "an annulled record meets no duty");
    let listed =
        |state: Value| laptop.call("list_meetings", json!({ "state": state, "page": 0 }))["total"].clone();
    assert_eq!((listed(Value::Null), listed(json!("annulled"))), (json!(1), json!(1)), "kept in sight");

    let (deleted, _) = record(&laptop, &form(&people));
    laptop.call("delete_meeting", json!({ "id": deleted }));
    assert_eq!(listed(Value::Null), json!(1), "a record that was open is gone from the list");
}

#[test]
fn numbers_go_on_and_are_never_given_twice() {
    let (laptop, people) = laptop();
    let mut numbers = Vec::new();
    for (day, types) in [
        ("2026-10-13", "assembly"),
        ("2026-10-14", "assembly"),
        ("2026-10-15", "lecture"),
        ("2026-10-16", "assembly"),
    ] {
        laptop.evening_of(day);
        let mut form = form(&people);
        form["date"] = json!(day);
        form["types"] = json!([types]);
        form["agenda"][0]["kind"] = json!("lecture");
        form["agenda"][0]["presenter"] = json!(people["周海东"]);
        let (id, _) = record(&laptop, &form);
        laptop.call("finalise_meeting", json!({ "id": id }));
        numbers.push(text(&laptop.call("get_meeting", json!({ "id": id }))["number"]));
        if day == "2026-10-14" {
            laptop.call("annul_meeting", json!({ "id": id, "reason": "重复" }));
        }
    }
    assert_eq!(
        numbers,
        ["某某-2026-大会-A01", "某某-2026-大会-A02", "某某-2026-党课-A01", "某某-2026-大会-A03"]
    );
}

#[test]
fn the_roster_is_frozen_by_the_closing() {
    let (laptop, people) = laptop();
    let (id, _) = record(&laptop, &form(&people));
    laptop.call("finalise_meeting", json!({ "id": id }));
    laptop.call("delete_person", json!({ "id": people["李秀英"] }));
    let page = laptop.call("get_meeting", json!({ "id": id }));
    assert_eq!(page["derived"]["counts"]["due"], 2, "who was due then was due");
    assert_eq!(page["names"][&people["李秀英"]], "李秀英", "and keeps the name");
}

#[test]
fn the_list_is_filtered_and_counted() {
    let (laptop, people) = laptop();
    let (id, _) = record(&laptop, &form(&people));
    let total = |query: Value| laptop.call("list_meetings", query)["total"].clone();
    let cases = [
        (json!({ "page": 0 }), 1),
        (json!({ "year": 2026, "page": 0 }), 1),
        (json!({ "year": 2025, "page": 0 }), 0),
        (json!({ "type": "assembly", "page": 0 }), 1),
        (json!({ "type": "committee", "page": 0 }), 0),
        (json!({ "state": "recorded", "page": 0 }), 1),
        (json!({ "state": "final", "page": 0 }), 0),
        (json!({ "state": "draft", "page": 0 }), 0),
    ];
    for (query, expected) in cases {
        assert_eq!(total(query.clone()), expected, "{query}");
    }
    let list = laptop.call("list_meetings", json!({ "page": 0 }));
    let row = &list["rows"][0];
    assert_eq!((&row["weekday"], &row["present"], &row["due"]), (&json!(2), &json!(2), &json!(2)));
    assert_eq!((&row["report"], &list["years"]), (&json!("waiting"), &json!([2026])));
    laptop.call("finalise_meeting", json!({ "id": id }));
    assert_eq!(total(json!({ "state": "final", "page": 0 })), 1);
}

#[test]
fn the_sign_in_sheet_is_the_roster_of_the_day() {
    let (laptop, people) = laptop();
    let (id, _) = record(&laptop, &form(&people));
    let sheet = laptop.call("sign_in_sheet", json!({ "draft": id }));
    assert_eq!(
        (&sheet["title"], &sheet["organisation"]),
        (&json!("支部党员大会"), &json!("中国共产党某某支部"))
    );
    assert_eq!(sheet["rows"].as_array().map(Vec::len), Some(2));
}

#[test]
fn what_was_written_is_found() {
    let (laptop, people) = laptop();
    let mut form = form(&people);
    form["agenda"][0]["speeches"][0]["text"] = json!("建议把责任区牌挂到七号库门口，谁当班谁负责。");
    let (id, _) = record(&laptop, &form);
    for typed in ["七号库", "责任", "牌", "党员大会"] {
        let hits = laptop.call("search", json!({ "text": typed }));
        assert_eq!(hits["hits"][0]["id"], json!(id), "{typed}");
    }
    let hit = laptop.call("search", json!({ "text": "七号库" }))["hits"][0].clone();
    assert!(text(&hit["excerpt"]).contains("七号库门口"), "{hit}");
    assert_eq!(laptop.call("search", json!({ "text": "zhd" }))["hits"][0]["title"], "周海东");
}
