//! 冲突: what two computers say differently stays side by side until a person decides, and the decision is one write.

mod card;
mod open;
mod same_event;

use crate::app::App;
use crate::branch::{Branch, fields};
use crate::contract::*;
use crate::error::{CallError, Code};
use crate::meetings::{findings_of, reason};
use crate::reading::Reading;
use crate::showing::Names;
use crate::standing::state_of;
use crate::values::kinds;
use card::{Around, closings, line, names};
use open::{open, plan};
use replica::{Closing, Group, Kind, Life, RecordState as State, StateDigest, StreamId};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::{LifeCode, Query, StoreError, Write};

impl App {
    pub(crate) fn list_conflicts(&self, _: Nothing) -> Result<ConflictList, CallError> {
        let branch = self.branch()?;
        let mut rows = Vec::new();
        let names = names(&branch)?;
        for kind in kinds().iter().filter(|kind| kind.group != Group::System) {
            let life = vec![LifeCode::Live, LifeCode::Contested];
            let undecided = Query { undecided: true, life, ..Query::of(&kind.kind) };
            let states = branch.store.records(&undecided)?;
            rows.extend(states.iter().filter_map(|state| row(kind, state, &names)));
        }
        rows.extend(same_event::pairs(&branch)?.iter().map(twice));
        Ok(ConflictList { rows })
    }

    pub(crate) fn conflict_card(&self, request: ConflictRef) -> Result<ConflictCard, CallError> {
        let branch = self.branch()?;
        let kind = shown_kind(&request.kind)?;
        let state = branch.record(&kind.kind, &request.id)?;
        let around = Around::of(&branch, kind, &state)?;
        let matters: Vec<Matter> =
            open(&state, kind).iter().map(|open| around.matter(open)).collect::<Result<_, _>>()?;
        Ok(ConflictCard {
            kind: kind.kind.clone(),
            kind_label: kind.label.clone(),
            title: title(kind, &state),
            date: date(&state),
            state: state_of(&state),
            seen: seen(&[&state]),
            correction: !matches!(state.closing, Closing::Open),
            matters,
            findings: self.findings(&branch, &state)?,
            id: request.id,
        })
    }

    /// Stores what a person decided over everything that the page showed. What changed meanwhile stops it.
    pub(crate) fn settle_conflict(&self, request: SettleConflict) -> Result<ConflictSettled, CallError> {
        let branch = self.branch()?;
        let kind = shown_kind(&request.kind)?;
        let decisions: BTreeMap<String, Vec<u32>> =
            request.decisions.iter().map(|one| (one.key.clone(), one.takes.clone())).collect();
        let state = branch.record(&kind.kind, &request.id)?;
        if seen(&[&state]) != request.seen {
            return Err(CallError::new(Code::Changed));
        }
        let closings = closings(&branch, &state)?;
        let plan =
            plan(&state, kind, &closings, &decisions).ok_or_else(|| CallError::new(Code::BadRequest))?;
        let reason = if plan.closes { reason(&request.reason)? } else { String::new() };
        let gone = gone_value(&branch, &state)?;
        branch.write_over(&state, "settle_conflict", |write| {
            carry_out(write, kind, &request.id, &plan, &reason, &gone)
        })?;
        let state = branch.record(&kind.kind, &request.id)?;
        let left = u32::try_from(open(&state, kind).len()).unwrap_or(u32::MAX);
        Ok(ConflictSettled { left, findings: self.findings(&branch, &state)? })
    }

    /// The rules are run again over what a merge left.
    fn findings(&self, branch: &Branch, state: &State) -> Result<Vec<FindingLine>, CallError> {
        if state.kind != crate::meetings::KIND || matches!(state.life, Life::Gone { .. }) {
            return Ok(Vec::new());
        }
        let mut found = findings_of(branch, &self.world, state)?;
        found.retain(|finding| finding.severity == Severity::E && !finding.code.ends_with("in_conflict"));
        Ok(found)
    }
}

/// How many matters of a record wait for a person.
pub fn undecided(state: &State) -> u32 {
    let kind = kinds().get(&state.kind);
    kind.map_or(0, |kind| u32::try_from(open(state, kind).len()).unwrap_or(u32::MAX))
}

fn carry_out(
    write: &mut Write,
    kind: &Kind,
    id: &str,
    plan: &open::Plan,
    reason: &str,
    gone: &Value,
) -> Result<(), StoreError> {
    match plan.stays {
        Some(true) => write.restore(&kind.kind, id)?,
        Some(false) => write.remove(&kind.kind, id, gone.clone())?,
        None => {}
    }
    match (plan.closes, plan.fields.is_empty()) {
        (true, _) => write.correct(&kind.kind, id, &plan.fields, json!({ "reason": reason })),
        (false, false) => write.put(&kind.kind, id, &plan.fields),
        (false, true) => Ok(()),
    }
}

/// What the removal said that is being confirmed: 作废 keeps its reason.
fn gone_value(branch: &Branch, state: &State) -> Result<Value, CallError> {
    let Life::Contested { gone, .. } = &state.life else { return Ok(json!({})) };
    let Some(change) = gone.first().map(|id| branch.store.change(id)).transpose()?.flatten() else {
        return Ok(json!({ "reason": "deleted" }));
    };
    let at = change.header.writes.iter().position(|write| write.record == state.id && write.path == "~gone");
    let value = at.and_then(|at| change.values.as_ref()?.get(at).cloned());
    Ok(value.unwrap_or_else(|| json!({ "reason": "deleted" })))
}

fn row(kind: &Kind, state: &State, names: &Names) -> Option<ConflictRow> {
    let values = fields(state);
    let matters: Vec<MatterLine> =
        open(state, kind).iter().map(|open| line(open, kind, &values, names)).collect();
    (!matters.is_empty()).then(|| ConflictRow {
        kind: kind.kind.clone(),
        kind_label: kind.label.clone(),
        id: state.id.clone(),
        title: title(kind, state),
        date: date(state),
        other: None,
        matters,
    })
}

fn twice(pair: &same_event::Pair) -> ConflictRow {
    let kind = crate::values::kind(crate::meetings::KIND);
    let label = title(kind, &pair.other);
    ConflictRow {
        kind: kind.kind.clone(),
        kind_label: kind.label.clone(),
        id: pair.keep.id.clone(),
        title: title(kind, &pair.keep),
        date: date(&pair.keep),
        other: Some(pair.other.id.clone()),
        matters: vec![MatterLine { about: MatterKind::SameEvent, label }],
    }
}

/// Kinds that pages know; the stream's own record is none of them.
fn shown_kind(name: &str) -> Result<&'static Kind, CallError> {
    let kind = kinds().get(name).filter(|kind| kind.group != Group::System);
    kind.ok_or_else(|| CallError::new(Code::NotFound).with("kind", name))
}

fn title(kind: &Kind, state: &State) -> String {
    let title = state.shown(Some(kind), &kind.title);
    crate::showing::shortened(title.as_ref().and_then(Value::as_str).unwrap_or_default(), 40)
}

fn date(state: &State) -> Option<String> {
    let start = Reading(&fields(state)).part("time", "start");
    start.get(..10).map(str::to_owned)
}

/// Names exactly what a page was shown.
fn seen(states: &[&State]) -> String {
    let mut digest = StateDigest::default();
    for state in states {
        digest.add(&StreamId([0; 32]), &state.kind, &state.id, &state.to_bytes());
    }
    digest.finish()
}
