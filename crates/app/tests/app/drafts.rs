//! What is typed is on disk before anybody asks, and only what differs reaches the record.

use crate::world::{Laptop, PASSWORD, branch, draft, people, record, text};
use app::Code;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const ROWS: &str =
    "姓名\t入党时间\t转正日期\t党内职务\n周海东\t2001.7\t2002.7\t书记\n李秀英\t2005.7\t2006.7\t\n";

fn laptop() -> Laptop {
    let laptop = Laptop::new("2026-10-13");
    laptop.call("create_branch", branch("中国共产党某某支部委员会", "某某"));
    laptop
}

fn form() -> Value {
    json!({ "types": ["theme_day"], "title": "主题党日", "date": "2026-10-13", "start": "14:00", "end": "16:20",
        "agenda": [{ "id": "a1", "topic": "讨论", "speeches": [{ "id": "s1", "text": "夜班装卸组调不开班" }] }],
        "guests": [{ "id": "g1", "name": "高翔" }], "links": [{ "id": "l1", "record": "r1", "relation": "prior" }] })
}

#[test]
fn a_draft_survives_a_restart_without_a_goodbye() {
    let laptop = laptop();
    let (id, _) = draft(&laptop, &form());
    let laptop = laptop.restarted();
    laptop.call("open_branch", json!({ "folder": "某某", "password": PASSWORD }));
    let kept = laptop.call("get_draft", json!({ "draft": id }));
    assert_eq!(kept["form"]["agenda"][0]["speeches"][0]["text"], "夜班装卸组调不开班");
    assert_eq!((&kept["recorded"], &kept["correction"]), (&json!(false), &Value::Null));
    assert!(text(&kept["saved_at"]).starts_with("2026-10-13T20:00"));
    let home = laptop.call("home", json!({ "month": null }));
    assert_eq!(home["drafts"][0]["id"], json!(id), "首页 offers to continue it");
    let due = home["duties"].as_array().expect("duties").iter().find(|duty| duty["id"] == "F5").expect("F5");
    assert_eq!(due["draft"], json!(id));
    let list = laptop.call("list_meetings", json!({ "page": 0 }));
    assert_eq!((&list["rows"][0]["state"], &list["rows"][0]["report"]), (&json!("draft"), &json!("local")));
}

#[test]
fn a_discarded_draft_can_be_brought_back() {
    let laptop = laptop();
    let (id, _) = draft(&laptop, &form());
    laptop.call("discard_draft", json!({ "draft": id }));
    laptop.refused_as("get_draft", json!({ "draft": id }), Code::NotFound);
    laptop.refused_as("save_draft", json!({ "draft": id, "form": form() }), Code::NotFound);
    laptop.call("restore_draft", json!({ "draft": id, "form": form() }));
    laptop.call("commit_draft", json!({ "draft": id }));
    laptop.refused_as("get_draft", json!({ "draft": id }), Code::NotFound);
}

#[test]
fn an_edit_writes_what_differs_and_removes_what_was_taken_out() {
    let laptop = laptop();
    let (id, _) = record(&laptop, &form());
    let edit = laptop.call("edit_meeting", json!({ "id": id }));
    assert_eq!(edit["draft"], json!(id), "the draft of a record bears its id");
    let mut changed = laptop.call("get_draft", json!({ "draft": id }))["form"].clone();
    changed["place"] = json!("二楼");
    changed["guests"] = json!([]);
    changed["links"] = json!([]);
    laptop.call("save_draft", json!({ "draft": id, "form": changed }));
    laptop.call("commit_draft", json!({ "draft": id }));
    let page = laptop.call("get_meeting", json!({ "id": id }));
    assert_eq!((&page["form"]["place"], &page["form"]["guests"]), (&json!("二楼"), &json!([])));
    assert_eq!(page["form"]["links"], json!([]), "an item that is one value goes as well");
    assert_eq!(page["form"]["agenda"][0]["topic"], "讨论");

    laptop.call("edit_meeting", json!({ "id": id }));
    changed["guests"] = json!([{ "id": "g1", "name": "高翔" }]);
    laptop.call("save_draft", json!({ "draft": id, "form": changed }));
    laptop.call("commit_draft", json!({ "draft": id }));
    let page = laptop.call("get_meeting", json!({ "id": id }));
    assert_eq!(page["form"]["guests"][0]["name"], "高翔", "put back under its old id it is there again");
}

#[test]
fn items_without_an_id_are_given_one() {
    let laptop = laptop();
    let mut form = form();
    form["agenda"] = json!([{ "topic": "甲" }, { "topic": "乙" }]);
    let (id, _) = draft(&laptop, &form);
    let kept = laptop.call("get_draft", json!({ "draft": id }))["form"]["agenda"].clone();
    assert!(kept[0]["id"] != kept[1]["id"] && kept[0]["id"] != "", "{kept}");
}

#[test]
fn a_copy_takes_the_structure_and_never_a_text() {
    let laptop = laptop();
    let people = people(&laptop, ROWS);
    let mut form = form();
    form["chair"] = json!(people["周海东"]);
    form["chair_capacity"] = json!("secretary");
    form["place"] = json!("二楼");
    form["summary"] = json!("小结");
    form["attendance"] = json!([{ "person": people["周海东"], "status": "late" }, { "person": people["李秀英"], "status": "leave", "reason": "病" }]);
    let (id, _) = record(&laptop, &form);
    let copy = text(
        &laptop.call("new_meeting", json!({ "types": [], "copy_of": id, "date": "2026-11-12" }))["draft"],
    );
    let form = laptop.call("get_draft", json!({ "draft": copy }))["form"].clone();
    assert_eq!(
        (&form["types"], &form["place"], &form["date"]),
        (&json!(["theme_day"]), &json!("二楼"), &json!("2026-11-12"))
    );
    assert_eq!(
        form["attendance"].as_array().map(Vec::len),
        Some(1),
        "who usually comes, without yesterday's reasons"
    );
    assert_eq!((&form["summary"], &form["agenda"], &form["start"]), (&json!(""), &json!([]), &json!("")));
}

#[test]
fn a_day_without_hours_already_has_its_roster() {
    let laptop = laptop();
    people(&laptop, ROWS);
    let form = json!({ "types": ["theme_day"], "title": "主题党日", "date": "2026-10-13" });
    let (_, derived) = draft(&laptop, &form);
    assert_eq!(derived["counts"]["due"], 2);
    assert_eq!(derived["roster"][0]["name"], "周海东", "the secretary stands first");
    assert!(text(&derived["roster"][0]["keys"]).contains("zhd"));
    let fields: Vec<&str> = derived["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|finding| finding["path"] == "time")
        .filter_map(|finding| finding["params"]["field"].as_str())
        .collect();
    assert_eq!(fields, ["start", "end"], "only what is missing is said about the hours");
}

#[test]
fn listeners_are_told_what_is_stale() {
    let laptop = laptop();
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    laptop.app.on_changed(move |kinds| heard.lock().expect("no panic").push(kinds.join(" ")));
    let (id, _) = draft(&laptop, &form());
    laptop.call("commit_draft", json!({ "draft": id }));
    laptop.call(
        "save_ledger_entry",
        json!({ "kind": "enterprise", "id": null, "values": {
        "name": "某公司", "uscc": "91350100M000100Y43", "state": "operating", "party_built": "none" } }),
    );
    laptop.call("close_branch", json!({}));
    let told = told.lock().expect("no panic").clone();
    assert_eq!(told, ["draft", "draft", "draft meeting sync", "enterprise ledger sync", "session"]);
}
