//! Ledgers are what their kind files say.

use crate::world::{Laptop, branch, people, text};
use app::Code;
use serde_json::{Value, json};

fn laptop() -> Laptop {
    let laptop = Laptop::new("2026-10-13");
    laptop.call("create_branch", branch("中国共产党某某支部", "某某"));
    laptop
}

fn enterprise() -> Value {
    json!({ "name": "泰安速达物流有限公司", "uscc": "91350100M000100Y43", "state": "operating", "party_built": "own",
        "staff": 86, "place_area": "120.5", "owner_phone": "13900983959" })
}

#[test]
fn an_entry_is_made_listed_found_changed_and_removed() {
    let laptop = laptop();
    let cards = laptop.call("list_ledgers", json!({}));
    let labels: Vec<String> =
        cards.as_array().expect("cards").iter().map(|card| text(&card["label"])).collect();
    assert_eq!(labels, ["非公企业台账", "承诺践诺"]);
    let save = |id: Value, values: Value| {
        let base = match id.is_null() {
            true => Value::Null,
            false => laptop.call("ledger_entry", json!({ "kind": "enterprise", "id": id }))["base"].clone(),
        };
        let request = json!({ "kind": "enterprise", "id": id, "values": values, "base": base });
        laptop.call("save_ledger_entry", request)
    };
    let id = save(Value::Null, enterprise())["id"].clone();
    let page =
        |typed: &str| laptop.call("ledger_page", json!({ "kind": "enterprise", "text": typed, "page": 0 }));
    for (typed, total) in [("", 1), ("速达", 1), ("tasd", 1), ("别的", 0)] {
        assert_eq!(page(typed)["total"], total, "{typed}");
    }
    let cells = page("")["rows"][0]["cells"].clone();
    assert_eq!(cells[3], "86");
    assert_eq!(cells[5], "单独组建", "a code is shown by its label");
    let mut values = laptop.call("ledger_entry", json!({ "kind": "enterprise", "id": id }))["values"].clone();
    assert_eq!(values, enterprise());
    values["staff"] = json!(90);
    values["place_area"] = json!("");
    save(id.clone(), values);
    let entry = laptop.call("ledger_entry", json!({ "kind": "enterprise", "id": id }));
    assert_eq!((&entry["values"]["staff"], &entry["values"]["place_area"]), (&json!(90), &Value::Null));
    assert_eq!((&entry["report"], &entry["state"]), (&json!("waiting"), &json!("recorded")));
    let reference = json!({ "kind": "enterprise", "id": id });
    laptop.call("delete_ledger_entry", reference.clone());
    laptop.refused_as("ledger_entry", reference.clone(), Code::NotFound);
    laptop.call("undelete_ledger_entry", reference.clone());
    laptop.call("ledger_entry", reference);
}

#[test]
fn each_wrong_value_is_named_by_its_field() {
    let laptop = laptop();
    let cases = [
        ("name", json!(""), Code::Invalid, "required"),
        ("uscc", json!("91350100M000100Y44"), Code::Invalid, "bad_uscc"),
        ("staff", json!(-1), Code::Invalid, "out_of_range"),
        ("staff", json!("86"), Code::Invalid, "wrong_type"),
        ("staff", json!(8.5), Code::Invalid, "wrong_type"),
        ("place_area", json!("很大"), Code::Invalid, "wrong_type"),
        ("state", json!("sleeping"), Code::Invalid, "not_a_choice"),
        ("founded", json!("2020-02-30"), Code::Invalid, "not_a_date"),
        ("colour", json!("红"), Code::Invalid, "unknown_field"),
        ("address", json!("长".repeat(201)), Code::TooLong, "too_long"),
        ("problems", json!("附件：秘密 10年"), Code::SecretMarking, "secret_marking"),
    ];
    for (field, value, code, problem) in cases {
        let mut values = enterprise();
        values[field] = value.clone();
        let request = json!({ "kind": "enterprise", "id": null, "values": values });
        let error = laptop.refused_as("save_ledger_entry", request, code);
        let found = error.problems.iter().find(|found| found.path == field);
        assert_eq!(found.map(|found| found.code.as_str()), Some(problem), "{field} {value}");
    }
    assert_eq!(laptop.call("list_ledgers", json!({}))[0]["count"], 0);
}

#[test]
fn persons_are_shown_by_name_and_core_kinds_are_no_ledgers() {
    let laptop = laptop();
    let people = people(&laptop, "姓名\t入党时间\t转正日期\n周海东\t2001.7\t2002.7\n");
    laptop.call("save_ledger_entry", json!({ "kind": "promise", "id": null, "values": {
        "person": people["周海东"], "text": "七号库每周检查", "promised_on": "2026-10-13", "due": "2026-11-13", "state": "promised" } }));
    let page = laptop.call("ledger_page", json!({ "kind": "promise", "text": "", "page": 0 }));
    assert_eq!(
        page["rows"][0]["cells"],
        json!(["周海东", "七号库每周检查", "2026-10-13", "2026-11-13", "已承诺"])
    );
    for kind in ["meeting", "person", "stream", "none"] {
        let request = json!({ "kind": kind, "id": null, "values": {} });
        laptop.refused_as("save_ledger_entry", request, Code::NotFound);
    }
}
