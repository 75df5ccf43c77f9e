//! 被退回: what the city refused is shown to its author alone, who puts it right, copies it or gives it up.

use crate::reporting::{BRANCH, City, form, laptop};
use crate::world::{Laptop, draft, record, text};
use app::Code;
use serde_json::{Value, json};

fn returned(laptop: &Laptop) -> Vec<Value> {
    laptop.call("returned", json!({}))["cards"].as_array().expect("cards").clone()
}

/// A branch whose meeting was archived by the city before its secretary corrected the place.
fn refused_edit(city: &City) -> (Laptop, String) {
    let laptop = laptop("某某");
    let (id, _) = record(&laptop, &form());
    city.enrol(&laptop);
    laptop.call("exchange", json!({}));
    city.seal("meeting", &id);
    edit(&laptop, &id, "place", json!("三楼"));
    laptop.call("exchange", json!({}));
    (laptop, id)
}

fn edit(laptop: &Laptop, id: &str, field: &str, value: Value) {
    laptop.call("edit_meeting", json!({ "id": id }));
    let mut form = laptop.call("get_draft", json!({ "draft": id }))["form"].clone();
    form[field] = value;
    laptop.call("save_draft", json!({ "draft": id, "form": form }));
    laptop.call("commit_draft", json!({ "draft": id }));
}

fn place(laptop: &Laptop, id: &str) -> Value {
    laptop.call("get_meeting", json!({ "id": id }))["form"]["place"].clone()
}

#[test]
fn a_refused_edit_is_a_card_with_the_reason_the_field_and_what_was_written() {
    let city = City::new();
    let (laptop, id) = refused_edit(&city);
    let cards = returned(&laptop);
    assert_eq!(cards.len(), 1, "{cards:?}");
    let card = &cards[0];
    assert_eq!(
        (&card["id"], &card["title"], &card["editor"]),
        (&json!(id), &json!("主题党日"), &json!("meeting"))
    );
    assert_eq!(
        (&card["along"], &card["recorded"], &card["date"]),
        (&json!(false), &json!(true), &json!("2026-10-13"))
    );
    let reason = &card["reasons"][0];
    assert_eq!(
        (&reason["code"], &reason["path"], &reason["label"]),
        (&json!("sealed"), &json!("place"), &json!("地点"))
    );
    assert!(text(&reason["words"]).contains("归档"), "{reason}");
    assert!(reason["ruled_at"].is_string());
    assert_eq!(card["values"], json!([{ "path": "place", "label": "地点", "text": "三楼" }]));
    assert_eq!(place(&laptop, &id), "二楼", "what was refused does not count");
    let page = laptop.call("get_meeting", json!({ "id": id }));
    assert_eq!(page["returned"]["id"], json!(id));
    let list = laptop.call("list_meetings", json!({ "page": 0 }));
    assert_eq!(list["rows"][0]["returned"], true);
}

#[test]
fn edit_and_resend_is_over_what_was_refused_and_the_card_goes() {
    let city = City::new();
    let (laptop, id) = refused_edit(&city);
    let answer = laptop.call("edit_returned", json!({ "kind": "meeting", "id": id }));
    assert_eq!((&answer["editor"], &answer["draft"]), (&json!("meeting"), &json!(id)));
    let mut form = laptop.call("get_draft", json!({ "draft": id }))["form"].clone();
    assert_eq!(form["place"], "三楼", "the refused value is in the form");
    city.unseal("meeting", &id);
    form["place"] = json!("三楼会议室");
    laptop.call("save_draft", json!({ "draft": id, "form": form }));
    laptop.call("commit_draft", json!({ "draft": id }));
    assert_eq!(returned(&laptop), Vec::<Value>::new(), "settled as soon as it is written again");
    laptop.call("exchange", json!({}));
    assert_eq!(place(&laptop, &id), "三楼会议室");
    assert_eq!(returned(&laptop), Vec::<Value>::new());
    assert_eq!(laptop.call("get_meeting", json!({ "id": id }))["returned"], Value::Null);
}

#[test]
fn resending_what_is_still_refused_brings_a_new_card_and_not_the_old_one() {
    let city = City::new();
    let (laptop, id) = refused_edit(&city);
    laptop.call("edit_returned", json!({ "kind": "meeting", "id": id }));
    laptop.call("commit_draft", json!({ "draft": id }));
    laptop.call("exchange", json!({}));
    let cards = returned(&laptop);
    assert_eq!((cards.len(), cards[0]["reasons"].as_array().map(Vec::len)), (1, Some(1)), "{cards:?}");
}

#[test]
fn a_record_whose_making_was_refused_is_made_again_with_what_was_typed_since() {
    let city = City::new();
    let laptop = laptop("某某");
    city.enrol(&laptop);
    laptop.call("exchange", json!({}));
    let (id, _) = draft(&laptop, &form());
    city.seal("meeting", &id);
    laptop.call("commit_draft", json!({ "draft": id }));
    edit(&laptop, &id, "theme", json!("主题"));
    laptop.call("exchange", json!({}));
    laptop.refused_as("get_meeting", json!({ "id": id }), Code::NotFound);
    let cards = returned(&laptop);
    assert_eq!((cards.len(), &cards[0]["recorded"]), (1, &json!(false)), "{cards:?}");
    assert_eq!(cards[0]["title"], "主题党日", "it is named by what was refused");

    city.unseal("meeting", &id);
    laptop.call("edit_returned", json!({ "kind": "meeting", "id": id }));
    let shown = laptop.call("get_draft", json!({ "draft": id }))["form"].clone();
    assert_eq!((&shown["theme"], &shown["place"]), (&json!("主题"), &json!("二楼")));
    laptop.call("commit_draft", json!({ "draft": id }));
    laptop.call("exchange", json!({}));
    let page = laptop.call("get_meeting", json!({ "id": id }));
    assert_eq!((&page["form"]["theme"], &page["form"]["place"]), (&json!("主题"), &json!("二楼")));
    assert_eq!((&page["report"], &page["state"]), (&json!("received"), &json!("recorded")));
    assert_eq!(returned(&laptop), Vec::<Value>::new());
}

#[test]
fn what_is_given_up_is_remembered_and_can_be_taken_back() {
    let city = City::new();
    let (laptop, id) = refused_edit(&city);
    let reference = json!({ "kind": "meeting", "id": id });
    laptop.call("discard_returned", reference.clone());
    assert_eq!(returned(&laptop), Vec::<Value>::new());
    laptop.call("undiscard_returned", reference.clone());
    assert_eq!(returned(&laptop).len(), 1);
    laptop.call("discard_returned", reference.clone());
    let laptop = laptop.restarted();
    laptop.call("open_branch", json!({ "folder": "某某", "password": crate::world::PASSWORD }));
    assert_eq!(returned(&laptop), Vec::<Value>::new(), "also after a restart");
    laptop.refused_as("edit_returned", reference, Code::NotFound);
}

#[test]
fn nothing_is_held_up_by_a_refusal_in_either_direction() {
    let city = City::new();
    let (first, id) = refused_edit(&city);
    let second = laptop("某某");
    city.enrol(&second);
    second.call("confirm_matching", json!({ "same": {} }));
    second.call("exchange", json!({}));

    let mut other = form();
    other["title"] = json!("另一场");
    other["date"] = json!("2026-10-12");
    let (from_first, _) = record(&first, &other);
    edit(&second, &id, "theme", json!("也被退回"));
    other["title"] = json!("第三场");
    other["date"] = json!("2026-10-11");
    let (from_second, _) = record(&second, &other);
    for laptop in [&first, &second, &first] {
        assert_eq!(laptop.call("exchange", json!({}))["waiting"], 0, "the outbox drains");
    }
    for laptop in [&first, &second] {
        for id in [&from_first, &from_second] {
            let page = laptop.call("get_meeting", json!({ "id": id }));
            assert_eq!(page["report"], "received");
        }
    }
    assert_eq!(returned(&first).len(), 1);
    let own = returned(&second);
    assert_eq!(own.len(), 1);
    assert_eq!(own[0]["values"][0]["text"], "也被退回", "each sees their own only");
    assert!(!second.call("returned", json!({})).to_string().contains("三楼"));
    assert!(!second.call("get_meeting", json!({ "id": id })).to_string().contains("三楼"));
}

#[test]
fn a_refused_correction_comes_back_with_its_reason_and_is_not_told_as_done() {
    let city = City::new();
    let laptop = laptop("某某");
    let people = crate::world::people(&laptop, crate::reporting::ROWS);
    let mut whole = form();
    whole["chair"] = json!(people["周海东"]);
    whole["chair_capacity"] = json!("secretary");
    whole["recorder"] = json!(people["李秀英"]);
    whole["theme"] = json!("重温入党誓词");
    whole["attendance"] = json!([
        { "person": people["周海东"], "status": "present" },
        { "person": people["李秀英"], "status": "present" },
    ]);
    whole["agenda"] = json!([{ "id": "", "kind": "study", "topic": "学习", "material": "《党章》" }]);
    let (id, derived) = record(&laptop, &whole);
    laptop.call("finalise_meeting", json!({ "id": id }));
    city.enrol(&laptop);
    laptop.call("exchange", json!({}));
    city.seal("meeting", &id);
    laptop.call("correct_meeting", json!({ "id": id, "reason": "地点写错" }));
    let mut form = laptop.call("get_draft", json!({ "draft": id }))["form"].clone();
    form["place"] = json!("三楼");
    laptop.call("save_draft", json!({ "draft": id, "form": form }));
    laptop.call("commit_draft", json!({ "draft": id }));
    laptop.call("exchange", json!({}));
    let page = laptop.call("get_meeting", json!({ "id": id }));
    assert_eq!((&page["state"], &page["corrections"]), (&json!("final"), &json!([])), "{derived}");
    laptop.call("edit_returned", json!({ "kind": "meeting", "id": id }));
    let again = laptop.call("get_draft", json!({ "draft": id }));
    assert_eq!((&again["correction"], &again["form"]["place"]), (&json!("地点写错"), &json!("三楼")));
}

#[test]
fn persons_and_ledger_entries_open_in_their_own_forms() {
    let city = City::new();
    let laptop = laptop("某某");
    let people = crate::world::people(&laptop, crate::reporting::ROWS);
    let values = json!({ "person": people["周海东"], "text": "按时参加", "promised_on": "2026-10-13", "due": "2026-12-31", "state": "promised" });
    let entry = json!({ "kind": "promise", "id": null, "values": values });
    let entry = text(&laptop.call("save_ledger_entry", entry)["id"]);
    city.enrol(&laptop);
    laptop.call("exchange", json!({}));
    let person = people["李秀英"].clone();
    city.seal("person", &person);
    city.seal("promise", &entry);
    let page = laptop.call("get_person", json!({ "id": person }));
    let mut form = page["form"].clone();
    form["job"] = json!("会计");
    laptop.call("save_person", json!({ "id": person, "form": form, "base": page["base"] }));
    let base = laptop.call("ledger_entry", json!({ "kind": "promise", "id": entry }))["base"].clone();
    let mut changed = values.clone();
    changed["text"] = json!("带头参加");
    let request = json!({ "kind": "promise", "id": entry, "values": changed, "base": base });
    laptop.call("save_ledger_entry", request);
    laptop.call("exchange", json!({}));
    assert_eq!(returned(&laptop).len(), 2);

    let again = laptop.call("edit_returned", json!({ "kind": "person", "id": person }));
    assert_eq!((&again["editor"], &again["form"]["job"]), (&json!("person"), &json!("会计")));
    let ledger = laptop.call("edit_returned", json!({ "kind": "promise", "id": entry }));
    assert_eq!((&ledger["editor"], &ledger["values"]["text"]), (&json!("ledger"), &json!("带头参加")));
    city.unseal("person", &person);
    city.unseal("promise", &entry);
    laptop.call("save_person", json!({ "id": person, "form": again["form"], "resend": true }));
    let resent = json!({ "kind": "promise", "id": entry, "values": ledger["values"], "resend": true });
    laptop.call("save_ledger_entry", resent);
    laptop.call("exchange", json!({}));
    assert_eq!(returned(&laptop), Vec::<Value>::new());
    let kept = laptop.call("ledger_entry", json!({ "kind": "promise", "id": entry }));
    assert_eq!((&kept["values"]["text"], &kept["report"]), (&json!("带头参加"), &json!("received")));
}

#[test]
fn what_came_back_along_with_another_is_sent_again_as_it_was() {
    let city = City::new();
    let laptop = laptop("某某");
    city.enrol(&laptop);
    laptop.call("exchange", json!({}));
    let people = crate::world::people(&laptop, crate::reporting::ROWS);
    // Both persons were imported by one change; the city holds one of them for archived.
    city.seal("person", &people["周海东"]);
    laptop.call("exchange", json!({}));
    let page = laptop.call("returned", json!({}));
    assert_eq!((page["cards"].as_array().map(Vec::len), &page["along"]), (Some(2), &json!(1)), "{page}");
    let resent = laptop.call("resend_along", json!({}));
    assert_eq!(resent["records"], json!([{ "id": people["李秀英"] }]));
    laptop.call("exchange", json!({}));
    let names: Vec<String> = crate::world::ids(&laptop).into_keys().collect();
    assert_eq!(names, ["李秀英"], "the other one still waits for its author");
    let cards = returned(&laptop);
    assert_eq!((cards.len(), &cards[0]["title"]), (1, &json!("周海东")), "{BRANCH}");
}
