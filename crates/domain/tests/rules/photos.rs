//! What photos say, and that nobody is asked for any.

use crate::fixture::{Minutes, codes, findings, minutes, suda};
use domain::check::may_finalise;
use domain::{Code, Finding, Severity};
use serde_json::{Value, json};

fn meeting(id: &str, photos: &[(&str, &str, &str)]) -> Minutes {
    let world = suda();
    let day = if id == "m" { "2026-10-20" } else { "2026-09-08" };
    let bare = minutes(id, &["assembly"], day, "15:00", "16:00").chaired("周海东", "secretary");
    photos.iter().enumerate().fold(bare.others(&world, "present"), |minutes, (at, (id, original, taken))| {
        let mut file = json!({"blob": {"blob": "00", "len": 1, "media": "image/jpeg"}});
        for (name, text) in [("original_hash", original), ("taken_at", taken)] {
            if !text.is_empty() {
                file[name] = json!(text);
            }
        }
        let of = |name: &str| format!("attachments/{id}/{name}");
        minutes.set(&of("order"), json!(at + 1)).set(&of("file"), file)
    })
}

/// Its id, its hash, and when it was taken.
type Photo = (&'static str, &'static str, &'static str);

fn said(photos: &[Photo], other: &[Photo]) -> Vec<Finding> {
    let found = findings(&suda(), &meeting("m", photos), &[meeting("o", other).read()]);
    assert!(may_finalise(&found), "photos never stand against 定稿: {found:#?}");
    found.into_iter().filter(|finding| finding.severity == Severity::W).collect()
}

#[test]
fn photos_are_never_asked_for_and_never_counted() {
    let without = findings(&suda(), &meeting("m", &[]), &[]);
    let with = findings(&suda(), &meeting("m", &[("a", "x", "2026-10-20T15:10")]), &[]);
    assert_eq!(codes(&without), [Code::MeetingQuorate], "nothing is missing without a photo");
    assert_eq!(codes(&with), codes(&without), "and nothing is gained by one");
}

#[test]
fn a_photo_of_another_day_is_asked_about_once_for_each_day() {
    type Expected = Vec<(&'static str, usize, &'static str)>;
    let cases: Vec<(Vec<Photo>, Expected)> = vec![
        (vec![("a", "x", "2026-10-20T00:00"), ("b", "y", "2026-10-20T23:59")], vec![]),
        (vec![("a", "x", "")], vec![]),
        (vec![("a", "x", "2026-10-19T23:59")], vec![("2026-10-19", 1, "attachments/a")]),
        (
            vec![
                ("b", "x", "2026-10-21T08:00"),
                ("a", "y", "2026-10-21T09:00"),
                ("c", "z", "2025-10-20T15:00"),
            ],
            vec![("2025-10-20", 1, "attachments/c"), ("2026-10-21", 2, "attachments/b")],
        ),
    ];
    for (photos, expected) in cases {
        let found = said(&photos, &[]);
        assert!(found.iter().all(|finding| finding.code == Code::PhotoOtherDay), "{found:#?}");
        let told: Vec<(Value, Value, Option<&str>)> = found
            .iter()
            .map(|finding| {
                assert_eq!(finding.params["date"], "2026-10-20");
                (finding.params["taken"].clone(), finding.params["count"].clone(), finding.path.as_deref())
            })
            .collect();
        let expected: Vec<_> =
            expected.into_iter().map(|(day, count, path)| (json!(day), json!(count), Some(path))).collect();
        assert_eq!(told, expected, "{photos:?}");
    }
}

#[test]
fn the_same_file_in_two_meetings_is_asked_about() {
    let cases: [(&[Photo], &[Photo], usize); 5] = [
        (&[("a", "x", "")], &[("p", "y", "")], 0),
        (&[("a", "", "")], &[("p", "", "")], 0),
        (&[("a", "x", "")], &[("p", "x", "")], 1),
        (&[("a", "x", ""), ("b", "y", ""), ("c", "z", "")], &[("p", "y", ""), ("q", "z", "")], 2),
        (&[], &[("p", "x", "")], 0),
    ];
    for (mine, theirs, count) in cases {
        let found = said(mine, theirs);
        if count == 0 {
            assert_eq!(found, [], "{mine:?} {theirs:?}");
            continue;
        }
        let [finding] = &found[..] else { panic!("one question: {found:#?}") };
        assert_eq!(finding.code, Code::PhotoInTwoMeetings);
        assert_eq!(finding.params["count"], count);
        assert_eq!((&finding.params["record"], &finding.params["date"]), (&json!("o"), &json!("2026-09-08")));
    }
}
