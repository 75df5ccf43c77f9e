//! 照片与附件: what comes in chunk by chunk is in the draft when the call returns, and only what can be kept comes in.

use crate::reporting::{self, City};
use crate::world::{Laptop, PASSWORD, branch, draft, findings, people, record, text};
use app::{CallError, Code};
use serde_json::{Value, json};

const ROWS: &str =
    "姓名\t入党时间\t转正日期\t党内职务\n周海东\t2001.7\t2002.7\t书记\n李秀英\t2005.7\t2006.7\t\n";
const CHUNK: usize = 256 * 1024;

fn laptop() -> Laptop {
    let laptop = Laptop::new("2026-10-13");
    laptop.call("create_branch", branch("中国共产党某某支部委员会", "某某"));
    laptop
}

fn reopened(laptop: Laptop) -> Laptop {
    let laptop = laptop.restarted();
    laptop.call("open_branch", json!({ "folder": "某某", "password": PASSWORD }));
    laptop
}

fn form(date: &str) -> Value {
    json!({ "types": ["theme_day"], "title": "主题党日", "date": date, "start": "14:00", "end": "16:20",
        "agenda": [{ "id": "a1", "topic": "讨论" }] })
}

/// A picture of one grey block that was taken at a moment; `of` makes it another file.
pub fn photo(of: &str, taken: &str) -> Vec<u8> {
    let segment = |marker: u8, data: &[u8]| {
        let length = u16::try_from(data.len() + 2).expect("a short segment").to_be_bytes();
        [&[0xff, marker], &length[..], data].concat()
    };
    let code = |class: u8| segment(0xc4, &[&[class, 1][..], &[0; 15], &[0]].concat());
    [
        vec![0xff, 0xd8],
        segment(0xe1, &[b"Exif\0\0", &notes(taken)[..]].concat()),
        segment(0xfe, of.as_bytes()),
        segment(0xdb, &[&[0][..], &[1; 64]].concat()),
        segment(0xc0, &[8, 0, 8, 0, 8, 1, 1, 0x11, 0]),
        code(0x00),
        code(0x10),
        segment(0xda, &[1, 1, 0, 0, 63, 0]),
        vec![0x3f, 0xff, 0xd9],
    ]
    .concat()
}

/// A camera's notes with nothing but the time (`2026:10:13 14:05:00`).
fn notes(taken: &str) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, at: u32| {
        [&tag.to_be_bytes()[..], &kind.to_be_bytes(), &count.to_be_bytes(), &at.to_be_bytes()].concat()
    };
    let directory = |entry: Vec<u8>| [vec![0, 1], entry, vec![0; 4]].concat();
    [
        b"MM\0\x2a\0\0\0\x08".to_vec(),
        directory(entry(0x8769, 4, 1, 26)),
        directory(entry(0x9003, 2, 20, 44)),
        taken.as_bytes().to_vec(),
        vec![0],
    ]
    .concat()
}

/// Base64, written out once more so that the test does not share the program's mistake.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let four = |three: &[u8]| {
        let number =
            (0..3).fold(0usize, |sum, at| sum << 8 | usize::from(three.get(at).copied().unwrap_or(0)));
        let letter = |at: usize| char::from(LETTERS[number >> (18 - 6 * at) & 63]);
        (0..4).map(|at| if at <= three.len() { letter(at) } else { '=' }).collect::<String>()
    };
    bytes.chunks(3).map(four).collect()
}

fn try_add(laptop: &Laptop, draft: &str, name: &str, bytes: &[u8]) -> Result<Value, CallError> {
    let begun =
        laptop.app.call("begin_attachment", json!({ "draft": draft, "name": name, "len": bytes.len() }))?;
    let upload = &begun["upload"];
    for (at, chunk) in bytes.chunks(CHUNK).enumerate() {
        let put = json!({ "upload": upload, "at": at * CHUNK, "data": base64(chunk) });
        laptop.app.call("put_attachment", put)?;
    }
    laptop.app.call("finish_attachment", json!({ "upload": upload }))
}

#[track_caller]
pub fn add(laptop: &Laptop, draft: &str, name: &str, bytes: &[u8]) -> Value {
    match try_add(laptop, draft, name, bytes) {
        Ok(file) => file,
        Err(error) => panic!("{name}: {error}"),
    }
}

fn form_of(laptop: &Laptop, draft: &str) -> Value {
    laptop.call("get_draft", json!({ "draft": draft }))["form"].clone()
}

pub fn states(laptop: &Laptop, meeting: &str) -> Vec<Value> {
    let states = laptop.call("attachment_states", json!({ "meeting": meeting }));
    states["files"].as_array().expect("files").clone()
}

#[test]
fn a_photo_is_in_the_draft_before_anything_else_is_saved() {
    let laptop = laptop();
    let (id, _) = draft(&laptop, &form("2026-10-13"));
    let file = add(&laptop, &id, "C:\\照片\\合影.jpg", &photo("a", "2026:10:13 14:05:00"));
    assert_eq!((&file["name"], &file["media"]), (&json!("合影.jpg"), &json!("image/jpeg")));
    assert_eq!((&file["sort"], &file["taken_at"]), (&json!("photo"), &json!("2026-10-13T14:05")));

    let laptop = reopened(laptop);
    assert_eq!(form_of(&laptop, &id)["attachments"], json!([file]), "it was kept without a goodbye");
    let here = json!({ "hash": file["hash"], "whereabouts": "here", "have": file["len"], "thumb": true, "fetchable": false });
    assert_eq!(states(&laptop, &id), std::slice::from_ref(&here));
    for hash in [text(&file["hash"]), text(&file["thumb"])] {
        let shown = laptop.app.photo(&hash).expect("it is served");
        assert_eq!(shown.media, "image/jpeg");
        assert!(shown.bytes.starts_with(&[0xff, 0xd8]));
    }
    for wrong in ["", "../branch.db", &"0".repeat(64)] {
        assert!(laptop.app.photo(wrong).is_none(), "{wrong}");
    }

    laptop.call("commit_draft", json!({ "draft": id }));
    let page = laptop.call("get_meeting", json!({ "id": id }));
    assert_eq!(page["form"]["attachments"], json!([file]));
    assert_eq!(states(&laptop, &id), [here], "recorded, and not at the city yet");
    assert_eq!(laptop.call("list_meetings", json!({ "page": 0 }))["rows"][0]["attachments"], json!(1));
}

#[test]
fn a_document_is_kept_byte_for_byte() {
    let laptop = laptop();
    let (id, _) = draft(&laptop, &form("2026-10-13"));
    // Longer than a chunk.
    let scan = [b"%PDF-1.4\n".to_vec(), vec![b' '; CHUNK + 7], b"%%EOF".to_vec()].concat();
    let file = add(&laptop, &id, "签到表.pdf", &scan);
    assert_eq!((&file["sort"], &file["thumb"]), (&json!("document"), &json!("")));
    let shown = laptop.app.photo(&text(&file["hash"])).expect("it is served");
    assert_eq!((shown.media, shown.bytes), ("application/pdf", scan));
}

#[test]
fn what_cannot_be_kept_is_refused_with_its_reason() {
    let laptop = laptop();
    let (id, _) = draft(&laptop, &form("2026-10-13"));
    let good = photo("a", "2026:10:13 14:05:00");
    add(&laptop, &id, "合影.jpg", &good);
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec();
    let cases = [
        ("IMG_1.HEIC", heic.clone(), Code::HeicPhoto),
        ("IMG_1.jpg", heic, Code::HeicPhoto),
        ("会议.docx", b"PK\x03\x04".to_vec(), Code::UnknownFile),
        ("合影.jpg", good[..good.len() - 2].to_vec(), Code::BrokenFile),
        ("合影.jpg", Vec::new(), Code::BrokenFile),
        ("副本.jpg", good.clone(), Code::FileTwice),
        ("【机密】名单.jpg", photo("b", "2026:10:13 14:05:00"), Code::SecretMarking),
    ];
    for (name, bytes, code) in cases {
        let refused = try_add(&laptop, &id, name, &bytes).expect_err("it is refused");
        assert_eq!(refused.code, code, "{name}");
    }
    let long = json!({ "draft": id, "name": "长.jpg", "len": 5_000_000_000u64 });
    let refused = laptop.refused_as("begin_attachment", long, Code::LargeFile);
    assert_eq!(refused.params["megabytes"], 40);
    assert_eq!(form_of(&laptop, &id)["attachments"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_meeting_takes_twenty_files_and_not_one_more() {
    let laptop = laptop();
    let (id, _) = draft(&laptop, &form("2026-10-13"));
    for at in 0..20 {
        add(&laptop, &id, "照片.jpg", &photo(&at.to_string(), "2026:10:13 14:05:00"));
    }
    let refused = try_add(&laptop, &id, "照片.jpg", &photo("more", "2026:10:13 14:05:00"));
    let refused = refused.expect_err("it is one too many");
    assert_eq!((refused.code, &refused.params["most"]), (Code::TooManyFiles, &json!(20)));
    let mut crowded = form_of(&laptop, &id);
    let mut one_more = crowded["attachments"][0].clone();
    one_more["id"] = json!("more");
    crowded["attachments"].as_array_mut().expect("files").push(one_more);
    laptop.call("save_draft", json!({ "draft": id, "form": crowded }));
    laptop.refused_as("commit_draft", json!({ "draft": id }), Code::TooManyFiles);
}

#[test]
fn chunks_follow_each_other_or_are_not_taken() {
    let laptop = laptop();
    let (id, _) = draft(&laptop, &form("2026-10-13"));
    let begin = |len: usize| {
        text(&laptop.call("begin_attachment", json!({ "draft": id, "name": "a.jpg", "len": len }))["upload"])
    };
    let put =
        |upload: &str, at: usize, bytes: &[u8]| json!({ "upload": upload, "at": at, "data": base64(bytes) });
    let first = begin(8);
    laptop.call("put_attachment", put(&first, 0, b"12345"));
    for (at, bytes) in [(0, &b"12345"[..]), (6, b"7"), (5, b"6789")] {
        let refused = laptop.refused_as("put_attachment", put(&first, at, bytes), Code::BadRequest);
        assert_eq!(refused.params["have"], 5, "{at}");
    }
    laptop.refused_as("put_attachment", json!({ "upload": first, "at": 5, "data": "?" }), Code::BadRequest);
    laptop.refused_as("finish_attachment", json!({ "upload": first }), Code::BadRequest);
    laptop.refused_as("put_attachment", put(&first, 5, b"6"), Code::NotFound);

    let cancelled = begin(8);
    laptop.call("cancel_attachment", json!({ "upload": cancelled }));
    laptop.refused_as("put_attachment", put(&cancelled, 0, b"1"), Code::NotFound);

    // A page that was reloaded leaves one behind; memory stays bounded.
    let [left, second, third] = [begin(8), begin(8), begin(8)];
    laptop.refused_as("put_attachment", put(&left, 0, b"1"), Code::NotFound);
    laptop.call("put_attachment", put(&second, 0, b"1"));
    laptop.call("put_attachment", put(&third, 0, b"1"));
}

#[test]
fn what_was_taken_out_can_come_back_until_the_program_is_started_again() {
    let laptop = laptop();
    let (id, _) = draft(&laptop, &form("2026-10-13"));
    let kept = add(&laptop, &id, "留.jpg", &photo("a", "2026:10:13 14:05:00"));
    let dropped = add(&laptop, &id, "去.jpg", &photo("b", "2026:10:13 14:05:00"));
    let with = form_of(&laptop, &id);
    let mut without = with.clone();
    without["attachments"] = json!([kept]);
    laptop.call("save_draft", json!({ "draft": id, "form": without }));
    laptop.call("save_draft", json!({ "draft": id, "form": with }));
    assert!(laptop.app.photo(&text(&dropped["hash"])).is_some(), "撤销 finds it");
    laptop.call("save_draft", json!({ "draft": id, "form": without }));

    let laptop = reopened(laptop);
    // The pictures are the same grey block: only the files differ, and what is kept is named by its content.
    assert_eq!(kept["hash"], dropped["hash"]);
    assert!(laptop.app.photo(&text(&kept["hash"])).is_some(), "a draft names it");
    laptop.call("discard_draft", json!({ "draft": id }));
    let laptop = reopened(laptop);
    assert!(laptop.app.photo(&text(&kept["hash"])).is_none(), "nothing names it any more");
}

#[test]
fn captions_order_and_removal_reach_the_record() {
    let laptop = laptop();
    let (id, _) = record(&laptop, &form("2026-10-13"));
    laptop.call("edit_meeting", json!({ "id": id }));
    for of in ["a", "b", "c"] {
        add(&laptop, &id, &format!("{of}.jpg"), &photo(of, "2026:10:13 14:05:00"));
    }
    let mut edited = form_of(&laptop, &id);
    edited["attachments"][0]["caption"] = json!("重温入党誓词");
    edited["attachments"].as_array_mut().expect("files").reverse();
    laptop.call("save_draft", json!({ "draft": id, "form": edited }));
    laptop.call("commit_draft", json!({ "draft": id }));
    let names = |id: &str| {
        let page = laptop.call("get_meeting", json!({ "id": id }));
        let files = page["form"]["attachments"].as_array().expect("files").clone();
        files
            .iter()
            .map(|file| format!("{}{}", text(&file["name"]), text(&file["caption"])))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&id), ["c.jpg", "b.jpg", "a.jpg重温入党誓词"]);

    laptop.call("edit_meeting", json!({ "id": id }));
    let mut edited = form_of(&laptop, &id);
    edited["attachments"].as_array_mut().expect("files").remove(1);
    laptop.call("save_draft", json!({ "draft": id, "form": edited }));
    laptop.call("commit_draft", json!({ "draft": id }));
    assert_eq!(names(&id), ["c.jpg", "a.jpg重温入党誓词"]);

    let secret = json!("机密★10年");
    laptop.call("edit_meeting", json!({ "id": id }));
    let mut edited = form_of(&laptop, &id);
    edited["attachments"][0]["caption"] = secret;
    laptop.refused_as("save_draft", json!({ "draft": id, "form": edited }), Code::SecretMarking);
}

#[test]
fn a_photo_of_another_day_and_one_of_an_old_meeting_are_asked_about() {
    let laptop = laptop();
    people(&laptop, ROWS);
    let old = photo("a", "2026:01:20 15:00:00");
    let (long_ago, _) = draft(&laptop, &form("2026-01-20"));
    add(&laptop, &long_ago, "合影.jpg", &old);
    laptop.call("commit_draft", json!({ "draft": long_ago }));

    let (id, _) = draft(&laptop, &form("2026-10-13"));
    add(&laptop, &id, "合影.jpg", &old);
    let derived = laptop.call("get_draft", json!({ "draft": id }))["derived"].clone();
    let [day] = findings(&derived, "photo_other_day")[..] else { panic!("{}", derived["findings"]) };
    assert_eq!((&day["params"]["taken"], &day["severity"]), (&json!("2026-01-20"), &json!("W")));
    let [twice] = findings(&derived, "photo_in_two_meetings")[..] else { panic!("{}", derived["findings"]) };
    assert_eq!(twice["params"]["record"], json!(long_ago), "also from before the months around it");

    let copied = json!({ "types": [], "date": null, "group": null, "copy_of": long_ago });
    let copy = text(&laptop.call("new_meeting", copied)["draft"]);
    assert_eq!(form_of(&laptop, &copy)["attachments"], json!([]), "复制 never takes photos");

    laptop.call("delete_meeting", json!({ "id": long_ago }));
    let derived = laptop.call("get_draft", json!({ "draft": id }))["derived"].clone();
    assert!(findings(&derived, "photo_in_two_meetings").is_empty(), "a deleted record asks nothing");
}

#[test]
fn a_photo_follows_its_record_to_the_city_and_to_the_second_computer() {
    let city = City::new();
    let first = reporting::laptop("某某");
    let (id, _) = draft(&first, &form("2026-10-13"));
    let file = add(&first, &id, "合影.jpg", &photo("a", "2026:10:13 14:05:00"));
    first.call("commit_draft", json!({ "draft": id }));
    city.enrol(&first);
    first.call("exchange", json!({}));
    assert_eq!(states(&first, &id)[0]["whereabouts"], "reported");

    let second = reporting::laptop("另一台");
    city.enrol(&second);
    second.call("confirm_matching", json!({ "same": {} }));
    second.call("exchange", json!({}));
    for hash in [text(&file["hash"]), text(&file["thumb"])] {
        let (there, here) = (first.app.photo(&hash), second.app.photo(&hash));
        assert_eq!(there.expect("it was added there").bytes, here.expect("it came").bytes);
    }
}
