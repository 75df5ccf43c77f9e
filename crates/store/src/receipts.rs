//! What is known of the city's receipts beside their signed bytes: whose they are, what they covered first, and which
//! changes claim to be older than a receipt that was there before them.

use std::collections::BTreeMap;

use replica::{DeviceId, Frontier, StreamId};
use rusqlite::{Connection, params};

use crate::error::{Fault, StoreError};
use crate::identity;
use crate::log;
use crate::store::Store;

/// A change that says it was written longer than this before a receipt that its author had already is doubtful. A
/// request is believed within as much of the city's clock.
const TOLERANCE_MS: i64 = 5 * 60 * 1000;

/// A receipt with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptReceipt {
    pub at: i64,
    pub body: Vec<u8>,
    /// What it was signed for; empty if a program kept it that did not keep this.
    pub frontiers: Vec<u8>,
    /// Changes, and records touched by them, that it was the first to cover.
    pub changes: u64,
    pub records: u64,
}

impl Store {
    /// The latest receipts with what they covered, the last first.
    pub fn kept_receipts(&self, limit: u32) -> Result<Vec<KeptReceipt>, StoreError> {
        self.look(|db| {
            let counts = covered_first(db)?;
            let sql = "SELECT at, body, frontiers FROM receipt ORDER BY seq DESC LIMIT ?1";
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query([limit])?;
            let mut receipts = Vec::new();
            while let Some(row) = rows.next()? {
                let at: i64 = row.get(0)?;
                let (changes, records) = counts.get(&at).copied().unwrap_or_default();
                let frontiers: Option<Vec<u8>> = row.get(2)?;
                let (body, frontiers) = (row.get(1)?, frontiers.unwrap_or_default());
                receipts.push(KeptReceipt { at, body, frontiers, changes, records });
            }
            Ok(receipts)
        })
    }
}

/// Changes and records by the time of the receipt that covered them first, in one pass.
fn covered_first(db: &Connection) -> Result<BTreeMap<i64, (u64, u64)>, Fault> {
    let sql = "SELECT at, count(DISTINCT reported.change), count(DISTINCT touch.record)
               FROM reported LEFT JOIN touch ON touch.change = reported.change GROUP BY at";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
        Ok((row.get(0)?, (count(1)?, count(2)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes with a receipt that it answered this computer, and where its own chain ended, if the city holds all of that.
pub(crate) fn note_owner(
    db: &Connection,
    receipt: i64,
    covered: &BTreeMap<StreamId, Frontier>,
) -> Result<(), Fault> {
    let device = identity::current(db)?.device();
    let own_end = own_end(db, &device, covered)?;
    db.prepare_cached("UPDATE receipt SET device = ?2, own_end = ?3 WHERE seq = ?1")?.execute(params![
        receipt,
        device.as_bytes(),
        own_end
    ])?;
    Ok(())
}

fn own_end(
    db: &Connection,
    device: &DeviceId,
    covered: &BTreeMap<StreamId, Frontier>,
) -> Result<Option<i64>, Fault> {
    let Some(stream) = log::own_stream(db)? else { return Ok(None) };
    let Some(city) = covered.get(&stream.id) else { return Ok(None) };
    let mine = log::frontier(db, stream.seq)?;
    let whole = mine.ends(device).all(|end| city.ends(device).any(|held| held == end));
    let last = mine.ends(device).map(|(n, _)| n).max().unwrap_or(0);
    if whole { log::signed(last).map(Some) } else { Ok(None) }
}

/// 录入时间存疑: the change says that it was written before a receipt, but was not there when the receipt came, though
/// all of its device's chain was. One that issues another again keeps that one's time and is not judged.
pub(crate) fn is_doubtful(
    db: &Connection,
    device: &DeviceId,
    n: u64,
    at: i64,
    origin: Option<&String>,
) -> Result<bool, Fault> {
    if origin.is_some() {
        return Ok(false);
    }
    let sql = "SELECT 1 FROM receipt WHERE device = ?1 AND at > ?2 AND own_end IS NOT NULL AND own_end < ?3";
    let after = at.saturating_add(TOLERANCE_MS);
    Ok(db.prepare_cached(sql)?.exists(params![device.as_bytes(), after, log::signed(n)?])?)
}
