//! `city check`: proves the database from the log up, without believing anything that was derived.

mod authority;

use crate::audit;
use crate::city::City;
use crate::db::{DbError, hex};
use crate::log::{self, Address};
use crate::{blobs, fold, receipts, tally};
use replica::{Change, ChangeId, DeviceId, Frontier, StreamId, fold_record};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

/// What was looked at, and everything that is wrong.
#[derive(Debug, Default)]
pub struct Report {
    pub streams: usize,
    pub changes: usize,
    pub records: usize,
    pub receipts: usize,
    /// Attachments of which something is here.
    pub blobs: usize,
    pub findings: Vec<Finding>,
}

/// One thing that is wrong: what kind, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub code: &'static str,
    pub place: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "核对了 {} 条流、{} 个变更、{} 份记录、{} 张回执、{} 个附件",
            self.streams, self.changes, self.records, self.receipts, self.blobs
        )?;
        for Finding { code, place } in &self.findings {
            write!(f, "\n{}（{code}）：{place}", words(code))?;
        }
        Ok(())
    }
}

fn words(code: &str) -> &'static str {
    match code {
        "file" => "数据库文件有损坏的页",
        "bad_change" => "变更或它的签名不对",
        "wrong_place" => "变更的位置与它的内容不符",
        "gap" => "链上缺了前一个变更",
        "frontier" => "链的末端记错了",
        "fold" => "存的记录与由变更得出的不同",
        "signer" => "登记的电脑与由变更得出的不同",
        "tally" => "统计数与由记录得出的不同",
        "blob" => "附件与它的名字不符，或者文件不见了",
        "blob_name" => "附件的登记与变更不符",
        "receipt" => "回执的签名不对",
        "operating_key" => "签名密钥没有根密钥的签名，或不完整",
        "uncertified" => "记录流里有平台的变更，却没有它密钥的证明",
        "redaction" => "撤下的内容还在，或不是由两个人撤下的",
        "address" => "记录流里的平台地址不是公布的地址",
        "audit" => "审计日志断开",
        _ => "其他问题",
    }
}

/// Looks at everything.
pub fn check(connection: &Connection, city: &City) -> Result<Report, DbError> {
    let mut report = Report::default();
    check_file(connection, &mut report)?;
    for stream in streams(connection)? {
        report.streams += 1;
        check_stream(connection, city, &stream, &mut report)?;
    }
    check_receipts(connection, &mut report)?;
    authority::check(connection, city, &mut report)?;
    let (blobs, wrong) = blobs::check(city, connection)?;
    report.blobs = blobs;
    wrong.iter().for_each(|hash| report.find("blob", hash.to_string()));
    if let Some(row) = audit::first_break(connection)? {
        report.find("audit", format!("第 {row} 行"));
    }
    Ok(report)
}

impl Report {
    fn find(&mut self, code: &'static str, place: impl Into<String>) {
        self.findings.push(Finding { code, place: place.into() });
    }
}

pub fn streams(connection: &Connection) -> Result<Vec<StreamId>, DbError> {
    let mut statement = connection.prepare("SELECT id FROM stream ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut streams = Vec::new();
    while let Some(row) = rows.next()? {
        streams.push(StreamId(log::bytes32(row.get(0)?, "stream")?));
    }
    Ok(streams)
}

fn check_file(connection: &Connection, report: &mut Report) -> Result<(), DbError> {
    for pragma in ["cipher_integrity_check", "integrity_check"] {
        let mut statement = connection.prepare(&format!("PRAGMA {pragma}"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let said: String = row.get(0)?;
            if said != "ok" {
                report.find("file", said);
            }
        }
    }
    Ok(())
}

fn check_stream(
    connection: &Connection,
    city: &City,
    stream: &StreamId,
    report: &mut Report,
) -> Result<(), DbError> {
    let changes = log(connection, stream, report)?;
    let held: HashMap<ChangeId, u64> = changes.iter().map(|change| (change.id, change.header.n)).collect();
    let mut frontier = Frontier::default();
    let mut in_order: Vec<&Change> = changes.iter().collect();
    in_order.sort_by_key(|change| change.header.n);
    for change in in_order {
        let header = &change.header;
        if header.prev.is_some_and(|prev| held.get(&prev) != Some(&(header.n - 1))) {
            report.find("gap", change.id.to_string());
        }
        frontier.advance(header.device, header.n, change.id, header.prev);
    }
    if frontier != log::frontier(connection, stream)? {
        report.find("frontier", stream.to_string());
    }
    let named = |change: &Change| {
        let values = change.values.iter().flatten().flat_map(replica::blobs_in);
        values.map(|named| (change.id, named.hash, named.len)).collect::<Vec<_>>()
    };
    if changes.iter().flat_map(named).collect::<BTreeSet<_>>() != blobs::names(connection, stream)? {
        report.find("blob_name", stream.to_string());
    }
    check_records(connection, city, stream, &changes, report)
}

/// Reads and verifies every change of the stream.
fn log(connection: &Connection, stream: &StreamId, report: &mut Report) -> Result<Vec<Change>, DbError> {
    let mut statement = connection.prepare(
        "SELECT header, signature, payload, lamport, id, device, n, seq FROM change WHERE stream = ?1 ORDER BY seq",
    )?;
    let mut touches = touches(connection, stream)?;
    let mut rows = statement.query([stream.0.as_slice()])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        report.changes += 1;
        let id: Vec<u8> = row.get(4)?;
        match log::raw(row)?.verify() {
            Ok(mut change) => {
                change.lamport = row.get::<_, i64>(3)?.unsigned_abs();
                let device: Vec<u8> = row.get(5)?;
                let n = row.get::<_, i64>(6)?.unsigned_abs();
                let right = change.id.0.as_slice() == id
                    && change.stream == *stream
                    && change.header.device.0.as_slice() == device
                    && change.header.n == n
                    && touches.remove(&row.get(7)?).unwrap_or_default() == addresses(&change);
                if !right {
                    report.find("wrong_place", hex(&id));
                }
                changes.push(change);
            }
            Err(why) => report.find("bad_change", format!("{} {why}", hex(&id))),
        }
    }
    Ok(changes)
}

fn addresses(change: &Change) -> BTreeSet<Address> {
    log::touched(change).into_iter().map(log::owned).collect()
}

/// The index from records to changes, by the change's row.
fn touches(connection: &Connection, stream: &StreamId) -> Result<HashMap<i64, BTreeSet<Address>>, DbError> {
    let mut statement = connection.prepare("SELECT seq, kind, record FROM touch WHERE stream = ?1")?;
    let mut rows = statement.query([stream.0.as_slice()])?;
    let mut touches: HashMap<i64, BTreeSet<Address>> = HashMap::new();
    while let Some(row) = rows.next()? {
        touches.entry(row.get(0)?).or_default().insert((row.get(1)?, row.get(2)?));
    }
    Ok(touches)
}

/// Folds every record from scratch and compares with what is stored.
fn check_records(
    connection: &Connection,
    city: &City,
    stream: &StreamId,
    changes: &[Change],
    report: &mut Report,
) -> Result<(), DbError> {
    let Some(founder) = fold::founder(connection, stream)? else { return Ok(()) };
    let verdicts = fold::verdicts(connection, &city.root, stream, founder, None)?;
    let mut by_record: BTreeMap<Address, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        for address in addresses(change) {
            by_record.entry(address).or_default().push(change);
        }
    }
    let mut stored = states(connection, stream)?;
    let mut counts = tally::Counts::new();
    for ((kind, id), changes) in by_record {
        report.records += 1;
        let state = fold_record(&kind, &id, &changes, &verdicts);
        tally::add(&mut counts, &state, 1);
        let bytes = stored.remove(&(kind.clone(), id.clone()));
        if bytes.is_none_or(|bytes| bytes.as_bytes() != state.to_bytes()) {
            report.find("fold", format!("{stream} {kind} {id}"));
        }
    }
    for (kind, id) in stored.into_keys() {
        report.find("fold", format!("{stream} {kind} {id}"));
    }
    counts.retain(|_, met| *met != 0);
    if counts != tallies(connection, stream)? {
        report.find("tally", stream.to_string());
    }
    if fold::signers(&verdicts) != signers(connection, stream)? {
        report.find("signer", stream.to_string());
    }
    Ok(())
}

fn states(connection: &Connection, stream: &StreamId) -> Result<BTreeMap<Address, String>, DbError> {
    let mut statement =
        connection.prepare("SELECT kind, id, state FROM record WHERE stream = ?1 ORDER BY kind, id")?;
    let rows =
        statement.query_map([stream.0.as_slice()], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn tallies(connection: &Connection, stream: &StreamId) -> Result<tally::Counts, DbError> {
    let statement = "SELECT period, obligation, met FROM tally WHERE stream = ?1 AND met <> 0";
    let mut statement = connection.prepare(statement)?;
    let rows =
        statement.query_map([stream.0.as_slice()], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn signers(connection: &Connection, stream: &StreamId) -> Result<BTreeMap<DeviceId, bool>, DbError> {
    let mut statement = connection.prepare("SELECT device, revoked FROM signer WHERE stream = ?1")?;
    let mut rows = statement.query([stream.0.as_slice()])?;
    let mut signers = BTreeMap::new();
    while let Some(row) = rows.next()? {
        signers.insert(DeviceId(log::bytes32(row.get(0)?, "signer")?), row.get(1)?);
    }
    Ok(signers)
}

/// The digest of a stream's records, from the bytes as they are stored.
pub fn digest(connection: &Connection, stream: &StreamId) -> Result<String, DbError> {
    let mut digest = replica::StateDigest::default();
    for ((kind, id), state) in states(connection, stream)? {
        digest.add(stream, &kind, &id, state.as_bytes());
    }
    Ok(digest.finish())
}

/// Receipts are kept as they were sent.
fn check_receipts(connection: &Connection, report: &mut Report) -> Result<(), DbError> {
    let mut statement = connection.prepare("SELECT nonce, bytes FROM receipt")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        report.receipts += 1;
        let (nonce, bytes): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
        if !receipts::is_ours(connection, &nonce, &bytes)? {
            report.find("receipt", hex(&nonce));
        }
    }
    Ok(())
}
