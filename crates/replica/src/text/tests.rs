use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn merged(text: &str) -> Piece {
    Piece::Merged(text.into())
}

fn conflict(base: &str, left: &str, right: &str) -> Piece {
    Piece::Conflict { base: base.into(), left: left.into(), right: right.into() }
}

#[test]
fn units_are_sentences_with_the_breaks_before_them() {
    let text = Text::new("一。二！！三；四\n\n五？\n");
    assert_eq!(text.units(), ["\n一。", "二！！", "三；", "四", "\n\n五？", "\n"]);
    assert_eq!(text.paragraphs(), [0..4, 4..5, 5..6]);
    assert_eq!(Text::new("").len(), 0);
}

#[test]
fn each_open_place_takes_what_was_decided_for_it() {
    let merge = TextMerge {
        pieces: vec![conflict("甲。", "甲一。", ""), merged("\n乙。"), conflict("", "左", "右")],
    };
    assert_eq!(merge.open_places(), 2);
    let cases = [
        ([Take::Left, Take::Left], "甲一。\n乙。左"),
        ([Take::Right, Take::Right], "乙。右"),
        ([Take::Both, Take::Both], "甲一。\n乙。左\n右"),
    ];
    for (takes, text) in cases {
        assert_eq!(merge.decided(&takes).as_deref(), Some(text), "{takes:?}");
    }
    assert_eq!(merge.decided(&[Take::Left]), None, "a place was not decided");
    assert_eq!(TextMerge { pieces: vec![merged("\n乙。")] }.decided(&[]).as_deref(), Some("\n乙。"));
}

#[test]
fn both_sides_keep_what_they_did() {
    let cases: [(&str, &str, &str, Vec<Piece>); 16] = [
        // Nothing to merge.
        ("甲。", "甲。", "甲。", vec![merged("甲。")]),
        ("甲。", "乙。", "乙。", vec![merged("乙。")]),
        ("甲。", "甲。", "丙。", vec![merged("丙。")]),
        // Different sentences changed, also side by side.
        ("甲。乙。丙。", "甲一。乙。丙。", "甲。乙。丙三。", vec![merged("甲一。乙。丙三。")]),
        ("甲。乙。", "甲一。乙。", "甲。乙二。", vec![merged("甲一。乙二。")]),
        // Paragraphs added at both ends.
        ("甲。\n乙。", "头。\n甲。\n乙。", "甲。\n乙。\n尾。", vec![merged("头。\n甲。\n乙。\n尾。")]),
        // Deleted here, unchanged there: gone.
        ("甲。乙。丙。", "甲。丙。", "甲。乙。丙。丁。", vec![merged("甲。丙。丁。")]),
        ("甲。乙。丙。", "甲。乙。", "乙。丙。", vec![merged("乙。")]),
        ("甲\n乙\n丙", "甲\n乙", "乙\n丙", vec![merged("乙")]),
        // Both deleted the same.
        ("甲。乙。丙。", "甲。丙。", "甲。丙。", vec![merged("甲。丙。")]),
        // The same unit changed on both sides: only there.
        (
            "头。甲。尾。",
            "头。甲一。尾。",
            "头。甲二。尾。",
            vec![merged("头。"), conflict("甲。", "甲一。", "甲二。"), merged("尾。")],
        ),
        // Changed here, deleted there.
        (
            "头。甲。尾。",
            "头。甲一。尾。",
            "头。尾。",
            vec![merged("头。"), conflict("甲。", "甲一。", ""), merged("尾。")],
        ),
        // Both put something into one gap.
        (
            "甲。乙。",
            "甲。左。乙。",
            "甲。右。乙。",
            vec![merged("甲。"), conflict("", "左。", "右。"), merged("乙。")],
        ),
        // The same thing into one gap.
        ("甲。乙。", "甲。新。乙。", "甲。新。乙。末。", vec![merged("甲。新。乙。末。")]),
        // A repeated unit beside an edit.
        (
            "同意。甲。同意。",
            "同意。甲。同意。同意。",
            "同意。甲一。同意。",
            vec![merged("同意。"), conflict("甲。同意。", "甲。同意。同意。", "甲一。同意。")],
        ),
        // Far from the edit a repeated unit does not matter.
        (
            "同意。同意。甲。乙。丙。",
            "同意。同意。甲。乙一。丙。",
            "同意。同意。甲。乙。丙三。",
            vec![merged("同意。同意。甲。乙一。丙三。")],
        ),
    ];
    for (base, left, right, expected) in cases {
        assert_eq!(merge_text(base, left, right).pieces, expected, "{base:?} {left:?} {right:?}");
    }
}

#[test]
fn work_is_bounded() {
    let text = |word: &str| (0..12_000).map(|index| format!("{word}{index}。")).collect::<String>();
    let merge = merge_text(&text("甲"), &text("乙"), &text("丙"));
    assert_eq!(merge.pieces.len(), 1, "nothing in common is one conflict, not a long computation");
}

#[test]
fn a_sentence_that_stands_twice_is_not_looked_for_beyond_the_end() {
    let (base, left) = ("一\n同意。\n同意。二\n", "同意。\n");
    let merge = merge_text(base, left, "");
    assert_eq!(merge.pieces, [conflict(base, left, "")]);
}

/// What a side makes of the units of a base: drops, changes, and adds after.
#[derive(Debug, Clone)]
struct Rework {
    drop: bool,
    change: bool,
    add: bool,
}

fn rework() -> impl Strategy<Value = Rework> {
    (0..10u8, 0..10u8, 0..10u8).prop_map(|(drop, change, add)| Rework {
        drop: drop == 0,
        change: change == 0,
        add: add == 0,
    })
}

fn apply(name: &str, works: &[Rework], breaks: &[bool]) -> (String, BTreeSet<String>) {
    let mut units = Vec::new();
    for (index, (work, line)) in works.iter().zip(breaks).enumerate() {
        let gap = if *line && index > 0 { "\n" } else { "" };
        match (work.drop, work.change) {
            (true, _) => {}
            (false, true) => units.push(format!("{gap}第{index}句{name}改。")),
            (false, false) => units.push(format!("{gap}第{index}句。")),
        }
        if work.add {
            units.push(format!("{name}加在{index}后。"));
        }
    }
    let text: String = units.concat();
    let set =
        Text::new(&text).units().into_iter().map(|unit| unit.trim_start_matches('\n').to_string()).collect();
    (text, set)
}

/// A short text of a few sentences that come again and again.
fn echoes() -> impl Strategy<Value = String> {
    let unit = prop::sample::select(vec!["同意。", "不同意。", "同意", "\n", "\n同意。", "讨论通过。"]);
    prop::collection::vec(unit, 0..8).prop_map(|units| units.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4096) })]

    #[test]
    fn sentences_that_stand_more_than_once_are_lost_by_nobody(
        (base, left, right) in (echoes(), echoes(), echoes()),
    ) {
        let units = |text: &str| -> BTreeSet<String> {
            Text::new(text).units().into_iter().map(|unit| unit.trim_start_matches('\n').to_owned()).collect()
        };
        let merge = merge_text(&base, &left, &right);
        let back = merge_text(&base, &right, &left);
        prop_assert_eq!(merge.text(), back.text());
        for (take, side) in [(Take::Left, &left), (Take::Right, &right)] {
            let shown = merge.decided(&vec![take; merge.open_places()]).expect("one for each");
            for unit in units(side).difference(&units(&base)) {
                prop_assert!(shown.contains(unit.as_str()), "{} is lost in {:?}", unit, shown);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn no_work_of_either_side_is_lost_and_deletions_hold(
        works in proptest::collection::vec((rework(), rework(), any::<bool>()), 1..25),
    ) {
        let breaks: Vec<bool> = works.iter().map(|(_, _, line)| *line).collect();
        let (left, right): (Vec<_>, Vec<_>) = works.into_iter().map(|(left, right, _)| (left, right)).unzip();
        let same = vec![Rework { drop: false, change: false, add: false }; breaks.len()];
        let (base, base_units) = apply("", &same, &breaks);
        let (left, left_units) = apply("左", &left, &breaks);
        let (right, right_units) = apply("右", &right, &breaks);
        let merge = merge_text(&base, &left, &right);

        let (mut kept, mut torn_left, mut torn_right) = (String::new(), String::new(), String::new());
        for piece in &merge.pieces {
            match piece {
                Piece::Merged(text) => kept.push_str(text),
                Piece::Conflict { left, right, .. } => {
                    torn_left.push_str(left);
                    torn_right.push_str(right);
                }
            }
        }
        let kept: BTreeSet<String> = Text::new(&kept).units().into_iter()
            .map(|unit| unit.trim_start_matches('\n').to_string()).collect();
        for unit in left_units.difference(&base_units) {
            prop_assert!(kept.contains(unit) || torn_left.contains(unit.as_str()), "left's {} is lost", unit);
        }
        for unit in right_units.difference(&base_units) {
            prop_assert!(kept.contains(unit) || torn_right.contains(unit.as_str()), "right's {} is lost", unit);
        }
        for unit in &base_units {
            if left_units.contains(unit) && right_units.contains(unit) {
                prop_assert!(kept.contains(unit) || torn_left.contains(unit.as_str()), "{} is lost", unit);
            } else {
                prop_assert!(!kept.contains(unit), "{} was deleted and is back", unit);
            }
        }
        let mirrored = merge_text(&base, &right, &left);
        prop_assert_eq!(mirrored.text(), merge.text(), "no side is the better one");
    }
}
