//! What a device sends after its right to write was taken: held, not counted, looked at by people, and let through change
//! by change.

use crate::city::{City, CityError};
use crate::db::DbError;
use crate::exchange::stream_state;
use crate::http::Refuse;
use crate::log;
use crate::pen::Write;
use crate::revoke::verdicts;
use crate::{accept, audit, lacking};
use axum::http::StatusCode;
use replica::{Change, ChangeId, DeviceId, Ruling, Standing, StreamId, Verdicts, ruling_path};
use rusqlite::Connection;
use wire::{Answer, REVOKED, RefusedPart, Request, RequestHead, StreamAnswer, StreamState};

/// What one device may have in quarantine in one stream: years of honest work, and not the whole disk.
const MOST: i64 = 20_000;

/// A held change that does not count because of who wrote it.
#[derive(Debug, Clone)]
pub struct Quarantined {
    pub change: Change,
    pub received_at: i64,
}

/// Tells a revoked device what is held of the streams that it wrote in, and which of its values are missing, so that it
/// hands in the rest. It gets no change and no receipt.
pub fn answer(
    city: &City,
    t: &Connection,
    head: &RequestHead,
    request: &Request,
    mut refused: Vec<RefusedPart>,
) -> Result<Vec<u8>, Refuse> {
    let (mut streams, mut wanted) = (Vec::new(), Vec::new());
    for ask in &request.streams {
        let state = match is_signer(t, &ask.stream, &head.device)? {
            true => {
                has_room(t, &ask.stream, &head.device)?;
                wanted.extend(lacking::wanted(city, t, &ask.stream, &head.device)?);
                match stream_state(t, &ask.stream, &ask.have, &log::frontier(t, &ask.stream)?)?.0 {
                    StreamState::Same => StreamState::Differs {
                        frontier: log::frontier(t, &ask.stream)?,
                        traces: Default::default(),
                    },
                    other => other,
                }
            }
            false => StreamState::Refused,
        };
        streams.push(StreamAnswer { stream: ask.stream, state });
    }
    refused.push(RefusedPart::Device { device: head.device, code: REVOKED.to_owned() });
    let answer = Answer {
        streams,
        refused,
        retry_after: None,
        receipt: None,
        wanted,
        more: false,
        changes: Vec::new(),
    };
    Ok(answer.encode())
}

/// Says whether the device may sign in the stream, or might before its right was taken.
pub fn is_signer(t: &Connection, stream: &StreamId, device: &DeviceId) -> Result<bool, DbError> {
    let statement = "SELECT 1 FROM signer WHERE stream = ?1 AND device = ?2";
    Ok(t.prepare_cached(statement)?.exists((stream.0.as_slice(), device.0.as_slice()))?)
}

fn has_room(t: &Connection, stream: &StreamId, device: &DeviceId) -> Result<(), Refuse> {
    let statement = "SELECT count(*) FROM change WHERE stream = ?1 AND device = ?2";
    let held: i64 = t
        .prepare_cached(statement)?
        .query_row((stream.0.as_slice(), device.0.as_slice()), |row| row.get(0))?;
    match held > MOST {
        true => Err(Refuse::new(StatusCode::FORBIDDEN, REVOKED)),
        false => Ok(()),
    }
}

impl City {
    /// What waits for review in a stream, in the order in which it came.
    pub fn quarantine(&self, stream: &StreamId) -> Result<Vec<Quarantined>, CityError> {
        self.db.read(|c| held(c, stream, &verdicts(self, c, stream)?))
    }

    /// Lets these changes count. Others of the same device stay aside.
    pub fn release(&self, who: &str, stream: &StreamId, changes: &[ChangeId]) -> Result<ChangeId, CityError> {
        let now = self.world.now();
        self.db.write(|t| {
            let held = held(t, stream, &verdicts(self, t, stream)?)?;
            if let Some(other) = changes.iter().find(|id| !held.iter().any(|it| it.change.id == **id)) {
                return Err(CityError::NotInQuarantine(*other));
            }
            let name = blake3::hash(&changes.iter().flat_map(|id| id.0).collect::<Vec<u8>>()).to_hex();
            let ruling = Ruling::Release { changes: changes.to_vec() }.to_value();
            let writes = [Write::to_stream(ruling_path(&name[..32]), ruling, Vec::new())];
            let ruling = accept::write(self, t, stream, "release", &writes, now)?;
            for id in changes {
                audit::note(t, now, who, "released from quarantine", &format!("{stream} {id}"))?;
            }
            Ok(ruling.id)
        })
    }
}

/// Held changes whose device was revoked before they were known, or was introduced by such a one.
pub fn held(c: &Connection, stream: &StreamId, verdicts: &Verdicts) -> Result<Vec<Quarantined>, CityError> {
    let mut statement = c.prepare_cached(
        "SELECT c.header, c.signature, c.payload, c.lamport, c.received_at
         FROM signer s JOIN change c ON c.stream = s.stream AND c.device = s.device
         WHERE s.stream = ?1 AND s.revoked = 1 ORDER BY c.seq",
    )?;
    let mut rows = statement.query([stream.0.as_slice()])?;
    let mut held = Vec::new();
    while let Some(row) = rows.next()? {
        let change = log::read(row)?;
        let waits = matches!(verdicts.standing(&change), Standing::Quarantined | Standing::NotEnrolled);
        if waits {
            held.push(Quarantined { change, received_at: row.get(4)? });
        }
    }
    Ok(held)
}
