//! A record as it is read and printed, and the blank sign-in sheet.

use super::derive::derive;
use super::drafts::{Context, load};
use super::{KIND, from_fields};
use crate::app::App;
use crate::branch::{Branch, fields};
use crate::civil;
use crate::conflicts::undecided;
use crate::contract::*;
use crate::error::CallError;
use crate::reading::Reading;
use crate::standing::{reporting, state_of};
use replica::{Change, Closing, Life, RecordState as State};
use serde_json::Value;
use std::collections::BTreeMap;
use store::HistoryEntry;

impl App {
    pub(crate) fn get_meeting(&self, request: RecordRef) -> Result<MeetingPage, CallError> {
        let branch = self.branch()?;
        let state = branch.record(KIND, &request.id)?;
        if matches!((&state.life, &state.closing), (Life::Gone { .. }, Closing::Open)) {
            return Err(CallError::not_found(KIND, &request.id));
        }
        let history = branch.store.history(KIND, &request.id)?;
        let (report, received_at) = reporting(&history);
        let shown = fields(&state);
        let form = from_fields(&shown);
        let context = Context::around(&branch, &self.world, &form, Some(&state))?;
        let closings = closings(&branch, &request.id, &history)?;
        let finalised_at = closings.first().map(|closing| closing.entry.meta.at);
        Ok(MeetingPage {
            number: Some(Reading(&shown).text("number")).filter(|number| !number.is_empty()),
            organisation: context.facts.org.name.clone(),
            derived: derive(&context.question(&request.id, &form)),
            state: state_of(&state),
            report,
            times: Times {
                recorded_at: state.born.as_ref().map(|born| civil::stamp(born.at)),
                finalised_at: finalised_at.map(civil::stamp),
                received_at: received_at.map(civil::stamp),
                doubtful: history.iter().any(|entry| entry.doubtful),
                ..event_times(&form)
            },
            corrections: corrections(&branch, &closings)?,
            annulled: annulled(&branch, &state, &history)?,
            returned: crate::returned::card_of(&branch, KIND, &request.id)?,
            has_draft: branch.store.draft(KIND, &request.id)?.is_some(),
            undecided: undecided(&state),
            names: names(&branch, &context, &form)?,
            id: request.id,
            form,
        })
    }

    pub(crate) fn sign_in_sheet(&self, request: DraftRef) -> Result<SignInSheet, CallError> {
        let branch = self.branch()?;
        let id = &request.draft;
        let (form, context) = match branch.store.draft(KIND, id)? {
            Some(_) => {
                let (content, _) = load(&branch, id)?;
                let context = Context::of(&branch, &self.world, id, &content)?;
                (content.form, context)
            }
            None => {
                let state = branch.live(KIND, id)?;
                let form = from_fields(&fields(&state));
                let context = Context::around(&branch, &self.world, &form, Some(&state))?;
                (form, context)
            }
        };
        Ok(SignInSheet {
            organisation: context.facts.org.name.clone(),
            title: if form.title.is_empty() { super::title_of(&form.types) } else { form.title.clone() },
            date: Some(form.date.clone()).filter(|date| !date.is_empty()),
            place: form.place.clone(),
            rows: derive(&context.question(id, &form)).roster,
        })
    }
}

fn event_times(form: &MeetingForm) -> Times {
    let on =
        |time: &str| (!form.date.is_empty() && !time.is_empty()).then(|| format!("{}T{time}", form.date));
    Times { event_start: on(&form.start), event_end: on(&form.end), ..Times::default() }
}

/// A change that closed the record.
struct ClosedBy<'a> {
    entry: &'a HistoryEntry,
    reason: Option<String>,
}

/// Every closing of a record, oldest first: the 定稿, then each 更正.
fn closings<'a>(
    branch: &Branch,
    id: &str,
    history: &'a [HistoryEntry],
) -> Result<Vec<ClosedBy<'a>>, CallError> {
    let mut closings = Vec::new();
    for entry in history.iter().rev().filter(|entry| entry.counts) {
        if entry.paths.iter().any(|path| path == "~final")
            && let Some(change) = branch.store.change(&entry.meta.change)?
        {
            let reason = reason_of(value_of(&change, id, "~final"));
            closings.push(ClosedBy { entry, reason });
        }
    }
    Ok(closings)
}

fn value_of<'a>(change: &'a Change, id: &str, path: &str) -> Option<&'a Value> {
    let at = change.header.writes.iter().position(|write| write.record == id && write.path == path)?;
    change.values.as_ref()?.get(at)
}

fn reason_of(value: Option<&Value>) -> Option<String> {
    value?.get("reason")?.as_str().map(str::to_owned)
}

fn corrections(branch: &Branch, closings: &[ClosedBy]) -> Result<Vec<Correction>, CallError> {
    let corrected = closings.iter().filter_map(|closing| Some((closing, closing.reason.clone()?)));
    corrected
        .map(|(closing, reason)| {
            let meta = &closing.entry.meta;
            Ok(Correction { reason, author: branch.author_of(meta)?, at: civil::stamp(meta.at) })
        })
        .collect()
}

fn annulled(
    branch: &Branch,
    state: &State,
    history: &[HistoryEntry],
) -> Result<Option<Correction>, CallError> {
    let (Life::Gone { value, by }, Closing::Final { .. }) = (&state.life, &state.closing) else {
        return Ok(None);
    };
    let Some(entry) = history.iter().find(|entry| by.contains(&entry.meta.change)) else { return Ok(None) };
    Ok(Some(Correction {
        reason: reason_of(value.as_ref()).unwrap_or_default(),
        author: branch.author_of(&entry.meta)?,
        at: civil::stamp(entry.meta.at),
    }))
}

/// The names of everybody whom the record names by id, also of persons who were removed since.
fn names(
    branch: &Branch,
    context: &Context,
    form: &MeetingForm,
) -> Result<BTreeMap<String, String>, CallError> {
    let mut names = BTreeMap::new();
    for id in persons_of(form) {
        let name = match context.facts.name(id) {
            Some(name) => Some(name.to_owned()),
            None => branch.store.record("person", id)?.map(|state| Reading(&fields(&state)).text("name")),
        };
        names.extend(name.map(|name| (id.to_owned(), name)));
    }
    names.extend(context.facts.names());
    Ok(names)
}

fn persons_of(form: &MeetingForm) -> impl Iterator<Item = &str> {
    let head = [&form.chair, &form.recorder].into_iter();
    let attendance = form.attendance.iter().flat_map(|entry| [&entry.person, &entry.approver]);
    let agenda = form.agenda.iter().flat_map(|item| {
        let speakers = item.speeches.iter().map(|speech| &speech.speaker);
        let opinions = item.vote.iter().flat_map(|vote| vote.written.iter().map(|opinion| &opinion.person));
        let candidates =
            item.vote.iter().flat_map(|vote| vote.candidates.iter().map(|candidate| &candidate.person));
        let own = [&item.presenter, &item.first_sponsor, &item.second_sponsor].into_iter();
        own.chain(speakers).chain(opinions).chain(candidates)
    });
    let makeups = form.makeups.iter().flat_map(|makeup| [&makeup.person, &makeup.by]);
    head.chain(attendance)
        .chain(form.exclusions.iter().map(|entry| &entry.person))
        .chain(form.guests.iter().map(|guest| &guest.person))
        .chain(agenda)
        .chain(form.actions.iter().map(|action| &action.owner))
        .chain(makeups)
        .map(String::as_str)
        .filter(|id| !id.is_empty())
}
