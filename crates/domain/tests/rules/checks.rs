//! What an inspector would find in a record.

use crate::fixture::{
    Minutes, World, codes, day, findings, full, luyue, minutes, moment, organisation, pack, suda, the,
    yunqiao,
};
use domain::check::may_finalise;
use domain::{Case, Code, Finding, Meeting, Severity, check, count, lateness};
use serde_json::json;

/// A complete record of an assembly of 速达物流 on 2026-10-20.
fn complete(world: &World) -> Minutes {
    minutes("m", &["assembly"], "2026-10-20", "15:00", "16:00")
        .chaired("周海东", "secretary")
        .others(world, "present")
}

/// The one finding that a change of a complete record brings, and how much it weighs.
fn brings(world: &World, minutes: &Minutes, expected: Code, severity: Severity) -> Finding {
    let found = findings(world, minutes, &[]);
    let finding = the(expected, &found);
    assert_eq!(finding.severity, severity, "{expected:?}");
    assert_eq!(may_finalise(&found), severity != Severity::E, "only errors block: {found:#?}");
    finding
}

#[test]
fn a_complete_record_may_be_closed() {
    let world = suda();
    let found = findings(&world, &complete(&world), &[]);
    assert_eq!(codes(&found), [Code::MeetingQuorate]);
}

#[test]
fn every_mandatory_field_is_asked_for() {
    let world = suda();
    let theme_day = minutes("m", &["theme_day", "lecture"], "2026-10-20", "15:00", "16:00")
        .chaired("周海东", "secretary")
        .set("theme", json!("主题"))
        .set("decided_by", json!({"body": "assembly"}))
        .set("agenda/a/kind", json!("lecture"))
        .set("agenda/a/presenter", json!("周海东"))
        .others(&world, "present");
    assert_eq!(codes(&findings(&world, &theme_day, &[])), []);
    let vote = json!({"rule": "ordinary", "method": "hands", "yes": 12, "no": 0, "abstain": 0});
    let cases = [
        (complete(&world).without("title"), "title", Severity::E),
        (complete(&world).set("title", json!("  ")), "title", Severity::E),
        (complete(&world).without("place"), "place", Severity::E),
        (complete(&world).without("chair"), "chair", Severity::E),
        (complete(&world).set("chair", json!({"person": "周海东"})), "capacity", Severity::E),
        (complete(&world).without("recorder"), "recorder", Severity::E),
        (complete(&world).set("time", json!({"start": "2026-10-20T15:00"})), "end", Severity::E),
        (complete(&world).without("agenda/a/topic"), "agenda", Severity::E),
        (complete(&world).without("agenda/a/speeches/s/text"), "speeches", Severity::H),
        (complete(&world).without("plan"), "plan", Severity::H),
        (complete(&world).vote(vote).without("agenda/a/resolution"), "resolution", Severity::W),
        (theme_day.clone().without("theme"), "theme", Severity::E),
        (theme_day.clone().without("decided_by"), "decided_by", Severity::W),
        (theme_day.without("agenda/a/presenter"), "lecturer", Severity::E),
    ];
    for (minutes, field, severity) in cases {
        let finding = brings(&world, &minutes, Code::FieldMissing, severity);
        assert_eq!(finding.params["field"], json!(field));
    }
}

#[test]
fn an_empty_record_is_all_missing_and_nothing_breaks() {
    let world = suda();
    let meeting = Meeting::from_fields("m", &std::collections::BTreeMap::new());
    let now = moment("2026-10-20T20:00");
    let branch = world.branch();
    let case =
        Case { branch, meeting: &meeting, others: &[], pack: pack(), recorded_at: now, today: now.date() };
    let found = check(&case);
    let missing = found.iter().filter(|finding| finding.code == Code::FieldMissing);
    let fields: Vec<_> = missing.map(|finding| finding.params["field"].clone()).collect();
    for field in ["types", "title", "start", "end", "place", "chair", "recorder", "agenda"] {
        assert!(fields.contains(&json!(field)), "{field}");
    }
}

#[test]
fn times_that_cannot_be_are_said() {
    let world = suda();
    let at = |start: &str, end: &str| complete(&world).set("time", json!({"start": start, "end": end}));
    let same = at("2026-10-20T15:00", "2026-10-20T15:00");
    brings(&world, &same, Code::EndNotAfterStart, Severity::E);
    brings(&world, &at("2026-10-20T06:00", "2026-10-20T22:01"), Code::TooLong, Severity::W);
    brings(&world, &at("2026-10-20T23:00", "2026-10-20T23:30"), Code::OddHour, Severity::W);
    brings(&world, &at("2026-10-20T04:59", "2026-10-20T06:00"), Code::OddHour, Severity::W);
    brings(&world, &at("2026-10-20T15:00", "2026-10-21T01:00"), Code::NotYetEnded, Severity::W);
}

#[test]
fn entering_late_is_marked_and_needs_a_reason() {
    let world = suda();
    let judge = |reason: Option<&str>, entered: &str| {
        let minutes = complete(&world).set("late_reason", json!(reason));
        let meeting = minutes.read();
        let recorded_at = moment(entered);
        let branch = world.branch();
        let today = recorded_at.date();
        let found = check(&Case { branch, meeting: &meeting, others: &[], pack: pack(), recorded_at, today });
        let late = lateness(&meeting, recorded_at, pack()).expect("the meeting has an end");
        (codes(&found), late.days, late.late)
    };
    let check = |reason, entered, days, expected: Option<Code>| {
        let (found, counted, late) = judge(reason, entered);
        assert_eq!((counted, late), (days, expected.is_some()), "{entered}");
        for code in [Code::RecordedLate, Code::LateReasonMissing] {
            assert_eq!(found.contains(&code), expected == Some(code), "{entered}: {code:?}");
        }
    };
    check(None, "2026-10-20T20:00", 0, None);
    check(None, "2026-10-23T23:59", 3, None);
    check(None, "2026-10-24T00:00", 4, Some(Code::LateReasonMissing));
    check(Some("电脑送修"), "2026-10-24T00:00", 4, Some(Code::RecordedLate));
    check(Some("  "), "2026-10-24T00:00", 4, Some(Code::LateReasonMissing));
    check(Some("时钟不准"), "2016-10-20T20:00", -3652, None);
}

#[test]
fn everybody_due_is_entered_and_nobody_else() {
    let world = suda();
    let open = complete(&world).without("attendance/赵鹏/status");
    let finding = brings(&world, &open, Code::Unregistered, Severity::E);
    assert_eq!(finding.params["names"], json!(["赵鹏"]));
    let numbers = count(world.branch(), &open.read(), pack()).numbers;
    assert_eq!((numbers.due, numbers.present, numbers.absent, numbers.unregistered), (14, 13, 0, 1));

    let listed = complete(&world).set("guests/1/name", json!("冯雪")).set("guests/1/person", json!("冯雪"));
    brings(&world, &listed, Code::MemberListedAsGuest, Severity::E);
    brings(&world, &complete(&world).status(&["陈晓雨"], "present"), Code::AttendsNotMember, Severity::E);
    brings(&world, &complete(&world).status(&["无名氏"], "present"), Code::AttendsNotMember, Severity::E);

    let committee = minutes("m", &["committee"], "2026-10-20", "15:00", "16:00")
        .chaired("周海东", "secretary")
        .others(&world, "present")
        .status(&["王立军"], "present");
    brings(&world, &committee, Code::AttendsNotDue, Severity::E);
}

#[test]
fn nobody_attends_before_joining_or_after_leaving() {
    let mut world = luyue();
    world.persons.push(full("新来", &[("memberships/1", json!({"from": "2026-11-01"}))]));
    let on = |date: &str| {
        minutes("m", &["assembly"], date, "15:00", "16:00")
            .chaired("尉迟敬", "secretary")
            .others(&world, "present")
    };
    let left = brings(
        &world,
        &on("2026-10-10").status(&["叶青"], "present"),
        Code::AttendsAfterLeaving,
        Severity::E,
    );
    assert_eq!(left.params["left"], json!("2026-10-10"));
    let early = brings(
        &world,
        &on("2026-10-31").status(&["新来"], "absent"),
        Code::AttendsBeforeJoining,
        Severity::E,
    );
    assert_eq!(early.params["since"], json!("2026-11-01"));
    assert!(may_finalise(&findings(&world, &on("2026-10-09"), &[])));
    assert!(may_finalise(&findings(&world, &on("2026-11-01"), &[])));
}

#[test]
fn the_chair_has_the_capacity() {
    let world = suda();
    let cases = [
        ("周海东", "secretary", "", None),
        ("李秀英", "member", "书记委托", None),
        ("李秀英", "member", "", Some((Code::DelegationNoteMissing, Severity::W))),
        ("李秀英", "secretary", "", Some((Code::ChairWithoutCapacity, Severity::E))),
        ("王立军", "member", "书记委托", Some((Code::ChairWithoutCapacity, Severity::E))),
        ("李秀英", "deputy", "书记委托", Some((Code::ChairWithoutCapacity, Severity::E))),
        ("陈晓雨", "secretary", "", Some((Code::ChairNotMember, Severity::E))),
    ];
    for (name, capacity, note, expected) in cases {
        let chair = json!({"person": name, "capacity": capacity, "note": note});
        let minutes = complete(&world).set("chair", chair);
        match expected {
            Some((code, severity)) => drop(brings(&world, &minutes, code, severity)),
            None => assert_eq!(codes(&findings(&world, &minutes, &[])), [Code::MeetingQuorate], "{name}"),
        }
    }
    let group = minutes("m", &["group"], "2026-10-20", "15:00", "16:00")
        .set("group", json!("g1"))
        .chaired("王立军", "group_leader")
        .others(&world, "present");
    brings(&world, &group, Code::GroupChairNotLeader, Severity::W);
}

#[test]
fn a_committee_and_a_group_exist_before_they_meet() {
    let held = |world: &World, types: &[&str], group: Option<&str>| {
        let chair = world.persons[0].name.clone();
        minutes("m", types, "2026-10-20", "15:00", "16:00")
            .set("group", json!(group))
            .chaired(&chair, "secretary")
            .others(world, "present")
    };
    let small = yunqiao();
    brings(&small, &held(&small, &["committee"], None), Code::CommitteeAbsent, Severity::E);
    brings(&small, &held(&small, &["group"], Some("g1")), Code::GroupUnknown, Severity::E);
    brings(&small, &held(&small, &["group"], None), Code::GroupMissing, Severity::E);
    let mut large = luyue();
    large.persons.retain(|person| person.memberships.is_empty());
    large.persons.truncate(7);
    large.org = organisation(&[]);
    brings(&large, &held(&large, &["committee"], None), Code::CommitteeNotRecorded, Severity::E);
    let mut empty = suda();
    for person in &mut empty.persons {
        person.posts.clear();
    }
    assert!(
        codes(&findings(&empty, &held(&empty, &["committee"], None), &[])).contains(&Code::CommitteeEmpty)
    );
}

#[test]
fn a_committee_without_half_of_its_members_did_not_meet() {
    let world = suda();
    let minutes = minutes("m", &["committee"], "2026-10-20", "15:00", "16:00")
        .chaired("周海东", "secretary")
        .status(&["周海东"], "present")
        .others(&world, "leave");
    let finding = the(Code::MeetingNotQuorate, &findings(&world, &minutes, &[]));
    assert_eq!((&finding.params["present"], &finding.params["least"]), (&json!(1), &json!(2)));
}

#[test]
fn absences_are_explained_and_made_up() {
    let world = suda();
    let away = complete(&world).status(&["孙明"], "leave");
    assert_eq!(
        codes(&findings(&world, &away, &[]))[..2],
        [Code::LeaveReasonMissing, Code::LeaveApproverMissing]
    );
    let absent = complete(&world).status(&["孙明"], "absent");
    brings(&world, &absent, Code::AbsenceReasonMissing, Severity::W);

    let explained = absent.set("attendance/孙明/reason", json!("夜班"));
    let later = |minutes: &Minutes, today: &str| {
        let meeting = minutes.read();
        let branch = world.branch();
        let recorded_at = moment("2026-10-20T20:00");
        let today = day(today);
        codes(&check(&Case { branch, meeting: &meeting, others: &[], pack: pack(), recorded_at, today }))
    };
    assert!(!later(&explained, "2026-11-19").contains(&Code::MakeupMissing), "thirty days are allowed");
    assert!(later(&explained, "2026-11-20").contains(&Code::MakeupMissing));
    let made_up = explained.set("makeups/1/person", json!("孙明")).set("makeups/1/date", json!("2026-10-22"));
    assert!(!later(&made_up, "2026-11-20").contains(&Code::MakeupMissing));
}

#[test]
fn two_records_of_one_event_are_an_error_and_two_places_at_once_a_warning() {
    let world = suda();
    let other = |id: &str, types: &[&str], from: &str, to: &str| {
        minutes(id, types, "2026-10-20", from, to).status(&["周海东"], "present").read()
    };
    let minutes = complete(&world);
    let check = |other: Meeting, expected: Option<(Code, Severity)>| {
        let found = findings(&world, &minutes, &[other]);
        for code in [Code::OverlappingRecords, Code::PersonInTwoPlaces] {
            let severity = found.iter().find(|finding| finding.code == code).map(|finding| finding.severity);
            let expected = expected.filter(|(wanted, _)| *wanted == code).map(|(_, severity)| severity);
            assert_eq!(severity, expected, "{code:?}");
        }
    };
    check(other("o", &["assembly"], "15:30", "17:00"), Some((Code::OverlappingRecords, Severity::E)));
    let found = findings(&world, &minutes, &[other("o", &["assembly"], "15:30", "17:00")]);
    let overlap = found.iter().find(|finding| finding.code == Code::OverlappingRecords).unwrap();
    assert_eq!((&overlap.params["duty"], &overlap.params["record"]), (&json!("assembly"), &json!("o")));
    check(other("o", &["lecture"], "15:30", "17:00"), Some((Code::PersonInTwoPlaces, Severity::W)));
    check(other("o", &["assembly"], "16:00", "17:00"), None);
    check(other("m", &["assembly"], "15:30", "17:00"), None);
}

#[test]
fn groups_meet_at_the_same_time_without_a_finding() {
    let world = suda();
    let group = |id: &str, group: &str| {
        minutes(id, &["group"], "2026-10-20", "15:00", "16:00").set("group", json!(group))
    };
    let of = |other: &str| codes(&findings(&world, &group("m", "g1"), &[group("o", other).read()]));
    assert!(!of("g2").contains(&Code::OverlappingRecords));
    assert!(of("g1").contains(&Code::OverlappingRecords));
}

#[test]
fn what_should_come_before_is_asked_for() {
    let world = suda();
    let important = complete(&world).set("agenda/a/important", json!(true));
    brings(&world, &important, Code::ImportantWithoutCommittee, Severity::W);
    let reviewed = important.set("agenda/a/committee_review", json!("2026-10-09"));
    brings(&world, &reviewed, Code::PriorMeetingNotRecorded, Severity::H);
    let committee = minutes("c", &["committee"], "2026-10-09", "09:00", "10:00").read();
    assert_eq!(codes(&findings(&world, &reviewed, &[committee])), [Code::MeetingQuorate]);

    let small = yunqiao();
    let minutes = minutes("m", &["assembly"], "2026-10-20", "15:00", "16:00")
        .chaired("覃志远", "secretary")
        .set("agenda/a/important", json!(true))
        .others(&small, "present");
    assert_eq!(
        codes(&findings(&small, &minutes, &[])),
        [Code::MeetingQuorate],
        "no committee, nothing before"
    );
    let reviewed = minutes.set("agenda/a/committee_review", json!("2026-10-09"));
    brings(&small, &reviewed, Code::PriorBodyAbsent, Severity::W);

    let material = complete(&world).set("agenda/a/material_date", json!("2026-10-21"));
    brings(&world, &material, Code::MaterialAfterMeeting, Severity::W);
}

#[test]
fn decisions_are_followed_up() {
    let world = suda();
    let decided = |due: Option<&str>, done: Option<&str>| {
        minutes("e", &["theme_day"], "2026-10-01", "15:00", "16:00")
            .set("actions/x/task", json!("检查表"))
            .set("actions/x/owner", json!("王立军"))
            .set("actions/x/due", json!(due))
            .set("actions/x/done_on", json!(done))
            .read()
    };
    let linked = complete(&world).set("links/1", json!({"record": "e", "item": "x"}));
    let check = |minutes: &Minutes, earlier: Meeting, expected: Option<Code>| {
        let found = codes(&findings(&world, minutes, &[earlier]));
        let all = [Code::ActionNotDue, Code::ActionOverdue, Code::ActionOpen, Code::ActionDone];
        let said: Vec<Code> = all.into_iter().filter(|code| found.contains(code)).collect();
        assert_eq!(said, Vec::from_iter(expected));
    };
    check(&complete(&world), decided(Some("2026-10-20"), None), Some(Code::ActionNotDue));
    check(&complete(&world), decided(Some("2026-10-19"), None), Some(Code::ActionOverdue));
    check(&complete(&world), decided(None, None), Some(Code::ActionOpen));
    check(&complete(&world), decided(Some("2026-10-19"), Some("2026-10-20")), None);
    check(&complete(&world), decided(Some("2026-10-19"), Some("2026-10-21")), Some(Code::ActionOverdue));
    check(&linked, decided(Some("2026-10-19"), Some("2026-10-18")), Some(Code::ActionDone));
    let open = complete(&world).set("actions/y/task", json!("没有责任人"));
    brings(&world, &open, Code::ActionIncomplete, Severity::W);
}
