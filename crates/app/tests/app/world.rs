//! A laptop in a folder of its own, with a clock that stands still until it is set.

use app::{App, CallError, Code, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use store::Sources;
use tempfile::TempDir;

pub const PASSWORD: &str = "七号库责任区2026";

/// The clock and a counted stream of bytes.
pub struct Fixed {
    now: AtomicI64,
    counter: AtomicU64,
}

impl Sources for Fixed {
    fn now(&self) -> i64 {
        // Two changes never carry the same millisecond, as on a real computer.
        self.now.fetch_add(1, Ordering::Relaxed)
    }

    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.counter.fetch_add(1, Ordering::Relaxed);
            let hash = mixed(count);
            chunk.copy_from_slice(&hash[..chunk.len()]);
        }
    }
}

/// Enough of a mixer for test bytes; nothing secret is kept with them.
fn mixed(count: u64) -> [u8; 32] {
    let mut state = count.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bytes = [0; 32];
    for part in bytes.chunks_mut(8) {
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        part.copy_from_slice(&(state ^ (state >> 31)).to_le_bytes());
    }
    bytes
}

pub struct Laptop {
    pub app: Arc<App>,
    fixed: Arc<Fixed>,
    root: TempDir,
}

impl Laptop {
    /// A laptop that knows no branch, at eight in the evening of a day.
    pub fn new(today: &str) -> Self {
        // No two computers draw the same keys.
        static COMPUTERS: AtomicU64 = AtomicU64::new(1);
        let counter = AtomicU64::new(COMPUTERS.fetch_add(1, Ordering::Relaxed) << 32);
        let fixed = Arc::new(Fixed { now: AtomicI64::new(evening(today)), counter });
        let root = tempfile::tempdir().expect("a temporary folder");
        let app = App::new(root.path().to_owned(), World::new(fixed.clone())).expect("an app");
        Self { app: Arc::new(app), fixed, root }
    }

    pub fn root(&self) -> PathBuf {
        self.root.path().to_owned()
    }

    /// Its clock and its chance.
    pub fn sources(&self) -> Arc<dyn Sources> {
        self.fixed.clone()
    }

    /// The program is started again: nothing is left but what is on disk.
    pub fn restarted(self) -> Self {
        let Self { app, fixed, root } = self;
        drop(app);
        let app = App::new(root.path().to_owned(), World::new(fixed.clone())).expect("an app");
        Self { app: Arc::new(app), fixed, root }
    }

    pub fn evening_of(&self, day: &str) {
        self.fixed.now.store(evening(day), Ordering::Relaxed);
    }

    #[track_caller]
    pub fn call(&self, name: &str, request: Value) -> Value {
        match self.app.call(name, request) {
            Ok(answer) => answer,
            Err(error) => panic!("{name}: {error}"),
        }
    }

    #[track_caller]
    pub fn refused(&self, name: &str, request: Value) -> CallError {
        match self.app.call(name, request) {
            Ok(answer) => panic!("{name} should be refused: {answer}"),
            Err(error) => error,
        }
    }

    #[track_caller]
    pub fn refused_as(&self, name: &str, request: Value, code: Code) -> CallError {
        let error = self.refused(name, request);
        assert_eq!(error.code, code, "{name}: {error}");
        error
    }
}

pub fn evening(day: &str) -> i64 {
    let date = domain::time::parse_date(day).expect("a date");
    // 20:00 at +08:00 is noon in UTC.
    date.and_hms_opt(12, 0, 0).expect("noon").and_utc().timestamp_millis()
}

/// A branch as set-up makes it.
pub fn branch(name: &str, short: &str) -> Value {
    json!({
        "name": name, "short": short, "type": "branch", "superior": "岱岳区非公有制经济组织委员会",
        "records_since": "2026-09-01", "committee_seats": null, "groups": [], "author": "记录员", "password": PASSWORD,
    })
}

/// Members by name, from pasted rows.
pub fn people(laptop: &Laptop, rows: &str) -> BTreeMap<String, String> {
    let imported = laptop.call("import_roster", json!({ "text": rows, "columns": null }));
    assert_eq!(
        imported["left_out"],
        0,
        "{}",
        laptop.call("preview_roster", json!({ "text": rows, "columns": null }))
    );
    ids(laptop)
}

pub fn ids(laptop: &Laptop) -> BTreeMap<String, String> {
    let list = laptop.call("list_people", json!({ "text": "", "include_left": true, "members_only": false }));
    let rows = list["rows"].as_array().expect("rows").iter();
    rows.map(|row| (text(&row["name"]), text(&row["id"]))).collect()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A draft of that form, saved.
#[track_caller]
pub fn draft(laptop: &Laptop, form: &Value) -> (String, Value) {
    let request = json!({ "types": form["types"], "date": form["date"], "group": null, "copy_of": null });
    let id = text(&laptop.call("new_meeting", request)["draft"]);
    let saved = laptop.call("save_draft", json!({ "draft": id, "form": form }));
    (id, saved["derived"].clone())
}

/// A record of that form, committed.
#[track_caller]
pub fn record(laptop: &Laptop, form: &Value) -> (String, Value) {
    let (id, derived) = draft(laptop, form);
    laptop.call("commit_draft", json!({ "draft": id }));
    (id, derived)
}

/// The findings of a code.
pub fn findings<'a>(derived: &'a Value, code: &str) -> Vec<&'a Value> {
    let all = derived["findings"].as_array().expect("findings").iter();
    all.filter(|finding| finding["code"] == code).collect()
}

/// The duties of a kind on 首页.
pub fn duties(laptop: &Laptop, month: &str, id: &str) -> Vec<Value> {
    let home = laptop.call("home", json!({ "month": month }));
    let all = home["duties"].as_array().expect("duties").iter();
    all.filter(|duty| duty["id"] == id).cloned().collect()
}
