//! What photos say about a record. They are questions to a person, never points: no record is better for having any.

use super::Case;
use crate::finding::{Code, Finding};
use crate::meeting::{Attached, Meeting};
use chrono::NaiveDate;
use std::collections::BTreeMap;

pub(super) fn check(case: &Case, findings: &mut Vec<Finding>) {
    other_days(case, findings);
    other_meetings(case, findings);
}

/// One finding for each day that is not a day of the meeting, however many photos were taken on it.
fn other_days(case: &Case, findings: &mut Vec<Finding>) {
    let Some(date) = case.meeting.date() else { return };
    let last = case.meeting.end.map_or(date, |end| end.date());
    let mut days: BTreeMap<NaiveDate, Vec<&Attached>> = BTreeMap::new();
    for photo in &case.meeting.attachments {
        let day = photo.taken_at.map(|taken| taken.date());
        if let Some(day) = day.filter(|day| *day < date || *day > last) {
            days.entry(day).or_default().push(photo);
        }
    }
    findings.extend(days.into_iter().map(|(taken, photos)| {
        let finding = about(Code::PhotoOtherDay, &photos);
        finding.with_date("taken", taken).with_date("date", date)
    }));
}

/// The same file in another live record.
fn other_meetings(case: &Case, findings: &mut Vec<Finding>) {
    for other in case.others() {
        let shared: Vec<&Attached> =
            case.meeting.attachments.iter().filter(|photo| is_in(photo, other)).collect();
        if shared.is_empty() {
            continue;
        }
        let finding = about(Code::PhotoInTwoMeetings, &shared)
            .with("title", other.title.clone().unwrap_or_default())
            .with("date", other.date().map(|date| date.to_string()))
            .with("record", other.id.as_str());
        findings.push(finding);
    }
}

fn is_in(photo: &Attached, other: &Meeting) -> bool {
    photo.original.is_some() && other.attachments.iter().any(|theirs| theirs.original == photo.original)
}

/// A warning that leads to the first of the photos.
fn about(code: Code, photos: &[&Attached]) -> Finding {
    let finding = Finding::warning(code).with("count", photos.len());
    match photos.first() {
        Some(first) => finding.at(format!("attachments/{}", first.id)),
        None => finding,
    }
}
