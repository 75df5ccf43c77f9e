//! 归档: the city seals a record by a write of its own at `~seal/<kind>/<id>` in the stream's record. What a branch writes
//! to a sealed record afterwards is refused by rule, until the city lifts the seal by clearing that value.

use crate::accounts::OPERATOR;
use crate::city::{City, CityError};
use crate::pen::Write;
use crate::{accept, audit, fold};
use replica::{Change, ChangeId, STREAM_KIND, STREAM_RECORD, StreamId, Verdicts, WriteHead};
use serde_json::{Value, json};
use std::collections::BTreeSet;

impl City {
    /// Seals a record of a stream.
    pub fn seal(&self, stream: &StreamId, kind: &str, record: &str) -> Result<ChangeId, CityError> {
        self.set_seal(stream, (kind, record), json!({ "from": self.world.now() }), "seal")
    }

    /// Takes the seal off again.
    pub fn unseal(&self, stream: &StreamId, kind: &str, record: &str) -> Result<ChangeId, CityError> {
        self.set_seal(stream, (kind, record), Value::Null, "unseal")
    }

    fn set_seal(
        &self,
        stream: &StreamId,
        (kind, record): (&str, &str),
        value: Value,
        action: &str,
    ) -> Result<ChangeId, CityError> {
        let now = self.world.now();
        self.db.write(|t| {
            let path = path(kind, record);
            let state = fold::state(t, &self.root, stream, STREAM_KIND, STREAM_RECORD)?;
            let over = state.map(|state| state.heads(&path)).unwrap_or_default();
            audit::note(t, now, OPERATOR, action, &format!("{stream} {path}"))?;
            let writes = [Write::to_stream(path, value, over)];
            Ok(accept::write(self, t, stream, action, &writes, now)?.id)
        })
    }
}

pub fn path(kind: &str, record: &str) -> String {
    format!("~seal/{kind}/{record}")
}

/// The seals that stand among the changes to a stream's record: heads of the city's that are not cleared. Others cannot
/// seal.
pub fn sealed(about: &[Change], verdicts: &Verdicts) -> BTreeSet<String> {
    let city = || about.iter().filter(|change| verdicts.city.contains(&change.header.device));
    let seals = || {
        city().flat_map(|change| {
            let values = change.values.as_deref().unwrap_or_default();
            let writes = change.header.writes.iter().zip(values);
            let seals = writes.filter(|(write, _)| write.path.starts_with("~seal/"));
            seals.map(move |(write, value)| (change, write, value))
        })
    };
    let over: BTreeSet<(&str, ChangeId)> = seals()
        .flat_map(|(change, write, _)| change.header.over(write).map(|id| (write.path.as_str(), id)))
        .collect();
    let stands = |change: &Change, write: &WriteHead, value: &Value| {
        !value.is_null() && !over.contains(&(write.path.as_str(), change.id))
    };
    seals()
        .filter(|(change, write, value)| stands(change, write, value))
        .map(|(_, write, _)| write.path.clone())
        .collect()
}
