//! An exchange as a file, for computers without a network: the same messages, signed by who made the file and sealed
//! to who shall read it.
//!
//! A file is a [`Label`] that anybody can read, and sealed behind it a [`Head`], its signature, and sections. The head
//! names every section with length and hash, so that a damaged place is named and what comes before it is good.
//! Nothing in a file is spent by being read: the same file again changes nothing, and files may come in any order.
//!
//! Start with [`write`] and [`open`]; [`Label::read`] says whose a file is before anything is opened.

mod head;
mod inventory;
mod label;
mod read;
mod seal;
mod write;

pub use head::{Head, SectionHead, SectionKind};
pub use inventory::{BLOBS, Inventory, fitting};
pub use label::{Label, Purpose};
pub use read::{OpenFile, Section, Unsealed, open, open_unsealed};
pub use seal::{OpeningKey, of_code};
pub use write::{seal_all, write};

/// No file is read beyond this.
pub const MAX_FILE: usize = 256 * 1024 * 1024;
/// Bytes of changes that one file may come to when unpacked.
pub const MAX_CHANGES: usize = 256 * 1024 * 1024;
/// Bytes of one message in a file: what a damaged place costs.
pub const PART: u32 = 512 * 1024;
/// How such files are named.
pub const EXTENSION: &str = "jishi";

/// Why a file, or the rest of it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("not a file of this program")]
    NotOurs,
    #[error("made by a newer program")]
    Newer,
    #[error("sealed to somebody else")]
    NotForUs,
    /// Cut or altered. Sections before this one are good; none: not even the head is.
    #[error("damaged{}", .0.map_or(String::new(), |place| format!(" at section {} of {}", place.section, place.of)))]
    Damaged(Option<Place>),
    /// An attachment whose bytes are others than its name says. What follows it can be read.
    #[error("another attachment than the one named at section {} of {}", .0.section, .0.of)]
    WrongBlob(Place),
    #[error("not signed by who it says made it")]
    BadSignature,
    #[error("larger than a file may be")]
    TooLarge,
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl FileError {
    /// The stable code that programs show words for.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotOurs => "not_our_file",
            Self::Newer => "newer_file",
            Self::NotForUs => "not_for_us",
            Self::Damaged(_) | Self::WrongBlob(_) => "damaged_file",
            Self::BadSignature => "bad_signature",
            Self::TooLarge => "too_large",
            Self::Io(_) => "unreadable",
        }
    }
}

/// A section of a file, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub section: usize,
    pub of: usize,
}
