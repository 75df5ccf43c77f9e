//! 首页: what is due, the month, drafts, open 议定事项.

use crate::app::App;
use crate::branch::Branch;
use crate::civil;
use crate::contract::*;
use crate::error::{CallError, Code};
use crate::explanations::{explanation_id, explanations};
use crate::findings::duty_line;
use crate::meetings::{action_line, draft_line, types_of};
use crate::standing::state_of_row;
use chrono::{Datelike, Months, NaiveDate};
use domain::{Meeting, Pack, Span};
use std::collections::BTreeMap;
use store::Query;

impl App {
    pub(crate) fn home(&self, request: HomeRequest) -> Result<HomePage, CallError> {
        let branch = self.branch()?;
        let today = self.world.today();
        let month = match &request.month {
            Some(text) => civil::parse_month(text)
                .ok_or_else(|| CallError::new(Code::BadRequest).with("month", text.as_str()))?,
            None => civil::month_of(today).0,
        };
        let (first, next) = civil::month_of(month);
        let last = next.pred_opt().unwrap_or(first);
        let drafts: Vec<DraftLine> = branch.store.drafts()?.iter().filter_map(draft_line).collect();
        let meetings = branch.meetings(since(first, today), last.max(today))?;
        let facts = branch.facts()?;
        let span = Span { from: first, to: last };
        let looked_at =
            if month == civil::month_of(today).0 { Span { from: since(first, today), ..span } } else { span };
        let duties = domain::due_duties(facts.branch(), &meetings, Pack::on(last), looked_at, today);
        let mut duties: Vec<DutyLine> = duties.iter().filter_map(duty_line).collect();
        let explained = explanations(&branch, since(first, today))?;
        duties.iter_mut().for_each(|duty| {
            duty.draft = draft_for(duty, &drafts);
            duty.explanation = explained.get(&explanation_id(duty)).cloned();
        });
        duties.sort_by(|a, b| (urgency(a), &a.to, &a.id).cmp(&(urgency(b), &b.to, &b.id)));
        let (duties, mut left_open): (Vec<DutyLine>, Vec<DutyLine>) =
            duties.into_iter().partition(|duty| duty.to >= first.to_string());
        left_open.retain(|duty| duty.state == DutyState::Overdue && duty.explanation.is_none());
        Ok(HomePage {
            today: today.to_string(),
            month: first.format("%Y-%m").to_string(),
            duties,
            left_open,
            days: days(&branch, span, &drafts)?,
            has_people: !facts.persons.is_empty(),
            has_meetings: !meetings.is_empty()
                || branch.store.list(&Query { limit: Some(1), ..Query::of("meeting") })?.total > 0,
            enrolled: crate::reporting::enrolment(&branch)?.is_some(),
            open_actions: open_actions(&meetings, today),
            drafts,
        })
    }
}

/// Early enough for the yearly duties of the month shown and for 议定事项 of the last year.
fn since(first: NaiveDate, today: NaiveDate) -> NaiveDate {
    let year = NaiveDate::from_ymd_opt(first.year(), 1, 1).unwrap_or(first);
    let ago = today.checked_sub_months(Months::new(12)).unwrap_or(today);
    year.min(ago)
}

fn open_actions(meetings: &[Meeting], today: NaiveDate) -> Vec<ActionLine> {
    domain::open_actions(meetings, today).iter().map(action_line).collect()
}

fn urgency(duty: &DutyLine) -> u8 {
    match duty.state {
        DutyState::Overdue => 0,
        DutyState::Due => 1,
        DutyState::NotRecorded => 2,
        DutyState::Done => 3,
    }
}

fn draft_for(duty: &DutyLine, drafts: &[DraftLine]) -> Option<String> {
    let within = |date: &str| duty.from.as_str() <= date && date <= duty.to.as_str();
    let fits = |draft: &&DraftLine| {
        draft.types.contains(&duty.meeting_type) && draft.date.as_deref().is_none_or(within)
    };
    match duty.state {
        DutyState::Due | DutyState::Overdue => drafts.iter().find(fits).map(|draft| draft.id.clone()),
        DutyState::Done | DutyState::NotRecorded => None,
    }
}

/// Every day of the span with what was recorded or is being typed for it.
fn days(branch: &Branch, span: Span, drafts: &[DraftLine]) -> Result<Vec<DayCell>, CallError> {
    let query =
        Query { from: Some(span.from.to_string()), until: Some(span.to.to_string()), ..Query::of("meeting") };
    let mut events: BTreeMap<String, Vec<DayEvent>> = BTreeMap::new();
    let rows = branch.store.list(&query)?.rows;
    for row in rows.iter().rev() {
        let event = DayEvent {
            id: row.id.clone(),
            types: types_of(row),
            title: row.title.clone(),
            state: state_of_row(row),
        };
        events.entry(row.date.get(..10).unwrap_or_default().to_owned()).or_default().push(event);
    }
    for draft in drafts.iter().filter(|draft| rows.iter().all(|row| row.id != draft.id)) {
        if let Some(date) = &draft.date {
            let (id, types, title) = (draft.id.clone(), draft.types.clone(), draft.title.clone());
            events.entry(date.clone()).or_default().push(DayEvent {
                id,
                types,
                title,
                state: RecordState::Draft,
            });
        }
    }
    let days = span.from.iter_days().take_while(|day| *day <= span.to);
    Ok(days
        .map(|day| DayCell {
            date: day.to_string(),
            weekday: civil::weekday(day),
            events: events.remove(&day.to_string()).unwrap_or_default(),
        })
        .collect())
}
