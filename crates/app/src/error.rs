//! What can go wrong, as codes that the page has words for.

use crate::contract::{FieldProblem, FindingLine};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use store::StoreError;
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
    /// What a page showed has changed since: it is shown anew before a decision is stored.
    Changed,
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
    /// A photo in a phone's own format.
    HeicPhoto,
    /// A photo of more pixels than old computers have room for; they are in `params`.
    HugePhoto,
    MovingPhoto,
    /// A file that is neither a picture nor a document that is known.
    UnknownFile,
    BrokenFile,
    /// A file of more than `megabytes`.
    LargeFile,
    /// A meeting takes at most `most` files.
    TooManyFiles,
    /// The meeting has this file already.
    FileTwice,
    NotEnrolled,
    AlreadyEnrolled,
    /// No connection to the city.
    Offline,
    /// Whoever answered cannot prove to be at this address: a wrong clock, somebody in between, or no TLS.
    Untrusted,
    /// Something answered that is not the city's server.
    NotOurServer,
    /// A web page answered: most often of a network that wants a sign-in.
    WebPage,
    /// The proxy on the way wants a password.
    ProxyAsks,
    /// The connection broke in the middle.
    CutOff,
    CodeUnknown,
    CodeUsed,
    CodeExpired,
    TooManyTries,
    /// The city refused this computer.
    Refused,
    /// The city took this computer's right to report.
    Revoked,
    /// Many records here would be lost by what the city sends: a person is asked first.
    MassIncoming,
    /// The same at the city, by what is sent from here.
    MassOutgoing,
    /// The clock of this computer is far off; the city's time is in `params`.
    ClockOff,
    /// What the city keeps of this branch has no room for more files.
    StreamFull,
    /// The city has no room at all.
    CityFull,
    /// A photo that the city does not give out: whoever has it did not report it yet.
    NotAtCity,
    /// The address is not one that can be used.
    BadAddress,
    Busy,
    /// A person stopped it; what went through stays.
    Stopped,
    /// A file that this program did not make.
    UsbNotOurs,
    UsbNewer,
    /// Cut or altered, from its beginning.
    UsbDamaged,
    UsbBadSignature,
    /// A file for the city.
    UsbWrongWay,
    UsbOtherComputer,
    UsbOtherCity,
    UsbTooLarge,
    /// The stick cannot be read.
    UsbUnreadable,
    /// The stick is full, takes nothing, or is not there any more.
    UsbFull,
    UsbReadOnly,
    UsbGone,
    /// Records have to be matched with the city's first.
    UsbMatching,
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
    pub problems: Vec<FieldProblem>,
    #[serde(default)]
    pub findings: Vec<FindingLine>,
}

impl CallError {
    pub fn new(code: Code) -> Self {
        Self { code, params: BTreeMap::new(), problems: Vec::new(), findings: Vec::new() }
    }

    /// Adds what the words need.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    pub fn not_found(kind: &str, id: &str) -> Self {
        Self::new(Code::NotFound).with("kind", kind).with("id", id)
    }

    /// Refused fields; the heaviest reason among them is the code.
    pub fn refused(problems: Vec<FieldProblem>) -> Self {
        let has = |code: &str| problems.iter().find(|problem| problem.code == code);
        let (code, path) = if let Some(problem) = has("secret_marking") {
            (Code::SecretMarking, &problem.path)
        } else if let Some(problem) = has("too_long") {
            (Code::TooLong, &problem.path)
        } else {
            return Self { problems, ..Self::new(Code::Invalid) };
        };
        let error = Self::new(code).with("path", path.as_str());
        Self { problems, ..error }
    }

    pub fn rules_not_met(findings: Vec<FindingLine>) -> Self {
        Self { findings, ..Self::new(Code::RulesNotMet) }
    }

    /// Something broke in the program itself: the cause goes to the log, never to the page.
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "a call failed");
        Self::new(Code::Internal)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.code)?;
        self.params.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))?;
        self.problems.iter().try_for_each(|problem| write!(f, " {}: {}", problem.path, problem.code))?;
        self.findings.iter().try_for_each(|finding| write!(f, " {}", finding.code))
    }
}

impl std::error::Error for CallError {}

impl From<StoreError> for CallError {
    fn from(error: StoreError) -> Self {
        let at = |code, name: &str, path: &Path| Self::new(code).with(name, path.display().to_string());
        match &error {
            StoreError::WrongPassword => Self::new(Code::WrongPassword),
            StoreError::WrongRecoveryCode | StoreError::BadRecoveryCode(_) => {
                Self::new(Code::WrongRecoveryCode)
            }
            StoreError::WeakPassword { least } => Self::new(Code::WeakPassword).with("least", *least),
            StoreError::AlreadyOpen { folder } => at(Code::AlreadyOpen, "folder", folder),
            StoreError::NotABranch { folder } => at(Code::NotFound, "folder", folder),
            StoreError::Exists { folder } => at(Code::AlreadyExists, "folder", folder),
            StoreError::TooNew { file, found, known } => {
                at(Code::TooNew, "file", file).with("found", *found).with("known", *known)
            }
            StoreError::Damaged { file, .. } | StoreError::BadRow { file, .. } => {
                tracing::error!(%error, "a file is damaged");
                at(Code::Damaged, "file", file)
            }
            StoreError::Closed { .. } => Self::new(Code::Closed),
            StoreError::ReadOnly { folder } => at(Code::ReadOnly, "folder", folder),
            StoreError::DiskFull { folder } => at(Code::DiskFull, "folder", folder),
            StoreError::NoRecord { kind, id } => Self::not_found(kind, id),
            StoreError::BadValue { path, code, .. } => {
                Self::refused(vec![FieldProblem { path: path.clone(), code: code.clone() }])
            }
            StoreError::TooLarge { what } => Self::new(Code::TooLong).with("path", what.as_str()),
            StoreError::Io { .. }
            | StoreError::Sql { .. }
            | StoreError::NoStream
            | StoreError::HasStream
            | StoreError::UnknownKind { .. }
            | StoreError::RecordExists { .. }
            | StoreError::TooManyLost(_)
            | StoreError::Abandoned(_) => Self::internal(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CallError, Code};
    use std::path::PathBuf;
    use store::StoreError;

    #[test]
    fn what_a_person_can_do_something_about_has_its_code_and_names_the_place() {
        let path = || PathBuf::from("/data/某某");
        let file = || PathBuf::from("/data/某某/branch.db");
        let cases = [
            (StoreError::WrongPassword, Code::WrongPassword, vec![]),
            (StoreError::WeakPassword { least: 8 }, Code::WeakPassword, vec!["least"]),
            (StoreError::AlreadyOpen { folder: path() }, Code::AlreadyOpen, vec!["folder"]),
            (StoreError::NotABranch { folder: path() }, Code::NotFound, vec!["folder"]),
            (StoreError::Exists { folder: path() }, Code::AlreadyExists, vec!["folder"]),
            (
                StoreError::TooNew { file: file(), found: 9, known: 1 },
                Code::TooNew,
                vec!["file", "found", "known"],
            ),
            (StoreError::Damaged { file: file(), what: "page 3".into() }, Code::Damaged, vec!["file"]),
            (StoreError::ReadOnly { folder: path() }, Code::ReadOnly, vec!["folder"]),
            (StoreError::DiskFull { folder: path() }, Code::DiskFull, vec!["folder"]),
            (StoreError::NoStream, Code::Internal, vec![]),
        ];
        for (error, code, params) in cases {
            let words = error.to_string();
            let refused = CallError::from(error);
            assert_eq!(refused.code, code, "{words}");
            assert_eq!(refused.params.keys().map(String::as_str).collect::<Vec<_>>(), params, "{words}");
        }
    }
}
