//! Results of the rules in the words of the contract.

use crate::contract::{DutyLine, DutyMet, DutyState, FindingLine, Severity};
use domain::{Counted, Duty, Finding, Period};
use serde::Serialize;
use serde_json::Value;

pub fn line(finding: &Finding) -> FindingLine {
    FindingLine {
        code: code(&finding.code),
        severity: match finding.severity {
            domain::Severity::E => Severity::E,
            domain::Severity::W => Severity::W,
            domain::Severity::H => Severity::H,
        },
        article: finding.article.clone(),
        params: finding.params.clone(),
        path: finding.path.clone(),
    }
}

pub fn lines(findings: &[Finding]) -> Vec<FindingLine> {
    findings.iter().map(line).collect()
}

/// The name of a code in JSON.
pub fn code(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(code)) => code,
        Ok(_) | Err(_) => String::new(),
    }
}

pub fn duty_met(counted: &Counted) -> DutyMet {
    DutyMet {
        id: code(&counted.id),
        meeting_type: code(&counted.activity),
        from: counted.period.from.to_string(),
        to: counted.period.to.to_string(),
        period: length(counted.period).to_owned(),
    }
}

/// A duty as 首页 lists it; none for one that does not apply.
pub fn duty_line(duty: &Duty) -> Option<DutyLine> {
    let state = match duty.state {
        domain::DutyState::Done => DutyState::Done,
        domain::DutyState::Due => DutyState::Due,
        domain::DutyState::Overdue => DutyState::Overdue,
        domain::DutyState::NotRecorded => DutyState::NotRecorded,
        domain::DutyState::NotApplicable => return None,
    };
    Some(DutyLine {
        id: code(&duty.id),
        meeting_type: code(&duty.activity),
        group: duty.group.clone(),
        group_name: duty.group_name.clone(),
        from: duty.period.from.to_string(),
        to: duty.period.to.to_string(),
        period: length(duty.period).to_owned(),
        state,
        met_by: duty.met_by.iter().map(|met| met.record.clone()).collect(),
        draft: None,
        explanation: None,
        why: line(duty.why.first()?),
    })
}

/// What a period is called, by its length.
fn length(period: Period) -> &'static str {
    match (period.to - period.from).num_days() {
        ..=31 => "month",
        32..=92 => "quarter",
        _ => "year",
    }
}
