//! Changes from elsewhere: any order, twice, cut, hostile, and of kinds that this program does not know.

use ed25519_dalek::SigningKey;
use proptest::prelude::{ProptestConfig, prop, proptest};
use proptest::test_runner::{RngAlgorithm, TestRng};
use replica::{ChangeBuilder, RawChange, Ruling, certify, device_of, ruling_path};
use serde_json::json;
use store::Refusal;

use crate::world::{World, fields, me, meeting, person};

#[test]
fn a_second_computer_has_everything() {
    let first = World::founded();
    first.create("meeting", "m1", &meeting("十月主题党日", "2026-10-13T14:00"));
    let second = first.second();
    second.create("person", "p1", &person("张三"));
    second.put("meeting", "m1", "place", json!("二楼"));
    let applied = first.pull(&second);
    assert_eq!(applied.new.len(), 2);
    assert_eq!(first.value("meeting", "m1", "place"), Some(json!("二楼")));
    assert_eq!(first.digests(), second.digests());
    let again = first.pull(&second);
    assert_eq!((again.new.len(), again.known), (0, first.all().len()), "twice is once");
}

#[test]
fn a_bulk_leaves_its_pages_in_the_log_and_the_log_shrinks_again() {
    let first = World::founded();
    let second = first.second();
    let minutes = "学习传达上级精神。".repeat(2_000);
    for at in 0..120 {
        first.create("meeting", &format!("m{at}"), &fields([("summary", json!(minutes))]));
    }
    let file = second.store().file().to_owned();
    let sizes = || {
        let log = file.with_extension("db-wal");
        [&file, &log].map(|path| std::fs::metadata(path).unwrap().len() / 1_000_000)
    };
    second.pull(&first);
    let [pages, log] = sizes();
    assert!(pages < 1 && log > 5, "the file has {pages} MB, the log {log}");
    for at in 0..2 {
        second.create("person", &format!("p{at}"), &person("张三"));
    }
    let [pages, log] = sizes();
    assert!(pages > 5 && log <= 4, "the file has {pages} MB, the log {log}");
    assert_eq!(second.value("meeting", "m7", "summary"), Some(json!(minutes)));
}

#[test]
fn concurrent_values_are_a_conflict_until_someone_writes_over_both() {
    let first = World::founded();
    first.create("meeting", "m1", &meeting("会", "2026-10-13T14:00"));
    let second = first.second();
    first.put("meeting", "m1", "place", json!("一楼"));
    second.put("meeting", "m1", "place", json!("二楼"));
    first.pull(&second);
    second.pull(&first);
    assert_eq!(first.digests(), second.digests());
    assert_eq!(first.store().list(&store::Query::of("meeting")).unwrap().rows[0].conflicts, 1);
    first.create("meeting", "m2", &meeting("会", "2026-10-14T14:00"));
    let undecided = store::Query { undecided: true, ..store::Query::of("meeting") };
    assert_eq!(first.store().list(&undecided).unwrap().rows[0].id, "m1");
    let one = store::Query { id: Some("m2".into()), ..store::Query::of("meeting") };
    assert_eq!(first.store().list(&one).unwrap().total, 1);
    first.put("meeting", "m1", "place", json!("一楼"));
    second.pull(&first);
    assert_eq!(second.value("meeting", "m1", "place"), Some(json!("一楼")));
    assert_eq!(second.store().list(&undecided).unwrap().total, 0);
}

#[test]
fn texts_that_merge_wait_for_nobody() {
    let first = World::founded();
    first.create("meeting", "m1", &meeting("会", "2026-10-13T14:00"));
    first.put("meeting", "m1", "summary", json!("一。二。三。"));
    let second = first.second();
    first.put("meeting", "m1", "summary", json!("一改。二。三。"));
    second.put("meeting", "m1", "summary", json!("一。二。三改。"));
    first.pull(&second);
    let undecided = store::Query { undecided: true, ..store::Query::of("meeting") };
    assert_eq!(first.store().list(&undecided).unwrap().total, 0);
    second.put("meeting", "m1", "summary", json!("一换。二。三改。"));
    first.pull(&second);
    assert_eq!(first.store().list(&undecided).unwrap().rows[0].conflicts, 1, "one place met");
}

#[test]
fn a_late_edit_waits_beside_a_closed_record() {
    let first = World::founded();
    first.create("meeting", "m1", &meeting("会", "2026-10-13T14:00"));
    let second = first.second();
    first.store().write(&me(), "finalise", |w| w.finalise("meeting", "m1", json!({}))).unwrap();
    second.put("meeting", "m1", "place", json!("二楼"));
    first.pull(&second);
    let state = first.store().record("meeting", "m1").unwrap().unwrap();
    assert_eq!((state.value("place"), state.late.len()), (Some(&json!("三楼会议室")), 1));
    let other = fields([("theme", json!("学习"))]);
    first.store().write(&me(), "correct", |w| w.correct("meeting", "m1", &other, json!({}))).unwrap();
    let state = first.store().record("meeting", "m1").unwrap().unwrap();
    assert_eq!(
        (state.value("place"), state.late.len()),
        (Some(&json!("三楼会议室")), 1),
        "not decided by the way"
    );
    let adopt = fields([("place", json!("二楼"))]);
    first.store().write(&me(), "adopt", |w| w.correct("meeting", "m1", &adopt, json!({}))).unwrap();
    let state = first.store().record("meeting", "m1").unwrap().unwrap();
    assert_eq!((state.value("place"), state.late.len()), (Some(&json!("二楼")), 0));
}

#[test]
fn changes_wait_for_the_one_before_them() {
    let first = World::founded();
    for at in 0..5 {
        first.create("person", &format!("p{at}"), &person("张三"));
    }
    let all = first.all();
    let second = World::seeded(5);
    let applied = second.store().apply(&all[3..]).unwrap();
    assert_eq!((applied.new.len(), applied.waiting), (0, 3));
    assert!(second.store().frontier(&first.stream()).unwrap().is_empty(), "what waits is not held");
    let applied = second.store().apply(&all[..3]).unwrap();
    assert_eq!(applied.new.len(), 6);
    second.store().join_stream(&first.stream()).unwrap();
    assert_eq!(first.digests(), second.digests());
}

#[test]
fn broken_signatures_and_chains_are_refused_and_the_rest_is_taken() {
    let first = World::founded();
    let second = first.second();
    first.create("person", "p1", &person("张三"));
    first.create("person", "p2", &person("李四"));
    let mut all = first.all();
    let last = all.len() - 1;
    all[last].signature[0] ^= 1;
    let applied = second.store().apply(&all).unwrap();
    assert_eq!(applied.new.len(), 1);
    assert!(matches!(applied.refused[..], [(_, Refusal::Bytes(_))]), "{:?}", applied.refused);
    let stolen = SigningKey::from_bytes(&[9; 32]);
    let forged = ChangeBuilder::new(
        Some(first.stream()),
        Some(replica::End { n: 1, id: all[0].id() }),
        device_of(&stolen),
        5,
        0,
        "x",
        "x",
    )
    .write("p1", "person", "name", &json!("王五"), &[])
    .sign(&stolen)
    .unwrap();
    let applied = second.store().apply(&[forged.raw]).unwrap();
    assert!(matches!(applied.refused[..], [(_, Refusal::Chain)]), "nobody continues another's chain");
}

#[test]
fn a_stranger_is_held_and_counts_once_let_in() {
    let first = World::founded();
    first.create("person", "p1", &person("张三"));
    let second = World::seeded(8);
    second.store().apply(&first.all()).unwrap();
    second.store().join_stream(&first.stream()).unwrap();
    second.put("person", "p1", "job", json!("会计"));
    assert_eq!(first.pull(&second).new.len(), 1);
    assert_eq!(first.value("person", "p1", "job"), None, "nobody let it in");
    let path = format!("~device/{}", second.store().device().unwrap());
    first.store().write(&me(), "let in", |w| w.put_stream(&path, json!({"name": "二号"}))).unwrap();
    assert_eq!(first.value("person", "p1", "job"), Some(json!("会计")), "its changes are folded again");
    second.pull(&first);
    assert_eq!(first.digests(), second.digests());
}

/// A city in a few lines: a root, an operating key, and one change with a ruling.
fn ruled(world: &World, rulings: &[(&str, Ruling)]) -> (replica::RootKey, RawChange) {
    let (root, key) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
    let certificate = certify(&root, &device_of(&key), "2026-01-01", "2027-12-31");
    let mut builder = ChangeBuilder::new(Some(world.stream()), None, device_of(&key), 50, 0, "city", "rule")
        .write("~stream", "stream", &format!("~key/{}", device_of(&key)), &certificate, &[]);
    for (id, ruling) in rulings {
        builder.add("~stream", "stream", &ruling_path(id), &ruling.to_value(), &[]);
    }
    (replica::RootKey(root.verifying_key().to_bytes()), builder.sign(&key).unwrap().raw)
}

#[test]
fn a_ruling_counts_once_its_root_is_pinned() {
    let world = World::founded();
    world.create("person", "p1", &person("张三"));
    let bad = world.put("person", "p1", "job", json!("会计")).changes[0];
    let void = Ruling::Void { change: bad, code: "bad_value".into(), words: "请改正".into(), at: None };
    let (root, change) = ruled(&world, &[("r1", void)]);
    world.store().apply(&[change]).unwrap();
    assert_eq!(world.value("person", "p1", "job"), Some(json!("会计")), "anyone could claim to be a city");
    world.store().set_root(&world.stream(), &root).unwrap();
    assert_eq!(world.value("person", "p1", "job"), None);
    world.store().rebuild().unwrap();
    assert_eq!(world.value("person", "p1", "job"), None);
}

#[test]
fn the_city_is_known_before_the_first_change_of_its_stream_is_here() {
    let (world, elsewhere) = (World::founded(), World::founded_as(2));
    let (root, change) = ruled(&elsewhere, &[]);
    let key = change.clone().read().unwrap().header.device;
    world.store().set_root(&elsewhere.stream(), &root).unwrap();
    world.store().apply(&[change]).unwrap();
    assert!(world.store().founding(&elsewhere.stream()).unwrap().is_none());
    assert!(world.store().city_keys(&elsewhere.stream()).unwrap().contains(&key));
}

#[test]
fn a_redacted_payload_is_erased_and_never_comes_back() {
    let world = World::founded();
    let second = world.second();
    let secret = world.create("person", "p1", &person("张三丰")).changes[0];
    let kept = world.all();
    let (root, change) = ruled(&world, &[("r1", Ruling::Drop { change: secret })]);
    for store in [world.store(), second.store()] {
        store.set_root(&world.stream(), &root).unwrap();
        store.apply(std::slice::from_ref(&change)).unwrap();
        store.apply(&kept).unwrap();
        assert!(store.change(&secret).unwrap().unwrap().raw.payload.is_none(), "erased, and not taken again");
        assert_eq!(store.search("zsf", 10).unwrap(), []);
    }
    assert_eq!(world.digests(), second.digests());
}

#[test]
fn a_revoked_computer_counts_up_to_where_it_was_lost() {
    let world = World::founded();
    let lost = world.second();
    let good = lost.create("person", "p1", &person("张三")).changes[0];
    let bad = lost.create("person", "p2", &person("李四")).changes[0];
    world.pull(&lost);
    let revoke = Ruling::Revoke { device: lost.store().device().unwrap(), ends: vec![(1, good)] };
    let (root, change) = ruled(&world, &[("r1", revoke)]);
    world.store().set_root(&world.stream(), &root).unwrap();
    let touched = world.store().apply(&[change]).unwrap();
    assert_eq!(touched.new.len(), 1);
    let there = |id: &str| world.store().record("person", id).unwrap().is_some_and(|state| state.is_live());
    assert!(there("p1") && !there("p2"));
    assert!(world.store().change(&bad).unwrap().is_some(), "quarantined, not lost");
}

#[test]
fn unknown_kinds_and_newer_headers_survive_byte_for_byte() {
    let world = World::founded();
    let key = SigningKey::from_bytes(&[7; 32]);
    let builder = ChangeBuilder::new(Some(world.stream()), None, device_of(&key), 5, 0, "x", "x");
    let unknown =
        builder.write("h1", "hologram", "shape/x", &json!({"a": [1, 2]}), &[]).sign(&key).unwrap().raw;
    let header = format!(
        r#"{{"v":9,"stream":"{}","device":"{}","n":2,"prev":"{}","payload":"{}","len":2,"future":[1]}}"#,
        world.stream(),
        device_of(&key),
        unknown.id(),
        blake3::hash(b"[]").to_hex()
    );
    let input = replica::signature_input(header.as_bytes());
    let signature = ed25519_dalek::Signer::sign(&key, &input).to_bytes();
    let newer = RawChange { header: header.into_bytes(), signature, payload: Some(b"[]".to_vec()) };
    let applied = world.store().apply(&[newer.clone(), unknown.clone()]).unwrap();
    assert_eq!(applied.new.len(), 2, "{:?}", applied.refused);
    for raw in [unknown, newer] {
        assert_eq!(world.store().change(&raw.id()).unwrap().unwrap().raw, raw);
    }
    world.store().rebuild().unwrap();
    assert!(world.store().record("hologram", "h1").unwrap().is_some());
}

#[test]
fn a_copied_computer_makes_two_ends_and_both_are_kept() {
    let mut world = World::founded();
    world.create("person", "p1", &person("张三"));
    let copied = world.copy();
    world.put("person", "p1", "job", json!("会计"));
    copied.write(&me(), "edit", |w| w.put("person", "p1", &fields([("unit", json!("甲公司"))]))).unwrap();
    let raw: Vec<RawChange> =
        copied.changes(&world.stream()).unwrap().into_iter().map(|change| change.raw).collect();
    world.store().apply(&raw).unwrap();
    assert_eq!(world.store().frontier(&world.stream()).unwrap().forked().count(), 1);
    assert_eq!(world.value("person", "p1", "job"), Some(json!("会计")));
    assert_eq!(world.value("person", "p1", "unit"), Some(json!("甲公司")));
}

#[test]
fn changes_that_come_together_leave_what_they_leave_one_by_one() {
    let mut first = World::founded();
    let many = |w: &mut store::Write| {
        (0..70).try_for_each(|at| w.create("person", &format!("p{at}"), &person("张三")))
    };
    first.store().write(&me(), "import", many).unwrap();
    let copied = first.copy();
    first.put("person", "p1", "job", json!("会计"));
    first.put("person", "p2", "job", json!("出纳"));
    copied.write(&me(), "edit", |w| w.put("person", "p1", &fields([("unit", json!("甲公司"))]))).unwrap();
    let copied = copied.changes(&first.stream()).unwrap();
    first.store().apply(&copied.into_iter().map(|change| change.raw).collect::<Vec<_>>()).unwrap();
    let all = first.all();
    let [together, singly] = [5, 6].map(World::seeded);
    together.store().apply(&all).unwrap();
    all.iter().for_each(|change| drop(singly.store().apply(std::slice::from_ref(change)).unwrap()));
    let frontier = first.store().frontier(&first.stream()).unwrap();
    assert_eq!(frontier.forked().count(), 1);
    for other in [&together, &singly] {
        assert_eq!(other.store().frontier(&first.stream()).unwrap(), frontier);
        other.store().join_stream(&first.stream()).unwrap();
        assert_eq!(other.digests(), first.digests());
    }
    let next = [&first, &together, &singly].map(|world| {
        let touched = world.put("person", "p3", "job", json!("文书"));
        world.store().change(&touched.changes[0]).unwrap().unwrap().lamport
    });
    assert_eq!(next, [next[0]; 3], "the highest lamport value is known");
}

/// A history of two computers with edits, conflicts, closings and removals.
fn history() -> (World, Vec<RawChange>) {
    let first = World::founded();
    let second = first.second();
    for at in 0..4 {
        first.create(
            "meeting",
            &format!("m{at}"),
            &meeting("主题党日", &format!("2026-0{}-13T14:00", at + 1)),
        );
    }
    second.pull(&first);
    for at in 0..4 {
        let id = format!("m{at}");
        first.put("meeting", &id, "place", json!(format!("一楼{at}")));
        second.put("meeting", &id, "place", json!(format!("二楼{at}")));
    }
    first.store().write(&me(), "finalise", |w| w.finalise("meeting", "m1", json!({}))).unwrap();
    second.store().write(&me(), "void", |w| w.remove("meeting", "m2", json!({"reason": "错"}))).unwrap();
    second.create("person", "p1", &person("单田芳"));
    first.pull(&second);
    first.put("meeting", "m3", "place", json!("定了"));
    second.pull(&first);
    assert_eq!(first.digests(), second.digests());
    let all = first.all();
    (first, all)
}

#[test]
fn any_order_and_split_gives_the_same_state() {
    let (world, all) = history();
    let expected = world.digests();
    let config = ProptestConfig { cases: 24, ..ProptestConfig::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(config, rng);
    let shuffled = proptest::strategy::Strategy::prop_shuffle(proptest::strategy::Just(
        (0..all.len()).collect::<Vec<_>>(),
    ));
    let cuts = prop::collection::vec(1..all.len(), 0..6);
    // One folder for all cases: making a key takes a quarter of a second, so each case is a stream of rebuilt rows.
    let outcome = runner.run(&(shuffled, cuts), |(order, mut cuts)| {
        let other = World::seeded(99);
        cuts.extend([0, order.len()]);
        cuts.sort_unstable();
        for part in cuts.windows(2) {
            let part: Vec<RawChange> = order[part[0]..part[1]].iter().map(|at| all[*at].clone()).collect();
            other.store().apply(&part).unwrap();
        }
        other.store().join_stream(&world.stream()).unwrap();
        proptest::prop_assert_eq!(&other.digests(), &expected);
        other.store().rebuild().unwrap();
        proptest::prop_assert_eq!(&other.digests(), &expected, "rebuilding changes nothing");
        Ok(())
    });
    outcome.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]
    #[test]
    fn any_bytes_are_refused_or_held_but_never_break_the_store(header in prop::collection::vec(0u8.., 0..200)) {
        let world = World::founded();
        let before = world.digests();
        let raw = RawChange { header, signature: [3; 64], payload: None };
        world.store().apply(&[raw]).unwrap();
        assert_eq!(world.digests(), before);
    }
}
