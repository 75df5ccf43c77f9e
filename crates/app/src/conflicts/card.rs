//! A card as a page shows it: who said what when, in words.

use super::open::{Closings, Open, joined, text_of};
use crate::branch::{ALL_LIVES, Branch, Fields, fields};
use crate::civil;
use crate::contract::{Matter, MatterKind, MatterLine, MatterSide, SideSays, TextPart};
use crate::error::CallError;
use crate::meetings::letter_of;
use crate::reading::Reading;
use crate::showing::{Names, in_words, place};
use replica::{
    Change, ChangeId, ChangeMeta, Closing, FieldDef, Kind, LateWrite, Piece, RecordState, Take, TextMerge,
    Verdicts, fold_record, taken,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use store::{HistoryEntry, Query};

/// The program's own list at 定稿, of which pages show the result.
const ROSTER: &str = "roster";
/// How many lines of what was edited a side shows.
const MOST_LINES: usize = 12;

/// A record with everything that its card names.
pub struct Around<'a> {
    pub branch: &'a Branch,
    pub kind: &'a Kind,
    pub state: &'a RecordState,
    pub values: Fields,
    pub names: Names,
    closings: Closings,
    history: Vec<HistoryEntry>,
}

/// Names of everybody, also of persons who were removed, and of the 党小组.
pub fn names(branch: &Branch) -> Result<Names, CallError> {
    let everybody = Query { life: ALL_LIVES.to_vec(), ..Query::of("person") };
    let persons = branch.store.records(&everybody)?;
    let mut names: Names =
        persons.iter().map(|state| (state.id.clone(), Reading(&fields(state)).text("name"))).collect();
    let (_, organisation) = branch.organisation()?;
    let read = Reading(&organisation);
    names.extend(read.items("groups").map(|id| (id.to_owned(), read.text(&format!("groups/{id}/name")))));
    names.retain(|_, name| !name.is_empty());
    Ok(names)
}

/// What a matter is about, in a line.
pub fn line(open: &Open, kind: &Kind, values: &Fields, names: &Names) -> MatterLine {
    let (about, path) = match open {
        Open::Life { scope, .. } if scope.is_empty() => (MatterKind::Deleted, ""),
        Open::Life { scope, .. } => (MatterKind::ItemRemoved, scope.as_str()),
        Open::Closings(_) => (MatterKind::Closings, ""),
        Open::Field { path, merge: Some(_), .. } => (MatterKind::Text, path.as_str()),
        Open::Field { path, .. } => (MatterKind::Field, path.as_str()),
        Open::Late { path, .. } => (MatterKind::Late, path.as_str()),
        Open::LateItem { scope, .. } => (MatterKind::Late, scope.as_str()),
    };
    let label = if path.is_empty() { String::new() } else { place(kind, path, values, names) };
    MatterLine { about, label }
}

impl<'a> Around<'a> {
    pub fn of(branch: &'a Branch, kind: &'a Kind, state: &'a RecordState) -> Result<Self, CallError> {
        Ok(Self {
            branch,
            kind,
            state,
            values: fields(state),
            names: names(branch)?,
            closings: closings(branch, state)?,
            history: branch.store.history(&state.kind, &state.id)?,
        })
    }

    pub fn matter(&self, open: &Open) -> Result<Matter, CallError> {
        let MatterLine { about, label } = line(open, self.kind, &self.values, &self.names);
        let mut sides = self.sides(open)?;
        sides.sort_by_key(|side| (!side.here, side.take));
        Ok(Matter {
            key: open.key(),
            about,
            label,
            sides,
            both: open.takes_both(self.kind),
            joined: self.joined(open),
            parts: if let Open::Field { merge: Some(merge), .. } = open { parts(merge) } else { Vec::new() },
            proposed: None,
        })
    }

    fn joined(&self, open: &Open) -> String {
        let text = match open {
            Open::Field { heads, .. } => joined(heads.iter().filter_map(text_of)),
            Open::Late { path, writes } => {
                let late = writes.iter().filter_map(|write| write.value.as_ref()?.as_str());
                joined(self.values.get(path).and_then(Value::as_str).into_iter().chain(late))
            }
            Open::Life { .. } | Open::Closings(_) | Open::LateItem { .. } => Value::Null,
        };
        if open.takes_both(self.kind) { text.as_str().unwrap_or_default().to_owned() } else { String::new() }
    }

    fn sides(&self, open: &Open) -> Result<Vec<MatterSide>, CallError> {
        match open {
            Open::Field { path, heads, .. } => heads
                .iter()
                .zip(0..)
                .map(|(head, take)| self.value(take, path, head.value.as_ref(), Some(&head.meta)))
                .collect(),
            Open::Life { gone, against, .. } => {
                let keeps = self.edited(0, against)?;
                Ok(vec![keeps, self.removed(1, gone)?])
            }
            Open::Closings(changes) => {
                changes.iter().zip(0..).map(|(change, take)| self.closed(take, change)).collect()
            }
            Open::Late { path, writes } => self.late(path, writes),
            Open::LateItem { writes, .. } => {
                let first = writes.first().map(|write| &write.meta);
                let lines =
                    writes.iter().filter_map(|write| self.written(&write.path, write.value.as_ref()?));
                let arrived =
                    MatterSide { says: SideSays::Keeps, text: cut(lines.collect()), ..self.side(1, first)? };
                Ok(vec![self.standing("", None)?, arrived])
            }
        }
    }

    /// The value that the closed record has, and those that came after.
    fn late(&self, path: &str, writes: &[LateWrite]) -> Result<Vec<MatterSide>, CallError> {
        let mut sides = vec![self.standing(path, self.values.get(path))?];
        for (write, take) in writes.iter().zip(1..) {
            let removes = path.ends_with("/~gone");
            let side = if removes || path.ends_with("/~born") {
                let says = if removes { SideSays::Removes } else { SideSays::Keeps };
                MatterSide { says, ..self.side(take, Some(&write.meta))? }
            } else {
                self.value(take, path, write.value.as_ref(), Some(&write.meta))?
            };
            sides.push(side);
        }
        Ok(sides)
    }

    /// What the 定稿 says.
    fn standing(&self, path: &str, value: Option<&Value>) -> Result<MatterSide, CallError> {
        let closing = match &self.state.closing {
            Closing::Final { change, .. } => Some(change),
            Closing::Open | Closing::FinalConflict { .. } => None,
        };
        match path.rsplit_once('/') {
            Some((_, "~gone")) => Ok(MatterSide { says: SideSays::Keeps, ..self.side(0, closing)? }),
            _ => self.value(0, path, value.or(Some(&Value::Null)), closing),
        }
    }

    fn value(
        &self,
        take: u32,
        path: &str,
        value: Option<&Value>,
        meta: Option<&ChangeMeta>,
    ) -> Result<MatterSide, CallError> {
        let side = self.side(take, meta)?;
        let Some(value) = value else { return Ok(MatterSide { says: SideSays::Withheld, ..side }) };
        let text = self.words(path, value);
        let masked = self.field(path).filter(|field| field.secret && !text.is_empty()).map(|_| mask(&text));
        let says = if text.is_empty() { SideSays::Cleared } else { SideSays::Value };
        Ok(MatterSide { says, text, masked, ..side })
    }

    fn edited(&self, take: u32, against: &[ChangeId]) -> Result<MatterSide, CallError> {
        let entries = || self.history.iter().filter(|entry| against.contains(&entry.meta.change));
        let side = self.side(take, entries().next().map(|entry| &entry.meta))?;
        let paths = entries().flat_map(|entry| entry.paths.iter());
        let lines: Vec<String> = paths
            .filter_map(|path| self.written(path, self.values.get(path).unwrap_or(&Value::Null)))
            .collect();
        Ok(MatterSide { says: SideSays::Keeps, text: cut(lines), ..side })
    }

    fn removed(&self, take: u32, gone: &[ChangeId]) -> Result<MatterSide, CallError> {
        let entry = self.history.iter().find(|entry| gone.contains(&entry.meta.change));
        let side = self.side(take, entry.map(|entry| &entry.meta))?;
        let reason = match gone.first() {
            Some(change) => self.reason(change)?,
            None => String::new(),
        };
        Ok(MatterSide { says: SideSays::Removes, reason, ..side })
    }

    fn closed(&self, take: u32, change: &ChangeId) -> Result<MatterSide, CallError> {
        let entry = self.history.iter().find(|entry| entry.meta.change == *change);
        let side = self.side(take, entry.map(|entry| &entry.meta))?;
        let own = self.closings.get(change);
        let differs = |path: &&String| {
            self.closings.values().any(|other| other.get(*path) != own.and_then(|own| own.get(*path)))
        };
        let paths: BTreeSet<&String> =
            self.closings.values().flat_map(Fields::keys).filter(differs).collect();
        let value = |path: &String| own.and_then(|own| own.get(path)).unwrap_or(&Value::Null);
        let lines = paths
            .into_iter()
            .filter(|path| *path != ROSTER)
            .filter_map(|path| self.written(path, value(path)));
        let text = cut(lines.collect());
        let reason = self.reason(change)?;
        Ok(MatterSide { says: SideSays::Closes, text, reason, ..side })
    }

    /// The reason that was typed; codes of the program are none.
    fn reason(&self, change: &ChangeId) -> Result<String, CallError> {
        let Some(change) = self.branch.store.change(change)? else { return Ok(String::new()) };
        let value = ["~gone", "~final"].iter().find_map(|path| written_at(&change, &self.state.id, path));
        let reason = value.and_then(|value| value.get("reason")).and_then(Value::as_str).unwrap_or_default();
        Ok(if reason.is_ascii() { String::new() } else { reason.to_owned() })
    }

    fn side(&self, take: u32, meta: Option<&ChangeMeta>) -> Result<MatterSide, CallError> {
        let signed = match meta {
            Some(meta) => Signed::of(self.branch, meta)?,
            None => Signed::default(),
        };
        let Signed { here, who, computer, at } = signed;
        let (says, text, reason) = (SideSays::Value, String::new(), String::new());
        Ok(MatterSide { take, says, here, who, computer, at, text, masked: None, reason })
    }

    fn field(&self, path: &str) -> Option<&FieldDef> {
        self.kind.field_for(path)
    }

    fn words(&self, path: &str, value: &Value) -> String {
        match (self.field(path), value) {
            (Some(field), value) => in_words(field, value, &self.names),
            (None, Value::Null) => String::new(),
            (None, Value::String(text)) => text.clone(),
            (None, other) => other.to_string(),
        }
    }

    /// `地点：二楼`, in one line.
    fn written(&self, path: &str, value: &Value) -> Option<String> {
        let text = self.words(path, value).replace('\n', "；");
        let secret = self.field(path)?.secret;
        let text = if secret { mask(&text) } else { text };
        Some(format!("{}：{text}", place(self.kind, path, &self.values, &self.names)))
    }
}

/// The record as each of two 定稿 closed it: folded from what that one covers. Empty where there are not two.
pub fn closings(branch: &Branch, state: &RecordState) -> Result<Closings, CallError> {
    let Closing::FinalConflict { changes: finals } = &state.closing else { return Ok(Closings::new()) };
    let mut held = BTreeMap::new();
    for entry in branch.store.history(&state.kind, &state.id)? {
        if !state.ignored.contains(&entry.meta.change)
            && let Some(change) = branch.store.change(&entry.meta.change)?
        {
            held.insert(change.id, change);
        }
    }
    let closed = |stands: &ChangeId| {
        let covered: Vec<&Change> = covered(&held, state, *stands);
        fields(&fold_record(&state.kind, &state.id, &covered, &Verdicts::default()))
    };
    Ok(finals.iter().map(|stands| (*stands, closed(stands))).collect())
}

/// The changes that a 定稿 is over, along any way, and itself.
fn covered<'c>(held: &'c BTreeMap<ChangeId, Change>, state: &RecordState, from: ChangeId) -> Vec<&'c Change> {
    let mut found: BTreeMap<ChangeId, &Change> = BTreeMap::new();
    let mut todo = vec![from];
    while let Some(id) = todo.pop() {
        let Some(change) = held.get(&id) else { continue };
        if found.insert(id, change).is_none() {
            let own = change
                .header
                .writes
                .iter()
                .filter(|write| write.record == state.id && write.kind == state.kind);
            todo.extend(own.flat_map(|write| change.header.over(write)));
        }
    }
    found.into_values().collect()
}

/// Who made a change, on which computer, when.
#[derive(Default)]
pub struct Signed {
    pub here: bool,
    pub who: String,
    pub computer: String,
    pub at: String,
}

impl Signed {
    pub fn of(branch: &Branch, meta: &ChangeMeta) -> Result<Self, CallError> {
        Ok(Self {
            here: meta.author == branch.author.0 || meta.device == branch.store.device()?,
            who: branch.author_of(meta)?,
            computer: letter_of(branch, &meta.device)?.to_string(),
            at: civil::stamp(meta.at),
        })
    }
}

fn written_at<'c>(change: &'c replica::Change, id: &str, path: &str) -> Option<&'c Value> {
    let at = change.header.writes.iter().position(|write| write.record == id && write.path == path)?;
    change.values.as_ref()?.get(at)
}

fn parts(merge: &TextMerge) -> Vec<TextPart> {
    let part = |piece: &Piece| match piece {
        Piece::Merged(text) => TextPart::Merged { text: text.clone() },
        Piece::Conflict { left, right, .. } => TextPart::Open {
            texts: [Take::Left, Take::Right, Take::Both].map(|take| taken(take, left, right)).to_vec(),
        },
    };
    merge.pieces.iter().map(part).collect()
}

fn cut(mut lines: Vec<String>) -> String {
    lines.dedup();
    if lines.len() > MOST_LINES {
        lines.truncate(MOST_LINES);
        lines.push("……".to_owned());
    }
    lines.join("\n")
}

/// Enough to tell two apart, as lists show it.
fn mask(text: &str) -> String {
    crate::people::mask(text, 3, 4)
}
