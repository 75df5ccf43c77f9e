//! Who belongs to a branch on a day, with which rights, and who is due at what.

use crate::fixture::{
    World, codes, day, findings, full, luyue, minutes, organisation, pack, person, suda, the,
};
use domain::check::may_finalise;
use domain::person::Standing;
use domain::{Code, Person, RosterLine, Severity, check_branch, count, roster};
use serde_json::json;

fn line(person: Person, date: &str) -> Option<RosterLine> {
    let world = World { org: organisation(&[]), persons: vec![person] };
    roster(world.branch(), day(date)).pop()
}

#[test]
fn a_standing_follows_from_dates() {
    use Standing::{Full, Inflow, Probationary};
    let check = |person: Person, date: &str, expected: Option<(Standing, bool)>, why: &str| {
        let found = line(person, date).map(|line| (line.standing, line.may_vote));
        assert_eq!(found, expected, "{why}");
    };
    let dates = [("joined", json!("2025-03-01")), ("confirmed", json!("2026-03-01"))];
    check(person("a", &dates), "2025-03-01", None, "the assembly that admits does not count the person");
    check(person("a", &dates), "2025-03-02", Some((Probationary, false)), "admitted");
    check(person("a", &dates), "2026-03-01", Some((Probationary, false)), "the assembly that confirms");
    check(person("a", &dates), "2026-03-02", Some((Full, true)), "confirmed");
    check(person("a", &dates[..1]), "2027-03-02", Some((Probationary, false)), "never confirmed");

    let moved = [("memberships/1", json!({"from": "2024-01-01", "to": "2026-10-10"}))];
    for (date, expected) in [
        ("2023-12-31", None),
        ("2024-01-01", Some((Full, true))),
        ("2026-10-09", Some((Full, true))),
        ("2026-10-10", None),
    ] {
        check(full("a", &moved), date, expected, date);
    }
    let back = [moved[0].clone(), ("memberships/2", json!({"from": "2026-11-01"}))];
    check(full("a", &back), "2026-10-20", None, "away");
    check(full("a", &back), "2026-11-01", Some((Full, true)), "came back");

    let stopped = [("membership", json!("stopped")), ("stopped_on", json!("2026-05-01"))];
    check(full("a", &stopped), "2026-04-30", Some((Full, true)), "lost, but not stopped yet: still due");
    check(full("a", &stopped), "2026-05-01", None, "停止党籍");
    check(full("a", &[("membership", json!("expelled"))]), "2026-05-01", None, "开除");
    check(full("a", &[("membership", json!("restored"))]), "2026-05-01", Some((Full, true)), "恢复");

    let limit = |kind: &str| [("limits/1", json!({"kind": kind, "from": "2026-01-01", "to": "2027-01-01"}))];
    check(full("a", &limit("probation")), "2026-05-01", Some((Full, false)), "留党察看: due, no vote");
    check(full("a", &limit("probation")), "2027-01-01", Some((Full, true)), "over");
    check(full("a", &limit("detained")), "2026-05-01", None, "留置");
    let moving = |direction: &str| [("moves/1", json!({"direction": direction, "from": "2026-01-01"}))];
    check(full("a", &moving("out")), "2026-05-01", Some((Full, true)), "流出: due here, votes here");
    check(full("a", &moving("in")), "2026-05-01", Some((Inflow, false)), "流入: takes part, votes at home");
    check(full("a", &moving("in")), "2025-12-31", None, "before the 流入");
    for category in ["candidate", "activist", "applicant", "mass", "owner", "guide"] {
        check(full("a", &[("category", json!(category))]), "2026-05-01", None, category);
    }
}

#[test]
fn posts_and_groups_are_those_of_the_day() {
    let world = World {
        org: organisation(&[
            ("groups/g1/name", json!("第一小组")),
            ("groups/g1/from", json!("2024-01-01")),
            ("groups/g1/to", json!("2026-07-01")),
        ]),
        persons: vec![full(
            "a",
            &[
                ("posts/1", json!({"post": "publicity", "from": "2020-01-01", "to": "2024-06-01"})),
                ("posts/2", json!({"post": "secretary", "from": "2024-06-01"})),
                ("groups/1", json!({"group": "g1", "from": "2024-01-01"})),
            ],
        )],
    };
    for (date, posts, group) in [
        ("2019-12-31", json!([]), None),
        ("2024-05-31", json!(["publicity"]), Some("g1")),
        ("2024-06-01", json!(["secretary"]), Some("g1")),
        ("2026-07-01", json!(["secretary"]), None),
    ] {
        let line = &roster(world.branch(), day(date))[0];
        let frozen = serde_json::to_value(line).expect("a line is json");
        assert_eq!((&frozen["post"], line.group.as_deref()), (&posts, group), "{date}");
        assert_eq!(frozen["standing"], json!("full"));
    }
}

#[test]
fn who_is_due_follows_from_the_activity() {
    let world = suda();
    let check = |types: &[&str], group: Option<&str>, due: u32| {
        let minutes = minutes("m", types, "2026-10-20", "15:00", "16:00").set("group", json!(group));
        assert_eq!(count(world.branch(), &minutes.read(), pack()).numbers.due, due, "{types:?}");
    };
    check(&["assembly"], None, 14);
    check(&["theme_day"], None, 14);
    check(&["lecture"], None, 14);
    check(&["committee"], None, 3);
    check(&["group"], Some("g1"), 6);
    check(&["group"], Some("g2"), 8);
    check(&["group"], None, 0);
    check(&["life"], None, 14);
    check(&["life", "committee"], None, 3);
    check(&["life", "group"], Some("g1"), 6);
    check(&["theme_day", "committee"], None, 14);
}

#[test]
fn an_exclusion_needs_a_vote_that_knows_it_and_its_basis() {
    let world = suda();
    let basis = json!({"ground": "bedridden", "approval": "文号", "assembly": true});
    let check = |types: &[&str], rule: Option<&str>, exclusion: serde_json::Value, due: u32, said: Code| {
        let mut minutes = minutes("m", types, "2026-10-20", "15:00", "16:00")
            .set("theme", json!("主题"))
            .chaired("周海东", "secretary")
            .set("exclusions/韩德福", exclusion);
        if let Some(rule) = rule {
            minutes = minutes.vote(json!({"rule": rule, "method": "ballot"}));
        }
        assert_eq!(count(world.branch(), &minutes.read(), pack()).numbers.due, due, "{types:?} {rule:?}");
        assert!(codes(&findings(&world, &minutes, &[])).contains(&said), "{said:?}");
    };
    check(&["assembly"], Some("election"), basis.clone(), 13, Code::ExclusionInEffect);
    check(&["assembly"], Some("admit"), basis.clone(), 13, Code::ExclusionInEffect);
    check(&["assembly"], Some("ordinary"), basis.clone(), 14, Code::ExclusionNotApplicable);
    check(&["theme_day"], None, basis, 14, Code::ExclusionNotApplicable);
    let lacking = |ground: serde_json::Value, approval: &str, assembly: bool| json!({"ground": ground, "approval": approval, "assembly": assembly});
    let election = Some("election");
    check(&["assembly"], election, lacking(json!("bedridden"), " ", true), 14, Code::ExclusionNoApproval);
    check(&["assembly"], election, lacking(json!("bedridden"), "文号", false), 14, Code::ExclusionNoAssembly);
    check(&["assembly"], election, lacking(json!("busy"), "文号", true), 14, Code::ExclusionNoGround);
}

#[test]
fn an_exclusion_does_not_reach_the_other_votes_of_the_meeting() {
    let world = suda();
    let minutes = minutes("m", &["assembly"], "2026-10-20", "15:00", "16:00")
        .chaired("周海东", "secretary")
        .set("exclusions/韩德福", json!({"ground": "bedridden", "approval": "文号", "assembly": true}))
        .vote(json!({"rule": "admit", "method": "ballot"}))
        .set("agenda/b/order", json!(2))
        .set("agenda/b/topic", json!("其他"))
        .set("agenda/b/vote", json!({"rule": "ordinary", "method": "hands"}));
    let eligible: Vec<u32> =
        domain::votes(world.branch(), &minutes.read(), pack()).iter().map(|vote| vote.eligible).collect();
    assert_eq!(eligible, [11, 12]);
}

#[test]
fn a_closed_record_keeps_its_roster() {
    let mut world = luyue();
    let open = minutes("m", &["assembly"], "2026-11-06", "15:00", "16:00")
        .chaired("尉迟敬", "secretary")
        .others(&world, "present");
    let frozen = serde_json::to_value(roster(world.branch(), day("2026-11-06"))).expect("a roster is json");
    let closed = open.clone().set("roster", frozen);
    world.persons.retain(|person| person.name != "潘辉");
    let due = |minutes: &crate::fixture::Minutes| count(world.branch(), &minutes.read(), pack()).numbers.due;
    assert_eq!((due(&open), due(&closed)), (7, 8));
    let found = findings(&world, &closed, &[]);
    assert_eq!(the(Code::RosterChanged, &found).severity, Severity::W);
    assert!(may_finalise(&found), "{found:#?}");
}

#[test]
fn a_branch_is_told_what_it_is_short_of() {
    let of = |full_members: usize, committee: bool, secretary: bool| {
        let more = if committee { vec![("committee/1", json!({"from": "2020-01-01"}))] } else { Vec::new() };
        let post = [("posts/1", json!({"post": "secretary"}))];
        let persons = (0..full_members)
            .map(|number| full(&number.to_string(), if secretary && number == 0 { &post } else { &[] }))
            .collect();
        World { org: organisation(&more), persons }
    };
    let check = |world: World, expected: &[Code]| {
        assert_eq!(codes(&check_branch(world.branch(), pack(), day("2026-11-06"))), expected);
    };
    check(of(7, true, true), &[]);
    check(of(6, false, true), &[]);
    check(of(7, false, true), &[Code::CommitteeDue]);
    check(of(6, true, true), &[Code::CommitteeBelowThreshold]);
    check(of(6, false, false), &[Code::SecretaryVacant]);
    let mut over = of(6, false, true);
    over.org.term_began = Some(day("2023-11-06"));
    over.org.term_years = Some(3);
    check(over, &[Code::TermExpired]);
}
