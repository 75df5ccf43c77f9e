//! Files on USB sticks. What a file brings takes the same way as what comes over the network: the door, the log, the
//! fold, rulings, a receipt. Only the clock and the nonce are not looked at, so that a file may be old and come twice.
//!
//! Start with [`City::import_file`]; `kept` is the history and what waits, `answer` what goes back.

mod answer;
mod attachments;
mod kept;
mod read;
mod request;
mod yes;

use crate::city::{City, CityError};
use crate::http::Refuse;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use wire::enrol::Refusal;
use wire::file::{BLOBS, FileError, Label, Place, Purpose};

pub use answer::AnswerFile;
pub use kept::{answer_of, history, link_kept};
pub use wire::file::MAX_FILE;

/// What a file did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileReport {
    /// Whose computer made it.
    pub organisation: String,
    pub organisation_name: String,
    /// The computer's key, in hex.
    pub device: String,
    /// It let the computer in.
    pub enrolled: bool,
    /// When it was made, and the receipt since which it has everything, by the clocks of who made them.
    pub made_at: i64,
    pub since: i64,
    /// Changes that are new here, that were here, and that wait for one before them.
    pub new: usize,
    pub known: usize,
    pub waiting: usize,
    /// Devices, streams and changes that were turned away, with the code of the reason.
    pub refused: Vec<String>,
    /// It waits, whole, for what came before.
    pub kept: bool,
    /// Earlier files that waited for something in this one.
    pub linked: usize,
    /// Attachments that are new here, and that were turned away.
    pub attachments: usize,
    pub attachments_refused: usize,
    /// Attachments in the file that goes back, and those that did not fit into it.
    pub attachments_back: usize,
    pub attachments_left: usize,
    /// From this section on it could not be read, and of how many.
    pub damaged: Option<(usize, usize)>,
}

/// A file that was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDone {
    /// Its number in the history.
    pub id: i64,
    pub report: FileReport,
    pub answer: AnswerFile,
}

impl City {
    /// Takes in a file of a laptop and makes the one that goes back. The same file again gives the same, once more.
    pub fn import_file(&self, bytes: &[u8]) -> Result<FileDone, Refusal> {
        self.import_file_within(bytes, BLOBS)
    }

    /// The same, with at most so many bytes of attachments in the file that goes back.
    #[doc(hidden)]
    pub fn import_file_within(&self, bytes: &[u8], room: u64) -> Result<FileDone, Refusal> {
        import(self, bytes, room).map_err(|refuse| refuse.words(self.world.now()))
    }

    /// Makes a file with everything that the city has for each computer of an organisation, without being asked.
    pub fn export_files(&self, organisation: &str) -> Result<Vec<AnswerFile>, CityError> {
        answer::unasked(self, organisation, BLOBS)
    }
}

/// The same for a handler.
pub fn import(city: &City, bytes: &[u8], room: u64) -> Result<FileDone, Refuse> {
    let mut behind = bytes;
    let label = Label::read(&mut behind)?;
    match label.purpose {
        Purpose::Request => request::import(city, bytes, room),
        Purpose::EnrolAsk => yes::import(city, &label, behind, room),
        Purpose::Answer | Purpose::EnrolYes => Err(Refuse::bad("wrong_way")),
    }
}

impl From<FileError> for Refuse {
    fn from(error: FileError) -> Refuse {
        match error {
            FileError::Io(cause) => Refuse::inner(&cause),
            FileError::Damaged(Some(Place { section, of })) | FileError::WrongBlob(Place { section, of }) => {
                Refuse::bad("damaged_file").with(format!("{section}/{of}"))
            }
            FileError::TooLarge => Refuse::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            other => Refuse::bad(other.code()),
        }
    }
}
