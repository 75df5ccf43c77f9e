//! The signed part of a change.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::id::{ChangeId, DeviceId, PayloadHash, StreamId};
use crate::json::{self, Unreadable};
use crate::limits::{MAX_HEADER, MAX_NAME, MAX_PATH, MAX_WRITES, VERSION};

/// What a device signed. Fields that this program does not know are ignored here and kept in the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub v: u32,
    /// None only in a stream's first change, whose id names the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamId>,
    pub device: DeviceId,
    /// Number in the device's chain, from 1. Never an identity: a copied computer makes two of one number.
    pub n: u64,
    /// The device's change before this one in this stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<ChangeId>,
    /// Orders display, decides nothing. Read `Change::lamport`, which does not believe jumps.
    pub lamport: u64,
    /// Unix milliseconds on the author's clock.
    pub at: i64,
    pub author: String,
    pub action: String,
    /// The changes that `over` of the writes points into.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<ChangeId>,
    #[serde(deserialize_with = "objects")]
    pub writes: Vec<WriteHead>,
    #[serde(rename = "payload")]
    pub payload_hash: PayloadHash,
    #[serde(rename = "len")]
    pub payload_len: u64,
    /// Joins the changes of one import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// The change that this one issues again under another identity or stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

/// Where one value of the payload goes, and what it supersedes there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteHead {
    pub record: String,
    pub kind: String,
    pub path: String,
    /// Indexes into `refs`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<u32>,
}

/// The least that must be read to hold a change in its chain, whatever else its header is.
#[derive(Deserialize)]
struct Envelope {
    v: u32,
    #[serde(default)]
    stream: Option<StreamId>,
    device: DeviceId,
    n: u64,
    #[serde(default)]
    prev: Option<ChangeId>,
    #[serde(rename = "payload")]
    payload_hash: PayloadHash,
    #[serde(rename = "len")]
    payload_len: u64,
}

/// Something that is read from an object only: a derived struct by itself would be read from an array, too, which has its
/// fields in their order.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FromMap(PhantomData)).map(Self)
    }
}

struct FromMap<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FromMap<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

fn objects<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<WriteHead>, D::Error> {
    let writes = Vec::<Object<WriteHead>>::deserialize(deserializer)?;
    Ok(writes.into_iter().map(|Object(write)| write).collect())
}

impl Header {
    /// The canonical bytes, which this program signs. Never used on what others signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a header has no map keys that could fail")
    }

    /// Ids that a write is over. Indexes were checked when the header was read.
    pub fn over<'a>(&'a self, write: &'a WriteHead) -> impl Iterator<Item = ChangeId> + 'a {
        write.over.iter().map(|index| self.refs[*index as usize])
    }

    /// Reads header bytes. The second part says why the change folds as nothing, if so; then the first
    /// holds only what keeps the chain going. None: not even that can be read.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, Option<Unreadable>)> {
        match Self::read_whole(bytes) {
            Ok(header) => header.links().then_some((header, None)),
            Err(reason) => Self::read_envelope(bytes, reason).map(|(header, reason)| (header, Some(reason))),
        }
    }

    fn read_whole(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.len() > MAX_HEADER {
            return Err(Unreadable::TooLong);
        }
        let text = json::inspect(bytes)?;
        let Object::<Self>(header) = serde_json::from_str(text).map_err(|_| Unreadable::BadHeader)?;
        header.check()?;
        Ok(header)
    }

    fn read_envelope(bytes: &[u8], reason: Unreadable) -> Option<(Self, Unreadable)> {
        let Object::<Envelope>(envelope) = serde_json::from_slice(bytes).ok()?;
        let header = Self {
            v: envelope.v,
            stream: envelope.stream,
            device: envelope.device,
            n: envelope.n,
            prev: envelope.prev,
            lamport: 0,
            at: 0,
            author: String::new(),
            action: String::new(),
            refs: Vec::new(),
            writes: Vec::new(),
            payload_hash: envelope.payload_hash,
            payload_len: envelope.payload_len,
            batch: None,
            origin: None,
        };
        let reason = if header.v == VERSION { reason } else { Unreadable::Newer };
        header.links().then_some((header, reason))
    }

    /// The first change of a chain has no `prev` and number 1, and only such a one may found a stream.
    fn links(&self) -> bool {
        self.n >= 1 && (self.n == 1) == self.prev.is_none() && (self.stream.is_some() || self.n == 1)
    }

    fn check(&self) -> Result<(), Unreadable> {
        if self.v != VERSION {
            return Err(Unreadable::Newer);
        }
        let optional = [&self.batch, &self.origin];
        let names = [&self.author, &self.action].into_iter().chain(optional.into_iter().flatten());
        if names.into_iter().any(|name| name.len() > MAX_NAME) {
            return Err(Unreadable::BadHeader);
        }
        if self.writes.len() > MAX_WRITES {
            return Err(Unreadable::TooLong);
        }
        for write in &self.writes {
            let inside = write.over.iter().all(|index| (*index as usize) < self.refs.len());
            if !inside || !write.named() {
                return Err(Unreadable::BadWrite);
            }
        }
        let mut places: Vec<_> =
            self.writes.iter().map(|write| (&write.path, &write.record, &write.kind)).collect();
        places.sort_unstable();
        if places.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Unreadable::BadWrite);
        }
        Ok(())
    }
}

impl WriteHead {
    fn named(&self) -> bool {
        token(&self.record) && token(&self.kind) && well_formed_path(&self.path)
    }
}

/// A record id, a kind or an item id.
fn token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'~');
    !text.is_empty() && text.len() <= MAX_NAME && text.bytes().all(allowed)
}

fn well_formed_path(path: &str) -> bool {
    path.len() <= MAX_PATH
        && path.split('/').all(|part| !part.is_empty() && !part.chars().any(char::is_control))
}
