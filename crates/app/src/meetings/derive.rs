//! What the rules make of a form: roster, numbers, votes, findings, duties. Nothing of it is ever typed.

use super::KIND;
use super::to_fields::{Fields, to_fields};
use crate::civil;
use crate::contract::{
    ActionLine, Counts, DutyMet, FindingLine, MeetingDerived, MeetingForm, RosterLine, Severity, VoteLine,
};
use crate::facts::Facts;
use crate::findings::{code, duty_met, line, lines};
use crate::showing::{Names, in_words, place, shortened};
use crate::values::kind;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use domain::check::Case;
use domain::votes::{Outcome, VoteResult};
use domain::{ActionState, Meeting, OpenAction, Pack};
use serde_json::Value;
use std::collections::BTreeMap;

/// How much of a text a finding shows.
const LONGEST_SHOWN: usize = 40;

/// A form and everything that it is judged by.
pub struct Question<'a> {
    pub id: &'a str,
    pub form: &'a MeetingForm,
    /// Fields of the record that the form does not show: the frozen roster.
    pub kept: Fields,
    /// Fields with two values side by side, and the values.
    pub disputed: &'a [(String, Vec<Value>)],
    pub facts: &'a Facts,
    /// The other live meetings around it.
    pub others: &'a [Meeting],
    /// When it was first put on record, civil; now for a draft.
    pub recorded_at: NaiveDateTime,
    pub today: NaiveDate,
}

impl Question<'_> {
    /// The typed reading of the form.
    pub fn meeting(&self) -> Meeting {
        let mut fields = to_fields(self.form);
        fields.extend(self.kept.clone());
        Meeting::from_fields(self.id, &fields)
    }

    pub fn pack(&self) -> &'static Pack {
        Pack::on(civil::date(&self.form.date).unwrap_or(self.today))
    }

    /// All findings; E findings block 定稿.
    pub fn findings(&self) -> Vec<FindingLine> {
        let meeting = self.meeting();
        let by_rule = match civil::date(&self.form.date) {
            Some(date) if meeting.start.is_none() => self.findings_without_hours(meeting, date),
            Some(_) | None => lines(&domain::check(&self.case(&meeting))),
        };
        let names = self.facts.names();
        let fields = to_fields(self.form);
        let disputed =
            self.disputed.iter().map(|(path, values)| in_conflict(path, values, (&fields, &names)));
        disputed.chain(by_rule).collect()
    }

    /// A form with a day and no hours yet is judged on that day; only what is said about the hours is replaced.
    fn findings_without_hours(&self, mut meeting: Meeting, date: NaiveDate) -> Vec<FindingLine> {
        let without = domain::check(&self.case(&meeting));
        meeting.start = Some(date.and_time(NaiveTime::MIN));
        let on_the_day = domain::check(&self.case(&meeting));
        let about_hours = |finding: &&domain::Finding| finding.path.as_deref() == Some("time");
        let missing = without.iter().filter(about_hours);
        let rest = on_the_day.iter().filter(|finding| !about_hours(finding));
        let mut findings: Vec<FindingLine> = missing.chain(rest).map(line).collect();
        findings.sort_by_key(|finding| finding.severity);
        findings
    }

    fn case<'a>(&'a self, meeting: &'a Meeting) -> Case<'a> {
        Case {
            branch: self.facts.branch(),
            meeting,
            others: self.others,
            pack: self.pack(),
            recorded_at: self.recorded_at,
            today: self.today,
        }
    }
}

/// Everything that the editor and the record's page show beside the form.
pub fn derive(question: &Question) -> MeetingDerived {
    let mut meeting = question.meeting();
    let findings = question.findings();
    if let (None, Some(date)) = (meeting.start, civil::date(&question.form.date)) {
        meeting.start = Some(date.and_time(NaiveTime::MIN));
    }
    let (branch, pack) = (question.facts.branch(), question.pack());
    let count = domain::count(branch, &meeting, pack);
    MeetingDerived {
        roster: count.due.members.iter().map(|member| roster_line(question.facts, member)).collect(),
        counts: counts(&count.numbers),
        votes: domain::votes(branch, &meeting, pack).iter().map(vote_line).collect(),
        late: findings
            .iter()
            .any(|finding| matches!(finding.code.as_str(), "recorded_late" | "late_reason_missing")),
        findings,
        meets: meets(question, &meeting),
        study_minutes: domain::study::meeting_minutes(&meeting, &pack.study),
        follow_ups: follow_ups(question, &meeting),
    }
}

/// Two values stand side by side, or an item is gone according to some, until a person decides.
fn in_conflict(path: &str, values: &[Value], (fields, names): (&Fields, &Names)) -> FindingLine {
    let field = kind(KIND).field_for(path);
    let label = place(kind(KIND), path, fields, names);
    let side = |value: &Value| field.map(|field| in_words(field, value, names)).unwrap_or_default();
    let sides: Vec<String> = values.iter().map(|value| shortened(&side(value), LONGEST_SHOWN)).collect();
    FindingLine {
        code: if values.is_empty() { "item_in_conflict" } else { "in_conflict" }.to_owned(),
        severity: Severity::E,
        article: None,
        params: [("field".to_owned(), label.into()), ("values".to_owned(), sides.join(" / ").into())].into(),
        path: Some(path.to_owned()),
    }
}

/// Whether findings stand against 定稿.
pub fn blocks(findings: &[FindingLine]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::E)
}

pub fn roster_line(facts: &Facts, member: &domain::RosterLine) -> RosterLine {
    RosterLine {
        person: member.person.clone(),
        name: member.name.clone(),
        keys: facts.keys(&member.person),
        standing: code(&member.standing),
        may_vote: member.may_vote,
        posts: member.posts.iter().map(code).collect(),
        group: member.group.clone(),
    }
}

pub fn counts(numbers: &domain::Attendance) -> Counts {
    Counts {
        due: numbers.due,
        present: numbers.present,
        leave: numbers.leave,
        absent: numbers.absent,
        unregistered: numbers.unregistered,
        guests: numbers.guests,
        rate: numbers.rate_permille.map(|rate| format!("{}.{}%", rate / 10, rate % 10)),
    }
}

fn vote_line(vote: &VoteResult) -> VoteLine {
    VoteLine {
        agenda: vote.item.clone(),
        members_due: vote.due_members,
        members_present: vote.present_members,
        voters_due: vote.eligible,
        voters_present: vote.present_eligible,
        yes: vote.yes.unwrap_or(0),
        quorate: vote.quorate && vote.outcome != Outcome::Invalid,
        passed: match vote.outcome {
            Outcome::Passed => Some(true),
            Outcome::NotPassed | Outcome::Invalid => Some(false),
            Outcome::Incomplete => None,
        },
        elected: vote
            .candidates
            .iter()
            .filter(|candidate| candidate.elected)
            .map(|candidate| candidate.name.clone())
            .collect(),
        why: lines(&vote.why),
    }
}

/// The duties that the record counts for.
fn meets(question: &Question, meeting: &Meeting) -> Vec<DutyMet> {
    domain::counts_for(question.facts.branch(), meeting, question.others, question.pack())
        .iter()
        .map(duty_met)
        .collect()
}

/// The 议定事项 that the record follows up, as they stood on its day.
fn follow_ups(question: &Question, meeting: &Meeting) -> Vec<ActionLine> {
    let day = meeting.date().unwrap_or(question.today);
    let others: BTreeMap<&str, &Meeting> =
        question.others.iter().map(|other| (other.id.as_str(), other)).collect();
    meeting
        .links
        .iter()
        .filter_map(|link| {
            let other = others.get(link.record.as_deref()?)?;
            let action = other.actions.iter().find(|action| Some(&action.id) == link.item.as_ref())?;
            Some(ActionLine {
                record: other.id.clone(),
                item: action.id.clone(),
                task: action.task.clone(),
                owner: action.owner.clone(),
                due: action.due.map(|due| due.to_string()),
                overdue: ActionState::of(action, day) == ActionState::Overdue,
            })
        })
        .collect()
}

/// The 议定事项 of other meetings that were still open on a day.
pub fn open_actions(meetings: &[Meeting], except: &str, day: NaiveDate) -> Vec<ActionLine> {
    let others: Vec<Meeting> = meetings.iter().filter(|meeting| meeting.id != except).cloned().collect();
    domain::open_actions(&others, day).iter().map(action_line).collect()
}

/// A 议定事项 as pages list it.
pub fn action_line(action: &OpenAction) -> ActionLine {
    ActionLine {
        record: action.record.clone(),
        item: action.item.clone(),
        task: action.task.clone(),
        owner: action.owner.clone(),
        due: action.due.map(|due| due.to_string()),
        overdue: action.state == ActionState::Overdue,
    }
}
