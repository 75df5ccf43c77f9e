//! Why nothing, or not everything, was exchanged: causes in the words of what a person can do about them.

use store::{Losses, StoreError};
use wire::enrol::BadCode;
use wire::file::FileError;

/// Which side would lose records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// This computer, by what the city sends.
    Incoming,
    /// The city, by what is sent from here.
    Outgoing,
}

/// A failed exchange or enrolment. Nothing that was held before is lost by any of them.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error("{0} is not an address")]
    BadAddress(String),
    #[error("{0} would be reached without encryption")]
    PlainHttp(String),
    #[error("no way to the city: {0}")]
    Offline(String),
    /// Somebody in between whom the system does not trust, a clock that is far off, or no TLS at all.
    #[error("no trusted way to the city: {0}")]
    Untrusted(String),
    #[error("what answered is not a city of this program")]
    NotOurServer,
    /// The page of a portal that wants a sign-in, or of some other site.
    #[error("a web page answered instead of the city")]
    WebPage,
    #[error("the proxy on the way asks for a password")]
    ProxyAsks,
    #[error("the connection broke in the middle")]
    CutOff,
    #[error("the city refused: {code} {detail}")]
    Refused { code: String, detail: String },
    #[error("the city asks to wait {0} s")]
    Busy(u64),
    /// By a person, or for one who comes first. What went through stays.
    #[error("stopped by a person")]
    Stopped,
    #[error("this is another city than the one this branch is enrolled with")]
    OtherCity,
    #[error("the city's answer is not signed as it should be")]
    BadSignature,
    #[error(transparent)]
    BadCode(#[from] BadCode),
    #[error("{} records would be lost, and a person is asked first", .losses.count)]
    TooManyLost { way: Way, losses: Losses },
    #[error("this branch is not enrolled")]
    NotEnrolled,
    /// A file of this program, but one that the city reads.
    #[error("this file is for the city")]
    WrongWay,
    #[error("this file is for another computer")]
    OtherComputer,
    #[error(transparent)]
    File(FileError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SyncError {
    /// The stable code that the application shows words for.
    pub fn code(&self) -> &str {
        match self {
            Self::BadAddress(_) => "bad_address",
            Self::PlainHttp(_) => "plain_http",
            Self::Offline(_) => "offline",
            Self::Untrusted(_) => "untrusted",
            Self::NotOurServer => "not_our_server",
            Self::WebPage => "web_page",
            Self::ProxyAsks => "proxy_asks",
            Self::CutOff => "cut_off",
            Self::Refused { code, .. } => code,
            Self::Busy(_) => "busy",
            Self::Stopped => "stopped",
            Self::OtherCity => "other_city",
            Self::BadSignature => "bad_signature",
            Self::BadCode(BadCode::Length(_)) => "code_length",
            Self::BadCode(BadCode::Character(_)) => "code_character",
            Self::BadCode(BadCode::Check) => "code_check",
            Self::TooManyLost { .. } => "too_many_lost",
            Self::NotEnrolled => "not_enrolled",
            Self::WrongWay => "wrong_way",
            Self::OtherComputer => "other_computer",
            Self::File(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}

impl From<FileError> for SyncError {
    fn from(error: FileError) -> SyncError {
        match error {
            FileError::NotForUs => SyncError::OtherComputer,
            FileError::BadSignature => SyncError::BadSignature,
            other => SyncError::File(other),
        }
    }
}
