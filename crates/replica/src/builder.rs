//! Making a change: the only place that writes headers.

use ed25519_dalek::{Signer, SigningKey};
use serde_json::Value;

use crate::change::{Change, RawChange, Refused, signature_input};
use crate::header::{Header, WriteHead};
use crate::id::{ChangeId, DeviceId, PayloadHash, StreamId};
use crate::json::{Unreadable, canonical};
use crate::limits::VERSION;

/// The end of the author's chain in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct End {
    pub n: u64,
    pub id: ChangeId,
}

/// Why a change cannot be made. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotBuild {
    #[error("too long for one change, split it")]
    TooBig,
    #[error("not writable: {0}")]
    Unreadable(Unreadable),
    #[error("signed with a key that is not the device's")]
    WrongKey,
}

/// Collects the writes of one user action.
pub struct ChangeBuilder {
    header: Header,
    payload: String,
}

impl ChangeBuilder {
    /// `stream` None founds a stream; `prev` None starts the device's chain in it.
    pub fn new(
        stream: Option<StreamId>,
        prev: Option<End>,
        device: DeviceId,
        lamport: u64,
        at: i64,
        author: &str,
        action: &str,
    ) -> Self {
        let header = Header {
            v: VERSION,
            stream,
            device,
            n: prev.map_or(1, |end| end.n + 1),
            prev: prev.map(|end| end.id),
            lamport,
            at,
            author: author.into(),
            action: action.into(),
            refs: Vec::new(),
            writes: Vec::new(),
            payload_hash: PayloadHash([0; 32]),
            payload_len: 0,
            batch: None,
            origin: None,
        };
        Self { header, payload: String::from("[") }
    }

    /// Writes one value (null clears) over the heads that the author saw at the path.
    #[must_use]
    pub fn write(mut self, record: &str, kind: &str, path: &str, value: &Value, over: &[ChangeId]) -> Self {
        self.add(record, kind, path, value, over);
        self
    }

    /// Writes one value, for use in loops.
    pub fn add(&mut self, record: &str, kind: &str, path: &str, value: &Value, over: &[ChangeId]) {
        let mut over: Vec<u32> = over.iter().map(|id| self.reference(*id)).collect();
        over.sort_unstable();
        over.dedup();
        self.header.writes.push(WriteHead {
            record: record.into(),
            kind: kind.into(),
            path: path.into(),
            over,
        });
        if self.payload.len() > 1 {
            self.payload.push(',');
        }
        self.payload.push_str(&canonical(value));
    }

    /// Joins this change to the others of one import.
    #[must_use]
    pub fn batch(mut self, batch: &str) -> Self {
        self.header.batch = Some(batch.into());
        self
    }

    /// Names the change that this one issues again.
    #[must_use]
    pub fn origin(mut self, origin: &str) -> Self {
        self.header.origin = Some(origin.into());
        self
    }

    /// How many writes were collected.
    pub fn writes(&self) -> usize {
        self.header.writes.len()
    }

    /// Bytes of header and payload so far, about; for splitting an import.
    pub fn size_hint(&self) -> usize {
        let heads: usize =
            self.header.writes.iter().map(|w| w.record.len() + w.kind.len() + w.path.len() + 40).sum();
        heads + self.header.refs.len() * 67 + self.payload.len() + 500
    }

    /// Signs. Refuses what the fold would not read.
    pub fn sign(mut self, key: &SigningKey) -> Result<Change, CannotBuild> {
        if key.verifying_key().to_bytes() != self.header.device.0 {
            return Err(CannotBuild::WrongKey);
        }
        self.payload.push(']');
        let payload = self.payload.into_bytes();
        self.header.payload_hash = PayloadHash(*blake3::hash(&payload).as_bytes());
        self.header.payload_len = payload.len() as u64;
        let header = self.header.to_bytes();
        let signature = key.sign(&signature_input(&header)).to_bytes();
        let change =
            RawChange { header, signature, payload: Some(payload) }.read().map_err(
                |refused| match refused {
                    Refused::TooLong => CannotBuild::TooBig,
                    Refused::NoEnvelope | Refused::BadSignature | Refused::WrongPayload => {
                        CannotBuild::Unreadable(Unreadable::BadHeader)
                    }
                },
            )?;
        match change.unreadable {
            None => Ok(change),
            Some(Unreadable::TooLong) => Err(CannotBuild::TooBig),
            Some(reason) => Err(CannotBuild::Unreadable(reason)),
        }
    }

    fn reference(&mut self, id: ChangeId) -> u32 {
        let found = self.header.refs.iter().position(|known| *known == id);
        let index = found.unwrap_or_else(|| {
            self.header.refs.push(id);
            self.header.refs.len() - 1
        });
        u32::try_from(index).expect("a change has far fewer than 2^32 references")
    }
}

/// The public key of a signing key, as a device id.
pub fn device_of(key: &SigningKey) -> DeviceId {
    DeviceId(key.verifying_key().to_bytes())
}
