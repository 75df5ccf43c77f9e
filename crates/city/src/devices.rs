//! The computers of a branch, as its stream knows them.

use crate::city::{City, CityError};
use crate::revoke::verdicts;
use crate::{fold, quarantine, seen, tally};
use replica::{DeviceId, Field, RecordState, STREAM_KIND, STREAM_RECORD, StreamId};
use rusqlite::Connection;
use serde::Serialize;
use serde_json::Value;

/// One computer, or rather one signing identity of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Device {
    pub id: DeviceId,
    /// Empty if it never said one that counts.
    pub name: String,
    /// When the city let it in, unix milliseconds.
    pub since: Option<i64>,
    pub seen: Option<i64>,
    pub state: DeviceState,
    /// Changes that wait for review.
    pub quarantined: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    InUse,
    Revoked,
    /// Introduced by a revoked one after it was: never let in.
    NotLetIn,
}

impl City {
    /// The devices of a stream, the city's own keys left out.
    pub fn devices(&self, stream: &StreamId) -> Result<Vec<Device>, CityError> {
        self.db.read(|c| devices(self, c, stream))
    }

    /// A device of the stream by the beginning of its id.
    pub fn device_of(&self, stream: &StreamId, id: &str) -> Result<DeviceId, CityError> {
        let devices = self.devices(stream)?;
        let mut fitting = devices.iter().filter(|device| device.id.to_string().starts_with(id));
        match (fitting.next(), fitting.next()) {
            (Some(device), None) if id.len() >= 4 => Ok(device.id),
            _ => Err(CityError::UnknownDevice(id.to_owned())),
        }
    }
}

pub fn devices(city: &City, c: &Connection, stream: &StreamId) -> Result<Vec<Device>, CityError> {
    let verdicts = verdicts(city, c, stream)?;
    let waiting = quarantine::held(c, stream, &verdicts)?;
    let record = tally::stored(c, stream, STREAM_KIND, STREAM_RECORD)?;
    let mut devices = Vec::new();
    for (id, revoked) in fold::signers(&verdicts).into_iter().filter(|(id, _)| !verdicts.city.contains(id)) {
        let said = record.as_ref().and_then(|record| introduction(record, &id));
        let state = match (revoked, verdicts.revoked.contains_key(&id)) {
            (false, _) => DeviceState::InUse,
            (true, true) => DeviceState::Revoked,
            (true, false) => DeviceState::NotLetIn,
        };
        devices.push(Device {
            id,
            name: said.and_then(|said| said["name"].as_str()).unwrap_or_default().to_owned(),
            since: said.and_then(|said| said["from"].as_i64()),
            seen: seen::last(c, &id)?,
            state,
            quarantined: waiting.iter().filter(|it| it.change.header.device == id).count(),
        });
    }
    devices.sort_by_key(|device| (device.since, device.id));
    Ok(devices)
}

/// What was last said of the device; of sayings that disagree the first.
fn introduction<'a>(record: &'a RecordState, device: &DeviceId) -> Option<&'a Value> {
    match record.fields.get(&format!("~device/{device}"))? {
        Field::One { value, .. } => Some(value),
        Field::Conflict { heads, .. } => heads.iter().find_map(|head| head.value.as_ref()),
        Field::Withheld { .. } => None,
    }
}
