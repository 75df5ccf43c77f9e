//! The log in the database: changes by stream and chain, the ends of the chains, and which records they touch.

use crate::blobs;
use crate::db::DbError;
use replica::{Change, ChangeId, DeviceId, End, Frontier, RawChange, StreamId, display_lamport};
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::{BTreeSet, HashMap};

/// A record's address within a stream: kind and id.
pub type Address = (String, String);

pub fn holds(connection: &Connection, id: &ChangeId) -> Result<bool, DbError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM change WHERE id = ?1")?;
    Ok(statement.exists([id.0.as_slice()])?)
}

/// Says whether a change may stand after the held one that it names: of the same chain, and the next of it. None: that one
/// is not held.
fn follows(connection: &Connection, change: &Change, prev: &ChangeId) -> Result<Option<bool>, DbError> {
    let mut statement = connection
        .prepare_cached("SELECT stream = ?2 AND device = ?3 AND n = ?4 - 1 FROM change WHERE id = ?1")?;
    let header = &change.header;
    let place =
        (prev.0.as_slice(), change.stream.0.as_slice(), header.device.0.as_slice(), number(header.n)?);
    Ok(statement.query_row(place, |row| row.get(0)).optional()?)
}

/// How much of a change is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Whole,
    /// Without its values: they were withheld by who brought it, or redacted.
    Header,
}

pub fn kept(connection: &Connection, id: &ChangeId) -> Result<Option<Kept>, DbError> {
    let mut statement = connection.prepare_cached("SELECT payload IS NULL FROM change WHERE id = ?1")?;
    let bare: Option<bool> = statement.query_row([id.0.as_slice()], |row| row.get(0)).optional()?;
    Ok(bare.map(|bare| if bare { Kept::Header } else { Kept::Whole }))
}

/// Adds the values to a change that is held without, and sets the lamport value that it is shown with.
pub fn fill(connection: &Connection, change: &mut Change) -> Result<(), DbError> {
    connection
        .prepare_cached("UPDATE change SET payload = ?2 WHERE id = ?1")?
        .execute((change.id.0.as_slice(), &change.raw.payload))?;
    let statement = "SELECT seq FROM change WHERE id = ?1";
    let seq = connection.prepare_cached(statement)?.query_row([change.id.0.as_slice()], |row| row.get(0))?;
    blobs::note(connection, seq, change)?;
    change.lamport = shown_lamport(connection, &change.id)?.unwrap_or(change.lamport);
    Ok(())
}

/// Changes on their way into one stream's log. Its chains are known from the start and written back once.
pub struct Appending<'a> {
    connection: &'a Connection,
    stream: StreamId,
    received_at: i64,
    before: Frontier,
    after: Frontier,
    new: HashMap<ChangeId, New>,
}

/// A change that was appended just now.
struct New {
    device: DeviceId,
    n: u64,
    /// The value that it is shown with.
    lamport: u64,
}

impl<'a> Appending<'a> {
    pub fn to(
        connection: &'a Connection,
        stream: StreamId,
        received_at: i64,
    ) -> Result<Appending<'a>, DbError> {
        let before = frontier(connection, &stream)?;
        let after = before.clone();
        Ok(Appending { connection, stream, received_at, before, after, new: HashMap::new() })
    }

    /// Says whether a change may stand after the one that it names, in this stream: see [`follows`].
    pub fn follows(&self, change: &Change, prev: &ChangeId) -> Result<Option<bool>, DbError> {
        match self.new.get(prev) {
            Some(new) => Ok(Some(new.device == change.header.device && new.n + 1 == change.header.n)),
            None => follows(self.connection, change, prev),
        }
    }

    /// Says whether the change was appended just now.
    pub fn took(&self, id: &ChangeId) -> bool {
        self.new.contains_key(id)
    }

    /// Adds a verified change and sets the lamport value that it is shown with. The caller has made sure that it is
    /// not held and that the one before it is.
    pub fn append(&mut self, change: &mut Change) -> Result<(), DbError> {
        change.lamport = display_lamport(self.lamport_before(change)?, change.header.lamport);
        let seq = insert(self.connection, change, self.received_at)?;
        let mut touch = self.connection.prepare_cached(
            "INSERT OR IGNORE INTO touch (stream, kind, record, seq) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for (kind, record) in touched(change) {
            touch.execute((self.stream.0.as_slice(), kind, record, seq))?;
        }
        blobs::note(self.connection, seq, change)?;
        let header = &change.header;
        self.new.insert(change.id, New { device: header.device, n: header.n, lamport: change.lamport });
        self.after.advance(header.device, header.n, change.id, header.prev);
        Ok(())
    }

    fn lamport_before(&self, change: &Change) -> Result<Option<u64>, DbError> {
        let Some(prev) = &change.header.prev else { return Ok(None) };
        match self.new.get(prev) {
            Some(new) => Ok(Some(new.lamport)),
            None => shown_lamport(self.connection, prev),
        }
    }

    /// The city's own end in this stream, and the highest lamport value: where its next change goes.
    pub fn next_of(&self, device: &DeviceId) -> Result<(Option<End>, u64), DbError> {
        let end = self.after.last(device).map(|(n, id)| End { n, id });
        let highest = self.new.values().map(|new| new.lamport).max().unwrap_or_default();
        Ok((end, highest.max(lamport(self.connection, &self.stream)?) + 1))
    }

    /// Writes the moved ends down.
    pub fn finish(self) -> Result<(), DbError> {
        let places = |frontier: &Frontier| -> BTreeSet<(DeviceId, u64, ChangeId)> {
            let devices = frontier.0.iter();
            devices.flat_map(|(device, ends)| ends.iter().map(|(n, id)| (*device, *n, *id))).collect()
        };
        let (before, after) = (places(&self.before), places(&self.after));
        let stream = self.stream.0.as_slice();
        for (device, n, id) in before.difference(&after) {
            self.connection
                .prepare_cached(
                    "DELETE FROM chain_end WHERE stream = ?1 AND device = ?2 AND n = ?3 AND id = ?4",
                )?
                .execute((stream, device.0.as_slice(), number(*n)?, id.0.as_slice()))?;
        }
        for (device, n, id) in after.difference(&before) {
            let lamport = number(self.new.get(id).map_or(0, |new| new.lamport))?;
            self.connection
                .prepare_cached(
                    "INSERT INTO chain_end (stream, device, n, id, lamport) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute((stream, device.0.as_slice(), number(*n)?, id.0.as_slice(), lamport))?;
        }
        Ok(())
    }
}

fn shown_lamport(connection: &Connection, id: &ChangeId) -> Result<Option<u64>, DbError> {
    let mut statement = connection.prepare_cached("SELECT lamport FROM change WHERE id = ?1")?;
    let found: Option<i64> = statement.query_row([id.0.as_slice()], |row| row.get(0)).optional()?;
    Ok(found.map(i64::unsigned_abs))
}

fn insert(connection: &Connection, change: &Change, received_at: i64) -> Result<i64, DbError> {
    let raw = &change.raw;
    let mut insert = connection.prepare_cached(
        "INSERT INTO change (id, stream, device, n, lamport, header, signature, payload, received_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    insert.execute((
        change.id.0.as_slice(),
        change.stream.0.as_slice(),
        change.header.device.0.as_slice(),
        number(change.header.n)?,
        number(change.lamport)?,
        &raw.header,
        raw.signature.as_slice(),
        &raw.payload,
        received_at,
    ))?;
    Ok(connection.last_insert_rowid())
}

/// The highest lamport value of a stream.
pub fn lamport(connection: &Connection, stream: &StreamId) -> Result<u64, DbError> {
    let statement = "SELECT coalesce(max(lamport), 0) FROM chain_end WHERE stream = ?1";
    let highest: i64 = connection.query_row(statement, [stream.0.as_slice()], |row| row.get(0))?;
    Ok(highest.unsigned_abs())
}

/// The records that a change writes to, each once.
pub fn touched(change: &Change) -> BTreeSet<(&str, &str)> {
    change.header.writes.iter().map(|write| (write.kind.as_str(), write.record.as_str())).collect()
}

pub fn owned((kind, record): (&str, &str)) -> Address {
    (kind.to_owned(), record.to_owned())
}

/// Every held change that touches the record.
pub fn touching(
    connection: &Connection,
    stream: &StreamId,
    kind: &str,
    record: &str,
) -> Result<Vec<Change>, DbError> {
    let mut statement = connection.prepare_cached(
        "SELECT c.header, c.signature, c.payload, c.lamport FROM touch t JOIN change c ON c.seq = t.seq
         WHERE t.stream = ?1 AND t.kind = ?2 AND t.record = ?3 ORDER BY t.seq",
    )?;
    let mut rows = statement.query((stream.0.as_slice(), kind, record))?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        changes.push(read(row)?);
    }
    Ok(changes)
}

/// One held change.
pub fn get(connection: &Connection, id: &ChangeId) -> Result<Option<Change>, DbError> {
    let mut statement =
        connection.prepare_cached("SELECT header, signature, payload, lamport FROM change WHERE id = ?1")?;
    let mut rows = statement.query([id.0.as_slice()])?;
    rows.next()?.map(read).transpose()
}

/// A change from a row of header, signature, payload and lamport.
pub fn read(row: &Row<'_>) -> Result<Change, DbError> {
    let raw = raw(row)?;
    let id = raw.id();
    let damaged = |refused| DbError::Damaged { table: "change", what: format!("{id}: {refused}") };
    let mut change = raw.read().map_err(damaged)?;
    change.lamport = row.get::<_, i64>(3)?.unsigned_abs();
    Ok(change)
}

pub fn raw(row: &Row<'_>) -> Result<RawChange, DbError> {
    let signature: Vec<u8> = row.get(1)?;
    let damaged = |_| DbError::Damaged { table: "change", what: "signature".to_owned() };
    Ok(RawChange {
        header: row.get(0)?,
        signature: signature.try_into().map_err(damaged)?,
        payload: row.get(2)?,
    })
}

/// The ends of every chain of a stream.
pub fn frontier(connection: &Connection, stream: &StreamId) -> Result<Frontier, DbError> {
    let mut statement = connection.prepare_cached("SELECT device, n, id FROM chain_end WHERE stream = ?1")?;
    let mut rows = statement.query([stream.0.as_slice()])?;
    let mut frontier = Frontier::default();
    while let Some(row) = rows.next()? {
        let device = DeviceId(bytes32(row.get(0)?, "chain_end")?);
        let n: i64 = row.get(1)?;
        let id = ChangeId(bytes32(row.get(2)?, "chain_end")?);
        frontier.0.entry(device).or_default().insert((n.unsigned_abs(), id));
    }
    Ok(frontier)
}

/// The row of a device's first change, if it is here.
pub fn begun(connection: &Connection, stream: &StreamId, device: &DeviceId) -> Result<Option<i64>, DbError> {
    let mut statement = connection
        .prepare_cached("SELECT min(seq) FROM change WHERE stream = ?1 AND device = ?2 AND n = 1")?;
    Ok(statement.query_row((stream.0.as_slice(), device.0.as_slice()), |row| row.get(0))?)
}

/// The ids of a device's chain at these numbers; a fork gives several.
pub fn chain_at(
    connection: &Connection,
    stream: &StreamId,
    device: &DeviceId,
    n: u64,
) -> Result<Vec<ChangeId>, DbError> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM change WHERE stream = ?1 AND device = ?2 AND n = ?3")?;
    let mut rows = statement.query((stream.0.as_slice(), device.0.as_slice(), number(n)?))?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        ids.push(ChangeId(bytes32(row.get(0)?, "change")?));
    }
    Ok(ids)
}

pub fn bytes32(bytes: Vec<u8>, table: &'static str) -> Result<[u8; 32], DbError> {
    bytes.try_into().map_err(|_| DbError::Damaged { table, what: "a name that is not 32 bytes".to_owned() })
}

fn number(n: u64) -> Result<i64, DbError> {
    i64::try_from(n).map_err(|_| DbError::Damaged { table: "change", what: format!("number {n}") })
}
