//! What is being typed: on this computer only, saved within a second, never in the log until it is committed.

use super::derive::{Question, derive, open_actions};
use super::{KIND, from_fields, to_fields};
use crate::app::App;
use crate::branch::{Branch, Fields, fields};
use crate::civil;
use crate::contract::*;
use crate::error::{CallError, Code};
use crate::facts::Facts;
use crate::returned::Laid;
use crate::values::{intolerable, kind};
use crate::world::World;
use domain::Meeting;
use replica::{Closing, Life, RecordState};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use store::Returned;

/// The reason of a 更正 that follows a return, until the author writes another.
const RETURNED: &str = "按退回意见修改";

/// A draft as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DraftContent {
    pub form: MeetingForm,
    /// The record as it was shown when the draft began; none for a new meeting.
    #[serde(default)]
    pub base: Option<MeetingForm>,
    /// The reason of a 更正.
    #[serde(default)]
    pub correction: Option<String>,
    /// Fields whose two values stood side by side when the form was shown: committing it decides them.
    #[serde(default)]
    pub disputed: BTreeSet<String>,
    /// Refused changes that committing this sends again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub resends: BTreeSet<String>,
}

impl DraftContent {
    /// A new meeting.
    pub fn new(form: MeetingForm) -> Self {
        Self { form, base: None, correction: None, disputed: BTreeSet::new(), resends: BTreeSet::new() }
    }

    /// A change of a record as it stands, with nothing changed yet.
    pub fn over(state: &RecordState, correction: Option<String>) -> Self {
        let form = from_fields(&fields(state));
        let disputed = state.open_conflicts(Some(kind(KIND))).map(str::to_owned).collect();
        Self { base: Some(form.clone()), form, correction, disputed, resends: BTreeSet::new() }
    }
}

impl App {
    pub(crate) fn new_meeting(&self, request: NewMeeting) -> Result<DraftRef, CallError> {
        let branch = self.branch()?;
        let mut form = match &request.copy_of {
            Some(id) => structure(&from_fields(&fields(&branch.live(KIND, id)?))),
            None => MeetingForm::default(),
        };
        if !request.types.is_empty() {
            form.types = request.types;
        }
        form.date = request.date.unwrap_or_default();
        form.group = request.group.unwrap_or(form.group);
        form.title = title_of(&form.types);
        let id = self.world.id();
        keep(&branch, &id, &DraftContent::new(form))?;
        Ok(DraftRef { draft: id })
    }

    pub(crate) fn edit_meeting(&self, request: RecordRef) -> Result<DraftRef, CallError> {
        let branch = self.branch()?;
        let state = branch.open_record(KIND, &request.id)?;
        begin(&branch, &state, None)
    }

    pub(crate) fn correct_meeting(&self, request: RecordWithReason) -> Result<DraftRef, CallError> {
        let branch = self.branch()?;
        let reason = reason(&request.reason)?;
        let state = branch.live(KIND, &request.id)?;
        match state.closing {
            Closing::Final { .. } => begin(&branch, &state, Some(reason)),
            Closing::Open => begin(&branch, &branch.open_record(KIND, &request.id)?, None),
            Closing::FinalConflict { .. } => Err(CallError::new(Code::InConflict)),
        }
    }

    pub(crate) fn get_draft(&self, request: DraftRef) -> Result<MeetingDraft, CallError> {
        let branch = self.branch()?;
        let (content, saved_at) = load(&branch, &request.draft)?;
        let context = Context::of(&branch, &self.world, &request.draft, &content)?;
        let day = civil::date(&content.form.date).unwrap_or(self.world.today());
        Ok(MeetingDraft {
            derived: derive(&context.question(&request.draft, &content.form)),
            open_actions: open_actions(&context.others, &request.draft, day),
            draft: request.draft,
            recorded: content.base.is_some(),
            correction: content.correction,
            saved_at: Some(civil::stamp(saved_at)),
            form: content.form,
        })
    }

    pub(crate) fn save_draft(&self, request: SaveDraft) -> Result<DraftSaved, CallError> {
        let branch = self.branch()?;
        let (mut content, _) = load(&branch, &request.draft)?;
        content.form = request.form;
        name_items(&mut content.form, &self.world);
        check(&content.form)?;
        let saved_at = keep(&branch, &request.draft, &content)?;
        let context = Context::of(&branch, &self.world, &request.draft, &content)?;
        Ok(DraftSaved {
            saved_at: civil::stamp(saved_at),
            derived: derive(&context.question(&request.draft, &content.form)),
        })
    }

    pub(crate) fn discard_draft(&self, request: DraftRef) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        let (content, _) = load(&branch, &request.draft)?;
        branch.store.drop_draft(KIND, &request.draft)?;
        let mut discarded = branch.discarded.lock().unwrap_or_else(PoisonError::into_inner);
        discarded.insert(request.draft, content);
        Ok(Nothing {})
    }

    /// Brings a discarded draft back; after a restart its text alone, as a change of the record as it is now.
    pub(crate) fn restore_draft(&self, request: SaveDraft) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        let kept = branch.discarded.lock().unwrap_or_else(PoisonError::into_inner).remove(&request.draft);
        let mut content = match kept {
            Some(content) => content,
            None => match branch.store.record(KIND, &request.draft)? {
                Some(_) => DraftContent::over(&branch.open_record(KIND, &request.draft)?, None),
                None => DraftContent::new(MeetingForm::default()),
            },
        };
        content.form = request.form;
        name_items(&mut content.form, &self.world);
        check(&content.form)?;
        keep(&branch, &request.draft, &content)?;
        Ok(Nothing {})
    }
}

/// What a form is judged by: read once.
pub struct Context {
    pub facts: Arc<Facts>,
    pub others: Vec<Meeting>,
    /// Fields of the record that no form shows.
    pub kept: Fields,
    /// Fields with two values side by side, and the values; items that are gone according to some, without.
    disputed: Vec<(String, Vec<Value>)>,
    recorded_at: chrono::NaiveDateTime,
    today: chrono::NaiveDate,
}

impl Context {
    pub fn of(branch: &Branch, world: &World, id: &str, content: &DraftContent) -> Result<Self, CallError> {
        let state = branch.store.record(KIND, id)?;
        let same_day = content.base.as_ref().is_some_and(|base| base.date == content.form.date);
        let mut context = Self::around(branch, world, &content.form, state.as_ref())?;
        if !same_day {
            context.kept.remove("roster");
        }
        Ok(context)
    }

    /// For a form as it stands in a record, or in none.
    pub fn around(
        branch: &Branch,
        world: &World,
        form: &MeetingForm,
        state: Option<&RecordState>,
    ) -> Result<Self, CallError> {
        let date = civil::date(&form.date).unwrap_or(world.today());
        let yearly = form.types.iter().any(|code| matches!(code.as_str(), "life" | "review"));
        let mut linked: BTreeSet<String> = form.links.iter().map(|link| link.record.clone()).collect();
        linked.extend(branch.meetings_with_files_of(form)?);
        let kept = state.map(fields).unwrap_or_default();
        let born = state.and_then(|state| state.born.as_ref()).map(|born| domain::civil(born.at));
        Ok(Self {
            facts: branch.facts()?,
            disputed: state.map(disputed).unwrap_or_default(),
            others: branch.meetings_around(date, yearly, &linked)?,
            kept: kept.into_iter().filter(|(path, _)| path == "roster").collect(),
            recorded_at: born.unwrap_or_else(|| world.civil_now()),
            today: world.today(),
        })
    }

    pub fn question<'a>(&'a self, id: &'a str, form: &'a MeetingForm) -> Question<'a> {
        Question {
            id,
            form,
            kept: self.kept.clone(),
            disputed: &self.disputed,
            facts: &self.facts,
            others: &self.others,
            recorded_at: self.recorded_at,
            today: self.today,
        }
    }
}

fn disputed(state: &RecordState) -> Vec<(String, Vec<Value>)> {
    let sides = |path: &str| match state.fields.get(path) {
        Some(replica::Field::Conflict { heads, .. }) => {
            heads.iter().filter_map(|head| head.value.clone()).collect()
        }
        Some(replica::Field::One { .. } | replica::Field::Withheld { .. }) | None => Vec::new(),
    };
    let torn = |item: &replica::Item| matches!(item.life, Some(replica::Life::Contested { .. }));
    let items =
        state.items.iter().filter(|(_, item)| torn(item)).map(|(scope, _)| (scope.clone(), Vec::new()));
    let fields = state.open_conflicts(Some(kind(KIND))).map(|path| (path.to_owned(), sides(path)));
    items.chain(fields).collect()
}

/// What the rules say of a record as it stands.
pub fn findings_of(
    branch: &Branch,
    world: &World,
    state: &RecordState,
) -> Result<Vec<FindingLine>, CallError> {
    let form = from_fields(&fields(state));
    let context = Context::around(branch, world, &form, Some(state))?;
    Ok(context.question(&state.id, &form).findings())
}

/// A draft over a record, or the one that is there already.
fn begin(branch: &Branch, state: &RecordState, correction: Option<String>) -> Result<DraftRef, CallError> {
    let draft = DraftRef { draft: state.id.clone() };
    if branch.store.draft(KIND, &state.id)?.is_some() {
        let (content, _) = load(branch, &state.id)?;
        // The record was closed elsewhere while it was edited here: the edit becomes a 更正.
        if content.correction.is_none() && correction.is_some() {
            keep(branch, &state.id, &DraftContent { correction, ..content })?;
        }
        return Ok(draft);
    }
    keep(branch, &state.id, &DraftContent::over(state, correction))?;
    Ok(draft)
}

/// 修改后重报: the refused values as a draft. In one that is there already, what was typed since stays.
pub fn draft_of_returned(branch: &Branch, laid: &Laid, returned: &[Returned]) -> Result<String, CallError> {
    if let Some(state) = &laid.state {
        match (&state.life, &state.closing) {
            (Life::Gone { .. } | Life::Waiting, _) => return Err(CallError::not_found(KIND, &laid.id)),
            (_, Closing::FinalConflict { .. }) => return Err(CallError::new(Code::InConflict)),
            (Life::Live | Life::Contested { .. }, Closing::Open | Closing::Final { .. }) => {}
        }
    }
    let resends = returned.iter().map(|one| one.meta.change.to_string());
    let mut content = match branch.store.draft(KIND, &laid.id)? {
        Some(_) => {
            let (content, _) = load(branch, &laid.id)?;
            DraftContent { form: from_fields(&laid_under(laid, &content)), ..content }
        }
        None => DraftContent {
            form: from_fields(&laid.wanted),
            base: laid.state.as_ref().map(|_| from_fields(&laid.shown)),
            correction: None,
            disputed: laid.state.iter().flat_map(disputed_paths).collect(),
            resends: BTreeSet::new(),
        },
    };
    if laid.is_closed() && content.correction.is_none() {
        content.correction = Some(laid.correction.clone().unwrap_or_else(|| RETURNED.to_owned()));
    }
    content.resends.extend(resends);
    keep(branch, &laid.id, &content)?;
    Ok(laid.id.clone())
}

fn disputed_paths(state: &RecordState) -> impl Iterator<Item = String> {
    state.open_conflicts(Some(kind(KIND))).map(str::to_owned)
}

/// What is typed, with the refused values where nothing was typed.
fn laid_under(laid: &Laid, content: &DraftContent) -> Fields {
    let base = content.base.as_ref().map(to_fields).unwrap_or_default();
    let mut typed = to_fields(&content.form);
    for (path, value) in laid.wanted.iter().filter(|(path, value)| laid.shown.get(*path) != Some(value)) {
        if typed.get(path) == base.get(path) {
            typed.insert(path.clone(), value.clone());
        }
    }
    typed
}

pub fn load(branch: &Branch, id: &str) -> Result<(DraftContent, i64), CallError> {
    let draft = branch.store.draft(KIND, id)?.ok_or_else(|| CallError::not_found("draft", id))?;
    let content = serde_json::from_value(draft.content)
        .map_err(|error| CallError::internal(&format!("draft {id}: {:?}", error.classify())))?;
    Ok((content, draft.saved_at))
}

pub fn keep(branch: &Branch, id: &str, content: &DraftContent) -> Result<i64, CallError> {
    let value = serde_json::to_value(content).map_err(|error| CallError::internal(&error))?;
    Ok(branch.store.set_draft(KIND, id, &value)?)
}

fn check(form: &MeetingForm) -> Result<(), CallError> {
    let found = intolerable(kind(KIND), &to_fields(form));
    if found.is_empty() { Ok(()) } else { Err(CallError::refused(found)) }
}

/// A reason in words, without which a closed record stays as it is.
pub fn reason(typed: &str) -> Result<String, CallError> {
    let reason = typed.trim();
    let code = match reason {
        "" => "required",
        long if long.chars().count() > 300 => "too_long",
        secret if crate::secrecy::marking(secret).is_some() => "secret_marking",
        _ => return Ok(reason.to_owned()),
    };
    Err(CallError::refused(vec![FieldProblem { path: "reason".to_owned(), code: code.to_owned() }]))
}

/// Items that the page did not name get a name.
fn name_items(form: &mut MeetingForm, world: &World) {
    let agenda = form.agenda.iter_mut().flat_map(|item| {
        let speeches = item.speeches.iter_mut().map(|speech| &mut speech.id);
        speeches.chain(std::iter::once(&mut item.id))
    });
    agenda
        .chain(form.guests.iter_mut().map(|guest| &mut guest.id))
        .chain(form.actions.iter_mut().map(|action| &mut action.id))
        .chain(form.makeups.iter_mut().map(|makeup| &mut makeup.id))
        .chain(form.links.iter_mut().map(|link| &mut link.id))
        .chain(form.attachments.iter_mut().map(|file| &mut file.id))
        .filter(|id| id.is_empty())
        .for_each(|id| *id = world.item_id());
}

/// 复制上次会议: type, place, chair and who usually comes; never a text, never a number.
fn structure(form: &MeetingForm) -> MeetingForm {
    let came = |entry: &&AttendanceForm| matches!(entry.status.as_str(), "present" | "late" | "early");
    let present = |entry: &AttendanceForm| AttendanceForm {
        person: entry.person.clone(),
        status: "present".to_owned(),
        ..AttendanceForm::default()
    };
    MeetingForm {
        types: form.types.clone(),
        place: form.place.clone(),
        form: form.form.clone(),
        chair: form.chair.clone(),
        chair_capacity: form.chair_capacity.clone(),
        recorder: form.recorder.clone(),
        group: form.group.clone(),
        attendance: form.attendance.iter().filter(came).map(present).collect(),
        ..MeetingForm::default()
    }
}

/// 主题党日、党课
pub fn title_of(types: &[String]) -> String {
    let choices = kind(KIND).field_for("types").map(|field| field.choices.as_slice()).unwrap_or_default();
    let label = |code: &String| {
        choices.iter().find(|choice| choice.code == *code).map(|choice| choice.label.as_str())
    };
    types.iter().filter_map(label).collect::<Vec<_>>().join("、")
}
