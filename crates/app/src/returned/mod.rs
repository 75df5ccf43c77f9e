//! 被退回: what the city refused and why, for its author: put it right and send it again, copy it, or give it up.

mod card;

use crate::app::App;
use crate::branch::{Branch, Fields, fields};
use crate::contract::*;
use crate::error::{CallError, Code};
use crate::people;
use crate::values::kinds;
use card::{card, editor_of, is_along};
use replica::{Closing, Life, RecordState};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use store::Returned;

/// Records that one change sends again: far below what a change may hold.
const TOGETHER: usize = 50;

/// What was returned, by record.
type ByRecord = BTreeMap<(String, String), Vec<Returned>>;

impl App {
    pub(crate) fn returned(&self, _: Nothing) -> Result<ReturnedPage, CallError> {
        let branch = self.branch()?;
        let mut order = Vec::new();
        let by_record = by_record(branch.store.returned()?, &mut order);
        let cards: Vec<ReturnedCard> =
            order.iter().map(|name| card(&branch, &by_record[name])).collect::<Result<_, _>>()?;
        let along = cards.iter().filter(|card| card.along).count();
        Ok(ReturnedPage { cards, along: u32::try_from(along).unwrap_or(u32::MAX) })
    }

    /// Opens the right form with the refused values in it.
    pub(crate) fn edit_returned(&self, request: ReturnedRef) -> Result<ReturnedForm, CallError> {
        let branch = self.branch()?;
        let returned = of_record(&branch, &request.kind, &request.id)?;
        let laid = Laid::over(&branch, &returned)?;
        match editor_of(&request.kind) {
            ReturnedEditor::Meeting => {
                let draft = crate::meetings::draft_of_returned(&branch, &laid, &returned)?;
                Ok(ReturnedForm::Meeting { draft })
            }
            ReturnedEditor::Person => {
                Ok(ReturnedForm::Person { form: Box::new(people::form_of_fields(&laid.wanted)) })
            }
            ReturnedEditor::Ledger => Ok(ReturnedForm::Ledger { values: laid.wanted }),
            ReturnedEditor::None => Err(CallError::new(Code::BadRequest).with("kind", request.kind)),
        }
    }

    /// Sends again, as they were, the records that came back only because they were saved together with one at fault.
    pub(crate) fn resend_along(&self, _: Nothing) -> Result<Resent, CallError> {
        let branch = self.branch()?;
        let by_record = by_record(branch.store.returned()?, &mut Vec::new());
        let along: Vec<&Vec<Returned>> = by_record.values().filter(|one| is_along(one)).collect();
        let mut records = Vec::new();
        for together in along.chunks(TOGETHER) {
            let laid: Vec<Laid> =
                together.iter().map(|one| Laid::over(&branch, one)).collect::<Result<_, _>>()?;
            branch.write("resend", |write| {
                for (laid, returned) in laid.iter().zip(together) {
                    laid.write(write)?;
                    write.resend(returned)?;
                }
                Ok(())
            })?;
            records.extend(laid.into_iter().map(|laid| RecordRef { id: laid.id }));
        }
        Ok(Resent { records })
    }

    /// 放弃: it stays out of sight from now on.
    pub(crate) fn discard_returned(&self, request: ReturnedRef) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        let returned = of_record(&branch, &request.kind, &request.id)?;
        branch.store.give_up(&returned)?;
        Ok(Nothing {})
    }

    /// Takes the giving up back.
    pub(crate) fn undiscard_returned(&self, request: ReturnedRef) -> Result<Nothing, CallError> {
        self.branch()?.store.take_up(&request.kind, &request.id)?;
        Ok(Nothing {})
    }
}

/// The card of one record, if anything of it was returned.
pub fn card_of(branch: &Branch, kind: &str, id: &str) -> Result<Option<ReturnedCard>, CallError> {
    let returned = branch.store.returned_of(kind, id)?;
    if returned.is_empty() { Ok(None) } else { Ok(Some(card(branch, &returned)?)) }
}

/// The ids of a kind's records of which something was returned, for lists.
pub fn ids_of(branch: &Branch, kind: &str) -> Result<BTreeSet<String>, CallError> {
    let returned = branch.store.returned()?;
    Ok(returned.into_iter().filter(|one| one.kind == kind).map(|one| one.id).collect())
}

/// What was returned of a record that a form sends again; nothing for a form that does not.
pub fn resent(branch: &Branch, kind: &str, id: Option<&str>) -> Result<Vec<Returned>, CallError> {
    id.map_or_else(|| Ok(Vec::new()), |id| Ok(branch.store.returned_of(kind, id)?))
}

/// The change that made the record is among what was returned, so that it is made anew.
pub fn is_unborn(branch: &Branch, returned: &[Returned]) -> Result<bool, CallError> {
    let Some(Returned { kind, id, .. }) = returned.first() else { return Ok(false) };
    Ok(branch.store.record(kind, id)?.is_none_or(|state| state.life == Life::Waiting))
}

fn of_record(branch: &Branch, kind: &str, id: &str) -> Result<Vec<Returned>, CallError> {
    let returned = branch.store.returned_of(kind, id)?;
    if returned.is_empty() { Err(CallError::not_found("returned", id)) } else { Ok(returned) }
}

fn by_record(returned: Vec<Returned>, order: &mut Vec<(String, String)>) -> ByRecord {
    let mut by_record = ByRecord::new();
    for one in returned {
        let name = (one.kind.clone(), one.id.clone());
        if !by_record.contains_key(&name) {
            order.push(name.clone());
        }
        by_record.entry(name).or_default().push(one);
    }
    by_record
}

/// A record with what was returned laid over it.
pub struct Laid {
    kind: String,
    pub id: String,
    /// The record as it stands; None: it does not, without what was returned.
    pub state: Option<RecordState>,
    /// The fields as they stand, and as their author wanted them.
    pub shown: Fields,
    pub wanted: Fields,
    /// The author wanted the record gone.
    pub removal: Option<Value>,
    /// The reason of a 更正 that was refused.
    pub correction: Option<String>,
}

impl Laid {
    pub fn over(branch: &Branch, returned: &[Returned]) -> Result<Self, CallError> {
        let (kind, id) = (returned[0].kind.clone(), returned[0].id.clone());
        let state = branch.store.record(&kind, &id)?;
        let shown = state.as_ref().map(fields).unwrap_or_default();
        let mut wanted = branch.store.as_if_accepted(returned)?.as_ref().map(fields).unwrap_or_default();
        let (mut removal, mut correction) = (None, None);
        // Oldest first, so that the later of two returned values is the one in the form.
        for (path, value) in returned.iter().rev().flat_map(|one| &one.writes) {
            match path.as_str() {
                "~gone" => removal = Some(value.clone()),
                "~final" => correction = value.get("reason").and_then(Value::as_str).map(str::to_owned),
                path if path.split('/').any(|step| step.starts_with('~')) => {}
                path if value.is_null() => drop(wanted.remove(path)),
                path => drop(wanted.insert(path.to_owned(), value.clone())),
            }
        }
        let state = state.filter(|state| state.life != Life::Waiting);
        Ok(Self { kind, id, state, shown, wanted, removal, correction })
    }

    pub fn is_closed(&self) -> bool {
        self.state.as_ref().is_some_and(|state| !matches!(state.closing, Closing::Open))
    }

    /// The writes that lead from the record as it stands to what its author wanted.
    fn write(&self, write: &mut store::Write) -> Result<(), store::StoreError> {
        let cleared = self.shown.keys().filter(|path| !self.wanted.contains_key(*path));
        let mut changes: Fields = cleared.map(|path| (path.clone(), Value::Null)).collect();
        changes.extend(self.wanted.clone());
        match (&self.state, &self.removal) {
            (None, _) => write.create(&self.kind, &self.id, &self.wanted),
            (Some(_), Some(reason)) => write.remove(&self.kind, &self.id, reason.clone()),
            (Some(_), None) if self.is_closed() => {
                let reason = self.correction.as_deref().unwrap_or_default();
                write.correct(&self.kind, &self.id, &changes, json!({ "reason": reason }))
            }
            (Some(_), None) => write.put(&self.kind, &self.id, &changes),
        }
    }
}

/// Says whether a kind is one that this program has a form for.
fn is_ledger(kind: &str) -> bool {
    kinds().get(kind).is_some_and(|kind| kind.group == replica::Group::Ledger)
}
