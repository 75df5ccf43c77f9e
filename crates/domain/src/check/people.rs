//! The people of a record: attendance, guests, exclusions, chair, committee and group.

use super::Case;
use crate::attendance::{Count, count, exclusion_faults, size};
use crate::finding::{Code, Finding};
use crate::meeting::{Activity, Capacity, Chair, Status};
use crate::pack::Audience;
use crate::person::{Outside, Post};
use crate::roster::{RosterLine, roster};
use chrono::NaiveDate;
use std::collections::BTreeSet;

pub(super) fn check(case: &Case, findings: &mut Vec<Finding>) {
    let Some(date) = case.meeting.date() else { return };
    committee(case, date, findings);
    group(case, date, findings);
    chair(case, date, findings);
    let counted = count(case.branch, case.meeting, case.pack);
    exclusions(case, findings);
    registered(case, &counted, findings);
    strangers(case, &counted, date, findings);
    absences(case, &counted, date, findings);
    frozen(case, date, findings);
}

fn committee(case: &Case, date: NaiveDate, findings: &mut Vec<Finding>) {
    if !case.meeting.is(Activity::Committee) {
        return;
    }
    let rule = &case.pack.committee;
    let members = case.branch.full_members(date);
    if case.branch.org.committee_on(date).is_none() {
        let code =
            if members < rule.from_full_members { Code::CommitteeAbsent } else { Code::CommitteeNotRecorded };
        let finding = Finding::error(code).with("members", members).with("threshold", rule.from_full_members);
        findings.push(finding.with("advice", "assembly").at("types").on(case.pack.cite(&rule.article)));
    } else if !roster(case.branch, date).iter().any(RosterLine::in_committee) {
        findings
            .push(Finding::error(Code::CommitteeEmpty).at("attendance").on(case.pack.cite(&rule.article)));
    }
}

fn group(case: &Case, date: NaiveDate, findings: &mut Vec<Finding>) {
    let Some(group) = case.meeting.group.as_deref().filter(|_| case.meeting.is(Activity::Group)) else {
        return;
    };
    if !case.branch.org.groups_on(date).any(|known| known.id == group) {
        findings.push(
            Finding::error(Code::GroupUnknown)
                .with_date("date", date)
                .at("group")
                .on(case.pack.cite("branch-13")),
        );
    }
}

/// O11: 书记 chairs; a deputy or a committee member only by delegation; a 党小组会 is chaired by its leader.
fn chair(case: &Case, date: NaiveDate, findings: &mut Vec<Finding>) {
    let Some(chair) = &case.meeting.chair else { return };
    let (Some(id), Some(capacity)) = (&chair.person, chair.capacity) else { return };
    let name = case.branch.name(id);
    let article = case.pack.cite("branch-14");
    let lines = crate::attendance::meeting_roster(case.branch, case.meeting);
    let Some(line) = lines.iter().find(|line| line.person == *id) else {
        let finding = if formal(case) {
            Finding::error(Code::ChairNotMember)
        } else {
            Finding::warning(Code::ChairNotMember)
        };
        findings.push(finding.with("name", name).at("chair").on(article));
        return;
    };
    if !holds(line, capacity) {
        let finding = match (formal(case), capacity) {
            (true, _) => Finding::error(Code::ChairWithoutCapacity),
            (false, Capacity::GroupLeader) => Finding::warning(Code::GroupChairNotLeader),
            (false, _) => Finding::warning(Code::ChairWithoutCapacity),
        };
        let capacity = serde_json::to_value(capacity).unwrap_or_default();
        findings.push(
            finding
                .with("name", name)
                .with_date("date", date)
                .with("capacity", capacity)
                .at("chair")
                .on(article),
        );
    } else if formal(case) {
        delegation(capacity, chair, article, findings);
    }
}

fn delegation(capacity: Capacity, chair: &Chair, article: &str, findings: &mut Vec<Finding>) {
    match capacity {
        Capacity::Secretary => {}
        Capacity::Deputy | Capacity::Member if chair.note.is_some() => {}
        Capacity::Deputy | Capacity::Member => {
            let word = serde_json::to_value(capacity).unwrap_or_default();
            findings.push(
                Finding::warning(Code::DelegationNoteMissing).with("capacity", word).at("chair").on(article),
            );
        }
        Capacity::GroupLeader => {
            findings.push(
                Finding::error(Code::ChairWithoutCapacity)
                    .with("capacity", "group_leader")
                    .at("chair")
                    .on(article),
            );
        }
    }
}

/// 党员大会 and 支委会: who chairs is a matter of the regulations, not of custom.
fn formal(case: &Case) -> bool {
    case.meeting.is(Activity::Assembly) || case.meeting.is(Activity::Committee)
}

fn holds(line: &RosterLine, capacity: Capacity) -> bool {
    match capacity {
        Capacity::Secretary => line.posts.contains(&Post::Secretary),
        Capacity::Deputy => line.posts.contains(&Post::Deputy),
        Capacity::Member => line.in_committee(),
        Capacity::GroupLeader => line.posts.contains(&Post::GroupLeader),
    }
}

/// An exclusion without its basis does not take effect; the member stays due.
fn exclusions(case: &Case, findings: &mut Vec<Finding>) {
    let article = case.pack.cite(&case.pack.exclusions.article);
    for (person, exclusion) in &case.meeting.exclusions {
        let faults = exclusion_faults(case.meeting, person, exclusion, case.pack);
        let path = format!("exclusions/{person}");
        let of = |finding: Finding| {
            finding
                .with("name", case.branch.name(person))
                .with("person", person.as_str())
                .at(path.clone())
                .on(article)
        };
        if faults.is_empty() {
            let approval = exclusion.approval.as_deref().unwrap_or_default();
            findings.push(of(Finding::hint(Code::ExclusionInEffect).with("approval", approval)));
        }
        let reported =
            if faults.contains(&Code::ExclusionNotApplicable) { &faults[..1] } else { &faults[..] };
        for code in reported {
            let finding = match code {
                Code::ExclusionNotApplicable => Finding::warning(*code),
                _ => Finding::error(*code),
            };
            findings.push(of(finding));
        }
    }
}

fn registered(case: &Case, counted: &Count, findings: &mut Vec<Finding>) {
    let unregistered: Vec<&RosterLine> = counted
        .due
        .members
        .iter()
        .filter(|line| case.meeting.attendance.get(&line.person).is_none_or(|entry| entry.status.is_none()))
        .collect();
    if !unregistered.is_empty() {
        let names: Vec<&str> = unregistered.iter().map(|line| line.name.as_str()).collect();
        let people: Vec<&str> = unregistered.iter().map(|line| line.person.as_str()).collect();
        let finding = Finding::error(Code::Unregistered).with("names", names).with("people", people);
        findings
            .push(finding.with("count", unregistered.len()).at("attendance").on(case.pack.cite("record")));
    }
}

/// People entered as due who are not, and members entered as guests.
fn strangers(case: &Case, counted: &Count, date: NaiveDate, findings: &mut Vec<Finding>) {
    let known = counted.due.members.iter().chain(&counted.due.excluded);
    let known: BTreeSet<&str> = known.map(|line| line.person.as_str()).collect();
    let entered = case.meeting.attendance.iter().filter(|(_, entry)| entry.status.is_some());
    for (person, _) in entered.filter(|(person, _)| !known.contains(person.as_str())) {
        findings.push(stranger(case, person, date));
    }
    for guest in &case.meeting.guests {
        let listed = counted.due.members.iter().find(|line| Some(&line.person) == guest.person.as_ref());
        if let Some(line) = listed {
            let finding = Finding::error(Code::MemberListedAsGuest).with("name", line.name.as_str());
            findings.push(finding.with("person", line.person.as_str()).at(format!("guests/{}", guest.id)));
        }
    }
}

fn stranger(case: &Case, person: &str, date: NaiveDate) -> Finding {
    let outside = match case.branch.person(person) {
        Some(known) => known.standing(date).err(),
        None => Some(Outside::NotMember),
    };
    let finding = match outside {
        None | Some(Outside::Detained) => Finding::error(Code::AttendsNotDue),
        Some(Outside::NotMember) => Finding::error(Code::AttendsNotMember),
        Some(Outside::Before(since)) => {
            let finding = Finding::error(Code::AttendsBeforeJoining).with_date("date", date);
            finding.with("since", since.map(|since| since.to_string()))
        }
        Some(Outside::After(left)) => {
            Finding::error(Code::AttendsAfterLeaving).with("left", left.map(|left| left.to_string()))
        }
    };
    finding
        .with("name", case.branch.name(person))
        .with("person", person)
        .at(format!("attendance/{person}/status"))
}

fn absences(case: &Case, counted: &Count, date: NaiveDate, findings: &mut Vec<Finding>) {
    let article = case.pack.cite("record");
    for line in &counted.due.members {
        let Some(entry) = case.meeting.attendance.get(&line.person) else { continue };
        let no_reason = entry.reason.is_none() && entry.leave.is_none();
        let missing = [
            (entry.status == Some(Status::Leave) && no_reason, Code::LeaveReasonMissing, "reason"),
            (
                entry.status == Some(Status::Leave) && entry.approver.is_none(),
                Code::LeaveApproverMissing,
                "approver",
            ),
            (entry.status == Some(Status::Absent) && no_reason, Code::AbsenceReasonMissing, "reason"),
        ];
        for (_, code, field) in missing.into_iter().filter(|(missing, _, _)| *missing) {
            let finding =
                Finding::warning(code).with("name", line.name.as_str()).with("person", line.person.as_str());
            findings.push(finding.at(format!("attendance/{}/{field}", line.person)).on(article));
        }
        let away = entry.status.is_some_and(|status| !status.came());
        let made_up = case.meeting.makeups.iter().any(|(person, _)| *person == line.person);
        if away && !made_up && makes_up(counted) && (case.today - date).num_days() > case.pack.makeup.days {
            let finding = Finding::warning(Code::MakeupMissing).with("name", line.name.as_str());
            findings.push(
                finding
                    .with("days", case.pack.makeup.days)
                    .with("person", line.person.as_str())
                    .at("makeups"),
            );
        }
    }
}

/// Absentees of a 支委会 have nothing to catch up on in study.
fn makes_up(counted: &Count) -> bool {
    counted.due.audience != Audience::Committee
}

/// A closed record keeps its roster; a later change of the dated facts is shown, not applied.
fn frozen(case: &Case, date: NaiveDate, findings: &mut Vec<Finding>) {
    let Some(frozen) = &case.meeting.frozen else { return };
    let people =
        |lines: &[RosterLine]| -> BTreeSet<String> { lines.iter().map(|line| line.person.clone()).collect() };
    let (then, now) = (people(frozen), people(&roster(case.branch, date)));
    let (added, removed) = (then.difference(&now).count(), now.difference(&then).count());
    if added + removed > 0 {
        let finding =
            Finding::warning(Code::RosterChanged).with("added", size(added)).with("removed", size(removed));
        findings.push(finding.at("roster"));
    }
}
