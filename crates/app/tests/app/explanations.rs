//! 未达标（可说明）: the branch says why, may change it and may take it back.

use crate::world::{Laptop, branch, duties};
use app::Code;
use serde_json::{Value, json};

fn explain(laptop: &Laptop, reason: &str) -> Result<Value, app::CallError> {
    let request =
        json!({ "id": "F5", "from": "2026-09-01", "to": "2026-09-30", "group": null, "reason": reason });
    laptop.app.call("explain_duty", request)
}

#[test]
fn a_duty_that_was_not_met_is_explained_in_the_branchs_own_words() {
    let laptop = Laptop::new("2026-10-13");
    laptop.call("create_branch", branch("中国共产党某某支部", "某某"));
    let shown = || {
        let duty = duties(&laptop, "2026-09", "F5")[0].clone();
        (duty["state"].clone(), duty["explanation"].clone())
    };
    assert_eq!(shown(), (json!("overdue"), Value::Null));
    for reason in ["九月停产检修", "九月停产检修，十月补开"] {
        explain(&laptop, reason).expect("it is taken");
        assert_eq!(shown(), (json!("overdue"), json!(reason)), "an explanation makes nothing done");
    }
    explain(&laptop, " ").expect("it is taken back");
    assert_eq!(shown().1, Value::Null);
    explain(&laptop, " ").expect("taking back twice is nothing");
    explain(&laptop, "又写上").expect("it is taken again");
    assert_eq!(shown().1, json!("又写上"));
    assert_eq!(
        duties(&laptop, "2026-10", "F5")[0]["explanation"],
        Value::Null,
        "another month is another duty"
    );
}

#[test]
fn what_is_no_duty_is_not_explained() {
    let laptop = Laptop::new("2026-10-13");
    laptop.call("create_branch", branch("中国共产党某某支部", "某某"));
    let cases = [
        (json!({ "id": "F99", "from": "2026-09-01", "to": "2026-09-30", "reason": "x" }), Code::NotFound),
        (json!({ "id": "F5", "from": "九月", "to": "2026-09-30", "reason": "x" }), Code::BadRequest),
        (json!({ "id": "F5", "from": "2026-10-01", "to": "2026-09-30", "reason": "x" }), Code::BadRequest),
        (
            json!({ "id": "F5", "from": "2026-09-01", "to": "2026-09-30", "reason": "长".repeat(501) }),
            Code::TooLong,
        ),
        (
            json!({ "id": "F5", "from": "2026-09-01", "to": "2026-09-30", "reason": "机密★" }),
            Code::SecretMarking,
        ),
    ];
    for (request, code) in cases {
        laptop.refused_as("explain_duty", request, code);
    }
}

#[test]
fn what_was_left_open_stays_in_sight_until_it_is_explained() {
    let laptop = Laptop::new("2026-10-13");
    laptop.call("create_branch", branch("中国共产党某某支部", "某某"));
    let left_open = |month: &str| -> Vec<Value> {
        let home = laptop.call("home", json!({ "month": month }));
        let open = home["left_open"].as_array().expect("a list").iter().filter(|duty| duty["id"] == "F5");
        open.map(|duty| duty["from"].clone()).collect()
    };
    assert_eq!(left_open("2026-10"), ["2026-09-01"], "a duty does not vanish with its month");
    assert!(left_open("2026-09").is_empty(), "an earlier month shows its own duties only");
    explain(&laptop, "九月停产检修").expect("it is taken");
    assert!(left_open("2026-10").is_empty());
}
