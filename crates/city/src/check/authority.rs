//! What was done in the city's name: its keys, redactions by two people, the announced address.

use super::{Report, streams};
use crate::city::City;
use crate::db::{DbError, hex};
use crate::{announce, fold, log};
use ed25519_dalek::SigningKey;
use replica::{
    ChangeId, DeviceId, STREAM_KIND, STREAM_RECORD, StreamId, Verdicts, device_of, is_certificate,
};
use rusqlite::Connection;
use std::collections::BTreeSet;

pub fn check(c: &Connection, city: &City, report: &mut Report) -> Result<(), DbError> {
    let keys = keys(c, city, report)?;
    redactions(c, report)?;
    let announced = announce::announced(c)?;
    for stream in streams(c)? {
        let Some(founder) = fold::founder(c, &stream)? else { continue };
        let verdicts = fold::verdicts(c, &city.root, &stream, founder, None)?;
        let frontier = log::frontier(c, &stream)?;
        if keys.iter().any(|key| frontier.ends(key).next().is_some() && !verdicts.city.contains(key)) {
            report.find("uncertified", stream.to_string());
        }
        dropped(c, &stream, &verdicts, report)?;
        if let Some(address) = &announced {
            let record = fold::state(c, &city.root, &stream, STREAM_KIND, STREAM_RECORD)?;
            let said = record.as_ref().and_then(|record| record.value(announce::PATH));
            if said != Some(&announce::value(address)) {
                report.find("address", stream.to_string());
            }
        }
    }
    Ok(())
}

/// Every key has the root's word, one has a secret and signs, and spares can.
fn keys(c: &Connection, city: &City, report: &mut Report) -> Result<BTreeSet<DeviceId>, DbError> {
    let statement = "SELECT device, secret, certificate, turn,
                            turn IS NOT NULL AND turn = (SELECT max(turn) FROM operating_key) FROM operating_key";
    let mut statement = c.prepare(statement)?;
    let mut rows = statement.query([])?;
    let (mut keys, mut signing) = (BTreeSet::new(), 0);
    while let Some(row) = rows.next()? {
        let device = DeviceId(log::bytes32(row.get(0)?, "operating_key")?);
        let secret: Vec<u8> = row.get(1)?;
        let certificate: String = row.get(2)?;
        let (turn, signs): (Option<i64>, bool) = (row.get(3)?, row.get(4)?);
        let certified = serde_json::from_str(&certificate)
            .is_ok_and(|certificate| is_certificate(&city.root, &device, &certificate));
        let own = <[u8; 32]>::try_from(secret.as_slice())
            .is_ok_and(|secret| device_of(&SigningKey::from_bytes(&secret)) == device);
        let retired = turn.is_some() && !signs;
        // One that signs no more has forgotten its secret, or still opens files with it.
        if !certified || !(own || retired && secret.is_empty()) {
            report.find("operating_key", device.to_string());
        }
        signing += usize::from(signs);
        keys.insert(device);
    }
    if signing != 1 {
        report.find("operating_key", format!("{signing} 把在用"));
    }
    Ok(keys)
}

/// Nothing is redacted by one person alone, and what is has no values any more.
fn redactions(c: &Connection, report: &mut Report) -> Result<(), DbError> {
    let statement = "SELECT r.id FROM redaction r WHERE r.done = 1 AND (r.decided_by = r.asked_by
                        OR NOT EXISTS (SELECT 1 FROM redacted d WHERE d.redaction = r.id)
                        OR EXISTS (SELECT 1 FROM redacted d JOIN change c ON c.id = d.change
                                    WHERE d.redaction = r.id AND c.payload IS NOT NULL))";
    let mut statement = c.prepare(statement)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        report.find("redaction", row.get::<_, i64>(0)?.to_string());
    }
    Ok(())
}

/// No dropped change of the stream has values.
fn dropped(
    c: &Connection,
    stream: &StreamId,
    verdicts: &Verdicts,
    report: &mut Report,
) -> Result<(), DbError> {
    let ids: BTreeSet<ChangeId> = verdicts.drop_candidates().collect();
    for id in ids {
        let held = log::get(c, &id)?.filter(|change| change.stream == *stream);
        if held.is_some_and(|change| verdicts.drops(&change) && change.raw.payload.is_some()) {
            report.find("redaction", hex(&id.0));
        }
    }
    Ok(())
}
