//! 上报 to a city in this process: what is said with a receipt, and the second computer of a branch.

use crate::world::{Laptop, PASSWORD, branch, draft, evening, findings, ids, people, record, text};
use app::Code;
use city::{City as Server, Folder, World};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::Store;
use tempfile::TempDir;

pub const BRANCH: &str = "中国共产党泰安某某有限公司支部";
pub const ROWS: &str =
    "姓名\t入党时间\t转正日期\t党内职务\n周海东\t2001.7\t2002.7\t书记\n李秀英\t2005.7\t2006.7\t\n";

/// A city that serves on loopback for the length of a test.
pub struct City {
    pub server: Arc<Server>,
    address: String,
    _folder: TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl City {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let register = folder.path().join("organisations.csv");
        let csv = format!(
            "id,name,kind,parent,founded,lines\nO1,中国共产党泰安市委员会,委员会,,2010-01-01,\nO2,{BRANCH},党支部,O1,2015-01-01,\n"
        );
        std::fs::write(&register, csv).expect("writable");
        // No two cities have one root.
        static CITIES: AtomicU64 = AtomicU64::new(7 << 56);
        let counter = AtomicU64::new(CITIES.fetch_add(1 << 32, Ordering::Relaxed));
        let random = move |bytes: &mut [u8]| {
            for part in bytes.chunks_mut(8) {
                let count = counter.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).to_le_bytes();
                part.copy_from_slice(&count[..part.len()]);
            }
        };
        let clock = AtomicU64::new(0);
        let world = World::new(
            move || evening("2026-10-14") + i64::try_from(clock.fetch_add(1, Ordering::Relaxed)).unwrap_or(0),
            random,
        );
        let home = Folder::new(folder.path().join("city"));
        city::init(&home, &register, &world).expect("a city");
        let server = Arc::new(Server::open(&home, world, false).expect("it opens"));
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let router = city::router(server.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { server, address, _folder: folder, _runtime: runtime }
    }

    pub fn code(&self) -> String {
        self.server.enrolment_code("O2", None).expect("a code").1.to_string()
    }

    /// 归档 of a record of the one branch that has reported.
    pub fn seal(&self, kind: &str, id: &str) {
        self.server.seal(&self.stream(), kind, id).expect("it seals");
    }

    pub fn unseal(&self, kind: &str, id: &str) {
        self.server.unseal(&self.stream(), kind, id).expect("it takes the seal off");
    }

    /// Every computer that the branch has is lost.
    pub fn revoke_all(&self) {
        let stream = self.stream();
        for device in self.server.devices(&stream).expect("devices") {
            self.server.revoke(&stream, &device.id).expect("it is revoked");
        }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn port(&self) -> &str {
        self.address.rsplit(':').next().expect("a port")
    }

    pub fn stream(&self) -> replica::StreamId {
        self.server.digests().expect("streams").first().expect("one branch has reported").1
    }

    #[track_caller]
    pub fn enrol(&self, laptop: &Laptop) -> Value {
        laptop.call("enrol", json!({ "address": self.address, "code": self.code() }))
    }
}

pub fn laptop(short: &str) -> Laptop {
    let laptop = Laptop::new("2026-10-13");
    laptop.call("create_branch", branch(BRANCH, short));
    laptop
}

pub fn form() -> Value {
    json!({ "types": ["theme_day"], "title": "主题党日", "date": "2026-10-13", "start": "14:00", "end": "16:20", "place": "二楼" })
}

#[test]
fn a_program_that_ended_right_after_the_yes_shows_its_page() {
    let (city, laptop) = (City::new(), laptop("某某"));
    city.enrol(&laptop);
    let since = |laptop: &Laptop| laptop.call("sync_page", json!({}))["enrolment"]["since"].clone();
    assert!(since(&laptop).is_string());
    laptop.call("close_branch", json!({}));
    let store = Store::open(&laptop.root().join("某某"), PASSWORD, laptop.sources()).expect("it opens");
    store.set_meta("enrolled_at", "").expect("it is noted");
    drop(store);
    laptop.call("open_branch", json!({ "folder": "某某", "password": PASSWORD }));
    assert_eq!(since(&laptop), Value::Null);
}

#[test]
fn a_record_is_reported_only_with_a_receipt() {
    let city = City::new();
    let laptop = laptop("某某");
    people(&laptop, ROWS);
    let (id, _) = record(&laptop, &form());
    let page = |laptop: &Laptop| laptop.call("get_meeting", json!({ "id": id }));
    assert_eq!(page(&laptop)["report"], "waiting");
    let answer = city.enrol(&laptop);
    assert_eq!(
        (&answer["outcome"], &answer["enrolment"]["organisation"]),
        (&json!("adopted"), &json!(BRANCH))
    );
    assert_eq!(page(&laptop)["report"], "waiting", "enrolled is not reported");
    laptop.refused_as(
        "enrol",
        json!({ "address": city.address, "code": city.code() }),
        Code::AlreadyEnrolled,
    );

    laptop.evening_of("2026-10-14");
    let done = laptop.call("exchange", json!({}));
    assert_eq!(done["waiting"], 0);
    let page = page(&laptop);
    assert_eq!(page["report"], "received");
    assert!(
        text(&page["times"]["received_at"]).starts_with("2026-10-14T20:00"),
        "by the city's clock: {}",
        page["times"]
    );
    let sync = laptop.call("sync_page", json!({}));
    assert_eq!(
        (&sync["waiting"], &sync["records_here"], &sync["records_received"]),
        (&json!([]), &json!(4), &json!(4))
    );
    assert_eq!((&sync["last_error"], &sync["rounds"][0]["error"]), (&Value::Null, &Value::Null));
    let list = laptop.call("list_meetings", json!({ "page": 0 }));
    assert_eq!(list["rows"][0]["report"], "received");

    laptop.call("edit_meeting", json!({ "id": id }));
    let mut changed = form();
    changed["place"] = json!("三楼");
    laptop.call("save_draft", json!({ "draft": id, "form": changed }));
    laptop.call("commit_draft", json!({ "draft": id }));
    let sync = laptop.call("sync_page", json!({}));
    assert_eq!((&sync["waiting_total"], &sync["waiting"][0]["title"]), (&json!(1), &json!("主题党日")));
    assert!(sync["waiting"][0]["bytes"].as_u64() > Some(0));
    assert_eq!(laptop.call("sync_pill", json!({}))["waiting"], 1);
}

#[test]
fn refused_codes_change_nothing() {
    let city = City::new();
    let laptop = laptop("某某");
    let code = city.code();
    let other = self::laptop("别的");
    other.call("enrol", json!({ "address": city.address, "code": code }));
    laptop.refused_as("enrol", json!({ "address": city.address, "code": code }), Code::CodeUsed);
    let unknown = wire::enrol::EnrolCode::from_random([3; 10]).to_string();
    laptop.refused_as("enrol", json!({ "address": city.address, "code": unknown }), Code::CodeUnknown);
    assert_eq!(laptop.call("sync_page", json!({}))["enrolment"], Value::Null);
    laptop.refused_as("exchange", json!({}), Code::NotEnrolled);
}

#[test]
fn a_failed_round_is_remembered_in_words_and_the_outbox_stays() {
    let laptop = laptop("某某");
    {
        let city = City::new();
        city.enrol(&laptop);
        laptop.call("exchange", json!({}));
        record(&laptop, &form());
    }
    let error = laptop.refused("exchange", json!({}));
    assert!(matches!(error.code, Code::Offline | Code::CutOff), "{error}");
    let sync = laptop.call("sync_page", json!({}));
    assert_eq!((&sync["waiting_total"], &sync["busy"]), (&json!(1), &json!(false)));
    assert_eq!(sync["rounds"].as_array().map(Vec::len), Some(2));
    assert_eq!(sync["last_error"]["code"], sync["rounds"][0]["error"]["code"]);
    assert!(sync["last_success"].is_string(), "the earlier success is still known");
    assert_eq!(laptop.call("sync_pill", json!({}))["failed"], true);
}

#[test]
fn a_second_computer_is_matched_and_has_everything() {
    let city = City::new();
    let first = laptop("某某");
    let here = people(&first, ROWS);
    record(&first, &form());
    city.enrol(&first);
    first.call("exchange", json!({}));

    let second = laptop("某某");
    let own = people(
        &second,
        "姓名\t入党时间\t转正日期\t党内职务\n周海东\t2001.7\t2002.7\t书记\n王立军\t2011.7\t2012.7\t\n",
    );
    let mut chaired = form();
    chaired["title"] = json!("另一场");
    chaired["date"] = json!("2026-10-12");
    chaired["chair"] = json!(own["周海东"]);
    chaired["chair_capacity"] = json!("secretary");
    let (held, _) = record(&second, &chaired);
    let (typing, _) = draft(&second, &chaired);

    let answer = city.enrol(&second);
    assert_eq!(answer["outcome"], "matching");
    let asked = answer["page"]["persons"].clone();
    assert_eq!(asked.as_array().map(Vec::len), Some(1), "only 周海东 may be the same: {asked}");
    assert_eq!((&asked[0]["id"], &asked[0]["proposed"]), (&json!(own["周海东"]), &json!(here["周海东"])));
    assert_eq!(answer["page"]["meetings"], json!([]), "no meeting of the same day");
    assert_eq!(second.call("sync_page", json!({}))["enrolment"], Value::Null, "not before the matching");
    assert_eq!(second.call("matching", json!({}))["persons"], asked, "the page waits");

    let same = json!({ "same": { own["周海东"].clone(): here["周海东"], "0": "1" } });
    let enrolment = second.call("confirm_matching", same);
    assert_eq!(enrolment["organisation"], json!(BRANCH));
    assert_eq!(second.call("matching", json!({})), Value::Null);
    let names: Vec<String> = ids(&second).into_keys().collect();
    assert_eq!(names, ["周海东", "李秀英", "王立军"]);
    let moved = second.call("get_meeting", json!({ "id": held }));
    assert_eq!(moved["form"]["chair"], json!(here["周海东"]), "the record follows the match");
    let typed = second.call("get_draft", json!({ "draft": typing }))["form"].clone();
    assert_eq!(typed["chair"], json!(here["周海东"]), "and so does what is being typed");
    assert_eq!(second.call("session", json!({}))["open"]["name"], json!(BRANCH));

    second.call("exchange", json!({}));
    first.call("exchange", json!({}));
    let titles = |laptop: &Laptop| -> Vec<String> {
        let list = laptop.call("list_meetings", json!({ "state": "recorded", "page": 0 }));
        list["rows"].as_array().expect("rows").iter().map(|row| text(&row["title"])).collect()
    };
    assert_eq!(titles(&first), ["主题党日", "另一场"]);
    assert_eq!(titles(&first), titles(&second));
    assert_eq!(ids(&first), ids(&second));
}

/// Two computers of one branch that hold the same record.
pub fn two_computers(city: &City) -> (Laptop, Laptop, String) {
    let first = laptop("某某");
    let (id, _) = record(&first, &form());
    city.enrol(&first);
    first.call("exchange", json!({}));
    let second = laptop("某某");
    city.enrol(&second);
    second.call("confirm_matching", json!({ "same": {} }));
    second.call("exchange", json!({}));
    (first, second, id)
}

pub fn edit(laptop: &Laptop, id: &str, field: &str, value: &str) {
    laptop.call("edit_meeting", json!({ "id": id }));
    let mut form = laptop.call("get_draft", json!({ "draft": id }))["form"].clone();
    form[field] = json!(value);
    laptop.call("save_draft", json!({ "draft": id, "form": form }));
}

#[test]
fn an_edit_keeps_what_changed_elsewhere_and_asks_before_it_replaces_it() {
    let city = City::new();
    let (first, second, id) = two_computers(&city);
    let reference = json!({ "draft": id });
    edit(&first, &id, "place", "一楼会议室");
    edit(&second, &id, "place", "三楼");
    second.call("commit_draft", reference.clone());
    second.call("exchange", json!({}));
    first.call("exchange", json!({}));

    let error = first.refused_as("commit_draft", reference.clone(), Code::InConflict);
    assert_eq!((&error.params["path"], &error.params["theirs"]), (&json!("place"), &json!("三楼")));
    first.call("commit_draft", reference.clone());
    let place = |laptop: &Laptop| laptop.call("get_meeting", json!({ "id": id }))["form"]["place"].clone();
    assert_eq!(place(&first), "一楼会议室", "the second time it is the person's decision");

    edit(&first, &id, "theme", "主题");
    edit(&second, &id, "title", "十月主题党日");
    second.call("commit_draft", reference.clone());
    second.call("exchange", json!({}));
    first.call("exchange", json!({}));
    first.call("commit_draft", reference);
    let form = first.call("get_meeting", json!({ "id": id }))["form"].clone();
    assert_eq!(
        (&form["theme"], &form["title"]),
        (&json!("主题"), &json!("十月主题党日")),
        "different fields do not meet"
    );
}

#[test]
fn a_conflict_that_arrives_while_typing_is_left_for_its_card() {
    let city = City::new();
    let (first, second, id) = two_computers(&city);
    for (laptop, place) in [(&first, "一楼"), (&second, "三楼")] {
        edit(laptop, &id, "place", place);
        laptop.call("commit_draft", json!({ "draft": id }));
    }
    edit(&first, &id, "theme", "主题");
    second.call("exchange", json!({}));
    first.call("exchange", json!({}));
    first.call("commit_draft", json!({ "draft": id }));
    let page = first.call("get_meeting", json!({ "id": id }));
    assert_eq!(
        (&page["state"], &page["form"]["theme"]),
        (&json!("conflict"), &json!("主题")),
        "nobody decided yet"
    );

    edit(&first, &id, "place", "四楼");
    let shown = first.call("get_draft", json!({ "draft": id }));
    let finding = findings(&shown["derived"], "in_conflict")[0].clone();
    assert_eq!((&finding["path"], &finding["severity"]), (&json!("place"), &json!("E")));
    let sides = text(&finding["params"]["values"]);
    assert!(sides.contains("一楼") && sides.contains("三楼"), "{sides}");
    first.call("commit_draft", json!({ "draft": id }));
    let page = first.call("get_meeting", json!({ "id": id }));
    assert_eq!(
        (&page["state"], &page["form"]["place"]),
        (&json!("recorded"), &json!("四楼")),
        "who saw both decides"
    );
}

#[test]
fn a_conflict_that_arrives_at_what_is_being_typed_is_shown_before_it_is_decided() {
    let city = City::new();
    let (first, second, id) = two_computers(&city);
    edit(&second, &id, "place", "三楼");
    second.call("commit_draft", json!({ "draft": id }));
    edit(&first, &id, "place", "一楼");
    first.call("commit_draft", json!({ "draft": id }));
    edit(&first, &id, "place", "四楼");
    second.call("exchange", json!({}));
    first.call("exchange", json!({}));
    let error = first.refused_as("commit_draft", json!({ "draft": id }), Code::InConflict);
    assert_eq!(error.params["path"], "place");
    first.call("commit_draft", json!({ "draft": id }));
    assert_eq!(first.call("get_meeting", json!({ "id": id }))["form"]["place"], "四楼");
}

#[test]
fn what_both_type_into_a_long_text_is_merged_at_saving() {
    let city = City::new();
    let (first, second, id) = two_computers(&city);
    edit(&first, &id, "summary", "一。二。三。");
    first.call("commit_draft", json!({ "draft": id }));
    first.call("exchange", json!({}));
    second.call("exchange", json!({}));
    edit(&second, &id, "summary", "一改。二。三。");
    second.call("commit_draft", json!({ "draft": id }));
    second.call("exchange", json!({}));
    let summary =
        |laptop: &Laptop| laptop.call("get_meeting", json!({ "id": id }))["form"]["summary"].clone();

    first.call("edit_meeting", json!({ "id": id }));
    let mut form = first.call("get_draft", json!({ "draft": id }))["form"].clone();
    form["summary"] = json!("一。二。三改。");
    first.call("save_draft", json!({ "draft": id, "form": form }));
    first.call("exchange", json!({}));
    first.call("commit_draft", json!({ "draft": id }));
    assert_eq!(summary(&first), "一改。二。三改。", "different sentences do not meet");
    first.call("exchange", json!({}));
    second.call("exchange", json!({}));

    edit(&first, &id, "summary", "一改。二。四。");
    edit(&second, &id, "summary", "一改。二。五。");
    second.call("commit_draft", json!({ "draft": id }));
    second.call("exchange", json!({}));
    first.call("exchange", json!({}));
    first.refused_as("commit_draft", json!({ "draft": id }), Code::InConflict);
    let laid_over = text(&first.call("get_draft", json!({ "draft": id }))["form"]["summary"]);
    assert!(
        laid_over.contains("四。") && laid_over.contains("五。"),
        "nothing of either is left out: {laid_over}"
    );
}

#[test]
fn groups_and_posts_of_the_same_name_are_one_after_the_matching() {
    let city = City::new();
    let grouped = || {
        let laptop = Laptop::new("2026-10-13");
        let mut request = branch(BRANCH, "某某");
        request["groups"] = json!(["第一党小组"]);
        request["committee_seats"] = json!(3);
        laptop.call("create_branch", request);
        let rows = "姓名\t入党时间\t转正日期\t党内职务\t党小组\n周海东\t2001.7\t2002.7\t书记\t第一党小组\n";
        let people = people(&laptop, rows);
        (laptop, people)
    };
    let (first, here) = grouped();
    city.enrol(&first);
    first.call("exchange", json!({}));
    let (second, own) = grouped();
    let group = second.call("get_organisation", json!({}))["form"]["groups"][0]["id"].clone();
    let (typing, _) = draft(&second, &json!({ "types": ["group"], "date": "2026-10-13", "group": group }));
    city.enrol(&second);
    second.call("confirm_matching", json!({ "same": { own["周海东"].clone(): here["周海东"] } }));
    second.call("exchange", json!({}));
    let organisation = second.call("get_organisation", json!({}))["form"].clone();
    assert_eq!(organisation["groups"].as_array().map(Vec::len), Some(1), "{organisation}");
    assert_eq!(organisation["committees"].as_array().map(Vec::len), Some(1));
    let typed = second.call("get_draft", json!({ "draft": typing }))["form"]["group"].clone();
    assert_eq!(typed, organisation["groups"][0]["id"], "what is being typed follows the match");
    let page = second.call("get_person", json!({ "id": here["周海东"] }));
    let form = page["form"].clone();
    assert_eq!(form["posts"].as_array().map(Vec::len), Some(1), "{form}");
    assert_eq!(form["group"], organisation["groups"][0]["id"]);
    let mut moved = form;
    moved["group"] = json!("");
    second.call("save_person", json!({ "id": here["周海东"], "form": moved, "base": page["base"] }));
    let after = second.call("get_person", json!({ "id": here["周海东"] }))["form"]["group"].clone();
    assert_eq!(after, "", "no second membership in the group is left behind");
}
