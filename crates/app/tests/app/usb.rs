//! 用 U 盘上报: what the page shows before and after a stick has been to the city, on a computer without a network.

use crate::attachments::{add, photo, states};
use crate::reporting::{BRANCH, City, ROWS, form, laptop};
use crate::world::{Laptop, draft, ids, people, record, text};
use app::{Code, UsbFile};
use serde_json::{Value, json};

#[track_caller]
fn exports(laptop: &Laptop) -> UsbFile {
    let mut made = None;
    let put = |file| {
        made = Some(file);
        Ok(true)
    };
    assert!(laptop.app.usb_export(false, put).expect("a file"));
    made.expect("it was given")
}

#[track_caller]
fn goes_to(city: &City, file: &UsbFile) -> Vec<u8> {
    city.server.import_file(&file.bytes).expect("the city takes it").answer.bytes
}

fn page(laptop: &Laptop) -> Value {
    laptop.call("usb_page", json!({}))
}

/// Enrolled by file, with one record that waits.
fn enrolled(city: &City) -> (Laptop, String) {
    let laptop = laptop("某某");
    people(&laptop, ROWS);
    let (id, _) = record(&laptop, &form());
    laptop.call("usb_enrol", json!({ "code": city.code() }));
    let yes = goes_to(city, &exports(&laptop));
    laptop.app.usb_import(&yes).expect("the yes");
    (laptop, id)
}

/// Enrolled by file, with so many people that are reported.
fn with_people(city: &City, count: u32) -> Laptop {
    let laptop = laptop("某某");
    let names = (10..10 + count).map(|at| char::from_u32(0x4e00 + at * 7).unwrap_or('三'));
    let rows: Vec<String> = names.map(|name| format!("张{name}\t2001.7\t2002.7")).collect();
    people(&laptop, &format!("姓名\t入党时间\t转正日期\n{}\n", rows.join("\n")));
    laptop.call("usb_enrol", json!({ "code": city.code() }));
    laptop.app.usb_import(&goes_to(city, &exports(&laptop))).expect("the yes");
    laptop.app.usb_import(&goes_to(city, &exports(&laptop))).expect("the receipt");
    laptop
}

fn delete_people(laptop: &Laptop, count: usize) {
    for (_, id) in ids(laptop).into_iter().take(count) {
        laptop.call("delete_person", json!({ "id": id }));
    }
}

#[test]
fn a_computer_without_a_network_is_let_in_by_file() {
    let city = City::new();
    let laptop = laptop("某某");
    let before = page(&laptop);
    assert_eq!((&before["enrolled"], &before["pending"]), (&json!(false), &Value::Null));
    let nothing = laptop.app.usb_export(false, |_| panic!("there is nothing to give"));
    assert_eq!(nothing.expect_err("no code yet").code, Code::NotEnrolled);
    laptop.refused_as("usb_enrol", json!({ "code": "ABCD-EFGH" }), Code::CodeUnknown);

    let code = city.code();
    laptop.call("usb_enrol", json!({ "code": code }));
    assert_eq!(page(&laptop)["pending"]["place"], code[..4]);
    let ask = exports(&laptop);
    assert!(ask.name.starts_with("支部纪实接入申请 某某 2026-10-13"), "{}", ask.name);
    let laptop = laptop.restarted();
    laptop.call("open_branch", json!({ "folder": "某某", "password": crate::world::PASSWORD }));
    let done = laptop.app.usb_import(&goes_to(&city, &ask)).expect("the yes");
    assert!(done.enrolled);
    let after = page(&laptop);
    assert_eq!((&after["enrolled"], &after["organisation"]), (&json!(true), &json!(BRANCH)));
    assert_eq!(after["pending"], Value::Null);
    let sync = laptop.call("sync_page", json!({}));
    assert_eq!(sync["enrolment"]["address"], "", "no address is known");
    laptop.refused_as("usb_enrol", json!({ "code": city.code() }), Code::AlreadyEnrolled);
}

#[test]
fn exported_is_not_reported() {
    let city = City::new();
    let (laptop, id) = enrolled(&city);
    let report = || text(&laptop.call("get_meeting", json!({ "id": id }))["report"]);
    let before = page(&laptop);
    assert_eq!((&before["waiting"], &before["unexported"]), (&json!(4), &json!(4)));

    let file = exports(&laptop);
    assert!(file.name.starts_with("支部纪实上报 某某 "), "{}", file.name);
    let made = page(&laptop);
    assert_eq!((&made["waiting"], &made["unexported"]), (&json!(4), &json!(0)));
    assert_eq!(made["exports"][0]["state"], "waiting");
    assert_eq!(laptop.call("sync_page", json!({}))["waiting"][0]["exported"], true);
    assert_eq!(report(), "waiting", "已导出，等待回执");

    let answer = goes_to(&city, &file);
    assert_eq!(report(), "waiting", "the city has it, but nobody here knows");
    let done = laptop.app.usb_import(&answer).expect("the receipt");
    assert_eq!((done.reported, done.damaged.is_some(), done.stale), (4, false, false));
    assert_eq!(report(), "received");
    let after = page(&laptop);
    assert_eq!((&after["waiting"], &after["exports"][0]["state"]), (&json!(0), &json!("received")));
    assert_eq!(after["last_import"]["reported"], 4);
    let sync = laptop.call("sync_page", json!({}));
    assert_eq!(sync["rounds"][0]["receipt_at"], after["last_import"]["receipt_at"]);

    let again = laptop.app.usb_import(&answer).expect("the same once more");
    assert_eq!((again.reported, again.new), (0, 0));
    assert_eq!(report(), "received");
}

#[test]
fn photos_travel_on_the_stick_both_ways_and_the_page_says_how_many() {
    let city = City::new();
    let (first, _) = enrolled(&city);
    let (id, _) = draft(&first, &form());
    add(&first, &id, "合影.jpg", &photo("a", "2026:10:13 14:05:00"));
    first.call("commit_draft", json!({ "draft": id }));
    let waiting = |laptop: &Laptop| page(laptop)["files"]["to_send"].clone();
    assert_eq!(waiting(&first), 1, "a picture as small as this is its own thumbnail");
    let file = exports(&first);
    let made = page(&first)["exports"][0].clone();
    assert_eq!((&made["files"], &made["files_left"]), (&json!(1), &json!(0)));
    assert_eq!(states(&first, &id)[0]["whereabouts"], "here", "nothing came back yet");
    let done = first.app.usb_import(&goes_to(&city, &file)).expect("the receipt");
    assert_eq!((done.files_reported, done.files, done.files_left), (1, 0, 0));
    assert_eq!(waiting(&first), 0);
    assert_eq!(states(&first, &id)[0]["whereabouts"], "reported");

    let second = laptop("某某二");
    second.call("usb_enrol", json!({ "code": city.code() }));
    let done = second.app.usb_import(&goes_to(&city, &exports(&second))).expect("the yes");
    assert_eq!((done.files, done.files_reported), (1, 0));
    let file = first.call("get_meeting", json!({ "id": id }))["form"]["attachments"][0].clone();
    assert!(second.app.photo(&text(&file["hash"])).is_some(), "it can be looked at on the other computer");
}

#[test]
fn a_person_who_changed_their_mind_has_exported_nothing() {
    let city = City::new();
    let (laptop, _) = enrolled(&city);
    assert!(!laptop.app.usb_export(false, |_| Ok(false)).expect("no error"));
    assert_eq!(page(&laptop)["exports"], json!([]));
    let full = laptop.app.usb_export(false, |_| Err(app::CallError::new(Code::UsbFull)));
    assert_eq!(full.expect_err("the stick is full").code, Code::UsbFull);
    assert_eq!(page(&laptop)["exports"], json!([]), "a file that was not written is not noted");
}

#[test]
fn files_that_cannot_be_used_are_told_apart_and_change_nothing() {
    let (city, elsewhere) = (City::new(), City::new());
    let (laptop, _) = enrolled(&city);
    let (other, _) = enrolled(&elsewhere);
    let file = exports(&laptop);
    let answer = goes_to(&city, &file);
    let mut newer = answer.clone();
    newer[11] += 1;
    let cases = [
        (&laptop, b"%PDF-1.7 a scan of the minutes, of all things".to_vec(), Code::UsbNotOurs),
        (&laptop, newer, Code::UsbNewer),
        (&laptop, answer[..100].to_vec(), Code::UsbDamaged),
        (&laptop, file.bytes, Code::UsbWrongWay),
        (&other, answer.clone(), Code::UsbOtherCity),
        (&self::laptop("新的"), answer, Code::UsbOtherComputer),
    ];
    for (laptop, bytes, code) in cases {
        let refused = laptop.app.usb_import(&bytes).expect_err("refused");
        assert_eq!(refused.code, code);
    }
    let page = page(&laptop);
    assert_eq!((&page["waiting"], &page["exports"][0]["state"]), (&json!(4), &json!("waiting")));
}

#[test]
fn a_second_computer_matches_before_it_exports() {
    let city = City::new();
    let (first, _) = enrolled(&city);
    first.app.usb_import(&goes_to(&city, &exports(&first))).expect("the receipt");
    let second = laptop("某某二");
    people(&second, "姓名\t入党时间\t转正日期\t党内职务\n周海东\t2001.7\t2002.7\t书记\n");
    second.call("usb_enrol", json!({ "code": city.code() }));
    second.app.usb_import(&goes_to(&city, &exports(&second))).expect("the yes");
    assert_eq!(page(&second)["matching"], true);
    let early = second.app.usb_export(false, |_| Ok(true)).expect_err("the records come first");
    assert_eq!(early.code, Code::UsbMatching);
    let matching = second.call("matching", json!({}));
    let person = &matching["persons"][0];
    assert_eq!(person["title"], "周海东", "the city's records came in the file: {matching}");
    second.call("confirm_matching", json!({ "same": { text(&person["id"]): person["proposed"] } }));
    let answer = goes_to(&city, &exports(&second));
    second.app.usb_import(&answer).expect("the receipt");
    assert_eq!((&page(&second)["matching"], &page(&second)["waiting"]), (&json!(false), &json!(0)));
}

#[test]
fn a_file_that_would_take_many_records_away_asks_on_its_page_and_is_read_again_after_a_yes() {
    let city = City::new();
    let first = with_people(&city, 30);
    let second = laptop("某某二");
    second.call("usb_enrol", json!({ "code": city.code() }));
    second.app.usb_import(&goes_to(&city, &exports(&second))).expect("the yes");
    second.call("confirm_matching", json!({ "same": {} }));
    delete_people(&second, 25);
    second.app.usb_export(false, |_| Ok(true)).expect_err("the first question is here");
    second.call("answer_losses", json!({ "agree": true }));
    goes_to(&city, &exports(&second));

    let (id, _) = record(&first, &form());
    let answer = goes_to(&city, &exports(&first));
    let refused = first.app.usb_import(&answer).expect_err("a person is asked");
    assert_eq!((refused.code, &refused.params["count"]), (Code::MassIncoming, &json!(25)));
    let asked = page(&first)["question"].clone();
    assert_eq!((&asked["count"], asked["titles"].as_array().map(Vec::len)), (&json!(25), Some(5)));
    assert_eq!(ids(&first).len(), 30, "nothing was taken away");
    assert_eq!(first.call("get_meeting", json!({ "id": id }))["report"], "received", "its receipt counts");
    first.call("answer_losses", json!({ "agree": false }));
    first.app.usb_import(&answer).expect_err("a no holds");
    assert_eq!(page(&first)["question"]["refused"], true);
    first.call("answer_losses", json!({ "agree": true }));
    first.app.usb_import(&answer).expect("the same file once more");
    assert_eq!((ids(&first).len(), &page(&first)["question"]), (5, &Value::Null));
}

#[test]
fn a_file_that_would_take_many_records_away_at_the_city_is_made_after_a_yes_and_again_before_its_receipt() {
    let city = City::new();
    let laptop = with_people(&city, 50);
    delete_people(&laptop, 21);
    let asks = || {
        let made = laptop.app.usb_export(false, |_| panic!("no file is made"));
        let refused = made.expect_err("a person is asked");
        assert_eq!((refused.code, &refused.params["count"]), (Code::MassOutgoing, &json!(21)));
        page(&laptop)["question"].clone()
    };
    let asked = asks();
    assert_eq!((&asked["incoming"], asked["titles"].as_array().map(Vec::len)), (&json!(false), Some(5)));
    laptop.call("answer_losses", json!({ "agree": false }));
    assert_eq!(asks()["refused"], true, "a no holds");
    laptop.call("answer_losses", json!({ "agree": true }));
    exports(&laptop);
    let answer = goes_to(&city, &exports(&laptop));
    laptop.app.usb_import(&answer).expect("the receipt");
    assert_eq!((&page(&laptop)["waiting"], &page(&laptop)["question"]), (&json!(0), &Value::Null));

    delete_people(&laptop, 21);
    assert_eq!(asks()["refused"], false, "a yes is for what it was said to");
}

#[test]
fn a_computer_that_came_in_by_file_goes_on_over_the_network_once_it_has_an_address() {
    let city = City::new();
    let (laptop, _) = enrolled(&city);
    laptop.refused_as("exchange", json!({}), Code::BadAddress);
    laptop.call("move_city", json!({ "address": city.address() }));
    let sync = laptop.call("sync_page", json!({}));
    assert_eq!(sync["enrolment"]["address"], json!(format!("http://{}", city.address())));
    laptop.call("exchange", json!({}));
    assert_eq!(page(&laptop)["waiting"], 0);
}
