//! The city as a device: changes that it writes itself, signed by its operating key.

use crate::db::DbError;
use crate::keys;
use crate::log::Appending;
use replica::{CannotBuild, Change, ChangeBuilder, ChangeId, STREAM_KIND, STREAM_RECORD, StreamId};
use rusqlite::Connection;
use serde_json::Value;

/// The author of what the city does by itself.
const AUTHOR: &str = "city";

/// One value of a change of the city's.
#[derive(Debug)]
pub struct Write {
    pub kind: String,
    pub record: String,
    pub path: String,
    pub value: Value,
    pub over: Vec<ChangeId>,
}

impl Write {
    /// A write to the record about the stream itself.
    pub fn to_stream(path: String, value: Value, over: Vec<ChangeId>) -> Write {
        Write { kind: STREAM_KIND.to_owned(), record: STREAM_RECORD.to_owned(), path, value, over }
    }
}

/// Why the city cannot write a change.
#[derive(Debug, thiserror::Error)]
pub enum PenError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("there is no stream {0}")]
    NoStream(StreamId),
    #[error("the city's change cannot be made: {0}")]
    Build(#[from] CannotBuild),
}

/// Signs a change at the end of the city's chain in the stream. It counts once it has been appended. A key's first change
/// in a stream carries the root's word for it, so that whoever holds the change knows whose it is.
pub fn draft(
    t: &Connection,
    log: &Appending<'_>,
    stream: &StreamId,
    at: i64,
    action: &str,
    writes: &[Write],
) -> Result<Change, PenError> {
    let operating = keys::signing(t)?;
    let device = operating.device();
    let (end, lamport) = log.next_of(&device)?;
    let mut builder = ChangeBuilder::new(Some(*stream), end, device, lamport, at, AUTHOR, action);
    if end.is_none() {
        builder.add(STREAM_RECORD, STREAM_KIND, &format!("~key/{device}"), &operating.certificate, &[]);
    }
    for write in writes {
        builder.add(&write.record, &write.kind, &write.path, &write.value, &write.over);
    }
    Ok(builder.sign(&operating.key)?)
}
