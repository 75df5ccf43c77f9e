//! What a record is after the fold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::change::Change;
use crate::graph::within;
use crate::id::{ChangeId, DeviceId};
use crate::state_json::{held, sorted};
use crate::text::{TextMerge, merge_text};

/// A record, as a pure function of the changes that touch it and the verdicts over them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordState {
    pub kind: String,
    pub id: String,
    pub life: Life,
    pub closing: Closing,
    /// By path. Paths of items that are gone are left out.
    pub fields: BTreeMap<String, Field>,
    /// Items (`agenda/<item>`) that have reserved writes of their own.
    pub items: BTreeMap<String, Item>,
    /// Writes that arrived after 定稿 and that it does not cover. Not in `fields`.
    pub late: Vec<LateWrite>,
    /// The first `~born` by (lamport, id).
    pub born: Option<ChangeMeta>,
    /// The last change that counts by (lamport, id). None: none counts.
    pub last: Option<ChangeMeta>,
    /// Changes that touch the record and do not count: voided, quarantined, not enrolled, unreadable.
    pub ignored: Vec<ChangeId>,
    pub(crate) life_heads: Vec<ChangeId>,
    pub(crate) final_heads: Vec<ChangeId>,
    /// Heads of fields that are not shown because their item is gone.
    pub(crate) hidden: BTreeMap<String, Vec<ChangeId>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Life {
    /// No `~born` stands yet: other writes wait.
    Waiting,
    Live,
    Gone {
        /// The value of the `~gone` that is first by (lamport, id). None: its payload is not held.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "held")]
        value: Option<Value>,
        by: Vec<ChangeId>,
    },
    /// Deleted here, edited or restored there: a person decides.
    Contested {
        gone: Vec<ChangeId>,
        against: Vec<ChangeId>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Closing {
    Open,
    /// 定稿, covering exactly what its author saw. `value` None: payload not held.
    Final {
        change: ChangeMeta,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "held")]
        value: Option<Value>,
    },
    /// Two at once.
    FinalConflict {
        changes: Vec<ChangeId>,
    },
}

/// Life and closing of an item within a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// None: nobody wrote `~born` or `~gone`, so the item is there as soon as a field is.
    pub life: Option<Life>,
    pub closing: Closing,
    pub(crate) heads: Vec<ChangeId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Field {
    /// One value; null: cleared. Several changes may have written the same.
    One {
        #[serde(serialize_with = "sorted")]
        value: Value,
        by: Vec<ChangeId>,
    },
    /// Different values by people who did not know of each other, first by (lamport, id) first.
    Conflict {
        heads: Vec<Head>,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "held")]
        base: Option<Value>,
    },
    /// The value was redacted or is withheld.
    Withheld { by: Vec<ChangeId> },
}

/// One side of a conflict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    pub meta: ChangeMeta,
    /// None: redacted or withheld.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "held")]
    pub value: Option<Value>,
}

/// A write that 定稿 does not cover. It waits for 采纳为更正 (write it and a new `~final` over it) or
/// 放弃 (write the closed value over it, with a new `~final`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LateWrite {
    pub path: String,
    pub meta: ChangeMeta,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "held")]
    pub value: Option<Value>,
}

/// Who, when, what, as display needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeMeta {
    pub change: ChangeId,
    pub lamport: u64,
    pub at: i64,
    pub author: String,
    pub device: DeviceId,
    pub action: String,
}

impl ChangeMeta {
    pub fn of(change: &Change) -> Self {
        Self {
            change: change.id,
            lamport: change.lamport,
            at: change.header.at,
            author: change.header.author.clone(),
            device: change.header.device,
            action: change.header.action.clone(),
        }
    }
}

impl Field {
    /// The value to show: of a conflict the first that is held. None: cleared or not held.
    pub fn value(&self) -> Option<&Value> {
        let value = match self {
            Self::One { value, .. } => Some(value),
            Self::Conflict { heads, .. } => heads.iter().find_map(|head| head.value.as_ref()),
            Self::Withheld { .. } => None,
        };
        value.filter(|value| !value.is_null())
    }

    pub fn heads(&self) -> Vec<ChangeId> {
        match self {
            Self::One { by, .. } | Self::Withheld { by } => by.clone(),
            Self::Conflict { heads, .. } => heads.iter().map(|head| head.meta.change).collect(),
        }
    }

    /// Merges a conflict of long texts, for kinds whose field says `merge: "text"`. None: not a conflict of
    /// texts with one nearest common base. A merge, not a change: it is kept when a person saves it.
    pub fn merged(&self) -> Option<TextMerge> {
        let Self::Conflict { heads, base: Some(Value::String(base)) } = self else { return None };
        let mut texts = heads.iter().map(|head| head.value.as_ref().and_then(Value::as_str));
        let mut merge = merge_text(base, texts.next()??, texts.next()??);
        for text in texts {
            // A third side joins only what the first two agree on.
            merge = merge_text(base, &merge.text()?, text?);
        }
        Some(merge)
    }
}

impl RecordState {
    pub fn is_live(&self) -> bool {
        self.life == Life::Live
    }

    /// The value to show at a path.
    pub fn value(&self, path: &str) -> Option<&Value> {
        self.fields.get(path).and_then(Field::value)
    }

    /// All values to show, by path.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.fields.iter().filter_map(|(path, field)| Some((path.as_str(), field.value()?)))
    }

    /// What a write at this path must be over.
    pub fn heads(&self, path: &str) -> Vec<ChangeId> {
        let shown = self.fields.get(path).map(Field::heads).unwrap_or_default();
        let hidden = self.hidden.get(path).cloned().unwrap_or_default();
        let late = self.late.iter().filter(|late| late.path == path).map(|late| late.meta.change);
        unique(shown.into_iter().chain(hidden).chain(late))
    }

    /// What a `~born`, `~gone` or `~final` of the record must be over: every head that is held.
    pub fn all_heads(&self) -> Vec<ChangeId> {
        let fields = self.fields.values().flat_map(Field::heads);
        let hidden = self.hidden.values().flatten().copied();
        let items = self.items.values().flat_map(|item| item.heads.iter().copied());
        let late = self.late.iter().map(|late| late.meta.change);
        let own = self.life_heads.iter().chain(&self.final_heads).copied();
        unique(fields.chain(hidden).chain(items).chain(late).chain(own))
    }

    /// The same for an item (`agenda/<item>`).
    pub fn item_heads(&self, item: &str) -> Vec<ChangeId> {
        let within = |path: &str| within(path, item);
        let fields = self.fields.iter().filter(|(path, _)| within(path)).flat_map(|(_, field)| field.heads());
        let hidden = self.hidden.iter().filter(|(path, _)| within(path)).flat_map(|(_, heads)| heads.clone());
        let items =
            self.items.iter().filter(|(path, _)| within(path)).flat_map(|(_, item)| item.heads.clone());
        let late = self.late.iter().filter(|late| within(&late.path)).map(|late| late.meta.change);
        unique(fields.chain(hidden).chain(items).chain(late))
    }

    /// What somebody who reads the record now has seen: the heads at each path, and under `<item>/~` those of an item.
    pub fn seen(&self) -> BTreeMap<String, Vec<ChangeId>> {
        let fields = self.fields.keys().map(|path| (path.clone(), self.heads(path)));
        let items = self.items.keys().map(|item| (format!("{item}/~"), self.item_heads(item)));
        fields.chain(items).collect()
    }

    /// What stands in the record by this change: paths and values, reserved ones included. A value that something else
    /// is over is not in here any more.
    pub fn written_by(&self, id: &ChangeId) -> Vec<(String, Value)> {
        let mut written = Vec::new();
        for (path, field) in &self.fields {
            let value = match field {
                Field::One { value, by } => by.contains(id).then_some(value),
                Field::Conflict { heads, .. } => {
                    heads.iter().find(|head| head.meta.change == *id).and_then(|head| head.value.as_ref())
                }
                Field::Withheld { .. } => None,
            };
            written.extend(value.map(|value| (path.clone(), value.clone())));
        }
        let late = self.late.iter().filter(|late| late.meta.change == *id);
        written.extend(late.filter_map(|late| Some((late.path.clone(), late.value.clone()?))));
        written.extend(said(&self.life, &self.closing, &self.life_heads, id));
        for (item, state) in &self.items {
            let Some(life) = &state.life else { continue };
            let said = said(life, &state.closing, &state.heads, id);
            written.extend(said.map(|(path, value)| (format!("{item}/{path}"), value)));
        }
        written
    }

    /// Paths whose heads differ.
    pub fn conflicts(&self) -> impl Iterator<Item = &str> {
        let differ = |field: &Field| matches!(field, Field::Conflict { .. });
        self.fields.iter().filter(move |(_, field)| differ(field)).map(|(path, _)| path.as_str())
    }

    /// Says whether a person must decide something before 定稿 or print.
    pub fn is_contested(&self) -> bool {
        let torn = |life: &Life| matches!(life, Life::Contested { .. });
        let twice = |closing: &Closing| matches!(closing, Closing::FinalConflict { .. });
        self.conflicts().next().is_some()
            || torn(&self.life)
            || twice(&self.closing)
            || self.items.values().any(|item| item.life.as_ref().is_some_and(torn) || twice(&item.closing))
    }
}

/// The reserved writes of a change that stand in a scope.
fn said(
    life: &Life,
    closing: &Closing,
    heads: &[ChangeId],
    id: &ChangeId,
) -> impl Iterator<Item = (String, Value)> {
    let gone = match life {
        Life::Gone { value, by } if by.contains(id) => Some(value.clone().unwrap_or(Value::Bool(true))),
        Life::Contested { gone, .. } if gone.contains(id) => Some(Value::Bool(true)),
        Life::Waiting | Life::Live | Life::Gone { .. } | Life::Contested { .. } => None,
    };
    let born = (gone.is_none() && heads.contains(id)).then_some(Value::Bool(true));
    let closed = match closing {
        Closing::Final { change, value } if change.change == *id => {
            Some(value.clone().unwrap_or(Value::Null))
        }
        Closing::FinalConflict { changes } if changes.contains(id) => Some(Value::Null),
        Closing::Open | Closing::Final { .. } | Closing::FinalConflict { .. } => None,
    };
    let named = |name: &str, value: Option<Value>| value.map(|value| (name.to_owned(), value));
    [named("~born", born), named("~gone", gone), named("~final", closed)].into_iter().flatten()
}

/// Sorted, each once.
pub(crate) fn unique(ids: impl IntoIterator<Item = ChangeId>) -> Vec<ChangeId> {
    let mut ids: Vec<ChangeId> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
