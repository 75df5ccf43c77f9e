//! What of a record waits for a person, and what a decision writes. Pure: from a folded record and its kind.

use crate::branch::{Fields, fields as fields_of};
use crate::meetings::{with_births, writes};
use replica::{ChangeId, Closing, Field, Head, Kind, LateWrite, Life, RecordState, Take, TextMerge};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One thing to decide.
#[derive(Debug, Clone, PartialEq)]
pub enum Open {
    /// The record, or the item of a scope: gone according to some, edited or restored by others.
    Life { scope: String, gone: Vec<ChangeId>, against: Vec<ChangeId> },
    /// Two 定稿 at once.
    Closings(Vec<ChangeId>),
    /// Different values at one path.
    Field { path: String, heads: Vec<Head>, merge: Option<TextMerge> },
    /// What arrived after 定稿 at a path, beside the value that stands.
    Late { path: String, writes: Vec<LateWrite> },
    /// An item that arrived after 定稿 as a whole.
    LateItem { scope: String, writes: Vec<LateWrite> },
}

/// What a decision does to the record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Some(true): the record stays; Some(false): it goes.
    pub stays: Option<bool>,
    /// Values and reserved item paths to write, each over all heads.
    pub fields: Fields,
    /// The record is closed again over what was decided.
    pub closes: bool,
}

impl Open {
    /// Names the matter among those of its record.
    pub fn key(&self) -> String {
        match self {
            Self::Life { scope, .. } if scope.is_empty() => "~life".to_owned(),
            Self::Life { scope, .. } => format!("{scope}/~life"),
            Self::Closings(_) => "~final".to_owned(),
            Self::Field { path, .. } => path.clone(),
            Self::Late { path, .. } => format!("~late/{path}"),
            Self::LateItem { scope, .. } => format!("~late/{scope}/~"),
        }
    }

    /// Long texts can be taken from all sides at once.
    pub fn takes_both(&self, kind: &Kind) -> bool {
        match self {
            Self::Field { path, heads, .. } => {
                kind.merges_text(path) && heads.iter().filter(|head| text_of(head).is_some()).count() > 1
            }
            Self::Late { path, .. } => kind.merges_text(path),
            Self::Life { .. } | Self::Closings(_) | Self::LateItem { .. } => false,
        }
    }
}

/// The values of a record as each of its 定稿 closed it.
pub type Closings = BTreeMap<ChangeId, Fields>;

/// Everything that waits, what concerns the whole record first. Nothing does in a record that is gone for good; of two
/// 定稿 one stands with all that it closed.
pub fn open(state: &RecordState, kind: &Kind) -> Vec<Open> {
    if matches!(state.life, Life::Waiting | Life::Gone { .. }) {
        return Vec::new();
    }
    let mut found = Vec::new();
    if let Life::Contested { gone, against } = &state.life {
        found.push(Open::Life { scope: String::new(), gone: gone.clone(), against: against.clone() });
    }
    if let Closing::FinalConflict { changes } = &state.closing {
        found.push(Open::Closings(changes.clone()));
        found.extend(late(state, kind));
        return found;
    }
    for (scope, item) in &state.items {
        if let Some(Life::Contested { gone, against }) = &item.life {
            found.push(Open::Life { scope: scope.clone(), gone: gone.clone(), against: against.clone() });
        }
    }
    found.extend(fields(state, kind));
    found.extend(late(state, kind));
    found
}

fn fields<'a>(state: &'a RecordState, kind: &'a Kind) -> impl Iterator<Item = Open> + 'a {
    state.open_conflicts(Some(kind)).filter_map(|path| {
        let field = state.fields.get(path)?;
        let Field::Conflict { heads, .. } = field else { return None };
        // The pieces of a merge say which side they are of for two sides only.
        let merge = field.merged().filter(|_| kind.merges_text(path) && heads.len() == 2);
        Some(Open::Field { path: path.to_owned(), heads: heads.clone(), merge })
    })
}

/// Late writes by path, those of an item that the closed record does not have together.
fn late(state: &RecordState, kind: &Kind) -> Vec<Open> {
    let mut items: BTreeMap<String, Vec<LateWrite>> = BTreeMap::new();
    let mut paths: BTreeMap<String, Vec<LateWrite>> = BTreeMap::new();
    for write in &state.late {
        match new_item(state, kind, &write.path) {
            Some(scope) => items.entry(scope).or_default().push(write.clone()),
            None => paths.entry(write.path.clone()).or_default().push(write.clone()),
        }
    }
    let items = items.into_iter().map(|(scope, writes)| Open::LateItem { scope, writes });
    items.chain(paths.into_iter().map(|(path, writes)| Open::Late { path, writes })).collect()
}

/// The outermost item around a path of which the closed record has nothing. An item that is one value is no such.
fn new_item(state: &RecordState, kind: &Kind, path: &str) -> Option<String> {
    let within = |scope: &str, path: &str| path.strip_prefix(scope).is_some_and(|rest| rest.starts_with('/'));
    let has =
        |scope: &str| state.fields.iter().any(|(path, field)| within(scope, path) && field.value().is_some());
    let mut around = kind.items_of(path).filter(|(item, scope)| item.born && within(scope, path));
    around.find(|(_, scope)| !has(scope)).map(|(_, scope)| scope.to_owned())
}

/// What the decisions write. None: a decision does not fit what is open.
pub fn plan(
    state: &RecordState,
    kind: &Kind,
    closings: &Closings,
    decisions: &BTreeMap<String, Vec<u32>>,
) -> Option<Plan> {
    let open = open(state, kind);
    let known: BTreeSet<String> = open.iter().map(Open::key).collect();
    if decisions.is_empty() || !decisions.keys().all(|key| known.contains(key)) {
        return None;
    }
    let mut plan = Plan { closes: !matches!(state.closing, Closing::Open), ..Plan::default() };
    for matter in &open {
        if let Some(takes) = decisions.get(&matter.key()) {
            decide((state, kind, closings), matter, takes, &mut plan)?;
        }
    }
    match plan.stays {
        Some(false) => plan = Plan { stays: plan.stays, ..Plan::default() },
        // That the record stays needs no 更正; what was decided with it does.
        Some(true) => plan.closes &= !plan.fields.is_empty(),
        None => {}
    }
    if plan.closes {
        // A closed record holds what was seen, and that was the merged text.
        for (path, text) in state.merged_texts(Some(kind)) {
            plan.fields.entry(path).or_insert(text);
        }
    }
    Some(plan)
}

fn decide(
    (state, kind, closings): (&RecordState, &Kind, &Closings),
    matter: &Open,
    takes: &[u32],
    plan: &mut Plan,
) -> Option<()> {
    match matter {
        Open::Life { scope, .. } => {
            let stays = one_of_two(takes)?;
            if scope.is_empty() {
                plan.stays = Some(stays);
            } else {
                plan.fields.extend([item_life(scope, stays)]);
            }
        }
        Open::Closings(changes) => {
            let stands = changes.get(usize::try_from(single(takes)?).ok()?)?;
            plan.fields.extend(as_closed(state, kind, closings.get(stands)?));
        }
        Open::Field { path, heads, merge } => {
            plan.fields.insert(path.clone(), field_value(matter, kind, heads, merge.as_ref(), takes)?);
        }
        Open::Late { path, writes } => {
            decide_late(state, matter.takes_both(kind), path, writes, takes, plan)?
        }
        Open::LateItem { writes, .. } => {
            let adopted = !one_of_two(takes)?;
            for write in writes {
                let value = if adopted { write.value.clone()? } else { json!(null) };
                match write.path.strip_suffix("/~born") {
                    // Nothing to bring to life where nothing is adopted.
                    Some(scope) if !adopted => plan.fields.extend([item_life(scope, false)]),
                    Some(_) | None => drop(plan.fields.insert(write.path.clone(), value)),
                }
            }
        }
    }
    Some(())
}

fn decide_late(
    state: &RecordState,
    both: bool,
    path: &str,
    writes: &[LateWrite],
    takes: &[u32],
    plan: &mut Plan,
) -> Option<()> {
    let take = usize::try_from(single(takes)?).ok()?;
    if let Some((scope, "~gone" | "~born")) = path.rsplit_once('/') {
        let removal = path.ends_with("/~gone");
        let adopted = take == 1;
        plan.fields.extend([item_life(scope, adopted != removal)]);
        return (take < 2).then_some(());
    }
    let stands = state.value(path).cloned().unwrap_or(Value::Null);
    let value = match take {
        0 => stands,
        take if take <= writes.len() => writes[take - 1].value.clone()?,
        take if both && take == writes.len() + 1 => {
            let late = writes.iter().filter_map(|write| write.value.as_ref()?.as_str());
            joined(stands.as_str().into_iter().chain(late))
        }
        _ => return None,
    };
    plan.fields.insert(path.to_owned(), value);
    Some(())
}

fn field_value(
    matter: &Open,
    kind: &Kind,
    heads: &[Head],
    merge: Option<&TextMerge>,
    takes: &[u32],
) -> Option<Value> {
    if let Some(merge) = merge {
        let takes = takes.iter().map(|take| match take {
            0 => Some(Take::Left),
            1 => Some(Take::Right),
            2 => Some(Take::Both),
            _ => None,
        });
        let takes: Option<Vec<Take>> = takes.collect();
        return merge.decided(&takes?).map(Value::String);
    }
    let take = usize::try_from(single(takes)?).ok()?;
    if take == heads.len() && matter.takes_both(kind) {
        return Some(joined(heads.iter().filter_map(text_of)));
    }
    heads.get(take)?.value.clone()
}

/// Texts one under the other, each once.
pub fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    let mut all: Vec<&str> = Vec::new();
    for text in texts.filter(|text| !text.is_empty()) {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    Value::String(all.join("\n"))
}

pub fn text_of(head: &Head) -> Option<&str> {
    head.value.as_ref()?.as_str()
}

/// What leads from the record as it is to what one 定稿 closed.
fn as_closed(state: &RecordState, kind: &Kind, closed: &Fields) -> Fields {
    let mut now = fields_of(state);
    let crossed: Vec<&str> = state.conflicts().collect();
    now.retain(|path, _| !crossed.contains(&path.as_str()));
    let mut writes = with_births(state, writes(&now, closed));
    for path in crossed.into_iter().filter(|path| kind.field_for(path).is_some()) {
        writes.entry(path.to_owned()).or_insert(Value::Null);
    }
    writes
}

fn item_life(scope: &str, stays: bool) -> (String, Value) {
    if stays { (format!("{scope}/~born"), json!(true)) } else { (format!("{scope}/~gone"), json!({})) }
}

/// The first of two sides is that what is there stays.
fn one_of_two(takes: &[u32]) -> Option<bool> {
    single(takes).filter(|take| *take < 2).map(|take| take == 0)
}

fn single(takes: &[u32]) -> Option<u32> {
    if let [take] = takes { Some(*take) } else { None }
}

#[cfg(test)]
mod tests;
