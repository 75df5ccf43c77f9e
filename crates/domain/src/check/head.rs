//! Mandatory fields, times and 补录.

use super::Case;
use crate::attendance::audience;
use crate::finding::{Code, Finding};
use crate::meeting::{Activity, Meeting};
use crate::pack::{Audience, Pack};
use chrono::{NaiveDateTime, TimeDelta, Timelike};
use serde::{Deserialize, Serialize};

/// How long after the event a record was entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lateness {
    pub days: i64,
    pub allowed: i64,
    /// 补录: entered later than allowed.
    pub late: bool,
    pub reason: Option<String>,
}

/// The days between the event's end and the entry of its record; none while the event has no end.
pub fn lateness(meeting: &Meeting, recorded_at: NaiveDateTime, pack: &Pack) -> Option<Lateness> {
    let days = (recorded_at.date() - meeting.end?.date()).num_days();
    Some(Lateness {
        days,
        allowed: pack.late.days,
        late: days > pack.late.days,
        reason: meeting.late_reason.clone(),
    })
}

pub(super) fn check(case: &Case, findings: &mut Vec<Finding>) {
    missing_fields(case, findings);
    times(case, findings);
    late(case, findings);
}

fn missing_fields(case: &Case, findings: &mut Vec<Finding>) {
    let meeting = case.meeting;
    let chair = meeting.chair.as_ref();
    let lecturer = |item: &crate::meeting::AgendaItem| {
        item.kind.as_deref() == Some("lecture") && item.presenter.is_some()
    };
    let has_topic = |item: &crate::meeting::AgendaItem| item.topic.is_some();
    let present = [
        ("types", "types", !meeting.types.is_empty()),
        ("title", "title", meeting.title.is_some()),
        ("start", "time", meeting.start.is_some()),
        ("end", "time", meeting.end.is_some()),
        ("place", "place", meeting.place.is_some()),
        ("plan", "plan", meeting.plan.is_some()),
        ("chair", "chair", chair.is_some_and(|chair| chair.person.is_some())),
        ("capacity", "chair", chair.is_none_or(|chair| chair.person.is_none() || chair.capacity.is_some())),
        ("recorder", "recorder", meeting.recorder.is_some()),
        ("theme", "theme", !meeting.is(Activity::ThemeDay) || meeting.theme.is_some()),
        ("decided_by", "decided_by", !meeting.is(Activity::ThemeDay) || meeting.decided_by.is_some()),
        ("agenda", "agenda", !meeting.agenda.is_empty() && meeting.agenda.iter().all(has_topic)),
        ("lecturer", "agenda", !meeting.is(Activity::Lecture) || meeting.agenda.iter().any(lecturer)),
        (
            "speeches",
            "agenda",
            meeting.agenda.is_empty() || meeting.agenda.iter().any(|item| item.speeches > 0),
        ),
    ];
    findings.extend(
        present
            .into_iter()
            .filter(|(_, _, there)| !there)
            .filter_map(|(field, path, _)| case.missing(field, path)),
    );
    for item in meeting.agenda.iter().filter(|item| item.vote.is_some() && item.resolution.is_none()) {
        findings.extend(case.missing("resolution", &format!("agenda/{}/resolution", item.id)));
    }
    if audience(meeting, case.pack) == Audience::Group && meeting.group.is_none() {
        findings.push(Finding::error(Code::GroupMissing).at("group").on(case.pack.cite("branch-13")));
    }
}

fn times(case: &Case, findings: &mut Vec<Finding>) {
    let (Some(start), Some(end)) = (case.meeting.start, case.meeting.end) else { return };
    let rule = &case.pack.time;
    if end <= start {
        findings.push(Finding::error(Code::EndNotAfterStart).at("time"));
    } else if end - start > TimeDelta::hours(rule.longest_hours) {
        findings.push(Finding::warning(Code::TooLong).with("hours", rule.longest_hours).at("time"));
    }
    if start.hour() >= rule.odd_from_hour || start.hour() < rule.odd_to_hour {
        let finding =
            Finding::warning(Code::OddHour).with("from", rule.odd_from_hour).with("to", rule.odd_to_hour);
        findings.push(finding.at("time"));
    }
    // Only a warning: the computer's date may be the one that is wrong.
    if end.date() > case.today {
        let finding = Finding::warning(Code::NotYetEnded).with_date("end", end.date());
        findings.push(finding.with_date("today", case.today).at("time"));
    }
}

fn late(case: &Case, findings: &mut Vec<Finding>) {
    let lateness = lateness(case.meeting, case.recorded_at, case.pack).filter(|lateness| lateness.late);
    let (Some(lateness), Some(end)) = (lateness, case.meeting.end) else { return };
    let finding = match &lateness.reason {
        Some(reason) => Finding::hint(Code::RecordedLate).with("reason", reason.as_str()),
        None => Finding::error(Code::LateReasonMissing),
    };
    findings.push(
        finding
            .with_date("event", end.date())
            .with_date("recorded", case.recorded_at.date())
            .with("days", lateness.days)
            .with("allowed", lateness.allowed)
            .at("late_reason")
            .on(case.pack.cite(&case.pack.late.article)),
    );
}
