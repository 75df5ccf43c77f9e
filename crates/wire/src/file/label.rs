//! The outside of a file.

use super::FileError;
use crate::bytes::{Reader, Writer};
use replica::{DeviceId, RootKey};
use std::io::Read;

const MAGIC: &[u8; 11] = b"jishi file\n";
const VERSION: u8 = 1;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// From a laptop: what it holds, and what the city lacked when it last heard of it.
    Request,
    /// From the city: its receipt, and what the laptop lacks.
    Answer,
    /// From a laptop that wants to be let in.
    EnrolAsk,
    /// From the city: the laptop is let in; and an answer.
    EnrolYes,
}

/// What anybody can read of a file: enough to say whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    pub purpose: Purpose,
    /// The root key of the city; zeros while the laptop does not know it.
    pub city: RootKey,
    /// Whose key opens it: a device, a key that the city signs with, or the key of an enrolment code.
    pub recipient: DeviceId,
}

impl Label {
    pub const LEN: usize = MAGIC.len() + 2 + 32 + 32;

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.fixed(MAGIC);
        out.byte(VERSION);
        out.byte(match self.purpose {
            Purpose::Request => 1,
            Purpose::Answer => 2,
            Purpose::EnrolAsk => 3,
            Purpose::EnrolYes => 4,
        });
        out.fixed(&self.city.0);
        out.fixed(&self.recipient.0);
        out.0
    }

    /// Takes the label off.
    pub fn read(from: &mut impl Read) -> Result<Label, FileError> {
        let mut bytes = Vec::with_capacity(Self::LEN);
        from.take(Self::LEN as u64).read_to_end(&mut bytes)?;
        let Some(rest) = bytes.strip_prefix(MAGIC.as_slice()) else { return Err(FileError::NotOurs) };
        let mut from = Reader(rest);
        let cut = |_| FileError::Damaged(None);
        if from.byte().map_err(cut)? != VERSION {
            return Err(FileError::Newer);
        }
        let purpose = match from.byte().map_err(cut)? {
            1 => Purpose::Request,
            2 => Purpose::Answer,
            3 => Purpose::EnrolAsk,
            4 => Purpose::EnrolYes,
            _ => return Err(FileError::Newer),
        };
        let city = RootKey(from.fixed().map_err(cut)?);
        Ok(Label { purpose, city, recipient: DeviceId(from.fixed().map_err(cut)?) })
    }
}
