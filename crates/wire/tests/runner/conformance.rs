//! The conformance pack, as far as it is about files and refusals: run from the files, and made anew by `JISHI_BLESS=1`.

mod bad_changes;
mod bad_files;
mod bad_messages;
mod bodies;
mod doors;
mod files;
mod sealing;

use replica::canonical;
use serde_json::{Value, json};

use crate::pack::{cases, fresh, load};

#[test]
fn files_open_to_what_the_pack_says() {
    let file = load("files");
    files::check_keys(&file);
    let faults: Vec<String> = cases(&file).filter_map(|case| files::run(case).err()).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_door_says_what_the_pack_says() {
    let file = load("bad");
    let faults: Vec<String> = cases(&file).filter_map(|case| doors::run(&file, case).err()).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The control: a case that expects something else, or a file of which one byte is another, does not hold.
#[test]
fn a_damaged_case_is_noticed() {
    let file = load("bad");
    for case in cases(&file) {
        let mut altered = case.clone();
        altered["expect"] = match canonical(&case["expect"]).as_str() {
            r#"{"good":true}"# => json!({ "code": "malformed" }),
            _ => json!({ "good": true }),
        };
        assert!(doors::run(&file, &altered).is_err(), "{}", case["name"]);
    }
    for case in cases(&load("files")) {
        let hex = case["bytes"]["hex"].as_str().unwrap();
        for at in [0, 30, 100, hex.len() / 4, hex.len() / 2 - 1] {
            let mut altered = case.clone();
            let digit = if hex.as_bytes()[2 * at] == b'0' { "1" } else { "0" };
            let mut hex = hex.to_owned();
            hex.replace_range(2 * at..2 * at + 1, digit);
            altered["bytes"]["hex"] = json!(hex);
            assert!(files::run(&altered).is_err(), "{} with byte {at} altered", case["name"]);
        }
    }
}

#[test]
fn the_files_are_made_from_fixed_keys() {
    fresh("files", &files::made());
}

#[test]
fn the_refusals_are_made_from_fixed_keys() {
    let all = [bad_changes::cases(), brief(bad_messages::cases()), brief(bad_files::cases())].concat();
    fresh("bad", &json!({ "about": "What each door says to what is wrong.", "cases": all }));
}

/// Leaves out what a case has in common with the good one at its door.
fn brief(mut cases: Vec<Value>) -> Vec<Value> {
    let all = cases.clone();
    for case in cases.iter_mut().filter(|case| case["name"] != "good") {
        let good = all.iter().find(|good| good["name"] == "good" && good["door"] == case["door"]);
        let common = good.map(|good| good["given"].as_object().unwrap().clone()).unwrap_or_default();
        let given = case["given"].as_object_mut().unwrap();
        let before = given.len();
        given.retain(|field, value| common.get(field) != Some(value));
        if given.len() < before {
            case["like"] = json!("good");
        }
    }
    cases
}

/// A case of `bad.json`.
fn case(door: &str, name: &str, given: Value, expect: Value) -> Value {
    json!({ "door": door, "name": name, "given": given, "expect": expect })
}

fn refused(code: &str) -> Value {
    json!({ "code": code })
}

fn good() -> Value {
    json!({ "good": true })
}
