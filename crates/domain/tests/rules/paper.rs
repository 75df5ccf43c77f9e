//! The six records as secretaries have them on paper, and what must come out by itself.

use crate::fixture::{
    Minutes, World, codes, day, findings, luyue, minutes, moment, pack, suda, the, yunqiao,
};
use domain::check::may_finalise;
use domain::duties::DutyState;
use domain::pack::DutyId;
use domain::{
    Case, Code, Meeting, Outcome, Severity, Span, check, count, counts_for, due_duties, lateness,
    meeting_quorum, open_actions, study_minutes, votes,
};
use serde_json::json;

fn record_1(world: &World) -> Minutes {
    minutes("r1", &["theme_day", "lecture"], "2026-10-13", "14:00", "16:20")
        .chaired("周海东", "secretary")
        .set("recorder", json!("李秀英"))
        .set("theme", json!("学习贯彻全市非公经济组织党建工作现场推进会精神，推动物流园区党建与业务融合"))
        .set("decided_by", json!({"body": "committee", "date": "2026-10-09"}))
        .set("agenda/b/order", json!(3))
        .set("agenda/b/kind", json!("lecture"))
        .set("agenda/b/topic", json!("货运一线的党员怎么亮身份"))
        .set("agenda/b/presenter", json!("周海东"))
        .set("agenda/b/minutes", json!(45))
        .set("actions/x/order", json!(1))
        .set("actions/x/task", json!("七号库设党员责任区，完成检查表"))
        .set("actions/x/owner", json!("王立军"))
        .set("actions/x/due", json!("2026-11-13"))
        .status(&["孙明", "刘建华"], "leave")
        .set("attendance/孙明/leave", json!("work"))
        .set("attendance/孙明/approver", json!("周海东"))
        .set("attendance/刘建华/reason", json!("夜班"))
        .set("attendance/刘建华/approver", json!("周海东"))
        .status(&["韩德福"], "absent")
        .set("attendance/韩德福/reason", json!("长期卧床"))
        .set("guests/1/name", json!("陈晓雨"))
        .set("guests/1/person", json!("陈晓雨"))
        .set("guests/2/name", json!("高翔"))
        .others(world, "present")
}

fn record_2(world: &World, exclusion: serde_json::Value) -> Minutes {
    minutes("r2", &["assembly"], "2026-10-27", "15:00", "16:10")
        .chaired("周海东", "secretary")
        .vote(json!({
            "rule": "admit", "method": "ballot", "subject": "陈晓雨", "issued": 9, "returned": 9,
            "yes": 9, "no": 0, "abstain": 0, "invalid": 0,
            "written": [{"person": "吴涛", "agrees": true, "on": "2026-10-26"}],
        }))
        .set("agenda/a/topic", json!("讨论接收 陈晓雨 为预备党员"))
        .set("agenda/a/committee_review", json!("2026-10-20"))
        .set("agenda/a/sponsors", json!({"first": "李秀英", "second": "王立军"}))
        .set("exclusions/韩德福", exclusion)
        .status(&["吴涛", "郑凯"], "leave")
        .set("guests/1/name", json!("陈晓雨"))
        .set("guests/1/person", json!("陈晓雨"))
        .others(world, "present")
}

fn approved() -> serde_json::Value {
    json!({"ground": "bedridden", "approval": "泰岱非公〔2026〕31号", "assembly": true})
}

fn record_3() -> Minutes {
    minutes("r3", &["committee"], "2026-11-03", "09:00", "09:50")
        .chaired("周海东", "secretary")
        .status(&["周海东", "李秀英"], "present")
        .status(&["马超"], "leave")
        .set("attendance/马超/leave", json!("work"))
        .set("attendance/马超/approver", json!("周海东"))
        .set("guests/1/name", json!("王立军"))
        .set("guests/1/person", json!("王立军"))
        .set("links/l", json!({"record": "r1", "item": "x", "relation": "follow_up"}))
}

fn state(world: &World, meetings: &[Meeting], duty: DutyId, on: &str, today: &str) -> Vec<DutyState> {
    due_duties(world.branch(), meetings, pack(), Span::day(day(on)), day(today))
        .into_iter()
        .filter(|line| line.id == duty)
        .map(|line| line.state)
        .collect()
}

#[test]
fn record_1_counts_whoever_is_due_and_meets_two_duties() {
    let world = suda();
    let minutes = record_1(&world);
    let meeting = minutes.read();
    let numbers = count(world.branch(), &meeting, pack()).numbers;
    assert_eq!((numbers.due, numbers.present, numbers.leave, numbers.absent), (14, 11, 2, 1));
    assert_eq!(numbers.rate_permille, Some(786));
    assert_eq!((numbers.guests, numbers.unregistered), (2, 0));

    let counted: Vec<_> = counts_for(world.branch(), &meeting, &[], pack())
        .into_iter()
        .map(|counted| (counted.id, counted.period.from.to_string(), counted.period.to.to_string()))
        .collect();
    let dated = |id, from: &str, to: &str| (id, from.to_owned(), to.to_owned());
    assert_eq!(
        counted,
        [dated(DutyId::F4, "2026-10-01", "2026-12-31"), dated(DutyId::F5, "2026-10-01", "2026-10-31")]
    );
    let meetings = [meeting.clone()];
    for duty in [DutyId::F4, DutyId::F5] {
        assert_eq!(state(&world, &meetings, duty, "2026-10-13", "2026-10-13"), [DutyState::Done], "{duty:?}");
    }

    let studied = study_minutes(world.branch(), &meeting, pack());
    assert_eq!(studied.len(), 11);
    assert!(studied.iter().all(|(_, minutes)| *minutes == 2 * 60 + 20), "everybody stayed for 2 h 20 min");
    assert!(votes(world.branch(), &meeting, pack()).is_empty());

    let found = findings(&world, &minutes, &[]);
    let prior = the(Code::PriorMeetingNotRecorded, &found);
    assert_eq!((prior.severity, &prior.params["date"]), (Severity::H, &json!("2026-10-09")));
    assert_eq!(prior.params["body"], json!("committee"));
    assert!(may_finalise(&found), "{found:#?}");
}

#[test]
fn record_2_counts_written_opinions_and_an_approved_exclusion() {
    let world = suda();
    let minutes = record_2(&world, approved());
    let meeting = minutes.read();
    let vote = &votes(world.branch(), &meeting, pack())[0];
    assert_eq!((vote.due_members, vote.present_members), (13, 11));
    assert_eq!((vote.eligible, vote.present_eligible), (11, 9));
    assert!(vote.quorate, "9 is more than half of 11");
    assert_eq!((vote.yes, vote.written_yes, vote.least_yes), (Some(10), 1, 6));
    assert_eq!(vote.outcome, Outcome::Passed);

    let found = findings(&world, &minutes, &[record_1(&world).read()]);
    assert!(may_finalise(&found), "{found:#?}");
    assert!(!codes(&found).contains(&Code::MemberListedAsGuest), "probationary members are no guests");
    assert_eq!(the(Code::ExclusionInEffect, &found).params["name"], json!("韩德福"));
    assert_eq!(the(Code::PriorMeetingNotRecorded, &found).params["date"], json!("2026-10-20"));
    let numbers = count(world.branch(), &meeting, pack()).numbers;
    assert_eq!((numbers.due, numbers.present, numbers.leave, numbers.guests), (13, 11, 2, 1));
}

#[test]
fn a_list_counts_as_the_record_does() {
    let world = suda();
    let frozen = count(world.branch(), &record_1(&world).read(), pack()).due.members;
    let table = [
        record_1(&world).set("attachments/p/file", json!({"blob": "x", "len": 1, "media": "image/jpeg"})),
        record_1(&world).set("roster", serde_json::to_value(&frozen[1..]).unwrap()),
        record_2(&world, approved()),
        record_2(&world, json!({})),
        record_3(),
    ];
    for minutes in table {
        let (whole, skimmed) = (minutes.read(), minutes.skim());
        let numbers = |meeting| count(world.branch(), meeting, pack());
        assert_eq!(numbers(&skimmed), numbers(&whole));
        assert_eq!(skimmed.attachments, whole.attachments);
        let late = |meeting| lateness(meeting, moment("2026-11-20T08:00"), pack()).map(|late| late.late);
        assert_eq!(late(&skimmed), late(&whole));
        assert!(late(&whole).is_some());
    }
}

#[test]
fn record_2_without_a_basis_counts_the_excluded_as_due() {
    let world = suda();
    let minutes = record_2(&world, json!({"ground": "bedridden"})).status(&["韩德福"], "absent");
    let vote = &votes(world.branch(), &minutes.read(), pack())[0];
    assert_eq!((vote.due_members, vote.eligible, vote.present_eligible), (14, 12, 9));
    assert_eq!((vote.quorate, vote.yes, vote.outcome), (true, Some(10), Outcome::Passed));
    let found = findings(&world, &minutes, &[]);
    for code in [Code::ExclusionNoApproval, Code::ExclusionNoAssembly] {
        assert_eq!(the(code, &found).severity, Severity::E, "{code:?}");
    }
    assert!(!may_finalise(&found));
}

#[test]
fn the_committee_of_october_was_held_and_not_recorded() {
    let world = suda();
    let meetings = [record_1(&world).read(), record_2(&world, approved()).read()];
    for today in ["2026-10-27", "2026-11-03"] {
        let calendar =
            due_duties(world.branch(), &meetings, pack(), Span::day(day("2026-10-27")), day(today));
        let duty = calendar.iter().find(|duty| duty.id == DutyId::F2).expect("a committee owes F2");
        assert_eq!(duty.state, DutyState::NotRecorded, "{today}");
        assert_eq!(
            the(Code::DutyHeldNotRecorded, &duty.why).params["dates"],
            json!(["2026-10-09", "2026-10-20"])
        );
    }
}

#[test]
fn record_3_is_quorate_and_follows_record_1() {
    let world = suda();
    let meeting = record_3().read();
    let numbers = count(world.branch(), &meeting, pack()).numbers;
    assert_eq!((numbers.due, numbers.present, numbers.guests), (3, 2, 1));
    assert!(meeting_quorum(world.branch(), &meeting, pack()).expect("a committee has a quorum").quorate);
    let earlier = [record_1(&world).read()];
    let found = findings(&world, &record_3(), &earlier);
    let follow_up = the(Code::ActionNotDue, &found);
    assert_eq!((&follow_up.params["linked"], &follow_up.params["due"]), (&json!(true), &json!("2026-11-13")));
    assert!(may_finalise(&found), "{found:#?}");
    let meetings = [earlier[0].clone(), meeting];
    assert_eq!(state(&world, &meetings, DutyId::F2, "2026-11-03", "2026-11-03"), [DutyState::Done]);
    assert_eq!(open_actions(&meetings, day("2026-11-03")).len(), 1);
}

#[test]
fn record_4_is_refused_as_a_committee_meeting() {
    let world = yunqiao();
    let minutes =
        minutes("r4", &["committee"], "2026-11-05", "15:00", "16:00").chaired("覃志远", "secretary");
    let found = findings(&world, &minutes, &[]);
    assert_eq!(codes(&found), [Code::CommitteeAbsent], "one clear answer, no consequences of it");
    let finding = the(Code::CommitteeAbsent, &found);
    assert_eq!(finding.severity, Severity::E);
    assert_eq!((&finding.params["members"], &finding.params["threshold"]), (&json!(5), &json!(7)));
    assert_eq!(finding.params["advice"], json!("assembly"));
    assert!(finding.article.expect("it rests on an article").contains("第二十条"));
    let calendar = due_duties(world.branch(), &[], pack(), Span::day(day("2026-11-05")), day("2026-11-05"));
    let listed: Vec<DutyId> = calendar.iter().map(|duty| duty.id).collect();
    assert_eq!(listed, [DutyId::F1, DutyId::F4, DutyId::F5, DutyId::F6, DutyId::F7]);
}

#[test]
fn record_5_is_valid_and_does_not_pass() {
    let world = luyue();
    let minutes = minutes("r5", &["assembly"], "2026-11-06", "15:00", "16:00")
        .chaired("尉迟敬", "secretary")
        .status(&["尉迟敬", "曹峰", "缪芳", "丁强"], "present")
        .vote(json!({"rule": "ordinary", "method": "hands", "yes": 4, "no": 0, "abstain": 0}))
        .others(&world, "leave");
    let numbers = count(world.branch(), &minutes.read(), pack()).numbers;
    assert_eq!((numbers.due, numbers.present), (8, 4), "two were transferred out on 10 October");
    let vote = &votes(world.branch(), &minutes.read(), pack())[0];
    assert_eq!((vote.eligible, vote.present_eligible, vote.quorate), (8, 4, true));
    assert_eq!((vote.outcome, vote.least_yes), (Outcome::NotPassed, 5));
    let found = findings(&world, &minutes, &[]);
    assert!(may_finalise(&found), "{found:#?}");
    assert_eq!(the(Code::NotAdopted, &found).params["eligible"], json!(8));
}

#[test]
fn record_6_is_an_invalid_election_entered_late() {
    let world = luyue();
    let minutes = minutes("r6", &["assembly"], "2026-09-25", "15:00", "16:00")
        .chaired("尉迟敬", "secretary")
        .status(&["魏东", "薛梅", "潘辉"], "leave")
        .vote(json!({"rule": "election", "method": "ballot", "subject": "换届"}))
        .others(&world, "present");
    let entered = moment("2026-10-19T20:00");
    let judge = |minutes: &Minutes| {
        let meeting = minutes.read();
        let branch = world.branch();
        let today = entered.date();
        check(&Case { branch, meeting: &meeting, others: &[], pack: pack(), recorded_at: entered, today })
    };
    let vote = &votes(world.branch(), &minutes.read(), pack())[0];
    assert_eq!((vote.eligible, vote.present_eligible, vote.least_present), (10, 7, 8));
    assert_eq!((vote.quorate, vote.outcome), (false, Outcome::Invalid));

    let found = judge(&minutes);
    the(Code::ElectionIncomplete, &found);
    assert_eq!(the(Code::LateReasonMissing, &found).severity, Severity::E);
    let marked = minutes.clone().set("late_reason", json!("电脑送修"));
    let found = judge(&marked);
    let late = the(Code::RecordedLate, &found);
    assert_eq!((&late.params["days"], &late.params["reason"]), (&json!(24), &json!("电脑送修")));
    assert!(may_finalise(&found), "an invalid election is recorded as it was: {found:#?}");
    assert!(lateness(&marked.read(), entered, pack()).is_some_and(|lateness| lateness.late));
}
