//! From draft to record, and what may happen to a record afterwards.

use super::change::writes;
use super::drafts::{Context, DraftContent, keep, load, reason};
use super::number::next_number;
use super::{KIND, from_fields, to_fields};
use crate::app::App;
use crate::attachments::MOST;
use crate::branch::{Branch, Fields, fields};
use crate::contract::*;
use crate::error::{CallError, Code};
use crate::meetings::derive::blocks;
use crate::showing::{in_words, shortened};
use crate::values::{kind, problems, required};
use replica::limits::MAX_PAYLOAD;
use replica::{Closing, Life, RecordState};
use serde_json::{Value, json};
use store::Returned;

/// The finding that no record of this sort can exist at all, whatever else it says.
const IMPOSSIBLE: &str = "committee_absent";
/// Room that the other bytes of a change take beside its values.
const MARGIN: usize = 2048;
/// How much of a text an error shows.
const LONGEST_SHOWN: usize = 60;

impl App {
    /// 已记录: the draft becomes a change of the record. Findings stay with it; only 定稿 needs them solved.
    pub(crate) fn commit_draft(&self, request: DraftRef) -> Result<RecordRef, CallError> {
        let branch = self.branch()?;
        let id = request.draft;
        let (content, _) = load(&branch, &id)?;
        let wanted = to_fields(&content.form);
        check(&wanted)?;
        let context = Context::of(&branch, &self.world, &id, &content)?;
        let findings = context.question(&id, &content.form).findings();
        let impossible = findings.iter().any(|finding| finding.code == IMPOSSIBLE);
        if impossible || (content.correction.is_some() && blocks(&findings)) {
            let against = findings.into_iter().filter(|finding| finding.severity == Severity::E).collect();
            return Err(CallError::rules_not_met(against));
        }
        match (&content.base, &content.correction) {
            (None, _) => record_new(&branch, &id, &content, &wanted)?,
            (Some(_), None) => record_edit(&branch, &id, &content)?,
            (Some(base), Some(reason)) => {
                self.record_correction(&branch, &id, (base, &content, reason), &context)?
            }
        }
        Ok(RecordRef { id })
    }

    /// 更正: the new values and a new closing in one change.
    fn record_correction(
        &self,
        branch: &Branch,
        id: &str,
        (base, content, reason): (&MeetingForm, &DraftContent, &str),
        context: &Context,
    ) -> Result<(), CallError> {
        let state = branch.live(KIND, id)?;
        let changes = laid_over(branch, &state, content)?;
        let mut changes = with_births(&state, changes);
        if base.date != content.form.date {
            changes.insert("roster".to_owned(), frozen(context, &content.form));
        }
        let returned = resent(branch, id, content)?;
        branch.write_over(&state, "correct_meeting", |write| {
            write.resend(&returned)?;
            write.correct(KIND, id, &changes, json!({ "reason": reason }))?;
            write.drop_draft(KIND, id)
        })?;
        Ok(())
    }

    /// 定稿: roster and number are fixed with it.
    pub(crate) fn finalise_meeting(&self, request: RecordRef) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        let state = branch.open_record(KIND, &request.id)?;
        undisputed(&state)?;
        if branch.store.draft(KIND, &request.id)?.is_some() {
            return Err(CallError::new(Code::Busy).with("draft", request.id));
        }
        let form = from_fields(&fields(&state));
        let context = Context::around(&branch, &self.world, &form, Some(&state))?;
        let findings = context.question(&request.id, &form).findings();
        if blocks(&findings) {
            return Err(CallError::rules_not_met(findings));
        }
        let number = next_number(&branch, &form)?;
        // What merged by itself is saved with it: a closed record holds what was seen.
        let mut settled = state.merged_texts(Some(kind(KIND)));
        settled.insert("roster".to_owned(), frozen(&context, &form));
        settled.insert("number".to_owned(), number.into());
        branch.write_over(&state, "finalise_meeting", |write| {
            write.put(KIND, &request.id, &settled)?;
            write.finalise(KIND, &request.id, json!({}))
        })?;
        Ok(Nothing {})
    }

    /// Before print: texts that merged by themselves are saved as they will stand on paper. Refused while in conflict.
    pub(crate) fn ready_to_print(&self, request: RecordRef) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        let state = branch.record(KIND, &request.id)?;
        undisputed(&state)?;
        let merged = state.merged_texts(Some(kind(KIND)));
        if !merged.is_empty() && matches!(state.closing, Closing::Open) {
            branch.write_over(&state, "merge_texts", |write| write.put(KIND, &request.id, &merged))?;
        }
        Ok(Nothing {})
    }

    /// 作废: a closed record is never deleted.
    pub(crate) fn annul_meeting(&self, request: RecordWithReason) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        let reason = reason(&request.reason)?;
        let state = branch.live(KIND, &request.id)?;
        if !matches!(state.closing, Closing::Final { .. }) {
            return Err(CallError::new(Code::BadRequest).with("state", "open"));
        }
        branch.write("annul_meeting", |write| {
            write.remove(KIND, &request.id, json!({ "reason": reason }))?;
            write.drop_draft(KIND, &request.id)
        })?;
        Ok(Nothing {})
    }

    pub(crate) fn delete_meeting(&self, request: RecordRef) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        let state = branch.live(KIND, &request.id)?;
        if !matches!(state.closing, Closing::Open) {
            return Err(CallError::new(Code::Closed));
        }
        branch.write("delete_meeting", |write| {
            write.remove(KIND, &request.id, json!({ "reason": "deleted" }))
        })?;
        Ok(Nothing {})
    }

    pub(crate) fn undelete_meeting(&self, request: RecordRef) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        let state = branch.record(KIND, &request.id)?;
        if !matches!(
            (&state.life, &state.closing),
            (Life::Gone { .. } | Life::Contested { .. }, Closing::Open)
        ) {
            return Err(CallError::new(Code::Closed));
        }
        branch.write("undelete_meeting", |write| write.restore(KIND, &request.id))?;
        Ok(Nothing {})
    }
}

/// Neither 定稿 nor print while a person has to decide.
fn undisputed(state: &RecordState) -> Result<(), CallError> {
    if state.is_disputed(Some(kind(KIND))) {
        return Err(CallError::new(Code::InConflict).with("kind", KIND).with("id", state.id.as_str()));
    }
    Ok(())
}

/// The first change of a record; or, where the city refused the first, one more that is over it.
fn record_new(branch: &Branch, id: &str, content: &DraftContent, wanted: &Fields) -> Result<(), CallError> {
    let returned = resent(branch, id, content)?;
    let waiting = branch.store.record(KIND, id)?.as_ref().map(fields).unwrap_or_default();
    let changes = writes(&waiting, wanted);
    branch.write("record_meeting", |write| {
        write.resend(&returned)?;
        write.create(KIND, id, &changes)?;
        write.drop_draft(KIND, id)
    })?;
    Ok(())
}

/// What was returned and is sent again by this draft.
fn resent(branch: &Branch, id: &str, content: &DraftContent) -> Result<Vec<Returned>, CallError> {
    if content.resends.is_empty() {
        return Ok(Vec::new());
    }
    let mut returned = branch.store.returned_of(KIND, id)?;
    returned.retain(|one| content.resends.contains(&one.meta.change.to_string()));
    Ok(returned)
}

/// Only what differs from what was shown is written; what changed elsewhere meanwhile stays.
fn record_edit(branch: &Branch, id: &str, content: &DraftContent) -> Result<(), CallError> {
    let state = branch.open_record(KIND, id)?;
    let changes = laid_over(branch, &state, content)?;
    let changes = with_births(&state, changes);
    let returned = resent(branch, id, content)?;
    branch.write_over(&state, "edit_meeting", |write| {
        write.resend(&returned)?;
        write.put(KIND, id, &changes)?;
        write.drop_draft(KIND, id)
    })?;
    Ok(())
}

/// An item that had been taken out and is back under its old id must be born again, or its fields stay hidden.
pub fn with_births(state: &RecordState, mut changes: Fields) -> Fields {
    let gone = state.items.iter().filter(|(_, item)| matches!(item.life, Some(Life::Gone { .. })));
    let back: Vec<String> = gone
        .map(|(path, _)| path)
        .filter(|item| {
            let within =
                |path: &String| path.strip_prefix(item.as_str()).is_some_and(|rest| rest.starts_with('/'));
            changes.keys().any(|path| within(path) && !path.ends_with("/~gone"))
        })
        .map(|item| format!("{item}/~born"))
        .collect();
    changes.extend(back.into_iter().map(|path| (path, json!(true))));
    changes
}

/// What a draft changes, over the record as it is now. A value that changed elsewhere while it was edited here is not
/// overwritten unseen: the commit stops once, the draft is laid over the record as it is now, and committing it again is
/// the person's decision. Long texts are merged, and stop it only where both sides changed the same place.
fn laid_over(branch: &Branch, state: &RecordState, content: &DraftContent) -> Result<Fields, CallError> {
    let shown = content.base.as_ref().map(to_fields).unwrap_or_default();
    let now = fields(state);
    let mut changes = writes(&shown, &to_fields(&content.form));
    let disputed: Vec<&str> = state.open_conflicts(Some(kind(KIND))).collect();
    let mut stops = None;
    for (path, value) in changes.iter_mut().filter(|(path, _)| !path.contains('~')) {
        let (before, theirs) = (shown.get(path), now.get(path));
        let moved = theirs != before && theirs.unwrap_or(&Value::Null) != &*value;
        let unseen = disputed.contains(&path.as_str()) && !content.disputed.contains(path);
        let (text, clean) = merged(path, [before, Some(&*value), theirs]);
        if moved && let Some(text) = text {
            *value = text;
        }
        if unseen || moved && !clean {
            stops.get_or_insert_with(|| path.clone());
        }
    }
    let Some(path) = stops else { return Ok(changes) };
    let over = DraftContent {
        form: from_fields(&applied(&now, &changes)),
        resends: content.resends.clone(),
        ..DraftContent::over(state, content.correction.clone())
    };
    keep(branch, &state.id, &over)?;
    let field = kind(KIND).field_for(&path);
    let label = field.map(|field| field.label.clone()).unwrap_or_default();
    let names = branch.facts()?.names();
    let theirs = field.zip(now.get(&path)).map(|(field, value)| in_words(field, value, &names));
    let theirs = shortened(&theirs.unwrap_or_default(), LONGEST_SHOWN);
    Err(CallError::new(Code::InConflict).with("path", path).with("label", label).with("theirs", theirs))
}

/// The text of a long text that was changed here and there, with both sides where they meet, and whether they do not.
fn merged(path: &str, [base, mine, theirs]: [Option<&Value>; 3]) -> (Option<Value>, bool) {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    if !kind(KIND).merges_text(path) || mine.is_none_or(Value::is_null) || theirs.is_none() {
        return (None, false);
    }
    let merge = replica::merge_text(&text(base), &text(mine), &text(theirs));
    (Some(Value::String(merge.with_both())), merge.open_places() == 0)
}

/// The fields after the writes of an edit.
fn applied(now: &Fields, changes: &Fields) -> Fields {
    let mut after = now.clone();
    for (path, value) in changes {
        match path.strip_suffix("/~gone") {
            Some(item) => {
                let within = |path: &String| {
                    path.strip_prefix(item).is_some_and(|rest| rest.starts_with('/') || rest.is_empty())
                };
                after.retain(|path, _| !within(path));
            }
            None if value.is_null() => drop(after.remove(path)),
            None => drop(after.insert(path.clone(), value.clone())),
        }
    }
    after
}

fn check(wanted: &Fields) -> Result<(), CallError> {
    let mut found = problems(kind(KIND), wanted);
    found.extend(["types", "time"].into_iter().filter(|path| !wanted.contains_key(*path)).map(required));
    if !found.is_empty() {
        return Err(CallError::refused(found));
    }
    let files =
        wanted.keys().filter(|path| path.starts_with("attachments/") && path.ends_with("/file")).count();
    if files > MOST {
        return Err(CallError::new(Code::TooManyFiles).with("most", MOST));
    }
    let sizes = || wanted.iter().map(|(path, value)| (value.to_string().len(), path));
    if sizes().map(|(size, _)| size).sum::<usize>() + MARGIN > MAX_PAYLOAD {
        let longest = sizes().max().map(|(_, path)| path.clone()).unwrap_or_default();
        return Err(CallError::refused(vec![FieldProblem { path: longest, code: "too_long".to_owned() }]));
    }
    Ok(())
}

/// The branch's roster of the day, in the form that domain reads back.
fn frozen(context: &Context, form: &MeetingForm) -> Value {
    let Some(date) = crate::civil::date(&form.date) else { return Value::Null };
    let roster = domain::roster(context.facts.branch(), date);
    serde_json::to_value(roster).unwrap_or(Value::Null)
}
