//! What the page shows when an exchange stops before it takes many records away, when the city revoked this computer, and
//! when it moved.

use crate::reporting::{BRANCH, City, form, laptop};
use crate::world::{Laptop, ids, record, text};
use app::Code;
use serde_json::{Value, json};

/// Two computers of one branch with thirty persons.
fn two_computers(city: &City) -> (Laptop, Laptop) {
    let first = laptop("某某");
    let rows: Vec<String> = (10..40)
        .map(|at| format!("张{}\t2001.7\t2002.7", char::from_u32(0x4e00 + at * 7).unwrap_or('三')))
        .collect();
    crate::world::people(&first, &format!("姓名\t入党时间\t转正日期\n{}\n", rows.join("\n")));
    city.enrol(&first);
    first.call("exchange", json!({}));
    let second = laptop("某某");
    city.enrol(&second);
    second.call("confirm_matching", json!({ "same": {} }));
    second.call("exchange", json!({}));
    assert_eq!(ids(&second).len(), 30);
    (first, second)
}

fn question(laptop: &Laptop) -> Value {
    laptop.call("sync_page", json!({}))["question"].clone()
}

#[test]
fn many_deletions_are_asked_about_on_both_computers_and_a_no_holds() {
    let city = City::new();
    let (first, second) = two_computers(&city);
    for (_, id) in ids(&second).into_iter().take(25) {
        second.call("delete_person", json!({ "id": id }));
    }
    second.refused_as("exchange", json!({}), Code::MassOutgoing);
    let asked = question(&second);
    assert_eq!(
        (&asked["incoming"], &asked["count"], &asked["refused"]),
        (&json!(false), &json!(25), &json!(false))
    );
    assert_eq!(asked["titles"].as_array().map(Vec::len), Some(5), "{asked}");
    second.call("answer_losses", json!({ "agree": true }));
    assert_eq!(question(&second), Value::Null, "answered");
    second.call("exchange", json!({}));

    let (id, _) = record(&first, &form());
    let error = first.refused_as("exchange", json!({}), Code::MassIncoming);
    assert_eq!(error.params["count"], 25);
    assert_eq!(ids(&first).len(), 30, "nothing was taken away");
    assert_eq!(question(&first)["incoming"], true);
    let page = first.call("get_meeting", json!({ "id": id }));
    assert_eq!(page["report"], "received", "what was recorded here went out");
    first.call("answer_losses", json!({ "agree": false }));
    first.refused_as("exchange", json!({}), Code::MassIncoming);
    assert_eq!(question(&first)["refused"], true, "it says that it is stopped");
    assert_eq!(ids(&first).len(), 30);
    first.call("answer_losses", json!({ "agree": true }));
    first.call("exchange", json!({}));
    assert_eq!((ids(&first).len(), question(&first)), (5, Value::Null));
}

#[test]
fn a_revoked_computer_says_so_and_comes_back_with_a_new_code() {
    let city = City::new();
    let laptop = laptop("某某");
    let (id, _) = record(&laptop, &form());
    city.enrol(&laptop);
    laptop.call("exchange", json!({}));
    city.revoke_all();
    let mut other = form();
    other["title"] = json!("停用以后");
    other["date"] = json!("2026-10-12");
    let (after, _) = record(&laptop, &other);
    laptop.refused_as("exchange", json!({}), Code::Revoked);
    let page = laptop.call("sync_page", json!({}));
    assert_eq!((&page["revoked"], &page["last_error"]["code"]), (&json!(true), &json!("revoked")));
    let unknown = wire::enrol::EnrolCode::from_random([3; 10]).to_string();
    laptop.refused_as("enrol", json!({ "address": city.address(), "code": unknown }), Code::CodeUnknown);
    assert_eq!(laptop.call("sync_page", json!({}))["revoked"], true, "a wrong code changes nothing");

    city.enrol(&laptop);
    laptop.call("exchange", json!({}));
    assert_eq!(laptop.call("sync_page", json!({}))["revoked"], false);
    assert_eq!(laptop.call("get_meeting", json!({ "id": id }))["report"], "received");
    let cards = laptop.call("returned", json!({}))["cards"].clone();
    assert_eq!(
        (&cards[0]["id"], &cards[0]["reasons"][0]["code"]),
        (&json!(after), &json!("quarantined")),
        "{cards}"
    );
    laptop.call("edit_returned", json!({ "kind": "meeting", "id": after }));
    laptop.call("commit_draft", json!({ "draft": after }));
    laptop.call("exchange", json!({}));
    let again = laptop.call("get_meeting", json!({ "id": after }));
    assert_eq!((&again["report"], &again["form"]["title"]), (&json!("received"), &json!("停用以后")));
    assert_eq!(laptop.call("returned", json!({}))["cards"], json!([]));
}

#[test]
fn the_address_can_be_changed_to_where_the_same_city_answers() {
    let (city, other) = (City::new(), City::new());
    let laptop = laptop("某某");
    city.enrol(&laptop);
    let error = laptop.refused_as("move_city", json!({ "address": other.address() }), Code::Refused);
    assert_eq!(error.params["reason"], "other_city");
    laptop.refused_as("move_city", json!({ "address": "两个 词" }), Code::BadAddress);
    laptop.call("move_city", json!({ "address": format!("localhost:{}", city.port()) }));
    let page = laptop.call("sync_page", json!({}));
    assert_eq!(page["enrolment"]["address"], json!(format!("http://localhost:{}", city.port())), "{BRANCH}");
    laptop.call("exchange", json!({}));
}

#[test]
fn receipts_are_listed_with_their_computer_and_proof() {
    let city = City::new();
    let laptop = laptop("某某");
    record(&laptop, &form());
    city.enrol(&laptop);
    laptop.call("exchange", json!({}));
    let lines = laptop.call("receipts", json!({}))["lines"].clone();
    let line = &lines[0];
    assert_eq!((&line["proof"], &line["here"]), (&json!("whole"), &json!(true)), "{lines}");
    assert!(
        text(&line["at"]).starts_with("2026-10-14T20:00") && line["records"].as_u64() > Some(1),
        "{line}"
    );
    assert!(!text(&line["computer"]).is_empty());
}
