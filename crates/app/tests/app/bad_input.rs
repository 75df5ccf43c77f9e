//! Hostile, broken and unlucky input, each with its code.

use crate::world::{Laptop, PASSWORD, branch, draft, text};
use app::{App, Code, World};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use store::SystemSources;

fn laptop() -> Laptop {
    let laptop = Laptop::new("2026-10-13");
    laptop.call("create_branch", branch("中国共产党某某支部", "某某"));
    laptop
}

#[test]
fn a_call_that_is_none_is_a_bad_request() {
    let laptop = laptop();
    let cases = [
        ("no_such_call", json!({})),
        ("open_branch", json!({ "folder": 7 })),
        ("open_branch", json!([])),
        ("save_draft", json!({ "draft": "x" })),
        ("home", json!({ "month": "2026-13" })),
        ("home", json!({ "month": "昨天" })),
        ("list_meetings", json!({ "page": -1 })),
    ];
    for (name, request) in cases {
        laptop.refused_as(name, request, Code::BadRequest);
    }
    laptop.call("session", Value::Null);
}

#[test]
fn ten_megabytes_in_one_field_are_refused_by_name_and_the_draft_stays() {
    let laptop = laptop();
    let form = json!({ "types": ["assembly"], "title": "大会", "date": "2026-10-13", "start": "14:00", "end": "15:00" });
    let (id, _) = draft(&laptop, &form);
    let long = "党".repeat(10 * 1024 * 1024 / 3);
    let fields =
        [("summary", json!(long)), ("agenda", json!([{ "id": "a1", "topic": "学习", "resolution": long }]))];
    for (field, value) in fields {
        let mut large = form.clone();
        large[field] = value;
        let error = laptop.refused_as("save_draft", json!({ "draft": id, "form": large }), Code::TooLong);
        let path = if field == "agenda" { "agenda/a1/resolution" } else { field };
        assert_eq!(error.params["path"], path);
    }
    assert_eq!(laptop.call("get_draft", json!({ "draft": id }))["form"]["title"], "大会");
}

#[test]
fn texts_that_fit_one_by_one_and_not_together_are_refused_before_the_commit() {
    let laptop = laptop();
    let item = |id: &str, length: usize| json!({ "id": id, "topic": id, "resolution": "党".repeat(length) });
    let form = json!({ "types": ["assembly"], "title": "大会", "date": "2026-10-13", "start": "14:00", "end": "15:00",
        "agenda": [item("a1", 19_000), item("a2", 19_900)] });
    let (id, _) = draft(&laptop, &form);
    let error = laptop.refused_as("commit_draft", json!({ "draft": id }), Code::TooLong);
    assert_eq!(error.params["path"], "agenda/a2/resolution", "the longest is named");
    laptop.call("get_draft", json!({ "draft": id }));
}

#[test]
fn a_secrecy_marking_is_refused_wherever_it_stands() {
    let laptop = laptop();
    let (id, _) = draft(&laptop, &json!({ "types": ["assembly"], "title": "大会" }));
    let marked = "传达某文件 机密★10年";
    let forms = [
        json!({ "title": marked }),
        json!({ "agenda": [{ "id": "a1", "topic": "学习", "material": marked }] }),
        json!({ "agenda": [{ "id": "a1", "speeches": [{ "id": "s1", "text": marked }] }] }),
        json!({ "guests": [{ "id": "g1", "name": "张三", "unit": marked }] }),
        json!({ "agenda": [{ "id": "a1", "vote": { "rule": "ordinary", "subject": marked } }] }),
    ];
    for form in forms {
        laptop.refused_as("save_draft", json!({ "draft": id, "form": form }), Code::SecretMarking);
    }
    let person = json!({ "id": null, "form": { "name": "张三", "category": "mass", "note": marked } });
    laptop.refused_as("save_person", person, Code::SecretMarking);
    assert_eq!(laptop.call("get_draft", json!({ "draft": id }))["form"]["title"], "大会");
}

#[test]
fn values_that_do_not_fit_their_field_stop_at_the_commit() {
    let laptop = laptop();
    let sound = json!({ "types": ["assembly"], "title": "大会", "date": "2026-10-13", "start": "14:00", "end": "15:00" });
    let cases = [
        (json!({ "types": [] }), "types", "required"),
        (json!({ "date": "" }), "time", "required"),
        (json!({ "end": "" }), "time.end", "required"),
        (json!({ "start": "25:00" }), "time.start", "not_a_date"),
        (json!({ "date": "2026-02-30" }), "time.start", "not_a_date"),
        (json!({ "types": ["party"] }), "types", "not_a_choice"),
        (json!({ "chair": "张三", "chair_capacity": "secretary" }), "chair.person", "wrong_type"),
        (json!({ "chair": "p1" }), "chair.capacity", "required"),
        (
            json!({ "attendance": [{ "person": "p1", "status": "asleep" }] }),
            "attendance/p1/status",
            "not_a_choice",
        ),
    ];
    for (change, path, code) in cases {
        let mut form = sound.clone();
        change.as_object().expect("fields").iter().for_each(|(field, value)| form[field] = value.clone());
        let (id, _) = draft(&laptop, &form);
        let error = laptop.refused_as("commit_draft", json!({ "draft": id }), Code::Invalid);
        let found = error.problems.iter().any(|problem| problem.path == path && problem.code == code);
        assert!(found, "{change}: {error}");
        laptop.call("get_draft", json!({ "draft": id }));
    }
}

#[test]
fn a_clock_ten_years_off_stops_nothing() {
    for day in ["2016-10-13", "2036-10-13"] {
        let laptop = laptop();
        laptop.evening_of(day);
        let form = json!({ "types": ["theme_day"], "title": "主题党日", "date": "2026-10-13", "start": "14:00", "end": "15:00" });
        let (id, _) = draft(&laptop, &form);
        laptop.call("commit_draft", json!({ "draft": id }));
        laptop.call("home", json!({ "month": null }));
        laptop.call("home", json!({ "month": "2026-10" }));
        assert_eq!(laptop.call("get_meeting", json!({ "id": id }))["form"]["date"], "2026-10-13");
    }
}

/// What the files of a closed branch are turned into, and the code that opening it gives.
#[test]
fn broken_files_are_named_and_not_touched() {
    let folder = |laptop: &Laptop| laptop.root().join("某某");
    type Harm = fn(&std::path::Path);
    let cases: [(&str, Harm, Code); 2] = [
        ("a changed byte", |file| change_byte(file), Code::Damaged),
        ("cut in half", |file| cut(file), Code::Damaged),
    ];
    for (what, harm, code) in cases {
        let laptop = laptop();
        laptop.call("close_branch", json!({}));
        let file = folder(&laptop).join("branch.db");
        harm(&file);
        let before = fs::read(&file).expect("the file");
        let error = laptop.refused("open_branch", json!({ "folder": "某某", "password": PASSWORD }));
        assert_eq!(error.code, code, "{what}: {error}");
        assert!(text(&error.params["file"]).ends_with("branch.db"), "{what}");
        assert_eq!(fs::read(&file).expect("the file"), before, "{what}: nothing is written");
    }
}

fn change_byte(file: &std::path::Path) {
    let mut bytes = fs::read(file).expect("the file");
    bytes[100] ^= 1;
    fs::write(file, bytes).expect("writable");
}

fn cut(file: &std::path::Path) {
    let bytes = fs::read(file).expect("the file");
    fs::write(file, &bytes[..bytes.len() / 2 + 17]).expect("writable");
}

#[test]
fn a_city_that_is_none_is_told_from_one_that_is_away() {
    let laptop = laptop();
    let enrol = |address: &str| laptop.refused("enrol", json!({ "address": address, "code": code() })).code;
    assert_eq!(enrol("http://10.0.0.7"), Code::BadAddress);
    assert_eq!(enrol("两个 词"), Code::BadAddress);
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    assert_eq!(enrol(&closed.to_string()), Code::Offline);
    assert_eq!(
        enrol(&answering(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\n\r\nhello")),
        Code::WebPage
    );
    assert_eq!(enrol(&answering(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")), Code::NotOurServer);
    assert_eq!(enrol(&answering(b"")), Code::CutOff);
    let error =
        laptop.refused_as("enrol", json!({ "address": "127.0.0.1:1", "code": "ABC" }), Code::CodeUnknown);
    assert!(error.params.contains_key("reason"));
    laptop.refused_as("exchange", json!({}), Code::NotEnrolled);
    let page = laptop.call("sync_page", json!({}));
    assert_eq!(
        (&page["enrolment"], &page["rounds"], &page["records_received"]),
        (&Value::Null, &json!([]), &json!(0))
    );
    assert_eq!(page["waiting_total"], 1, "the branch itself");
    assert_eq!(page["busy"], false, "a refused enrolment ends");
}

fn code() -> String {
    wire::enrol::EnrolCode::from_random([7; 10]).to_string()
}

/// An address at which somebody answers once with these bytes and hangs up.
fn answering(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(2) {
            let mut stream = stream.expect("a connection");
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(bytes);
        }
    });
    address
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let laptop = laptop();
    let file = laptop.root().join("某某").join("branch.json");
    let world = World::new(Arc::new(SystemSources(|| 0)));
    let refused = App::new(file.join("below"), world).err().expect("a file is no folder");
    assert_eq!(refused.code, Code::Internal);
}
