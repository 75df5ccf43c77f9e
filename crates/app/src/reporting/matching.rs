//! The matching page: the city has records of this branch already, and a person says which are the same.

use super::courier::News;
use super::enrolment;
use super::errors::refused;
use super::exchange::Files;
use super::line::{By, Hold};
use crate::app::App;
use crate::branch::Branch;
use crate::contract::{Choice, ConfirmMatching, Enrolment, MatchLine, MatchingPage, Nothing};
use crate::error::{CallError, Code};
use serde_json::Value;
use std::collections::BTreeMap;
use sync::Candidate;

/// Set once the city's records are here, so that nothing is taken for new that was only not downloaded yet.
const FETCHED: &str = "matching_fetched";

impl App {
    /// The page while it waits for a decision.
    pub(crate) fn matching(&self, _: Nothing) -> Result<Option<MatchingPage>, CallError> {
        let branch = self.branch()?;
        let pending = sync::Enrolment::of(&branch.store).map_err(refused)?;
        if pending.and_then(|known| known.reissue_from).is_none() {
            return Ok(None);
        }
        if branch.store.meta(FETCHED)?.is_none() {
            self.fetch(&self.hold(By::Person)?, &branch)?;
        }
        Ok(Some(page(&branch)?))
    }

    /// Issues the records of this computer again into the city's stream, as a person matched them.
    pub(crate) fn confirm_matching(&self, request: ConfirmMatching) -> Result<Enrolment, CallError> {
        let branch = self.branch()?;
        if branch.store.meta(FETCHED)?.is_none() {
            return Err(CallError::new(Code::BadRequest).with("state", "not_fetched"));
        }
        let candidates = sync::candidates(&branch.store).map_err(refused)?;
        let mut same = known_only(request.same, &candidates);
        same.extend(organisations(&candidates));
        let same = sync::matched(&branch.store, &same).map_err(refused)?;
        sync::reissue(&branch.store, &same, self.world.now(), &branch.author.0).map_err(refused)?;
        branch.forget_facts();
        rename_drafts(&branch, &same)?;
        branch.store.drop_meta(FETCHED)?;
        self.signals.tell(News::Changed);
        self.tell(&["session", "sync", "meeting", "person", "organisation", "ledger", "draft"]);
        enrolment(&branch)?.ok_or_else(|| CallError::new(Code::NotEnrolled))
    }

    /// Fetches the city's records, once.
    pub(super) fn fetch(&self, hold: &Hold<'_>, branch: &Branch) -> Result<(), CallError> {
        self.round(hold, branch, Files::AsSet)?;
        fetched(branch)
    }
}

/// The city's records beside those of this computer.
pub(super) fn page(branch: &Branch) -> Result<MatchingPage, CallError> {
    let known = sync::Enrolment::of(&branch.store).map_err(refused)?;
    let candidates = sync::candidates(&branch.store).map_err(refused)?;
    let (here, _) = branch.store.count_records()?;
    let asked = candidates.iter().filter(|candidate| candidate.kind != "organisation").count();
    let lines = |kind: &str| candidates.iter().filter(|candidate| candidate.kind == kind).map(line).collect();
    Ok(MatchingPage {
        organisation: known.map(|known| known.organisation_name).unwrap_or_default(),
        persons: lines("person"),
        meetings: lines("meeting"),
        others: u32::try_from(here)
            .unwrap_or(u32::MAX)
            .saturating_sub(u32::try_from(asked).unwrap_or(u32::MAX)),
    })
}

/// The city's records are here.
pub(super) fn fetched(branch: &Branch) -> Result<(), CallError> {
    Ok(branch.store.set_meta(FETCHED, "1")?)
}

/// One candidate is proposed for a person; for a meeting only one of the same name, for a day may hold two.
fn line(candidate: &Candidate) -> MatchLine {
    let only = match candidate.there.as_slice() {
        [(id, title)] if candidate.kind == "person" || *title == candidate.title => Some(id.clone()),
        [..] => None,
    };
    MatchLine {
        id: candidate.id.clone(),
        title: candidate.title.clone(),
        candidates: candidate
            .there
            .iter()
            .map(|(id, title)| Choice { code: id.clone(), label: title.clone() })
            .collect(),
        proposed: only,
    }
}

/// Decisions that the page was asked for; no record can be declared the same as an unlike one.
fn known_only(same: BTreeMap<String, String>, candidates: &[Candidate]) -> BTreeMap<String, String> {
    let offered = |here: &String, there: &String| {
        candidates.iter().any(|one| one.id == *here && one.there.iter().any(|(id, _)| id == there))
    };
    same.into_iter().filter(|(here, there)| offered(here, there)).collect()
}

/// A branch is one organisation: its record here is the one that the city has.
fn organisations(candidates: &[Candidate]) -> impl Iterator<Item = (String, String)> {
    let ours = candidates.iter().filter(|candidate| candidate.kind == "organisation");
    ours.filter_map(|candidate| Some((candidate.id.clone(), candidate.there.first()?.0.clone())))
}

/// Drafts name persons and records by id: they follow.
fn rename_drafts(branch: &Branch, same: &BTreeMap<String, String>) -> Result<(), CallError> {
    for draft in branch.store.drafts()? {
        let id = same.get(&draft.id).unwrap_or(&draft.id);
        let content = renamed(&draft.content, same);
        if *id != draft.id || content != draft.content {
            branch.store.set_draft(&draft.kind, id, &content)?;
        }
        if *id != draft.id {
            branch.store.drop_draft(&draft.kind, &draft.id)?;
        }
    }
    Ok(())
}

fn renamed(value: &Value, same: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => Value::String(same.get(text).unwrap_or(text).clone()),
        Value::Array(items) => items.iter().map(|item| renamed(item, same)).collect(),
        Value::Object(parts) => {
            Value::Object(parts.iter().map(|(name, part)| (name.clone(), renamed(part, same))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
