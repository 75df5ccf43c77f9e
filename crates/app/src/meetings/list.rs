//! The list of meetings, drafts on top.

use super::derive::counts;
use super::drafts::DraftContent;
use super::{KIND, title_of};
use crate::app::App;
use crate::branch::Branch;
use crate::civil;
use crate::contract::*;
use crate::error::CallError;
use crate::facts::Facts;
use crate::standing::{report_of_row, state_of_row, undecided_row};
use crate::values::kinds;
use domain::{Meeting, Pack};
use replica::{Excerpt, Life};
use std::collections::BTreeSet;
use store::{ClosingCode, Draft, LifeCode, ListRow, Query};

const PAGE: u32 = 30;

impl App {
    pub(crate) fn list_meetings(&self, request: MeetingQuery) -> Result<MeetingList, CallError> {
        let branch = self.branch()?;
        let drafts = branch.store.drafts()?;
        let mut rows: Vec<MeetingRow> =
            if request.page == 0 && request.state.is_none_or(|state| state == RecordState::Draft) {
                new_drafts(&branch, &drafts)?.into_iter().filter(|row| matches(row, &request)).collect()
            } else {
                Vec::new()
            };
        let mut total = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        if request.state != Some(RecordState::Draft) {
            let query = query(&request);
            let (page, excerpts) = branch.store.list_with(&query, &domain::counts_on)?;
            total += u32::try_from(page.total).unwrap_or(u32::MAX);
            let editing: BTreeSet<&str> = drafts.iter().map(|draft| draft.id.as_str()).collect();
            rows.extend(record_rows(&branch, &page.rows, &excerpts, &editing)?);
        }
        let years = branch.store.years(KIND)?.iter().filter_map(|year| year.parse().ok()).collect();
        Ok(MeetingList { rows, total, page_size: PAGE, years })
    }
}

fn record_rows(
    branch: &Branch,
    page: &[ListRow],
    excerpts: &[Excerpt],
    editing: &BTreeSet<&str>,
) -> Result<Vec<MeetingRow>, CallError> {
    let facts = branch.facts()?;
    let returned = crate::returned::ids_of(branch, KIND)?;
    let rows = page.iter().zip(excerpts).map(|(row, excerpt)| {
        let meeting = Meeting::from_fields(&row.id, &excerpt.all_shown(kinds().get(KIND)));
        let shown = record_row(row, &meeting, &facts, editing.contains(row.id.as_str()));
        MeetingRow { returned: returned.contains(&row.id), ..shown }
    });
    Ok(rows.collect())
}

fn query(request: &MeetingQuery) -> Query {
    let mut query = Query { offset: request.page * PAGE, limit: Some(PAGE), ..Query::of(KIND) };
    query.life = vec![LifeCode::Live, LifeCode::Contested];
    if let Some(year) = request.year {
        query.from = Some(format!("{year}-01-01"));
        query.until = Some(format!("{year}-12-31"));
    }
    query.facets.extend(request.r#type.clone().map(|code| ("types".to_owned(), vec![code])));
    match request.state {
        Some(RecordState::Recorded) => {
            query.life = vec![LifeCode::Live];
            query.closing = vec![ClosingCode::Open];
        }
        Some(RecordState::Final) => {
            query.life = vec![LifeCode::Live];
            query.closing = vec![ClosingCode::Final];
        }
        Some(RecordState::Annulled) => {
            query.life = vec![LifeCode::Gone];
            query.closing = vec![ClosingCode::Final];
        }
        Some(RecordState::Conflict) => query.undecided = true,
        None => query.annulled = true,
        Some(RecordState::Draft) => {}
    }
    query
}

/// `meeting` has only what [`domain::counts_on`] lets through.
fn record_row(row: &ListRow, meeting: &Meeting, facts: &Facts, has_draft: bool) -> MeetingRow {
    let pack = meeting.date().map(Pack::on);
    let numbers = pack.map(|pack| counts(&domain::count(facts.branch(), meeting, pack).numbers));
    let late =
        pack.zip(row.born_at).and_then(|(pack, born)| domain::lateness(meeting, domain::civil(born), pack));
    let date = row.date.get(..10).map(str::to_owned);
    MeetingRow {
        id: row.id.clone(),
        weekday: date.as_deref().and_then(civil::date).map(civil::weekday),
        date,
        types: types_of(row),
        title: row.title.clone(),
        present: numbers.as_ref().map(|numbers| numbers.present),
        due: numbers.as_ref().map(|numbers| numbers.due),
        attachments: count_of(meeting.attachments.len()),
        state: state_of_row(row),
        report: report_of_row(row),
        late: late.is_some_and(|late| late.late),
        has_draft,
        undecided: undecided_row(row),
        returned: false,
    }
}

/// The activity types of a list row.
pub fn types_of(row: &ListRow) -> Vec<String> {
    crate::reading::list_of(row.list.get("types"))
}

/// Drafts of meetings that are not on record yet.
fn new_drafts(branch: &Branch, drafts: &[Draft]) -> Result<Vec<MeetingRow>, CallError> {
    let mut rows = Vec::new();
    for draft in drafts.iter().filter(|draft| draft.kind == KIND) {
        if let Ok(content) = serde_json::from_value::<DraftContent>(draft.content.clone())
            && content.base.is_none()
            && branch.store.record(KIND, &draft.id)?.is_none_or(|state| state.life == Life::Waiting)
        {
            rows.push(draft_row(&draft.id, &content.form));
        }
    }
    Ok(rows)
}

fn draft_row(id: &str, form: &MeetingForm) -> MeetingRow {
    let date = Some(form.date.clone()).filter(|date| !date.is_empty());
    MeetingRow {
        id: id.to_owned(),
        weekday: date.as_deref().and_then(civil::date).map(civil::weekday),
        date,
        types: form.types.clone(),
        title: if form.title.is_empty() { title_of(&form.types) } else { form.title.clone() },
        present: None,
        due: None,
        attachments: count_of(form.attachments.len()),
        state: RecordState::Draft,
        report: ReportState::Local,
        late: false,
        has_draft: true,
        undecided: false,
        returned: false,
    }
}

fn count_of(files: usize) -> u32 {
    u32::try_from(files).unwrap_or(u32::MAX)
}

fn matches(row: &MeetingRow, request: &MeetingQuery) -> bool {
    let year = request.year.map(|year| year.to_string());
    let in_year = year.is_none_or(|year| row.date.as_deref().is_none_or(|date| date.starts_with(&year)));
    in_year && request.r#type.as_ref().is_none_or(|code| row.types.contains(code))
}

/// The line of a draft, as 首页 lists it.
pub fn draft_line(draft: &Draft) -> Option<DraftLine> {
    let content: DraftContent = serde_json::from_value(draft.content.clone()).ok()?;
    let row = draft_row(&draft.id, &content.form);
    Some(DraftLine {
        id: row.id,
        title: row.title,
        types: row.types,
        date: row.date,
        saved_at: civil::stamp(draft.saved_at),
    })
}
