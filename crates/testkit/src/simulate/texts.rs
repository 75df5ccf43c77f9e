//! Long texts: how people change them, and what a merge of two may not do.

use std::collections::BTreeSet;

use replica::{Field, Piece};
use serde_json::Value;

use crate::random::Random;

const SENTENCES: [&str; 6] =
    ["学习了全会精神", "大家交流了体会", "结对帮扶两户", "会议改到周五", "补充一条意见", "收缴了本月党费"];

/// A text of some sentences.
pub fn compose(dice: &mut Random) -> String {
    (0..dice.between(2, 5)).map(|_| sentence(dice)).collect()
}

/// The same text after a person put in, took out or rewrote a sentence.
pub fn rework(text: &str, dice: &mut Random) -> String {
    let mut units: Vec<String> = units(text).into_iter().map(str::to_owned).collect();
    let at = dice.below(units.len().max(1));
    match dice.below(4) {
        0 if units.len() > 1 => drop(units.remove(at)),
        1 if !units.is_empty() => units[at] = sentence(dice),
        _ => units.insert(at, sentence(dice)),
    }
    units.concat()
}

fn sentence(dice: &mut Random) -> String {
    let end = *dice.pick(&[&"。", &"。", &"！", &"；", &"。\n"]);
    format!("{}{}{end}", dice.pick(&SENTENCES), dice.below(1000))
}

fn units(text: &str) -> Vec<&str> {
    text.split_inclusive(['。', '！', '？', '；', '\n']).collect()
}

/// What a merge did that it may not: every unit that a side put in or changed is in it, and what one side took out and
/// the other left alone is not.
pub fn wrong_merge(field: &Field) -> Option<String> {
    let Field::Conflict { heads, base: Some(Value::String(base)) } = field else { return None };
    let sides: Vec<&str> = heads.iter().filter_map(|head| head.value.as_ref()?.as_str()).collect();
    let [left, right] = sides[..] else { return None };
    let merge = field.merged()?;
    let set = |text: &str| -> BTreeSet<String> {
        units(text).into_iter().map(|unit| unit.trim().to_owned()).filter(|unit| !unit.is_empty()).collect()
    };
    let (base, left, right) = (set(base), set(left), set(right));
    let (mut shown, mut settled) = (String::new(), String::new());
    for piece in &merge.pieces {
        match piece {
            Piece::Merged(text) => {
                shown += text;
                settled += text;
            }
            Piece::Conflict { left, right, .. } => shown += &format!("{left}\n{right}\n"),
        }
    }
    let lost = left.union(&right).find(|unit| !base.contains(*unit) && !shown.contains(unit.as_str()));
    let settled = set(&settled);
    let back =
        base.iter().find(|unit| left.contains(*unit) != right.contains(*unit) && settled.contains(*unit));
    match (lost, back) {
        (Some(_), _) => Some("a merged text lacks what one side wrote".to_owned()),
        (None, Some(_)) => Some("a merged text has again what one side took out".to_owned()),
        (None, None) => None,
    }
}
