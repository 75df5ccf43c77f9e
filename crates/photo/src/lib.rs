//! Files that people attach, made fit to be kept: bytes in, a prepared picture or document out.
//!
//! A picture comes out upright, at most [`LONG_EDGE`] pixels long, as a JPEG that carries nothing but the picture: no
//! place, no device, no names. What a reviewer may ask about later is kept beside it: when it was taken and the hash
//! of the file as it came. Pure and heavy; knows no store, no clock and no page. Start at [`prepare`].

mod decode;
mod notes;
mod scale;
mod sniff;

use crate::notes::Notes;
use crate::sniff::{Format, sniff};

/// The longest file that is looked at at all; a picture of [`MAX_PIXELS`] from a camera is well below.
pub const MAX_FILE: usize = 40 * 1024 * 1024;
/// The longest document; it is kept as it is.
pub const MAX_DOCUMENT: usize = 16 * 1024 * 1024;
/// Pictures of more pixels are refused by their header alone.
pub const MAX_PIXELS: u64 = 50_000_000;
/// The longer edge of a kept picture.
pub const LONG_EDGE: u32 = 2560;
/// The longer edge of a thumbnail.
pub const THUMB_EDGE: u32 = 320;

/// A file as it will be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    pub media: Media,
    pub bytes: Vec<u8>,
    /// A small picture of it; a document has none.
    pub thumb: Option<Vec<u8>>,
    /// When the camera took it, civil time to the minute: `2026-10-13T14:05`.
    pub taken_at: Option<String>,
    /// BLAKE3 of the file as it came, in hex.
    pub original: String,
}

/// What a kept file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    Jpeg,
    Pdf,
}

/// Why a file is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    #[error("the file is empty")]
    Empty,
    #[error("the file is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("a picture in Apple's format")]
    Heic,
    #[error("neither a picture nor a document that is known")]
    Unknown,
    #[error("a moving picture")]
    Moving,
    #[error("{width} × {height} pixels are too many")]
    TooManyPixels { width: u32, height: u32 },
    #[error("the file is broken or was cut off")]
    Broken,
}

impl Media {
    /// The content type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Pdf => "application/pdf",
        }
    }

    /// What bytes that somebody else made are served as, by how they begin; nothing for all other bytes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match sniff(bytes) {
            Some(Format::Jpeg) => Some(Self::Jpeg),
            Some(Format::Pdf) => Some(Self::Pdf),
            Some(Format::Png | Format::WebP | Format::Heic) | None => None,
        }
    }
}

/// Makes a file fit to be kept, or says why it cannot be.
pub fn prepare(file: &[u8]) -> Result<Prepared, PhotoError> {
    if file.is_empty() {
        return Err(PhotoError::Empty);
    }
    if file.len() > MAX_FILE {
        return Err(PhotoError::TooLong { limit: MAX_FILE });
    }
    match sniff(file).ok_or(PhotoError::Unknown)? {
        Format::Heic => Err(PhotoError::Heic),
        Format::Pdf => document(file),
        format @ (Format::Jpeg | Format::Png | Format::WebP) => picture(file, format),
    }
}

fn document(file: &[u8]) -> Result<Prepared, PhotoError> {
    if file.len() > MAX_DOCUMENT {
        return Err(PhotoError::TooLong { limit: MAX_DOCUMENT });
    }
    if !sniff::ends_as_pdf(file) {
        return Err(PhotoError::Broken);
    }
    Ok(Prepared {
        media: Media::Pdf,
        bytes: file.to_vec(),
        thumb: None,
        taken_at: None,
        original: original(file),
    })
}

fn picture(file: &[u8], format: Format) -> Result<Prepared, PhotoError> {
    let (decoded, exif) = decode::decode(file, format)?;
    let notes = Notes::read(exif);
    // Scaled before it is turned: turning needs a second copy.
    let mut fitted = scale::fit(decoded, LONG_EDGE)?;
    fitted.apply_orientation(notes.orientation);
    let bytes = scale::jpeg(&fitted)?;
    let thumb = scale::jpeg(&scale::fit(fitted, THUMB_EDGE)?)?;
    Ok(Prepared {
        media: Media::Jpeg,
        bytes,
        thumb: Some(thumb),
        taken_at: notes.taken_at,
        original: original(file),
    })
}

fn original(file: &[u8]) -> String {
    blake3::hash(file).to_hex().to_string()
}
