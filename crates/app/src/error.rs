//! What can go wrong, as codes that the page has words for.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use ts_rs::TS;

/// Why a call was refused. A code exists only where a page acts on it or has words for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request is not of the call's form; the page and the program do not fit together.
    BadRequest,
    /// No branch is open.
    NotOpen,
    /// The record or draft does not exist (any more).
    NotFound,
    /// Fields were refused; see `problems`.
    Invalid,
    /// Findings of severity E stand against 定稿; see `findings`.
    RulesNotMet,
    /// The record is closed; only 更正 or 作废.
    Closed,
    /// Two values stand side by side; a person decides first.
    InConflict,
    WrongPassword,
    WeakPassword,
    WrongRecoveryCode,
    /// Another program has this branch open.
    AlreadyOpen,
    /// A folder of this name is there already.
    AlreadyExists,
    /// The file was written by a newer program.
    TooNew,
    Damaged,
    ReadOnly,
    DiskFull,
    /// A text is longer than the field takes.
    TooLong,
    /// A text carries a secrecy marking.
    SecretMarking,
    NotEnrolled,
    AlreadyEnrolled,
    /// No connection to the city.
    Offline,
    /// Something answered that is not the city's server.
    NotOurServer,
    /// The connection broke in the middle.
    CutOff,
    CodeUnknown,
    CodeUsed,
    CodeExpired,
    TooManyTries,
    /// The city refused this computer.
    Refused,
    /// The clock of this computer is far off; the city's time is in `params`.
    ClockOff,
    /// The address is not one that can be used.
    BadAddress,
    Busy,
    /// Something broke in the program itself.
    Internal,
}

/// What a page gets instead of an answer.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CallError {
    pub code: Code,
    /// What the words need: file, folder, versions.
    #[serde(default)]
    #[ts(type = "Record<string, string | number>")]
    pub params: BTreeMap<String, Value>,
    /// Refused fields.
    #[serde(default)]
    pub problems: Vec<crate::contract::FieldProblem>,
    #[serde(default)]
    pub findings: Vec<crate::contract::FindingLine>,
}
