//! The calendar of duties.

use crate::fixture::{World, codes, day, luyue, minutes, organisation, pack, suda, the, yunqiao};
use domain::duties::DutyState;
use domain::pack::{AppliesOn, DutyId};
use domain::{Code, Duty, Meeting, Pack, Span, counts_for, due_duties, duties};
use serde_json::json;

fn calendar(world: &World, meetings: &[Meeting], year: i32, today: &str) -> Vec<Duty> {
    let span = Span::year(year).expect("a year");
    due_duties(world.branch(), meetings, pack(), span, day(today))
}

fn on(world: &World, meetings: &[Meeting], id: DutyId, period: &str, today: &str) -> Duty {
    let duties = duties(world.branch(), meetings, pack(), Span::day(day(period)), day(today));
    duties.into_iter().find(|duty| duty.id == id).expect("the duty of the period")
}

fn held(id: &str, types: &[&str], date: &str) -> Meeting {
    minutes(id, types, date, "15:00", "16:00").read()
}

#[test]
fn a_year_has_as_many_duties_as_the_branch_owes() {
    let count = |world: &World, id: DutyId| {
        calendar(world, &[], 2026, "2026-12-31").iter().filter(|duty| duty.id == id).count()
    };
    let check = |world: &World, expected: [usize; 7]| {
        let ids = [DutyId::F1, DutyId::F2, DutyId::F3, DutyId::F4, DutyId::F5, DutyId::F6, DutyId::F7];
        assert_eq!(ids.map(|id| count(world, id)), expected, "{}", world.org.name);
    };
    let mut suda = suda();
    for group in &mut suda.org.groups {
        group.interval.from = Some(day("2020-01-01"));
    }
    check(&suda, [4, 12, 24, 4, 12, 1, 1]);
    check(&yunqiao(), [4, 0, 0, 4, 12, 1, 1]);
    check(&luyue(), [4, 12, 0, 4, 12, 1, 1]);
    let mut city = yunqiao();
    city.org = organisation(&[("type", json!("committee"))]);
    check(&city, [0; 7]);
    let mut functional = suda;
    functional.org.kind = organisation(&[("type", json!("functional"))]).kind;
    check(&functional, [4, 12, 0, 0, 12, 0, 0]);
}

#[test]
fn what_does_not_apply_says_why() {
    let world = yunqiao();
    for (id, expected) in [(DutyId::F2, Code::DutyNoCommittee), (DutyId::F3, Code::DutyNoGroups)] {
        let duty = on(&world, &[], id, "2026-10-13", "2026-10-13");
        assert_eq!((duty.state, codes(&duty.why)), (DutyState::NotApplicable, vec![expected]));
    }
    let mut young = yunqiao();
    young.org.founded = Some(day("2026-11-15"));
    let of = |period| on(&young, &[], DutyId::F5, period, "2026-12-01").state;
    assert_eq!((of("2026-10-01"), of("2026-11-01")), (DutyState::NotApplicable, DutyState::Overdue));
}

#[test]
fn a_duty_is_due_then_overdue_and_never_before_records_began() {
    use DutyState::{Due, NotRecorded, Overdue};
    let world = suda();
    let check = |id: DutyId, period: &str, today: &str, expected: DutyState, why: Code| {
        let duty = on(&world, &[], id, period, today);
        assert_eq!((duty.state, duty.why[0].code), (expected, why), "{id:?} of {period} on {today}");
    };
    check(DutyId::F5, "2026-10-13", "2026-10-13", Due, Code::DutyOpen);
    check(DutyId::F5, "2026-10-13", "2026-10-31", Due, Code::DutyOpen);
    check(DutyId::F5, "2026-10-13", "2026-11-01", Overdue, Code::DutyNotMet);
    check(DutyId::F2, "2026-10-13", "2026-11-01", Overdue, Code::DutyNotMetExplainable);
    check(DutyId::F5, "2026-08-31", "2026-10-13", NotRecorded, Code::DutyBeforeRecords);
    check(DutyId::F5, "2026-09-01", "2026-10-13", Overdue, Code::DutyNotMet);
    check(DutyId::F1, "2026-09-01", "2026-09-30", Due, Code::DutyOpen);
    check(DutyId::F1, "2026-09-01", "2026-10-01", NotRecorded, Code::DutyBeforeRecords);
    check(DutyId::F1, "2026-10-01", "2027-01-01", Overdue, Code::DutyNotMetExplainable);
    check(DutyId::F6, "2026-10-01", "2027-03-31", Due, Code::DutyOpen);
    check(DutyId::F6, "2026-10-01", "2027-04-01", NotRecorded, Code::DutyBeforeRecords);
    check(DutyId::F6, "2027-10-01", "2028-04-01", Overdue, Code::DutyNotMet);
    assert!(
        calendar(&world, &[], 2026, "2026-10-13").iter().all(|duty| duty.period.from <= day("2026-10-13")),
        "what has not begun is not owed"
    );
    let mut unknown = suda();
    unknown.org.records_since = None;
    assert!(calendar(&unknown, &[], 2026, "2026-12-31").iter().all(|duty| duty.state != Overdue));
}

#[test]
fn one_event_meets_several_duties_and_one_duty_once() {
    let world = suda();
    let event = held("e", &["theme_day", "assembly", "lecture"], "2026-10-13");
    let meetings = [event.clone()];
    for id in [DutyId::F1, DutyId::F4, DutyId::F5] {
        let duty = on(&world, &meetings, id, "2026-10-13", "2026-10-13");
        assert_eq!(duty.state, DutyState::Done, "{id:?}");
        assert_eq!(duty.met_by[0].record, "e");
    }
    let mut strict = Pack::clone(pack());
    strict.one_event_many_duties = false;
    let counted = |pack: &Pack| counts_for(world.branch(), &event, &[], pack).len();
    assert_eq!((counted(pack()), counted(&strict)), (3, 1));

    let twice = [held("b", &["theme_day"], "2026-10-13"), event];
    assert_eq!(
        on(&world, &twice, DutyId::F5, "2026-10-13", "2026-10-13").met_by.len(),
        1,
        "same hour, one event"
    );
}

#[test]
fn each_group_owes_its_own_meeting() {
    let world = suda();
    let first = minutes("g", &["group"], "2026-10-13", "15:00", "16:00").set("group", json!("g1")).read();
    let span = Span::day(day("2026-10-13"));
    let owed: Vec<_> = due_duties(world.branch(), &[first], pack(), span, day("2026-10-13"))
        .into_iter()
        .filter(|duty| duty.id == DutyId::F3)
        .map(|duty| (duty.group_name.unwrap_or_default(), duty.state))
        .collect();
    assert_eq!(owed, [("第一小组".to_owned(), DutyState::Done), ("第二小组".to_owned(), DutyState::Due)]);
}

#[test]
fn a_condition_is_judged_on_the_last_day_of_the_period() {
    let mut world = luyue();
    world.org.committee[0].interval.from = Some(day("2026-10-15"));
    let state = |pack: &Pack| {
        let all = duties(world.branch(), &[], pack, Span::day(day("2026-10-01")), day("2026-10-20"));
        all.into_iter().find(|duty| duty.id == DutyId::F2).expect("listed with its reason").state
    };
    assert_eq!(state(pack()), DutyState::Due, "there is a committee at the end of October");
    let mut first_day = Pack::clone(pack());
    first_day.applies_on = AppliesOn::PeriodStart;
    assert_eq!(state(&first_day), DutyState::NotApplicable);
}

#[test]
fn a_committee_without_half_of_its_members_meets_no_duty() {
    let world = suda();
    let of = |came: &[&str]| {
        let meeting = minutes("c", &["committee"], "2026-10-13", "15:00", "16:00").status(came, "present");
        on(&world, &[meeting.read()], DutyId::F2, "2026-10-13", "2026-10-13")
    };
    assert_eq!(of(&["周海东", "马超"]).state, DutyState::Done);
    let short = of(&["周海东"]);
    assert_eq!(short.state, DutyState::Due);
    the(Code::DutyMeetingNotQuorate, &short.why);
}

#[test]
fn a_year_may_be_met_early_in_the_next_one() {
    let mut world = suda();
    world.org.records_since = Some(day("2025-01-01"));
    let check = |meetings: &[Meeting], year: &str, expected: &[&str]| {
        let met: Vec<String> = on(&world, meetings, DutyId::F6, year, "2027-06-01")
            .met_by
            .into_iter()
            .map(|met| met.date.to_string())
            .collect();
        assert_eq!(met, expected, "{year}");
    };
    let spring = held("a", &["life"], "2026-02-10");
    check(std::slice::from_ref(&spring), "2025-12-01", &["2026-02-10"]);
    check(std::slice::from_ref(&spring), "2026-12-01", &[]);
    let both = [held("b", &["life"], "2025-11-20"), spring.clone()];
    check(&both, "2025-12-01", &["2025-11-20"]);
    check(&both, "2026-12-01", &["2026-02-10"]);
    let two = [spring, held("c", &["life"], "2026-03-31")];
    check(&two, "2025-12-01", &["2026-02-10"]);
    check(&two, "2026-12-01", &["2026-03-31"]);
    check(&[held("d", &["life"], "2026-04-01")], "2025-12-01", &[]);
    let stated = minutes("e", &["life"], "2026-02-10", "15:00", "16:00").set("for_year", json!(2026)).read();
    check(std::slice::from_ref(&stated), "2025-12-01", &[]);
    check(&[stated], "2026-12-01", &["2026-02-10"]);

    let mut fresh = suda();
    fresh.org.records_since = Some(day("2026-01-01"));
    let early = [held("f", &["life"], "2026-02-10")];
    let duty = on(&fresh, &early, DutyId::F6, "2026-12-01", "2026-12-01");
    assert_eq!(duty.state, DutyState::Done, "a year without records is not filled first");
}

#[test]
fn a_meeting_that_others_mention_is_not_recorded_rather_than_overdue() {
    let world = suda();
    let mention = |date: &str| {
        minutes("t", &["theme_day"], "2026-10-13", "14:00", "16:00")
            .set("decided_by", json!({"body": "committee", "date": date}))
            .read()
    };
    let state = |meetings: &[Meeting]| on(&world, meetings, DutyId::F2, "2026-10-13", "2026-12-01").state;
    assert_eq!(state(&[]), DutyState::Overdue);
    assert_eq!(state(&[mention("2026-10-09")]), DutyState::NotRecorded);
    assert_eq!(state(&[mention("2026-09-30")]), DutyState::Overdue, "that was another month");
    let recorded = minutes("c", &["committee"], "2026-10-09", "09:00", "10:00")
        .status(&["周海东", "马超"], "present")
        .read();
    assert_eq!(state(&[mention("2026-10-09"), recorded]), DutyState::Done);
}
