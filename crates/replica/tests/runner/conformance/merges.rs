//! Three-way merges of long texts.

use replica::{ChangeId, ChangeMeta, DeviceId, Field, Head, Piece, TextMerge};
use serde_json::{Value, json};

use super::bytes;

/// Name, base, left, right.
type Texts = (&'static str, &'static str, &'static str, &'static str);

const TEXTS: &[Texts] = &[
    ("nothing-to-merge", "甲。", "甲。", "甲。"),
    ("both-did-the-same", "甲。", "乙。", "乙。"),
    ("one-side-only", "甲。", "甲。", "丙。"),
    ("different-sentences", "甲。乙。丙。", "甲一。乙。丙。", "甲。乙。丙三。"),
    ("sentences-side-by-side", "甲。乙。", "甲一。乙。", "甲。乙二。"),
    ("paragraphs-at-both-ends", "甲。\n乙。", "头。\n甲。\n乙。", "甲。\n乙。\n尾。"),
    ("deleted-and-added-elsewhere", "甲。乙。丙。", "甲。丙。", "甲。乙。丙。丁。"),
    ("both-ends-deleted", "甲。乙。丙。", "甲。乙。", "乙。丙。"),
    ("first-paragraph-deleted", "甲\n乙\n丙", "甲\n乙", "乙\n丙"),
    ("both-deleted-the-same", "甲。乙。丙。", "甲。丙。", "甲。丙。"),
    ("same-sentence", "头。甲。尾。", "头。甲一。尾。", "头。甲二。尾。"),
    ("changed-and-deleted", "头。甲。尾。", "头。甲一。尾。", "头。尾。"),
    ("into-one-gap", "甲。乙。", "甲。左。乙。", "甲。右。乙。"),
    ("the-same-into-one-gap", "甲。乙。", "甲。新。乙。", "甲。新。乙。末。"),
    ("into-what-was-deleted", "甲。乙。丙。丁。", "甲。丁。", "甲。乙。新。丙。丁。"),
    ("repeated-beside-an-edit", "同意。甲。同意。", "同意。甲。同意。同意。", "同意。甲一。同意。"),
    (
        "repeated-far-away",
        "同意。同意。甲。乙。丙。",
        "同意。同意。甲。乙一。丙。",
        "同意。同意。甲。乙。丙三。",
    ),
    ("repeated-on-one-side-only", "甲。乙。", "甲。乙。乙。", "甲。乙二。"),
    ("repeated-up-to-the-next-edit", "一\n同意。\n同意。二\n", "同意。\n", ""),
    ("no-base-text", "", "左。", "右。"),
    ("emptied-and-edited", "甲。乙。", "", "甲。乙二。"),
    (
        "ends-of-sentences",
        "一。二！！三；四\n\n五？\n",
        "一。二！！三；四改\n\n五？\n",
        "一。二！！三；四\n\n五？六。\n",
    ),
    ("no-ends-of-sentences", "plain words\nmore", "plain words!\nmore", "plain words\nmore, and more"),
    ("first-line-conflict", "甲。\n乙。", "甲一。\n乙。", "甲二。\n乙。"),
];

pub fn cases() -> Vec<Value> {
    let mut cases: Vec<Value> = TEXTS
        .iter()
        .map(|(name, base, left, right)| case(name, json!(base), json!(left), json!(right), json!([])))
        .collect();
    for (name, times) in [("within-the-bound", 1_996), ("beyond-the-bound", 1_997)] {
        let numbered = json!({ "repeat": "句#。", "times": times });
        let base = json!(["头。", numbered, "尾。"]);
        let left = json!(["头改。", numbered, "尾改。"]);
        let right = json!(["头。", numbered, "末。尾。"]);
        cases.push(case(name, base, left, right, json!([])));
    }
    let third = |text: &str| json!([text]);
    cases.push(case(
        "three-sides",
        json!("甲。乙。丙。"),
        json!("甲一。乙。丙。"),
        json!("甲。乙二。丙。"),
        third("甲。乙。丙三。"),
    ));
    cases.push(case(
        "third-on-top-of-a-conflict",
        json!("甲。乙。"),
        json!("甲一。乙。"),
        json!("甲二。乙。"),
        third("甲。乙三。"),
    ));
    cases
}

fn case(name: &str, base: Value, left: Value, right: Value, more: Value) -> Value {
    let mut case = json!({ "name": name, "base": base, "left": left, "right": right, "more": more });
    case["pieces"] = pieces(merge(&case));
    case
}

/// Merges what a case says as a field whose heads are in conflict over it. None: no merge.
pub fn merge(case: &Value) -> Option<TextMerge> {
    let text = |value: &Value| String::from_utf8(bytes(value)).unwrap();
    let sides = [&case["left"], &case["right"]].into_iter().chain(case["more"].as_array().unwrap());
    let meta = ChangeMeta {
        change: ChangeId([0; 32]),
        lamport: 0,
        at: 0,
        author: String::new(),
        device: DeviceId([0; 32]),
        action: String::new(),
    };
    let heads = sides.map(|side| Head { meta: meta.clone(), value: Some(json!(text(side))) });
    Field::Conflict { heads: heads.collect(), base: Some(json!(text(&case["base"]))) }.merged()
}

/// Long pieces are shortened to their hash.
pub fn pieces(merge: Option<TextMerge>) -> Value {
    let shown = |text: String| match text.len() {
        0..1_000 => json!(text),
        _ => json!({ "blake3": blake3::hash(text.as_bytes()).to_hex().to_string() }),
    };
    let Some(merge) = merge else { return Value::Null };
    let pieces = merge.pieces.into_iter().map(|piece| match piece {
        Piece::Merged(text) => json!({ "merged": shown(text) }),
        Piece::Conflict { base, left, right } => {
            json!({ "conflict": { "base": shown(base), "left": shown(left), "right": shown(right) } })
        }
    });
    pieces.collect()
}
