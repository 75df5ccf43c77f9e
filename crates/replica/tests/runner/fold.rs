use replica::{Change, ChangeId, Closing, Excerpt, Field, Life, Piece, StreamId, Verdicts, fold_record};
use serde_json::{Value, json};

use crate::world::{Device, m1};

/// Two laptops of one branch, and a meeting that both know.
struct Pair {
    a: Device,
    b: Device,
    born: Change,
}

fn pair() -> Pair {
    let stream = StreamId([1; 32]);
    let mut a = Device::new(1, Some(stream));
    let born = a.m1(&[("~born", json!(true), &[]), ("place", json!("一会议室"), &[])]);
    Pair { a, b: Device::new(2, Some(stream)), born }
}

fn ids(changes: &[&Change]) -> Vec<ChangeId> {
    let mut ids: Vec<ChangeId> = changes.iter().map(|change| change.id).collect();
    ids.sort();
    ids
}

#[test]
fn a_record_waits_for_its_birth() {
    let Pair { mut b, born, .. } = pair();
    let early = b.m1(&[("place", json!("二会议室"), &[born.id])]);
    let state = m1(&[&early]);
    assert_eq!((state.life, state.born.is_none()), (Life::Waiting, true));
    let state = m1(&[&early, &born]);
    assert_eq!(state.life, Life::Live);
    assert_eq!(state.value("place"), Some(&json!("二会议室")), "what is over is the value");
    assert_eq!(state.heads("place"), [early.id]);
}

#[test]
fn what_nobody_is_over_stands_and_different_heads_are_a_conflict() {
    let Pair { mut a, mut b, born } = pair();
    let left = a.m1(&[("place", json!("甲"), &[born.id])]);
    let right = b.m1(&[("place", json!("乙"), &[born.id])]);
    let state = m1(&[&born, &left, &right]);
    let Field::Conflict { heads, base } = &state.fields["place"] else { panic!("{:?}", state.fields) };
    assert_eq!(heads.len(), 2);
    assert_eq!(base, &Some(json!("一会议室")));
    // b wrote its first change of all, so its lamport value is the lower one.
    assert_eq!(state.value("place"), Some(&json!("乙")), "shown meanwhile: the first by lamport and id");
    assert!(state.is_contested());

    let settled = a.m1(&[("place", json!("丙"), &state.heads("place"))]);
    let state = m1(&[&born, &left, &right, &settled]);
    assert_eq!(state.value("place"), Some(&json!("丙")));
    assert!(!state.is_contested());
}

#[test]
fn equal_heads_are_the_value_and_cleared_is_not_the_same_as_unknown() {
    let Pair { mut a, mut b, born } = pair();
    let left = a.m1(&[("place", json!({"a": 1, "b": 2}), &[born.id])]);
    let right = b.m1(&[("place", json!({"b": 2, "a": 1}), &[born.id])]);
    let state = m1(&[&born, &left, &right]);
    assert_eq!(
        state.fields["place"],
        Field::One { value: json!({"a": 1, "b": 2}), by: ids(&[&left, &right]) }
    );

    let cleared = a.m1(&[("place", Value::Null, &state.heads("place"))]);
    let state = m1(&[&born, &left, &right, &cleared]);
    assert_eq!(state.value("place"), None);
    assert_eq!(state.heads("place"), [cleared.id], "the next write must be over the clearing");
}

#[test]
fn deleting_what_was_seen_deletes_it_and_restoring_brings_it_back() {
    let Pair { mut a, mut b, born } = pair();
    let edit = b.m1(&[("place", json!("乙"), &[born.id])]);
    let seen = m1(&[&born, &edit]).all_heads();
    let gone = a.m1(&[("~gone", json!({"reason": "记错了"}), &seen)]);
    let state = m1(&[&born, &edit, &gone]);
    let Life::Gone { value, by } = &state.life else { panic!("{:?}", state.life) };
    assert_eq!((value, by), (&Some(json!({"reason": "记错了"})), &vec![gone.id]));

    let back = b.m1(&[("~born", json!(true), &state.all_heads())]);
    let state = m1(&[&born, &edit, &gone, &back]);
    assert_eq!(state.life, Life::Live);
    assert_eq!(state.value("place"), Some(&json!("乙")));
}

#[test]
fn delete_against_edit_is_for_a_person() {
    let Pair { mut a, mut b, born } = pair();
    let gone = a.m1(&[("~gone", json!({"reason": "重复"}), &[born.id])]);
    let edit = b.m1(&[("place", json!("乙"), &[born.id])]);
    let state = m1(&[&born, &gone, &edit]);
    assert_eq!(state.life, Life::Contested { gone: vec![gone.id], against: vec![edit.id] });
    assert!(state.is_contested());

    let again = a.m1(&[("~gone", json!({"reason": "重复"}), &state.all_heads())]);
    assert!(matches!(m1(&[&born, &gone, &edit, &again]).life, Life::Gone { .. }));
    let kept = b.m1(&[("~born", json!(true), &state.all_heads())]);
    assert_eq!(m1(&[&born, &gone, &edit, &kept]).life, Life::Live);
    let torn = m1(&[&born, &gone, &edit, &again, &kept]).life;
    assert_eq!(torn, Life::Contested { gone: vec![again.id], against: vec![kept.id] }, "nothing resurrects");
}

#[test]
fn closing_covers_exactly_what_was_seen() {
    let Pair { mut a, mut b, born } = pair();
    let closed = a.m1(&[("number", json!("1-A"), &[]), ("~final", json!(true), &m1(&[&born]).all_heads())]);
    let late = b.m1(&[("place", json!("迟到的"), &[born.id]), ("topic", json!("新的"), &[])]);
    for order in [[&born, &closed, &late], [&late, &born, &closed]] {
        let state = m1(&order);
        let Closing::Final { change, .. } = &state.closing else { panic!("{:?}", state.closing) };
        assert_eq!(change.change, closed.id);
        assert_eq!(state.value("place"), Some(&json!("一会议室")), "whatever the order of arrival");
        assert_eq!(state.value("number"), Some(&json!("1-A")), "its own writes are covered");
        assert_eq!(state.value("topic"), None);
        let late_paths: Vec<&str> = state.late.iter().map(|late| late.path.as_str()).collect();
        assert_eq!(late_paths, ["place", "topic"]);
    }

    let state = m1(&[&born, &closed, &late]);
    let adopted = a.m1(&[
        ("place", json!("迟到的"), &state.heads("place")),
        ("topic", Value::Null, &state.heads("topic")),
        ("~final", json!({"reason": "更正"}), &state.all_heads()),
    ]);
    let state = m1(&[&born, &closed, &late, &adopted]);
    assert_eq!(state.value("place"), Some(&json!("迟到的")));
    assert_eq!((state.value("topic"), state.late.len()), (None, 0), "one adopted, one given up");
    assert!(matches!(&state.closing, Closing::Final { change, .. } if change.change == adopted.id));
}

#[test]
fn a_late_write_of_the_same_value_asks_nobody() {
    let Pair { mut a, mut b, born } = pair();
    let closed = a.m1(&[("~final", json!(true), &[born.id])]);
    let late = b.m1(&[("place", json!("一会议室"), &[born.id])]);
    let state = m1(&[&born, &closed, &late]);
    assert!(state.late.is_empty());
    assert_eq!(state.fields["place"].heads(), ids(&[&born, &late]), "a correction is over both");
}

#[test]
fn two_closings_at_once_are_a_conflict_until_one_is_over_both() {
    let Pair { mut a, mut b, born } = pair();
    let left = a.m1(&[("place", json!("甲"), &[born.id]), ("~final", json!(true), &[born.id])]);
    let right = b.m1(&[("~final", json!(true), &[born.id])]);
    let state = m1(&[&born, &left, &right]);
    assert_eq!(state.closing, Closing::FinalConflict { changes: ids(&[&left, &right]) });
    assert!(state.is_contested());
    let settled = b.m1(&[("~final", json!(true), &state.all_heads())]);
    let state = m1(&[&born, &left, &right, &settled]);
    assert!(matches!(&state.closing, Closing::Final { change, .. } if change.change == settled.id));
    assert_eq!(state.value("place"), Some(&json!("甲")));
}

#[test]
fn removing_a_closed_record_that_was_not_seen_closed_is_for_a_person() {
    let Pair { mut a, mut b, born } = pair();
    let closed = a.m1(&[("~final", json!(true), &[born.id])]);
    let blind = b.m1(&[("~gone", json!({"reason": "删"}), &[born.id])]);
    assert!(matches!(m1(&[&born, &closed, &blind]).life, Life::Contested { .. }));
    let annulled = b.m1(&[("~gone", json!({"reason": "作废"}), &m1(&[&born, &closed]).all_heads())]);
    let state = m1(&[&born, &closed, &annulled]);
    assert!(matches!(state.life, Life::Gone { .. }));
    assert!(matches!(state.closing, Closing::Final { .. }), "an annulled record keeps that it was closed");
}

#[test]
fn items_live_and_go_within_their_record() {
    let Pair { mut a, mut b, born } = pair();
    let item = a.m1(&[
        ("agenda/x/~born", json!(true), &[]),
        ("agenda/x/topic", json!("议题"), &[]),
        ("agenda/x/speeches/s/text", json!("发言"), &[]),
        ("attendance/p1/status", json!("present"), &[]),
    ]);
    let state = m1(&[&born, &item]);
    assert_eq!(state.value("agenda/x/topic"), Some(&json!("议题")));
    assert_eq!(
        state.value("attendance/p1/status"),
        Some(&json!("present")),
        "an item without a birth is just there"
    );

    let gone = b.m1(&[("agenda/x/~gone", json!(true), &state.item_heads("agenda/x"))]);
    let state = m1(&[&born, &item, &gone]);
    assert_eq!(state.value("agenda/x/topic"), None);
    assert_eq!(state.value("agenda/x/speeches/s/text"), None);
    assert_eq!(state.value("place"), Some(&json!("一会议室")));
    assert!(matches!(state.items["agenda/x"].life, Some(Life::Gone { .. })));
    assert_eq!(state.heads("agenda/x/topic"), [item.id], "its heads are still known");

    let edit = a.m1(&[("agenda/x/topic", json!("改"), &[item.id])]);
    let state = m1(&[&born, &item, &gone, &edit]);
    assert!(matches!(state.items["agenda/x"].life, Some(Life::Contested { .. })));
    assert_eq!(state.value("agenda/x/topic"), Some(&json!("改")), "shown until a person decides");
    assert!(state.is_contested());
}

#[test]
fn an_item_that_is_one_value_goes_with_its_gone() {
    let Pair { mut a, mut b, born } = pair();
    let post = a.m1(&[("posts/x", json!({"post": "secretary"}), &[])]);
    let state = m1(&[&born, &post]);
    let gone = b.m1(&[("posts/x/~gone", json!(true), &state.item_heads("posts/x"))]);
    let state = m1(&[&born, &post, &gone]);
    assert_eq!(state.value("posts/x"), None);
    assert_eq!(state.heads("posts/x"), [post.id], "its head is still known");

    let edit = a.m1(&[("posts/x", json!({"post": "deputy"}), &[post.id])]);
    let state = m1(&[&born, &post, &gone, &edit]);
    assert!(
        matches!(state.items["posts/x"].life, Some(Life::Contested { .. })),
        "an edit nobody saw is a card"
    );
}

#[test]
fn an_item_added_after_closing_is_late() {
    let Pair { mut a, mut b, born } = pair();
    let closed = a.m1(&[("~final", json!(true), &[born.id])]);
    let late = b.m1(&[("agenda/y/~born", json!(true), &[]), ("agenda/y/topic", json!("补"), &[])]);
    let state = m1(&[&born, &closed, &late]);
    assert_eq!(state.value("agenda/y/topic"), None);
    let paths: Vec<&str> = state.late.iter().map(|late| late.path.as_str()).collect();
    assert_eq!(paths, ["agenda/y/topic", "agenda/y/~born"]);
}

#[test]
fn long_texts_merge_only_over_one_common_base() {
    let Pair { mut a, mut b, born } = pair();
    let base = a.m1(&[("summary", json!("一。二。三。"), &[])]);
    let left = a.m1(&[("summary", json!("一改。二。三。"), &[base.id])]);
    let right = b.m1(&[("summary", json!("一。二。三改。"), &[base.id])]);
    let state = m1(&[&born, &base, &left, &right]);
    let merged = state.fields["summary"].merged().unwrap();
    assert_eq!(merged.pieces, [Piece::Merged("一改。二。三改。".into())]);
    assert!(state.is_contested(), "a merge is not a change until a person saves it");

    let other = b.m1(&[("summary", json!("四。"), &[])]);
    assert_eq!(m1(&[&born, &base, &left, &other]).fields["summary"].merged(), None, "no common base");
}

#[test]
fn what_is_shown_leaves_nothing_of_either_side_out() {
    let Pair { mut a, mut b, born } = pair();
    let kinds = replica::Kinds::builtin();
    let kind = kinds.get("meeting");
    let base = a.m1(&[("summary", json!("一。二。三。"), &[]), ("place", json!("楼下"), &[born.id])]);
    let over = [base.id];
    let left = a.m1(&[("summary", json!("一改。二。三。"), &over), ("place", json!("东"), &over)]);
    let crossed = |b: &mut Device, text: &str, place: Value| {
        b.m1(&[("summary", json!(text), &over), ("place", place, &over)])
    };
    let apart = crossed(&mut b.copy(), "一。二。三改。", json!("西"));
    let state = m1(&[&born, &base, &left, &apart]);
    assert_eq!(state.shown(kind, "summary"), Some(json!("一改。二。三改。")));
    assert_eq!(state.open_conflicts(kind).collect::<Vec<_>>(), ["place"], "a text that merges asks nobody");
    assert_eq!(state.merged_texts(kind), [("summary".to_owned(), json!("一改。二。三改。"))].into());
    assert_eq!(state.open_conflicts(None).count(), 2, "without its kind nothing is known to merge");
    assert!(state.is_disputed(kind));

    let same = crossed(&mut b.copy(), "一。二。三改。", json!("东"));
    assert!(!m1(&[&born, &base, &left, &same]).is_disputed(kind));

    let meet = crossed(&mut b, "一换。二。三。", json!("西"));
    let state = m1(&[&born, &base, &left, &meet]);
    let shown = state.shown(kind, "summary").unwrap();
    let shown = shown.as_str().unwrap();
    assert!(["一改。", "一换。", "二。三。"].iter().all(|part| shown.contains(part)), "{shown}");
    assert_eq!(state.open_conflicts(kind).count(), 2);
    assert_eq!(state.shown(kind, "place"), state.value("place").cloned(), "the first one");
}

#[test]
fn an_excerpt_shows_what_the_whole_record_shows() {
    let Pair { mut a, mut b, born } = pair();
    let kinds = replica::Kinds::builtin();
    let kind = kinds.get("meeting");
    let base = a.m1(&[("summary", json!("一。二。三。"), &[]), ("place", json!("楼下"), &[born.id])]);
    let over = [base.id];
    let left = a.m1(&[("summary", json!("一改。二。三。"), &over), ("place", json!("东\n\"一\""), &over)]);
    let right = b.m1(&[("summary", json!("一。二。三改。"), &over), ("place", json!("西"), &over)]);
    let state = m1(&[&born, &base, &left, &right]);
    let bytes = state.to_bytes();
    let read = |wants: &dyn Fn(&str) -> bool| Excerpt::from_bytes(&bytes, wants).unwrap().all_shown(kind);
    assert_eq!(read(&|_| true), state.all_shown(kind));
    let place = state.shown(kind, "place").unwrap();
    assert_eq!(read(&|path| path == "place"), [("place".to_owned(), place)].into());
    for bytes in ["", "[]", r#"{"fields": []}"#, r#"{"fields": {}} more"#, r#"{"fields": {"#] {
        assert!(Excerpt::from_bytes(bytes.as_bytes(), &|_| true).is_err(), "{bytes}");
    }
}

#[test]
fn a_write_over_a_voided_one_is_over_what_that_was_over() {
    let Pair { mut a, mut b, born } = pair();
    let bad = b.m1(&[("place", json!("坏"), &[born.id])]);
    let worse = b.m1(&[("place", json!("更坏"), &[bad.id])]);
    let good = a.m1(&[("place", json!("好"), &[worse.id])]);
    let voided = |change: &Change| {
        let why = replica::Voided {
            code: "x".into(),
            words: String::new(),
            at: None,
            ruling: "r".into(),
            by: change.id,
        };
        (change.id, why)
    };
    let mut verdicts = Verdicts::default();
    verdicts.voided.extend([voided(&bad), voided(&worse)]);
    let fold = |changes: &[&Change]| fold_record("meeting", "m1", changes, &verdicts);
    let state = fold(&[&born, &bad, &worse, &good]);
    assert_eq!(state.fields["place"], Field::One { value: json!("好"), by: vec![good.id] });
    assert_eq!(state.ignored, ids(&[&bad, &worse]));
    assert_eq!(
        fold(&[&born, &bad, &worse]).value("place"),
        Some(&json!("一会议室")),
        "voided: what was before stands"
    );
}

#[test]
fn redaction_leaves_the_place_of_a_value() {
    let Pair { mut a, born, .. } = pair();
    let mut secret = a.m1(&[("note", json!("身份证号"), &[]), ("place", json!("甲"), &[born.id])]);
    secret.drop_payload();
    let state = m1(&[&born, &secret]);
    assert_eq!(state.fields["note"], Field::Withheld { by: vec![secret.id] });
    assert_eq!(state.value("place"), None, "what it was over does not come back");
    let next = a.m1(&[("place", json!("乙"), &state.heads("place"))]);
    assert_eq!(m1(&[&born, &secret, &next]).value("place"), Some(&json!("乙")));
}
