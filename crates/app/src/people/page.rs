//! One person: form, the year's attendance, what changed.

use super::form::from_fields;
use super::{KIND, mask_id, mask_phone};
use crate::app::App;
use crate::base::base_of;
use crate::branch::{Branch, fields};
use crate::civil;
use crate::conflicts::undecided;
use crate::contract::{HistoryLine, MonthAttendance, PersonPage, RecordRef};
use crate::error::CallError;
use crate::values::kind;
use chrono::{Datelike, NaiveDate};
use domain::{Meeting, Pack};
use replica::Kind;
use store::HistoryEntry;

impl App {
    pub(crate) fn get_person(&self, request: RecordRef) -> Result<PersonPage, CallError> {
        let branch = self.branch()?;
        let state = branch.live(KIND, &request.id)?;
        let form = from_fields(&fields(&state));
        let year = self.world.today().year();
        let history = branch.store.history(KIND, &request.id)?;
        Ok(PersonPage {
            attendance: attendance(&branch, &request.id, year)?,
            history: history
                .iter()
                .filter(|entry| entry.counts)
                .map(|entry| history_line(&branch, kind(KIND), entry))
                .collect::<Result<_, _>>()?,
            undecided: undecided(&state),
            base: base_of(&state),
            id_number_masked: mask_id(&form.id_number),
            phone_masked: mask_phone(&form.phone),
            id: request.id,
            form,
        })
    }
}

/// The twelve months of a year: how often the person was due and came.
fn attendance(branch: &Branch, person: &str, year: i32) -> Result<Vec<MonthAttendance>, CallError> {
    let day =
        |month, day| NaiveDate::from_ymd_opt(year, month, day).expect("the first and last day of every year");
    let facts = branch.facts()?;
    let meetings = branch.meetings(day(1, 1), day(12, 31))?;
    let due_at = |meeting: &&Meeting| {
        let date = meeting.date().unwrap_or(day(1, 1));
        let due = domain::due(facts.branch(), meeting, Pack::on(date));
        due.members.iter().any(|line| line.person == person)
    };
    let due: Vec<&Meeting> = meetings.iter().filter(due_at).collect();
    let months = (1..=12).map(|month| {
        let in_month: Vec<_> =
            due.iter().filter(|meeting| meeting.date().is_some_and(|date| date.month() == month)).collect();
        let came = in_month.iter().filter(|meeting| meeting.attended(person)).count();
        MonthAttendance {
            month: format!("{year}-{month:02}"),
            due: u32::try_from(in_month.len()).unwrap_or(u32::MAX),
            present: u32::try_from(came).unwrap_or(u32::MAX),
        }
    });
    Ok(months.collect())
}

/// A change of a record, with the labels of what it wrote.
pub fn history_line(branch: &Branch, kind: &Kind, entry: &HistoryEntry) -> Result<HistoryLine, CallError> {
    let mut labels: Vec<String> =
        entry.paths.iter().filter_map(|path| kind.field_for(path)).map(|field| field.label.clone()).collect();
    labels.dedup();
    Ok(HistoryLine {
        at: civil::stamp(entry.meta.at),
        author: branch.author_of(&entry.meta)?,
        action: entry.meta.action.clone(),
        fields: labels,
    })
}
