//! What a record says about other records: earlier meetings, 议定事项, overlaps.

use super::Case;
use crate::actions::ActionState;
use crate::duties::same_event;
use crate::finding::{Code, Finding};
use crate::meeting::{Action, Activity, AgendaItem, Meeting, VoteRule};
use chrono::NaiveDate;

pub(super) fn check(case: &Case, findings: &mut Vec<Finding>) {
    prior_meetings(case, findings);
    important_items(case, findings);
    study_material(case, findings);
    own_actions(case, findings);
    earlier_actions(case, findings);
    overlaps(case, findings);
}

/// A meeting that a record rests on: body, day, and where it says so.
pub(crate) struct Mention {
    pub body: Activity,
    pub date: NaiveDate,
    pub record: Option<String>,
    pub path: String,
}

impl Mention {
    /// Whether a record is the mentioned meeting.
    pub fn is_of(&self, meeting: &Meeting) -> bool {
        let named = self.record.as_ref() == Some(&meeting.id);
        meeting.is(self.body) && (named || meeting.date() == Some(self.date))
    }
}

/// The earlier meetings that a record mentions.
pub(crate) fn mentions(meeting: &Meeting) -> Vec<Mention> {
    let decided = meeting.decided_by.as_ref().and_then(|decided| {
        Some(Mention {
            body: decided.body?,
            date: decided.date?,
            record: decided.record.clone(),
            path: "decided_by".to_owned(),
        })
    });
    let reviewed = meeting.agenda.iter().filter_map(|item| {
        Some(Mention {
            body: Activity::Committee,
            date: item.committee_review?,
            record: None,
            path: format!("agenda/{}/committee_review", item.id),
        })
    });
    decided.into_iter().chain(reviewed).collect()
}

fn prior_meetings(case: &Case, findings: &mut Vec<Finding>) {
    for mention in mentions(case.meeting) {
        let branch_has_none =
            mention.body == Activity::Committee && case.branch.org.committee_on(mention.date).is_none();
        let recorded = case.others().any(|other| mention.is_of(other));
        let finding = if branch_has_none {
            Finding::warning(Code::PriorBodyAbsent).on(case.pack.cite(&case.pack.committee.article))
        } else if !recorded {
            Finding::hint(Code::PriorMeetingNotRecorded).on(case.pack.cite("branch-16"))
        } else {
            continue;
        };
        let body = serde_json::to_value(mention.body).unwrap_or_default();
        findings.push(finding.with("body", body).with_date("date", mention.date).at(mention.path));
    }
}

/// Important matters of a 党员大会 normally pass the 支委会 first, where there is one.
fn important_items(case: &Case, findings: &mut Vec<Finding>) {
    let has_committee = case.meeting.date().is_some_and(|date| case.branch.org.committee_on(date).is_some());
    if !case.meeting.is(Activity::Assembly) || !has_committee {
        return;
    }
    for item in case.meeting.agenda.iter().filter(|item| important(item) && item.committee_review.is_none()) {
        let finding = Finding::warning(Code::ImportantWithoutCommittee).with("topic", item.topic.clone());
        let path = format!("agenda/{}/committee_review", item.id);
        findings.push(finding.at(path).on(case.pack.cite("branch-12")));
    }
}

fn important(item: &AgendaItem) -> bool {
    let by_nature = item.vote.as_ref().is_some_and(|vote| match vote.rule {
        VoteRule::Admit | VoteRule::Confirm | VoteRule::Election => true,
        VoteRule::Ordinary | VoteRule::Committee => false,
    });
    item.important || by_nature
}

fn study_material(case: &Case, findings: &mut Vec<Finding>) {
    let Some(date) = case.meeting.date() else { return };
    for item in &case.meeting.agenda {
        if let Some(material) = item.material_date.filter(|material| *material > date) {
            let finding = Finding::warning(Code::MaterialAfterMeeting).with_date("material_date", material);
            findings.push(finding.at(format!("agenda/{}/material_date", item.id)));
        }
    }
}

fn own_actions(case: &Case, findings: &mut Vec<Finding>) {
    for action in case.meeting.actions.iter().filter(|action| action.owner.is_none() || action.due.is_none())
    {
        let finding = Finding::warning(Code::ActionIncomplete).with("task", action.task.as_str());
        findings.push(finding.at(format!("actions/{}", action.id)).on(case.pack.cite("branch-16")));
    }
}

/// The 议定事项 of earlier records as they stood on the day of this meeting: all that were open, and what this one links to.
fn earlier_actions(case: &Case, findings: &mut Vec<Finding>) {
    let Some(date) = case.meeting.date() else { return };
    for earlier in case.others().filter(|other| other.date().is_some_and(|day| day < date)) {
        for action in &earlier.actions {
            let linked = case.meeting.links.iter().any(|link| link.names(&earlier.id, &action.id));
            let state = ActionState::of(action, date);
            if linked || state != ActionState::Done {
                findings.push(follow_up(case, earlier, action, state).with("linked", linked));
            }
        }
    }
}

fn follow_up(case: &Case, earlier: &Meeting, action: &Action, state: ActionState) -> Finding {
    let finding = match state {
        ActionState::Done => Finding::hint(Code::ActionDone),
        ActionState::NotDue => Finding::hint(Code::ActionNotDue),
        ActionState::Overdue => Finding::warning(Code::ActionOverdue),
        ActionState::Open => Finding::hint(Code::ActionOpen),
    };
    finding
        .with("task", action.task.as_str())
        .with("owner", action.owner.as_deref().map(|owner| case.branch.name(owner)))
        .with("due", action.due.map(|due| due.to_string()))
        .with("done_on", action.done_on.map(|done| done.to_string()))
        .with("record", earlier.id.as_str())
        .with("item", action.id.as_str())
        .at("links")
        .on(case.pack.cite("branch-16"))
}

fn overlaps(case: &Case, findings: &mut Vec<Finding>) {
    for other in case.others().filter(|other| case.meeting.overlaps(other)) {
        let title = other.title.clone().unwrap_or_default();
        if let Some(activity) = same_event(case.meeting, other, case.pack) {
            let duty = serde_json::to_value(activity).unwrap_or_default();
            let finding = Finding::error(Code::OverlappingRecords).with("duty", duty).with("title", title);
            findings.push(finding.with("record", other.id.as_str()).at("time"));
            continue;
        }
        let both = case
            .meeting
            .attendance
            .keys()
            .filter(|person| case.meeting.attended(person) && other.attended(person));
        for person in both {
            let finding = Finding::warning(Code::PersonInTwoPlaces).with("name", case.branch.name(person));
            let finding = finding.with("person", person.as_str()).with("title", title.as_str());
            findings
                .push(finding.with("record", other.id.as_str()).at(format!("attendance/{person}/status")));
        }
    }
}
