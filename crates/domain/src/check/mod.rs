//! What an inspector would find in a meeting record, before the inspector does.

mod ballots;
mod branch;
mod head;
mod order;
mod people;
mod photos;

pub use branch::check_branch;
pub use head::{Lateness, lateness};
pub(crate) use order::{Mention, mentions};

use crate::attendance::meeting_quorum;
use crate::finding::{Code, Finding, Severity};
use crate::meeting::Meeting;
use crate::pack::Pack;
use crate::roster::Branch;
use crate::votes::votes;
use chrono::{NaiveDate, NaiveDateTime};

/// A record and everything it is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    pub branch: Branch<'a>,
    pub meeting: &'a Meeting,
    /// The other live meetings of the branch, at least of the two months before and of the same day; this one among them is passed over.
    pub others: &'a [Meeting],
    pub pack: &'a Pack,
    /// When the record was first entered, civil at +08:00.
    pub recorded_at: NaiveDateTime,
    pub today: NaiveDate,
}

impl<'a> Case<'a> {
    fn others(&self) -> impl Iterator<Item = &'a Meeting> {
        let id = self.meeting.id.as_str();
        self.others.iter().filter(move |other| other.id != id)
    }

    fn missing(&self, field: &str, path: &str) -> Option<Finding> {
        let severity = self.pack.mandatory(field)?;
        let finding = Finding::new(Code::FieldMissing, severity).with("field", field).at(path);
        Some(finding.on(self.pack.cite("record")))
    }
}

/// All findings of a record, errors first, then in the order of the form. Any error blocks 定稿.
pub fn check(case: &Case) -> Vec<Finding> {
    let mut findings = Vec::new();
    head::check(case, &mut findings);
    people::check(case, &mut findings);
    ballots::check(case, &mut findings);
    order::check(case, &mut findings);
    photos::check(case, &mut findings);
    findings.extend(meeting_quorum(case.branch, case.meeting, case.pack).map(|quorum| quorum.why));
    findings.extend(votes(case.branch, case.meeting, case.pack).into_iter().flat_map(|vote| vote.why));
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// Whether the findings let the record be closed.
pub fn may_finalise(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.severity != Severity::E)
}
