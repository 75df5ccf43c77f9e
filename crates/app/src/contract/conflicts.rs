//! 冲突: what two computers say differently, one card a record, and the decisions of a person.

use super::{FindingLine, RecordState};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Records that wait for a person to decide.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ConflictList {
    pub rows: Vec<ConflictRow>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ConflictRow {
    pub kind: String,
    pub kind_label: String,
    pub id: String,
    pub title: String,
    pub date: Option<String>,
    /// The other record, where one event was recorded twice.
    pub other: Option<String>,
    pub matters: Vec<MatterLine>,
}

/// One thing to decide, in a line.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MatterLine {
    pub about: MatterKind,
    /// What it is about, by the labels of the kind; empty for the whole record.
    pub label: String,
}

/// What sort of disagreement it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum MatterKind {
    /// One value here, another there.
    Field,
    /// A long text, of which some places were changed on both sides.
    Text,
    /// The record: deleted here, edited or restored there.
    Deleted,
    /// An item of the record: removed here, edited there.
    ItemRemoved,
    /// Two 定稿 that did not know of each other.
    Closings,
    /// 定稿后到达的修改.
    Late,
    /// One event on two records.
    SameEvent,
    /// An item that only the other record of the same event has.
    ItemAdded,
}

/// Everything about one record that a person has to decide.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ConflictCard {
    pub kind: String,
    pub kind_label: String,
    pub id: String,
    pub title: String,
    pub date: Option<String>,
    pub state: RecordState,
    /// Names what the page shows; a decision made over something else is refused.
    pub seen: String,
    /// The record is closed: what is decided becomes a 更正 with a reason.
    pub correction: bool,
    /// Empty: nothing is left to decide.
    pub matters: Vec<Matter>,
    /// What the rules say of the record as it is shown now.
    pub findings: Vec<FindingLine>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Matter {
    /// Names it in a decision.
    pub key: String,
    pub about: MatterKind,
    pub label: String,
    /// This computer's side first.
    pub sides: Vec<MatterSide>,
    /// Taking all sides is a decision too.
    pub both: bool,
    /// What all sides together come to, where that can be taken.
    pub joined: String,
    /// Of a text: what merged by itself, and the open places between. Each open place takes a decision of its own.
    pub parts: Vec<TextPart>,
    /// What the program would take; absent where it must not guess.
    pub proposed: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MatterSide {
    /// What a decision for it sends.
    pub take: u32,
    pub says: SideSays,
    /// It was written on this computer.
    pub here: bool,
    /// The name of whoever wrote it.
    pub who: String,
    /// The letter of the computer, as in the numbers that it gives.
    pub computer: String,
    /// RFC 3339.
    pub at: String,
    /// As people read it.
    pub text: String,
    /// What is shown of a secret until somebody asks for it.
    pub masked: Option<String>,
    /// The reason that was given with it.
    pub reason: String,
}

/// What a side says about the matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SideSays {
    Value,
    /// It is emptied, or never was filled in.
    Cleared,
    /// The value is not held here.
    Withheld,
    /// It stays, as it was edited.
    Keeps,
    /// It goes.
    Removes,
    /// 定稿.
    Closes,
}

/// A piece of a merged text.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum TextPart {
    Merged {
        text: String,
    },
    /// The texts by what a decision sends: one side, the other, both.
    Open {
        texts: Vec<String>,
    },
}

/// Names a card.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ConflictRef {
    pub kind: String,
    pub id: String,
}

/// What a person took for one matter.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Decision {
    pub key: String,
    /// `take` of the side; the number of sides for all of them. One for each open place of a text, else one.
    pub takes: Vec<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SettleConflict {
    pub kind: String,
    pub id: String,
    pub seen: String,
    /// Matters without a decision stay as they are.
    pub decisions: Vec<Decision>,
    /// Of a 更正; empty for an open record.
    pub reason: String,
}

/// What is left after a decision was stored.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ConflictSettled {
    pub left: u32,
    /// The rules were run again.
    pub findings: Vec<FindingLine>,
}

/// Two records that may be of one event.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SameEventRef {
    /// The one that would stay.
    pub keep: String,
    pub other: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SameEventCard {
    pub keep: SameEventRecord,
    pub other: SameEventRecord,
    pub seen: String,
    /// The activity type whose duty counts once.
    pub duty: String,
    pub correction: bool,
    /// Where the two differ: side 0 is the one that stays.
    pub matters: Vec<Matter>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SameEventRecord {
    pub id: String,
    pub title: String,
    pub types: Vec<String>,
    pub start: String,
    pub end: String,
    pub state: RecordState,
    pub number: String,
    pub who: String,
    pub computer: String,
    pub here: bool,
    pub at: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SettleSameEvent {
    pub keep: String,
    pub other: String,
    pub seen: String,
    /// Take over what was decided of the other record before it is removed.
    pub merge: bool,
    pub decisions: Vec<Decision>,
    /// Of a 更正 or 作废.
    pub reason: String,
}
