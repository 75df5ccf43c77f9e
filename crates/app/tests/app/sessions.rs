//! Set-up, opening, passwords, recovery.

use crate::world::{Laptop, PASSWORD, branch, text};
use app::{App, Code, World};
use serde_json::{Value, json};
use std::sync::Arc;
use store::SystemSources;

#[test]
fn a_branch_is_set_up_closed_and_opened() {
    let laptop = Laptop::new("2026-10-13");
    let session = laptop.call("session", json!({}));
    assert_eq!(
        (&session["branches"], &session["open"], &session["today"]),
        (&json!([]), &Value::Null, &json!("2026-10-13"))
    );
    let mut request = branch("中国共产党泰安速达物流有限公司支部委员会", "速达物流");
    request["committee_seats"] = json!(3);
    request["groups"] = json!(["第一党小组", "第二党小组", " "]);
    let created = laptop.call("create_branch", request.clone());
    let code = text(&created["recovery_code"]);
    let open = laptop.call("session", json!({}))["open"].clone();
    assert_eq!((&open["name"], &open["author"]), (&request["name"], &json!("记录员")));
    assert_eq!((&open["has_committee"], &open["recovery_unconfirmed"]), (&json!(true), &json!(true)));
    assert_eq!(open["groups"].as_array().map(Vec::len), Some(2), "an empty name is no group");

    laptop.refused_as("confirm_recovery", json!({ "code": "AAAAA-BBBBB" }), Code::WrongRecoveryCode);
    laptop.call("confirm_recovery", json!({ "code": code }));
    assert_eq!(laptop.call("session", json!({}))["open"]["recovery_unconfirmed"], false);

    let laptop = laptop.restarted();
    let session = laptop.call("session", json!({}));
    assert_eq!(session["open"], Value::Null, "nothing is open without the password");
    assert_eq!(session["branches"][0]["name"], request["name"], "its name is shown before it is opened");
    assert_eq!(session["branches"][0]["in_use"], false);
    let folder = text(&session["branches"][0]["folder"]);
    laptop.refused_as("home", json!({}), Code::NotOpen);
    laptop.refused_as(
        "open_branch",
        json!({ "folder": folder, "password": "另一个密码2026" }),
        Code::WrongPassword,
    );
    laptop.call("open_branch", json!({ "folder": folder, "password": PASSWORD }));
    laptop.call("change_password", json!({ "old": PASSWORD, "new": "新的密码2026年" }));
    laptop.refused_as(
        "change_password",
        json!({ "old": PASSWORD, "new": "再换一个密码" }),
        Code::WrongPassword,
    );
    laptop.call("close_branch", json!({}));
    laptop.refused_as("open_branch", json!({ "folder": folder, "password": PASSWORD }), Code::WrongPassword);

    let recovered = json!({ "folder": folder, "code": code, "new_password": "想起来的密码8" });
    let fresh = text(&laptop.call("open_with_recovery", recovered.clone())["recovery_code"]);
    assert_ne!(fresh, code);
    laptop.refused_as("open_with_recovery", recovered, Code::WrongRecoveryCode);
    laptop.call("close_branch", json!({}));
    laptop.call("open_branch", json!({ "folder": folder, "password": "想起来的密码8" }));
    assert_eq!(laptop.call("get_organisation", json!({}))["form"]["name"], request["name"]);
}

#[test]
fn what_set_up_refuses_leaves_no_folder() {
    let laptop = Laptop::new("2026-10-13");
    let cases = [
        ("password", json!("short"), Code::WeakPassword),
        ("name", json!(" "), Code::Invalid),
        ("type", json!("club"), Code::Invalid),
        ("records_since", json!("2026-13-01"), Code::Invalid),
        ("author", json!(""), Code::Invalid),
        ("name", json!("某支部 机密★10年"), Code::SecretMarking),
        ("name", json!("长".repeat(500)), Code::TooLong),
    ];
    for (field, value, code) in cases {
        let mut request = branch("中国共产党某某支部委员会", "某某");
        request[field] = value;
        laptop.refused_as("create_branch", request, code);
        assert_eq!(laptop.call("session", json!({}))["branches"], json!([]), "{field}");
    }
    laptop.call("create_branch", branch("中国共产党某某支部委员会", "某某"));
    laptop.refused_as("create_branch", branch("中国共产党某某支部委员会", "某某"), Code::AlreadyExists);
}

#[test]
fn two_programs_do_not_open_one_branch() {
    let laptop = Laptop::new("2026-10-13");
    let folder = text(&laptop.call("create_branch", branch("中国共产党某某支部委员会", "某某"))["folder"]);
    let world = World::new(Arc::new(SystemSources(|| 0)));
    let other = App::new(laptop.root(), world).expect("a second program");
    let session = other.call("session", json!({})).expect("a session");
    assert_eq!(session["branches"][0]["in_use"], true);
    let refused = other.call("open_branch", json!({ "folder": folder, "password": PASSWORD }));
    let error = refused.expect_err("the lock is held");
    assert_eq!(error.code, Code::AlreadyOpen);
    assert!(text(&error.params["folder"]).ends_with(&folder), "it names the folder");
    laptop.call("list_people", json!({ "text": "", "include_left": false, "members_only": false }));
    laptop.call("close_branch", json!({}));
    other.call("open_branch", json!({ "folder": folder, "password": PASSWORD })).expect("the lock is free");
}

#[test]
fn a_folder_is_named_never_reached_by_a_path() {
    let laptop = Laptop::new("2026-10-13");
    laptop.call("create_branch", branch("中国共产党某某支部委员会", "某某"));
    for folder in ["..", ".", "", "/etc", "../某某", "某某/.", "某某\\..", "没有"] {
        laptop.refused_as("open_branch", json!({ "folder": folder, "password": PASSWORD }), Code::NotFound);
    }
}

#[test]
fn the_branch_changes_as_its_page_says() {
    let laptop = Laptop::new("2026-10-13");
    laptop.call("create_branch", branch("中国共产党某某支部委员会", "某某"));
    let page = || laptop.call("get_organisation", json!({}));
    let mut form = page()["form"].clone();
    form["groups"] = json!([{ "id": "", "name": "第一党小组", "from": "2026-10-01", "to": null }]);
    form["committees"] = json!([{ "id": "", "from": "2026-10-01", "to": null, "seats": 3 }]);
    form["name"] = json!("中国共产党某某新名支部委员会");
    laptop.call("save_organisation", json!({ "form": form, "base": page()["base"] }));
    let saved = page()["form"].clone();
    assert_eq!((&saved["name"], &saved["groups"][0]["name"]), (&form["name"], &json!("第一党小组")));
    let session = laptop.call("session", json!({}));
    assert_eq!(
        (&session["open"]["has_committee"], &session["branches"][0]["name"]),
        (&json!(true), &form["name"])
    );
    let mut without = saved.clone();
    without["groups"] = json!([]);
    without["committees"] = json!([]);
    laptop.call("save_organisation", json!({ "form": without, "base": page()["base"] }));
    let after = page()["form"].clone();
    assert_eq!((&after["groups"], &after["committees"]), (&json!([]), &json!([])));
    let mut bad = saved;
    bad["records_since"] = json!("");
    let error =
        laptop.refused_as("save_organisation", json!({ "form": bad, "base": page()["base"] }), Code::Invalid);
    assert_eq!(error.problems[0].path, "records_since");
}
