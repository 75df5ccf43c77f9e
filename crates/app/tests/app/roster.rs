//! Pasting a roster: preview, import of the good rows, undo of the whole.

use crate::world::{Laptop, branch, ids, text};
use app::Code;
use serde_json::json;

fn laptop() -> Laptop {
    let laptop = Laptop::new("2026-10-13");
    let mut request = branch("中国共产党某某支部", "某某");
    request["groups"] = json!(["第一党小组"]);
    laptop.call("create_branch", request);
    laptop
}

const SHEET: &str = "姓名\t性别\t公民身份号码\t入党时间\t转正日期\t党内职务\t党小组\n\
    郑强红\t男\t379999196305240890\t2006.9.22\t2007年9月\t书记\t第一小组\n\
    毛新宏\t男\t3.79999E+17\t2023-11-06\t2024-11-06\t\t\n\
    赵红丽\t女\t\t200610\t39356\t\t\n";

#[test]
fn only_the_good_rows_are_taken_in_and_the_whole_is_undone() {
    let laptop = laptop();
    let paste = json!({ "text": SHEET, "columns": null });
    let preview = laptop.call("preview_roster", paste.clone());
    assert_eq!((&preview["good"], &preview["bad"]), (&json!(2), &json!(1)));
    assert_eq!(
        preview["columns"],
        json!(["name", "sex", "id_number", "joined", "confirmed", "posts", "group"])
    );
    let problem = &preview["rows"][1]["problems"][0];
    assert_eq!(
        (&problem["column"], &problem["code"], &problem["value"]),
        (&json!(2), &json!("id_scientific"), &json!("3.79999E+17"))
    );
    let repairs = preview["rows"][2]["repairs"].as_array().expect("repairs").len();
    assert_eq!(repairs, 2, "both dates were reshaped");

    let imported = laptop.call("import_roster", paste.clone());
    assert_eq!((&imported["added"], &imported["left_out"]), (&json!(2), &json!(1)));
    let list = laptop.call("list_people", json!({ "text": "", "include_left": false, "members_only": true }));
    assert_eq!((&list["full"], &list["probationary"], &list["others"]), (&json!(2), &json!(0), &json!(0)));
    let row =
        list["rows"].as_array().expect("rows").iter().find(|row| row["name"] == "郑强红").expect("郑强红");
    assert_eq!(row["posts"], json!(["secretary"]));
    let page = laptop.call("get_person", json!({ "id": row["id"] }));
    assert_eq!(
        (&page["form"]["confirmed"], &page["id_number_masked"]),
        (&json!("2007-09-01"), &json!("379999********0890"))
    );
    assert_ne!(page["form"]["group"], "", "第一小组 is 第一党小组");

    let mut left = page["form"].clone();
    left["group"] = json!("");
    left["posts"] = json!([]);
    laptop.call("save_person", json!({ "id": row["id"], "form": left, "base": page["base"] }));
    laptop.refused_as("save_person", json!({ "id": row["id"], "form": left }), Code::BadRequest);
    let after = laptop.call("get_person", json!({ "id": row["id"] }))["form"].clone();
    assert_eq!((&after["group"], &after["posts"]), (&json!(""), &json!([])), "what was a slip is taken out");

    let again = laptop.call("import_roster", paste);
    assert_eq!(again["added"], 0, "the same sheet twice adds nobody");
    laptop.call("undo_import", json!({ "batch": imported["batch"] }));
    assert!(ids(&laptop).is_empty());
    laptop.refused_as("undo_import", json!({ "batch": imported["batch"] }), Code::NotFound);
}

#[test]
fn a_large_sheet_is_one_import_in_several_changes() {
    let laptop = laptop();
    let name = |at: usize| {
        let letters: Vec<char> = "甲乙丙丁戊己庚辛壬癸".chars().collect();
        format!("赵{}{}{}", letters[at / 100], letters[at / 10 % 10], letters[at % 10])
    };
    let rows: String = (0..300).map(|at| format!("{}\t2006.9.22\t2007.9.22\t汉\t大专\n", name(at))).collect();
    let sheet = format!("姓名\t入党时间\t转正日期\t民族\t学历\n{rows}");
    let imported = laptop.call("import_roster", json!({ "text": sheet, "columns": null }));
    assert_eq!(imported["added"], 300);
    laptop.call("undo_import", json!({ "batch": imported["batch"] }));
    assert!(ids(&laptop).is_empty(), "undo reaches every part");
}

#[test]
fn a_sheet_with_a_secrecy_marking_is_not_taken_in() {
    let laptop = laptop();
    let sheet = format!("机密★5年\n{SHEET}");
    for call in ["preview_roster", "import_roster"] {
        let error = laptop.refused_as(call, json!({ "text": sheet, "columns": null }), Code::SecretMarking);
        assert_eq!(text(&error.params["marking"]), "机密★5年");
    }
    laptop.refused_as(
        "preview_roster",
        json!({ "text": "张".repeat(1_000_000), "columns": null }),
        Code::TooLong,
    );
    assert!(ids(&laptop).is_empty());
}

#[test]
fn a_person_is_saved_checked_and_brought_back() {
    let laptop = laptop();
    let person =
        |name: &str, number: &str| json!({ "name": name, "category": "member", "id_number": number });
    let cases = [
        (person("", ""), "name", "required"),
        (person("张三", "379999196305240891"), "id_number", "id_checksum"),
        (json!({ "name": "张三", "category": "member", "joined": "2020-13-01" }), "joined", "not_a_date"),
        (json!({ "name": "张三" }), "category", "required"),
    ];
    for (form, path, code) in cases {
        let error = laptop.refused_as("save_person", json!({ "id": null, "form": form }), Code::Invalid);
        assert_eq!((error.problems[0].path.as_str(), error.problems[0].code.as_str()), (path, code));
    }
    let id = text(
        &laptop.call("save_person", json!({ "id": null, "form": person("张三", "379999196305240890") }))["id"],
    );
    laptop.call("delete_person", json!({ "id": id }));
    laptop.refused_as("get_person", json!({ "id": id }), Code::NotFound);
    laptop.call("undelete_person", json!({ "id": id }));
    let page = laptop.call("get_person", json!({ "id": id }));
    assert_eq!(page["form"]["name"], "张三");
    let actions: Vec<&str> = page["history"]
        .as_array()
        .expect("lines")
        .iter()
        .filter_map(|line| line["action"].as_str())
        .collect();
    assert_eq!(actions, ["undelete_person", "delete_person", "save_person"]);
    assert_eq!(page["attendance"].as_array().map(Vec::len), Some(12));
}
