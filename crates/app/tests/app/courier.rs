//! 上报 by itself, turn by turn at moments that the test chooses, and what a person does while an exchange runs.

use crate::attachments::{add, states};
use crate::reporting::{City, edit, form, laptop};
use crate::world::{Laptop, PASSWORD, draft, record, text};
use app::{App, CallError, Code, Courier};
use serde_json::{Value, json};
use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::Duration;

/// A laptop with its courier.
struct Reporting {
    laptop: Laptop,
    courier: Courier,
}

impl Reporting {
    fn new(laptop: Laptop) -> Self {
        Self { laptop, courier: Courier::default() }
    }

    /// The turns that are due until a second of the steady clock; answers how long it would wait then.
    fn until(&mut self, second: u64) -> Duration {
        let now = Duration::from_secs(second);
        loop {
            let nap = self.courier.turn(&self.laptop.app, now);
            if nap > Duration::ZERO {
                return nap;
            }
        }
    }

    fn page(&self) -> Value {
        self.laptop.call("sync_page", json!({}))
    }
}

/// A scan of so many bytes: no small file, which travels in any case.
fn scan(of: u8, len: usize) -> Vec<u8> {
    [b"%PDF-1.4\n".to_vec(), vec![of; len], b"%%EOF".to_vec()].concat()
}

/// A record with scans of 200 KB each.
pub fn with_scans(laptop: &Laptop, scans: u8) -> String {
    let (id, _) = draft(laptop, &form());
    for of in 0..scans {
        add(laptop, &id, &format!("{of}.pdf"), &scan(b'0' + of, 200_000));
    }
    laptop.call("commit_draft", json!({ "draft": id }));
    id
}

pub fn whereabouts(laptop: &Laptop, meeting: &str) -> Vec<String> {
    states(laptop, meeting).iter().map(|file| text(&file["whereabouts"])).collect()
}

/// Runs once, in the middle of the next exchange: after something passed that `when` waits for.
pub fn meanwhile(
    laptop: &Laptop,
    when: impl Fn(&Value) -> bool + Send + Sync + 'static,
    what: impl Fn(&App) + Send + Sync + 'static,
) {
    let (app, done) = (Arc::downgrade(&laptop.app), AtomicBool::new(false));
    laptop.app.on_changed(move |kinds| {
        if !kinds.iter().any(|kind| kind == "progress") || done.load(Ordering::SeqCst) {
            return;
        }
        let app = app.upgrade().expect("it tells");
        let progress = app.call("exchange_progress", json!({})).expect("progress");
        if when(&progress) && !done.swap(true, Ordering::SeqCst) {
            what(&app);
        }
    });
}

/// A request of the program's own got through.
fn by_itself(progress: &Value) -> bool {
    progress["by_itself"] == true && progress["bytes_out"].as_u64() > Some(0)
}

/// A laptop of a city in whose place somebody stands who takes every request and never answers; each is told.
fn before_a_silent_city(laptop: &Laptop) -> Receiver<()> {
    let city = City::new();
    city.enrol(laptop);
    let at = city.address().to_owned();
    drop(city);
    let listener = TcpListener::bind(at).expect("the port is free again");
    let (asked, is_asked) = mpsc::channel();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for mut client in listener.incoming().flatten() {
            if client.read(&mut [0; 64]).is_ok() && asked.send(()).is_err() {
                return;
            }
            held.push(client);
        }
    });
    is_asked
}

/// A call on a thread of its own.
fn calling(app: &Arc<App>, name: &'static str) -> JoinHandle<Result<Value, CallError>> {
    let app = app.clone();
    std::thread::spawn(move || app.call(name, json!({})))
}

fn is_no_failure(page: &Value) {
    assert_eq!((&page["last_error"], &page["rounds"]), (&Value::Null, &json!([])), "{page}");
    assert_eq!(page["busy"], false);
}

#[test]
fn what_is_put_on_record_is_reported_without_a_hand() {
    let city = City::new();
    let mut it = Reporting::new(laptop("某某"));
    let (id, _) = record(&it.laptop, &form());
    city.enrol(&it.laptop);
    assert!(it.until(0) < Duration::from_secs(30), "soon after it was enrolled");
    assert_eq!(it.page()["rounds"], json!([]), "and not at once");
    it.until(30);
    let page = it.page();
    assert_eq!((&page["waiting_total"], &page["last_error"]), (&json!(0), &Value::Null));
    assert_eq!(it.laptop.call("get_meeting", json!({ "id": id }))["report"], "received");

    assert_eq!(it.until(31), Duration::from_secs(60), "nothing is to be said for a while");
    edit(&it.laptop, &id, "place", "三楼");
    it.laptop.call("commit_draft", json!({ "draft": id }));
    assert_eq!(it.until(40), Duration::from_secs(5));
    it.until(45);
    assert_eq!(it.page()["waiting_total"], 0);
    assert_eq!(it.page()["rounds"].as_array().map(Vec::len), Some(2));
    assert_eq!(it.until(46), Duration::from_secs(60), "what an exchange commits begins no other one");
    it.until(60 * 60);
    it.until(2 * 60 * 60);
    let page = it.page();
    assert_eq!(page["rounds"].as_array().map(Vec::len), Some(3), "quiet exchanges are one line: {page}");
}

#[test]
fn without_a_city_to_reach_nothing_is_tried() {
    let mut it = Reporting::new(laptop("某某"));
    record(&it.laptop, &form());
    it.until(0);
    it.until(3600);
    assert_eq!((&it.page()["rounds"], &it.page()["next_try"]), (&json!([]), &Value::Null));

    it.laptop.call("close_branch", json!({}));
    it.laptop.call("network_is_back", json!({}));
    assert_eq!(it.until(7200), Duration::from_secs(60), "nor while it is locked");
}

#[test]
fn a_line_that_fails_is_tried_again_and_says_when() {
    let mut it = Reporting::new(laptop("某某"));
    {
        let city = City::new();
        city.enrol(&it.laptop);
        it.laptop.call("exchange", json!({}));
        record(&it.laptop, &form());
    }
    it.until(0);
    it.until(60);
    let page = it.page();
    assert!(matches!(page["last_error"]["code"].as_str(), Some("offline" | "cut_off")), "{page}");
    let next = text(&page["next_try"]);
    assert!(next > text(&page["last_error"]["at"]), "the next one is ahead: {next}");
    assert_eq!(it.laptop.call("sync_pill", json!({}))["retrying"], true);

    for hour in 1..30 {
        it.until(hour * 3600);
    }
    let page = it.page();
    assert_eq!(page["rounds"].as_array().map(Vec::len), Some(2), "a day of failures is one line");
    assert_eq!((&page["waiting_total"], page["last_success"].is_string()), (&json!(1), true));

    let before = it.until(30 * 3600);
    it.laptop.call("network_is_back", json!({}));
    assert!(it.until(30 * 3600) <= Duration::from_secs(30), "the network that came back is used: {before:?}");
}

#[test]
fn a_computer_that_slept_reports_when_it_wakes_and_a_clock_set_back_does_nothing() {
    let city = City::new();
    let mut it = Reporting::new(laptop("某某"));
    city.enrol(&it.laptop);
    it.until(0);
    it.until(60);
    assert_eq!(it.until(61), Duration::from_secs(60), "it rests");
    it.laptop.evening_of("2026-10-15");
    assert!(
        it.until(62) <= Duration::from_secs(20),
        "two nights went by, of which the steady clock saw nothing"
    );
    it.until(90);
    it.laptop.evening_of("2026-01-01");
    assert_eq!(it.until(91), Duration::from_secs(60), "nothing waits for October");
}

#[test]
fn what_only_a_person_can_mend_is_not_tried_again() {
    let city = City::new();
    let mut it = Reporting::new(laptop("某某"));
    city.enrol(&it.laptop);
    it.until(0);
    it.until(60);
    city.revoke_all();
    record(&it.laptop, &form());
    it.until(70);
    it.until(80);
    let page = it.page();
    assert_eq!((&page["last_error"]["code"], &page["next_try"]), (&json!("revoked"), &Value::Null));
    record(&it.laptop, &form());
    it.laptop.call("network_is_back", json!({}));
    it.until(100_000);
    assert_eq!(it.page()["rounds"], page["rounds"]);
    city.enrol(&it.laptop);
    it.until(100_000);
    it.until(100_030);
    assert_eq!(it.page()["last_error"], Value::Null, "enrolled anew");
}

#[test]
fn a_person_stops_it_between_two_requests_and_loses_nothing() {
    let city = City::new();
    let laptop = laptop("某某");
    let id = with_scans(&laptop, 3);
    city.enrol(&laptop);
    let one_is_through = |progress: &Value| progress["files"]["done"].as_u64() > Some(0);
    meanwhile(&laptop, one_is_through, |app| {
        app.call("stop_exchange", json!({})).expect("it stops");
    });
    laptop.refused_as("exchange", json!({}), Code::Stopped);
    let page = laptop.call("sync_page", json!({}));
    assert_eq!(
        (&page["waiting_total"], &page["busy"]),
        (&json!(0), &json!(false)),
        "the records are through"
    );
    assert_eq!((&page["last_error"], &page["rounds"]), (&Value::Null, &json!([])), "no failure");
    assert_eq!(laptop.call("exchange_progress", json!({})), Value::Null);
    assert!(whereabouts(&laptop, &id).contains(&"here".to_owned()));
    laptop.call("exchange", json!({}));
    assert_eq!(whereabouts(&laptop, &id), ["reported"; 3]);
}

#[test]
fn a_person_stops_it_while_the_city_is_silent() {
    let laptop = laptop("某某");
    let is_asked = before_a_silent_city(&laptop);
    let exchange = calling(&laptop.app, "exchange");
    is_asked.recv().expect("a request");
    laptop.call("stop_exchange", json!({}));
    assert_eq!(exchange.join().expect("it ends").map_err(|error| error.code), Err(Code::Stopped));
    is_no_failure(&laptop.call("sync_page", json!({})));
}

#[test]
fn a_person_does_not_wait_for_what_the_program_does_by_itself() {
    let mut it = Reporting::new(laptop("某某"));
    let is_asked = before_a_silent_city(&it.laptop);
    it.until(0);
    let app = it.laptop.app.clone();
    std::thread::scope(|scope| {
        let by_itself = scope.spawn(|| it.until(30));
        is_asked.recv().expect("a request of the program's own");
        let person = calling(&app, "exchange");
        is_asked.recv().expect("the person's");
        assert_eq!(app.call("exchange_progress", json!({})).expect("progress")["by_itself"], false);
        app.call("stop_exchange", json!({})).expect("it stops");
        assert_eq!(person.join().expect("it ends").map_err(|error| error.code), Err(Code::Stopped));
        assert_eq!(by_itself.join().expect("it gave way"), Duration::from_secs(60));
    });
    is_no_failure(&it.page());
}

#[test]
fn a_branch_that_is_locked_while_the_city_is_silent_can_be_opened_again() {
    let laptop = laptop("某某");
    let is_asked = before_a_silent_city(&laptop);
    let exchange = calling(&laptop.app, "exchange");
    is_asked.recv().expect("a request");
    laptop.call("close_branch", json!({}));
    laptop.call("open_branch", json!({ "folder": "某某", "password": PASSWORD }));
    assert_eq!(exchange.join().expect("it ended").map_err(|error| error.code), Err(Code::Stopped));
    is_no_failure(&laptop.call("sync_page", json!({})));
}

#[test]
fn the_page_hears_what_passes() {
    let city = City::new();
    let laptop = laptop("某某");
    with_scans(&laptop, 2);
    city.enrol(&laptop);
    let (heard, hears) = mpsc::channel();
    meanwhile(
        &laptop,
        move |progress| {
            heard.send(progress.clone()).expect("the test listens");
            false
        },
        |_| (),
    );
    laptop.call("exchange", json!({}));
    let told: Vec<Value> = hears.try_iter().filter(|progress| !progress.is_null()).collect();
    let last = told.last().expect("it was told");
    assert_eq!((&last["by_itself"], &last["stopping"]), (&json!(false), &json!(false)));
    assert!(last["bytes_out"].as_u64() > Some(400_000), "{last}");
    let (files, whole) = (&last["files"], 2 * scan(b'0', 200_000).len());
    assert_eq!((&files["of"], &files["bytes"]), (&json!(2), &json!(whole)));
    assert_eq!(files["of_bytes"], files["bytes"]);
    assert!(told[0]["files"].is_null(), "records come first");
}

#[test]
fn a_person_comes_before_what_the_program_does_by_itself() {
    let city = City::new();
    let mut it = Reporting::new(laptop("某某"));
    with_scans(&it.laptop, 3);
    city.enrol(&it.laptop);
    it.until(0);
    let (done, waits) = mpsc::channel();
    meanwhile(&it.laptop, by_itself, {
        let app = Arc::downgrade(&it.laptop.app);
        move |going| {
            let (app, done) = (app.upgrade().expect("it lives"), done.clone());
            std::thread::spawn(move || {
                let answer = app.call("exchange", json!({}));
                drop(app);
                done.send(answer)
            });
            // The person's wish is heard while a request is under way.
            while going.call("exchange_progress", json!({})).expect("progress")["stopping"] == false {
                std::thread::yield_now();
            }
        }
    });
    it.until(30);
    waits.recv().expect("it was asked").expect("the person's own goes through");
    let page = it.page();
    assert_eq!((&page["waiting_total"], &page["files"]["to_send"]), (&json!(0), &json!(0)));
    assert_eq!(page["rounds"].as_array().map(Vec::len), Some(1), "what gave way is no failure: {page}");
}

#[test]
fn a_branch_that_is_locked_while_it_reports_can_be_opened_again_at_once() {
    let city = City::new();
    let mut it = Reporting::new(laptop("某某"));
    with_scans(&it.laptop, 3);
    city.enrol(&it.laptop);
    it.until(0);
    meanwhile(&it.laptop, by_itself, |app| {
        app.call("close_branch", json!({})).expect("it locks");
        let session = app.call("session", json!({})).expect("a session");
        assert_eq!(session["branches"][0]["in_use"], false, "it is nobody else's: {session}");
    });
    it.until(30);
    it.laptop.call("open_branch", json!({ "folder": "某某", "password": PASSWORD }));
    assert!(it.page()["files"]["to_send"].as_u64() > Some(0), "it ended before all was through");
    it.until(31);
    it.until(60);
    assert_eq!(it.page()["files"]["to_send"], 0, "and goes on by itself");
}

#[test]
fn on_a_line_that_is_paid_by_the_byte_photos_wait_for_a_person() {
    let city = City::new();
    let first = laptop("某某");
    first.call("set_metered", json!({ "on": true }));
    let id = with_scans(&first, 2);
    city.enrol(&first);
    first.call("exchange", json!({}));
    let page = first.call("sync_page", json!({}));
    assert_eq!((&page["waiting_total"], &page["metered"]), (&json!(0), &json!(true)));
    assert_eq!((&page["files"]["to_send"], &page["files"]["to_fetch"]), (&json!(2), &json!(0)));
    assert!(page["files"]["to_send_bytes"].as_u64() > Some(400_000));
    assert_eq!(first.call("sync_pill", json!({}))["files"], 2);
    assert_eq!(whereabouts(&first, &id), ["here"; 2]);
    first.call("carry_photos", json!({}));
    assert_eq!(whereabouts(&first, &id), ["reported"; 2]);
    assert_eq!(first.call("sync_page", json!({}))["metered"], true, "only this once");

    let mut second = Reporting::new(laptop("另一台"));
    second.laptop.call("set_metered", json!({ "on": true }));
    city.enrol(&second.laptop);
    second.laptop.call("confirm_matching", json!({ "same": {} }));
    second.until(0);
    second.until(30);
    assert_eq!(second.page()["files"]["to_fetch"], 2);
    assert_eq!(whereabouts(&second.laptop, &id), ["on_its_way"; 2]);
    second.laptop.call("set_metered", json!({ "on": false }));
    second.until(31);
    second.until(61);
    assert_eq!(second.page()["files"]["to_fetch"], 0, "they come by themselves");
    assert!(!whereabouts(&second.laptop, &id).contains(&"on_its_way".to_owned()));
}
