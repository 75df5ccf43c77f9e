//! The inside front of a file: who made it, when, for which streams, and what sections follow.

use super::label::Label;
use crate::bytes::{Malformed, Reader, Writer};
use replica::{DeviceId, StreamId, is_signed};

const VERSION: u8 = 1;
const SIGNED: &[u8] = b"jishi file v1\n";
/// Bytes of a head.
pub(super) const MAX_HEAD: u64 = 1024 * 1024;

/// What a section holds. Numbers that are not here are of newer programs, and passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionKind {
    /// A body of a request or an answer; the first has the front, later ones only changes.
    Message,
    /// A sealed message of an enrolment, as JSON.
    Enrolment,
    /// An attachment; its hash is its name.
    Blob,
    /// Which attachments the sender holds whole: an [`Inventory`](super::Inventory).
    Held,
    Other(u64),
}

impl SectionKind {
    fn number(self) -> u64 {
        match self {
            Self::Message => 1,
            Self::Enrolment => 2,
            Self::Blob => 3,
            Self::Held => 4,
            Self::Other(number) => number,
        }
    }

    fn from_number(number: u64) -> Self {
        match number {
            1 => Self::Message,
            2 => Self::Enrolment,
            3 => Self::Blob,
            4 => Self::Held,
            other => Self::Other(other),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionHead {
    pub kind: SectionKind,
    pub len: u64,
    /// BLAKE3 of its bytes.
    pub hash: [u8; 32],
}

/// The signed front of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The device, or the key that the city signs with.
    pub sender: DeviceId,
    /// Tells this file from every other of the sender.
    pub nonce: [u8; 16],
    /// When it was made, by the sender's clock, in unix milliseconds. It decides nothing.
    pub at: i64,
    /// Of an answer: the nonce of the file that it answers, if it answers one.
    pub answers: Option<[u8; 16]>,
    /// Of a request: the city's time of the receipt since which the changes are; 0 for none.
    pub since: i64,
    /// From the city: the root's certificate of the sender, as JSON; else empty.
    pub certificate: String,
    /// The streams that the first message speaks of, in its order.
    pub streams: Vec<StreamId>,
    pub sections: Vec<SectionHead>,
}

impl Head {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.byte(VERSION);
        out.fixed(&self.sender.0);
        out.fixed(&self.nonce);
        out.fixed(&self.at.to_be_bytes());
        out.byte(u8::from(self.answers.is_some()));
        out.fixed(self.answers.as_ref().map_or(&[][..], |nonce| nonce));
        out.fixed(&self.since.to_be_bytes());
        out.sized(self.certificate.as_bytes());
        out.number(self.streams.len() as u64);
        self.streams.iter().for_each(|stream| out.fixed(&stream.0));
        out.number(self.sections.len() as u64);
        for section in &self.sections {
            out.number(section.kind.number());
            out.number(section.len);
            out.fixed(&section.hash);
        }
        out.0
    }

    /// Says whether a program of this version can read it.
    pub(super) fn is_known(bytes: &[u8]) -> bool {
        bytes.first() == Some(&VERSION)
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Head, Malformed> {
        let mut from = Reader(bytes);
        if from.byte()? != VERSION {
            return Err(Malformed);
        }
        let (sender, nonce) = (DeviceId(from.fixed()?), from.fixed()?);
        let at = i64::from_be_bytes(from.fixed()?);
        let answers = match from.byte()? {
            0 => None,
            _ => Some(from.fixed()?),
        };
        let since = i64::from_be_bytes(from.fixed()?);
        let certificate = from.text()?.to_owned();
        let streams = (0..from.count()?).map(|_| Ok(StreamId(from.fixed()?))).collect::<Result<_, _>>()?;
        let sections = (0..from.count()?)
            .map(|_| {
                let kind = SectionKind::from_number(from.number()?);
                Ok(SectionHead { kind, len: from.number()?, hash: from.fixed()? })
            })
            .collect::<Result<_, _>>()?;
        Ok(Head { sender, nonce, at, answers, since, certificate, streams, sections })
    }

    /// The bytes that the sender signs: the label is among them, so that a file cannot be readdressed.
    pub fn signature_input(&self, label: &Label) -> Vec<u8> {
        Self::signed(label, &self.to_bytes())
    }

    /// The same for the bytes of a head.
    pub fn signed(label: &Label, head: &[u8]) -> Vec<u8> {
        [SIGNED, &label.to_bytes(), head].concat()
    }

    /// What a receipt in this file answers.
    pub fn receipt_nonce(&self) -> [u8; 16] {
        self.answers.unwrap_or(self.nonce)
    }
}

/// Says whether the sender signed these bytes of a head under this label.
pub(super) fn is_signed_head(sender: &DeviceId, label: &Label, head: &[u8], signature: &[u8; 64]) -> bool {
    is_signed(sender, &Head::signed(label, head), signature)
}
