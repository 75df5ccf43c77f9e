//! A change as it is carried, and as it is folded.

use std::collections::HashMap;

use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;

use crate::header::Header;
use crate::id::{ChangeId, DeviceId, StreamId};
use crate::json::{self, Unreadable};
use crate::limits::{MAX_HELD, MAX_LAMPORT_JUMP, MAX_PAYLOAD};

/// What a signature over a change begins with. It names the purpose and the version of the scheme, so it
/// stays the same for headers of newer programs.
pub const SIGNATURE_PURPOSE: &[u8] = b"jishi change v1\n";

/// Header bytes, signature, and payload bytes if held: everything that is stored, sent and hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawChange {
    pub header: Vec<u8>,
    pub signature: [u8; 64],
    /// One line of JSON: an array with a value for each write; null clears. None: dropped or withheld.
    pub payload: Option<Vec<u8>>,
}

/// A change that can be held: it has a place in a chain. What cannot be folded says why in `unreadable`.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub id: ChangeId,
    pub stream: StreamId,
    /// If `unreadable`, only what keeps the chain going is certain to be filled in.
    pub header: Header,
    /// One for each write. None: the payload is not held or cannot be read.
    pub values: Option<Vec<Value>>,
    pub unreadable: Option<Unreadable>,
    /// The lamport value to show and sort by. Whoever holds the chain sets it by `display_lamport`.
    pub lamport: u64,
    pub raw: RawChange,
}

/// Why a change is not held at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("longer than anything that is held")]
    TooLong,
    #[error("the header does not say where the change belongs")]
    NoEnvelope,
    #[error("the signature does not match")]
    BadSignature,
    #[error("the payload is not the one that was signed")]
    WrongPayload,
}

impl RawChange {
    /// BLAKE3 of the header bytes.
    pub fn id(&self) -> ChangeId {
        ChangeId(*blake3::hash(&self.header).as_bytes())
    }

    /// Reads and verifies a change from elsewhere.
    pub fn verify(self) -> Result<Change, Refused> {
        Verifier::default().verify(self)
    }

    /// Reads a change that was verified when it was stored.
    pub fn read(self) -> Result<Change, Refused> {
        let payload_len = self.payload.as_ref().map_or(0, Vec::len);
        if self.header.len() > MAX_HELD || payload_len > MAX_HELD {
            return Err(Refused::TooLong);
        }
        let (header, mut unreadable) = Header::read(&self.header).ok_or(Refused::NoEnvelope)?;
        let mut values = None;
        if let (None, Some(payload)) = (unreadable, &self.payload) {
            match read_values(payload, header.writes.len()) {
                Ok(read) => values = Some(read),
                Err(reason) => unreadable = Some(reason),
            }
        }
        let id = self.id();
        let stream = header.stream.unwrap_or(StreamId::from(id));
        let lamport = header.lamport;
        Ok(Change { id, stream, header, values, unreadable, lamport, raw: self })
    }
}

impl Change {
    /// Says whether these are the payload bytes that the header names.
    pub fn signed_payload(&self, payload: &[u8]) -> bool {
        payload.len() as u64 == self.header.payload_len
            && *blake3::hash(payload).as_bytes() == self.header.payload_hash.0
    }

    /// Forgets the payload. Header, chain and causality stay.
    pub fn drop_payload(&mut self) {
        self.values = None;
        self.raw.payload = None;
    }

    /// Says whether a write of this change touches the record.
    pub fn touches(&self, kind: &str, record: &str) -> bool {
        self.header.writes.iter().any(|write| write.record == record && write.kind == kind)
    }
}

/// Verifies many changes of few devices: the key of each, a point on a curve, is worked out once.
#[derive(Default)]
pub struct Verifier {
    /// None: the bytes are no key.
    keys: HashMap<DeviceId, Option<VerifyingKey>>,
}

impl Verifier {
    /// Reads and verifies a change from elsewhere.
    pub fn verify(&mut self, raw: RawChange) -> Result<Change, Refused> {
        let change = raw.read()?;
        let device = change.header.device;
        let key = self.keys.entry(device).or_insert_with(|| VerifyingKey::from_bytes(&device.0).ok());
        let input = signature_input(&change.raw.header);
        if !key.as_ref().is_some_and(|key| signed_by(key, &input, &change.raw.signature)) {
            return Err(Refused::BadSignature);
        }
        match &change.raw.payload {
            Some(payload) if !change.signed_payload(payload) => Err(Refused::WrongPayload),
            _ => Ok(change),
        }
    }
}

/// Says whether a device signed these bytes, strictly: no weak keys, no second spelling of a signature.
pub fn is_signed(device: &DeviceId, input: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(&device.0).is_ok_and(|key| signed_by(&key, input, signature))
}

fn signed_by(key: &VerifyingKey, input: &[u8], signature: &[u8; 64]) -> bool {
    key.verify_strict(input, &Signature::from_bytes(signature)).is_ok()
}

/// The bytes that a device signs for a header.
pub fn signature_input(header: &[u8]) -> Vec<u8> {
    [SIGNATURE_PURPOSE, header].concat()
}

/// The lamport value to show for a change, given the one shown for the change before it in its chain.
/// A device that claims a far future would otherwise stand above everyone for ever.
pub fn display_lamport(prev: Option<u64>, lamport: u64) -> u64 {
    let prev = prev.unwrap_or(0);
    if lamport > prev.saturating_add(MAX_LAMPORT_JUMP) { prev + 1 } else { lamport }
}

fn read_values(payload: &[u8], writes: usize) -> Result<Vec<Value>, Unreadable> {
    if payload.len() > MAX_PAYLOAD {
        return Err(Unreadable::TooLong);
    }
    let text = json::inspect(payload)?;
    let values: Vec<Value> = serde_json::from_str(text).map_err(|_| Unreadable::BadPayload)?;
    if values.len() == writes { Ok(values) } else { Err(Unreadable::BadPayload) }
}
