//! Redaction: values that must not be kept anywhere go out of every log. One operator asks, another decides; then the city
//! drops the changes that hold them, for ever, whoever sends them again.
//!
//! A change is dropped whole, since its signature covers the whole. What else it said is written again by the city first.

use crate::city::{City, CityError};
use crate::db::DbError;
use crate::pen::Write;
use crate::{accept, audit, log, tally};
use replica::{
    Change, ChangeId, Closing, Field, RecordState, Ruling, STREAM_KIND, STREAM_RECORD, StreamId, ruling_path,
};
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Writes of one change of the city's.
const AT_ONCE: usize = 100;
/// Bytes of one change of the city's, far below what a change may have.
const MOST_BYTES: usize = 32 * 1024;
const LONGEST_REASON: usize = 200;

/// What is to be redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Change(ChangeId),
    Record { kind: String, record: String },
    Field { kind: String, record: String, path: String },
}

/// A redaction that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    pub id: i64,
    pub stream: StreamId,
    pub subject: Subject,
    pub reason: String,
    pub asked_by: String,
    pub asked_at: i64,
    pub decided: Option<Decision>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub by: String,
    pub at: i64,
    /// False: declined, or taken back by who asked.
    pub done: bool,
}

/// Why a redaction does not go on. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    #[error("请写明理由（1 到 200 个字），不要写涉及的内容本身")]
    Reason,
    #[error("没有找到要撤下的内容，或者它已经撤下了")]
    Nothing,
    #[error("平台的裁定、密钥和电脑登记不能撤下")]
    NotRedactable,
    #[error("没有编号为 {0} 的撤下申请")]
    Unknown(i64),
    #[error("这项申请已经处理过了")]
    Decided,
    #[error("不能由申请人自己确认，请另一位管理员确认")]
    SamePerson,
    #[error(transparent)]
    City(#[from] CityError),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Pen(#[from] crate::pen::PenError),
}

impl From<rusqlite::Error> for RedactError {
    fn from(error: rusqlite::Error) -> RedactError {
        RedactError::Db(DbError::Sqlite(error))
    }
}

impl City {
    /// Asks for a redaction. Nothing happens until another operator confirms.
    pub fn ask_redaction(
        &self,
        who: &str,
        stream: &StreamId,
        subject: &Subject,
        reason: &str,
    ) -> Result<i64, RedactError> {
        let (now, reason) = (self.world.now(), reason.trim());
        if !(1..=LONGEST_REASON).contains(&reason.chars().count()) {
            return Err(RedactError::Reason);
        }
        self.db.write(|t| {
            reached(t, stream, subject)?;
            let (kind, record, path, change) = columns(subject);
            t.execute(
                "INSERT INTO redaction (stream, kind, record, path, change, reason, asked_by, asked_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                (stream.0.as_slice(), kind, record, path, change, reason, who, now),
            )?;
            let id = t.last_insert_rowid();
            audit::note(t, now, who, "redaction asked", &id.to_string())?;
            Ok(id)
        })
    }

    /// Does what another operator asked for. Gives how many changes lost their values.
    pub fn confirm_redaction(&self, who: &str, id: i64) -> Result<usize, RedactError> {
        let now = self.world.now();
        let dropped = self.db.write::<_, RedactError>(|t| {
            let redaction = open(t, id)?;
            if redaction.asked_by == who {
                return Err(RedactError::SamePerson);
            }
            let (stream, subject) = (&redaction.stream, &redaction.subject);
            let changes = reached(t, stream, subject)?;
            keep_the_rest(self, t, stream, subject, &changes, now)?;
            drop_all(self, t, stream, &changes, now)?;
            for change in &changes {
                t.execute(
                    "INSERT INTO redacted (redaction, change) VALUES (?1, ?2)",
                    (id, change.id.0.as_slice()),
                )?;
            }
            decide(t, id, who, now, true)?;
            audit::note(t, now, who, "redaction confirmed", &id.to_string())?;
            Ok(changes.len())
        })?;
        self.db.forget_pages()?;
        Ok(dropped)
    }

    /// Sets a request aside: declined by another, or taken back by who asked.
    pub fn decline_redaction(&self, who: &str, id: i64) -> Result<(), RedactError> {
        let now = self.world.now();
        self.db.write(|t| {
            open(t, id)?;
            decide(t, id, who, now, false)?;
            Ok(audit::note(t, now, who, "redaction declined", &id.to_string())?)
        })
    }

    /// All that were ever asked for, the latest first.
    pub fn redactions(&self) -> Result<Vec<Redaction>, RedactError> {
        self.db.read(|c| {
            let mut statement = c.prepare(&format!("{SELECT} ORDER BY id DESC"))?;
            let mut rows = statement.query([])?;
            let mut redactions = Vec::new();
            while let Some(row) = rows.next()? {
                redactions.push(read(row)?);
            }
            Ok(redactions)
        })
    }

    /// How many changes a subject reaches now, and the records that they touch.
    pub fn reach(
        &self,
        stream: &StreamId,
        subject: &Subject,
    ) -> Result<(usize, BTreeSet<log::Address>), RedactError> {
        self.db.read(|c| {
            let changes = reached(c, stream, subject)?;
            Ok((changes.len(), changes.iter().flat_map(addresses).collect()))
        })
    }
}

const SELECT: &str = "SELECT id, stream, kind, record, path, change, reason, asked_by, asked_at, decided_by, \
                      decided_at, done FROM redaction";

fn columns(subject: &Subject) -> (&str, &str, &str, Option<&[u8]>) {
    match subject {
        Subject::Change(id) => ("", "", "", Some(id.0.as_slice())),
        Subject::Record { kind, record } => (kind, record, "", None),
        Subject::Field { kind, record, path } => (kind, record, path, None),
    }
}

fn read(row: &Row<'_>) -> Result<Redaction, DbError> {
    let (kind, record, path): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
    let subject = match row.get::<_, Option<Vec<u8>>>(5)? {
        Some(id) => Subject::Change(ChangeId(log::bytes32(id, "redaction")?)),
        None if path.is_empty() => Subject::Record { kind, record },
        None => Subject::Field { kind, record, path },
    };
    let decided: Option<(String, i64, bool)> = row
        .get::<_, Option<String>>(9)?
        .map(|by| Ok::<_, DbError>((by, row.get(10)?, row.get(11)?)))
        .transpose()?;
    Ok(Redaction {
        id: row.get(0)?,
        stream: StreamId(log::bytes32(row.get(1)?, "redaction")?),
        subject,
        reason: row.get(6)?,
        asked_by: row.get(7)?,
        asked_at: row.get(8)?,
        decided: decided.map(|(by, at, done)| Decision { by, at, done }),
    })
}

fn open(t: &Connection, id: i64) -> Result<Redaction, RedactError> {
    let found = t.query_row(&format!("{SELECT} WHERE id = ?1"), [id], |row| Ok(read(row))).optional()?;
    let redaction = found.ok_or(RedactError::Unknown(id))??;
    match redaction.decided {
        None => Ok(redaction),
        Some(_) => Err(RedactError::Decided),
    }
}

fn decide(t: &Connection, id: i64, who: &str, now: i64, done: bool) -> Result<(), DbError> {
    t.execute(
        "UPDATE redaction SET decided_by = ?2, decided_at = ?3, done = ?4 WHERE id = ?1",
        (id, who, now, done),
    )?;
    Ok(())
}

/// The held changes that say it, now or in the past: what was written over is still in the log.
fn reached(c: &Connection, stream: &StreamId, subject: &Subject) -> Result<Vec<Change>, RedactError> {
    let mut changes = match subject {
        Subject::Change(id) => log::get(c, id)?.filter(|it| it.stream == *stream).into_iter().collect(),
        Subject::Record { kind, record } => log::touching(c, stream, kind, record)?,
        Subject::Field { kind, record, path } => {
            let mut changes = log::touching(c, stream, kind, record)?;
            changes.retain(|change| writes(change).any(|it| it == (kind, record, path)));
            changes
        }
    };
    if changes.iter().any(|change| change.touches(STREAM_KIND, STREAM_RECORD)) {
        return Err(RedactError::NotRedactable);
    }
    changes.retain(|change| change.raw.payload.is_some());
    match changes.is_empty() {
        true => Err(RedactError::Nothing),
        false => Ok(changes),
    }
}

fn writes(change: &Change) -> impl Iterator<Item = (&String, &String, &String)> {
    change.header.writes.iter().map(|write| (&write.kind, &write.record, &write.path))
}

fn addresses(change: &Change) -> BTreeSet<log::Address> {
    log::touched(change).into_iter().map(log::owned).collect()
}

/// Writes again, as the city, what the changes said besides and what still stands. Without it a name would go with a
/// number that was typed in the same moment.
fn keep_the_rest(
    city: &City,
    t: &Connection,
    stream: &StreamId,
    subject: &Subject,
    dropped: &[Change],
    now: i64,
) -> Result<(), RedactError> {
    let ids: BTreeSet<ChangeId> = dropped.iter().map(|change| change.id).collect();
    for (kind, record) in dropped.iter().flat_map(addresses).collect::<BTreeSet<_>>() {
        let Some(state) = tally::stored(t, stream, &kind, &record)? else { continue };
        let writes = standing(&state, subject, &ids);
        if writes.is_empty() {
            continue;
        }
        let mut over = settled(&state);
        for writes in chunks(writes) {
            over.push(accept::write(city, t, stream, "redact", &writes, now)?.id);
        }
        if matches!(state.closing, Closing::Final { .. }) {
            let value = json!({ "reason": "按规定撤下部分内容" });
            let closing = Write { kind, record, path: "~final".to_owned(), value, over };
            accept::write(city, t, stream, "redact", &[closing], now)?;
        }
    }
    Ok(())
}

/// The values of a record that came with dropped changes and are not what is to go.
fn standing(state: &RecordState, subject: &Subject, dropped: &BTreeSet<ChangeId>) -> Vec<Write> {
    let goes = |path: &str| match subject {
        Subject::Change(_) => true,
        Subject::Record { kind, record } => (kind, record) == (&state.kind, &state.id),
        Subject::Field { kind, record, path: gone } => {
            (kind, record, gone.as_str()) == (&state.kind, &state.id, path)
        }
    };
    let fields = state.fields.iter().filter(|(path, _)| !goes(path));
    let stands = |(path, field): (&String, &Field)| match field {
        Field::One { value, by } if by.iter().any(|id| dropped.contains(id)) => Some(Write {
            kind: state.kind.clone(),
            record: state.id.clone(),
            path: path.clone(),
            value: value.clone(),
            over: by.clone(),
        }),
        Field::One { .. } | Field::Conflict { .. } | Field::Withheld { .. } => None,
    };
    fields.filter_map(stands).collect()
}

/// Parts that fit into one change.
fn chunks(writes: Vec<Write>) -> Vec<Vec<Write>> {
    let (mut chunks, mut bytes) = (vec![Vec::new()], 0);
    for write in writes {
        let size = write.value.to_string().len() + write.path.len() + 70 * write.over.len();
        let last = chunks.last_mut().expect("there is always one");
        if !last.is_empty() && (bytes + size > MOST_BYTES || last.len() == AT_ONCE) {
            chunks.push(vec![write]);
            bytes = size;
        } else {
            last.push(write);
            bytes += size;
        }
    }
    chunks
}

/// Every head of a closed record that its closing covers; what came late stays late.
fn settled(state: &RecordState) -> Vec<ChangeId> {
    let shown: BTreeSet<ChangeId> = state.fields.values().flat_map(Field::heads).collect();
    let late: BTreeSet<ChangeId> = state.late.iter().map(|late| late.meta.change).collect();
    state.all_heads().into_iter().filter(|id| shown.contains(id) || !late.contains(id)).collect()
}

fn drop_all(
    city: &City,
    t: &Connection,
    stream: &StreamId,
    changes: &[Change],
    now: i64,
) -> Result<(), RedactError> {
    let by_path: BTreeMap<String, ChangeId> = changes
        .iter()
        .map(|change| (ruling_path(&format!("drop-{}", &change.id.to_string()[..32])), change.id))
        .collect();
    let writes: Vec<Write> = by_path
        .into_iter()
        .map(|(path, change)| Write::to_stream(path, Ruling::Drop { change }.to_value(), Vec::new()))
        .collect();
    for chunk in writes.chunks(AT_ONCE) {
        accept::write(city, t, stream, "redact", chunk, now)?;
    }
    Ok(())
}
