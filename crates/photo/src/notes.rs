//! What a camera wrote beside the picture: read for two facts, then dropped with everything else.

use exif::{Exif, In, Reader, Tag, Value};
use image::metadata::Orientation;

/// What is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notes {
    pub orientation: Orientation,
    /// `2026-10-13T14:05`.
    pub taken_at: Option<String>,
}

impl Notes {
    /// Notes that cannot be read are no notes: the picture is good without.
    pub fn read(exif: Option<Vec<u8>>) -> Self {
        let exif = exif.and_then(parsed);
        Self {
            orientation: exif.as_ref().and_then(orientation).unwrap_or(Orientation::NoTransforms),
            taken_at: exif.as_ref().and_then(taken_at),
        }
    }
}

/// Some cameras write a damaged field among sound ones.
fn parsed(exif: Vec<u8>) -> Option<Exif> {
    let mut reader = Reader::new();
    match reader.continue_on_error(true).read_raw(exif) {
        Ok(exif) => Some(exif),
        Err(error) => error.distill_partial_result(|_| {}).ok(),
    }
}

fn orientation(exif: &Exif) -> Option<Orientation> {
    let code = exif.get_field(Tag::Orientation, In::PRIMARY)?.value.get_uint(0)?;
    Orientation::from_exif(u8::try_from(code).ok()?)
}

/// The civil time on the camera's clock. An unset clock (`0000:00:00`) is none.
fn taken_at(exif: &Exif) -> Option<String> {
    let Value::Ascii(texts) = &exif.get_field(Tag::DateTimeOriginal, In::PRIMARY)?.value else { return None };
    let at = exif::DateTime::from_ascii(texts.first()?).ok()?;
    let sound = (1990..2200).contains(&at.year)
        && (1..=12).contains(&at.month)
        && (1..=days(at.year, at.month)).contains(&at.day)
        && at.hour < 24
        && at.minute < 60;
    sound.then(|| format!("{:04}-{:02}-{:02}T{:02}:{:02}", at.year, at.month, at.day, at.hour, at.minute))
}

fn days(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
