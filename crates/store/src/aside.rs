//! What is kept beside the log and never enters it: drafts, fields that stay on this computer, settings.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use crate::Touched;
use crate::error::{Fault, StoreError};
use crate::personal::Personal;
use crate::store::Store;

/// What is being typed and not committed.
#[derive(Clone, PartialEq, Eq)]
pub struct Draft {
    pub kind: String,
    pub id: String,
    pub content: Value,
    /// Unix milliseconds.
    pub saved_at: i64,
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .field("content", &Personal(&self.content))
            .field("saved_at", &self.saved_at)
            .finish()
    }
}

impl Store {
    /// Saves what is being typed; durable when it returns.
    pub fn set_draft(&self, kind: &str, id: &str, content: &Value) -> Result<i64, StoreError> {
        let at = self.sources.now();
        self.transact(|db| set_draft(db, kind, id, content, at))?;
        self.tell(&Touched::draft(kind, id));
        Ok(at)
    }

    pub fn drop_draft(&self, kind: &str, id: &str) -> Result<(), StoreError> {
        self.transact(|db| drop_draft(db, kind, id))?;
        self.tell(&Touched::draft(kind, id));
        Ok(())
    }

    pub fn draft(&self, kind: &str, id: &str) -> Result<Option<Draft>, StoreError> {
        self.look(|db| Ok(drafts(db)?.into_iter().find(|draft| draft.kind == kind && draft.id == id)))
    }

    /// All drafts, the latest first.
    pub fn drafts(&self) -> Result<Vec<Draft>, StoreError> {
        self.look(drafts)
    }

    pub fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.look(|db| meta(db, key))
    }

    pub fn set_meta(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.transact(|db| set_meta(db, key, value))
    }

    pub fn drop_meta(&self, key: &str) -> Result<(), StoreError> {
        self.transact(|db| {
            db.prepare_cached("DELETE FROM meta WHERE key = ?1")?.execute([key])?;
            Ok(())
        })
    }

    /// Sets a field that is kept on this computer only; `Null` removes it.
    pub fn set_device_field(
        &self,
        kind: &str,
        record: &str,
        path: &str,
        value: &Value,
    ) -> Result<(), StoreError> {
        let at = self.sources.now();
        self.transact(|db| set_device_field(db, (kind, record, path), value, at))?;
        self.tell(&Touched::draft(kind, record));
        Ok(())
    }

    pub fn device_fields(&self, kind: &str, record: &str) -> Result<BTreeMap<String, Value>, StoreError> {
        self.look(|db| device_fields(db, kind, record))
    }
}

pub(crate) fn set_draft(
    db: &Connection,
    kind: &str,
    id: &str,
    content: &Value,
    at: i64,
) -> Result<(), Fault> {
    db.prepare_cached("INSERT OR REPLACE INTO draft (kind, id, content, saved_at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![kind, id, content.to_string(), at])?;
    Ok(())
}

pub(crate) fn drop_draft(db: &Connection, kind: &str, id: &str) -> Result<(), Fault> {
    db.prepare_cached("DELETE FROM draft WHERE kind = ?1 AND id = ?2")?.execute([kind, id])?;
    Ok(())
}

fn drafts(db: &Connection) -> Result<Vec<Draft>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT kind, id, content, saved_at FROM draft ORDER BY saved_at DESC, kind, id")?;
    let mut rows = statement.query([])?;
    let mut drafts = Vec::new();
    while let Some(row) = rows.next()? {
        let (kind, id): (String, String) = (row.get(0)?, row.get(1)?);
        let content = read_json("draft", &id, "content", &row.get::<_, String>(2)?)?;
        drafts.push(Draft { kind, id, content, saved_at: row.get(3)? });
    }
    Ok(drafts)
}

pub(crate) fn meta(db: &Connection, key: &str) -> Result<Option<String>, Fault> {
    let mut statement = db.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

pub(crate) fn set_meta(db: &Connection, key: &str, value: &str) -> Result<(), Fault> {
    db.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?.execute([key, value])?;
    Ok(())
}

pub(crate) fn set_device_field(
    db: &Connection,
    (kind, record, path): (&str, &str, &str),
    value: &Value,
    at: i64,
) -> Result<(), Fault> {
    if value.is_null() {
        db.prepare_cached("DELETE FROM device_field WHERE kind = ?1 AND record = ?2 AND path = ?3")?
            .execute([kind, record, path])?;
    } else {
        let sql =
            "INSERT OR REPLACE INTO device_field (kind, record, path, value, at) VALUES (?1, ?2, ?3, ?4, ?5)";
        db.prepare_cached(sql)?.execute(params![kind, record, path, value.to_string(), at])?;
    }
    Ok(())
}

fn device_fields(db: &Connection, kind: &str, record: &str) -> Result<BTreeMap<String, Value>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT path, value FROM device_field WHERE kind = ?1 AND record = ?2")?;
    let mut rows = statement.query([kind, record])?;
    let mut fields = BTreeMap::new();
    while let Some(row) = rows.next()? {
        fields.insert(row.get(0)?, read_json("device_field", record, "value", &row.get::<_, String>(1)?)?);
    }
    Ok(fields)
}

/// Parses a stored value; the error names where, never what.
pub(crate) fn read_json(
    table: &'static str,
    row: &str,
    column: &'static str,
    text: &str,
) -> Result<Value, Fault> {
    serde_json::from_str(text)
        .map_err(|error| Fault::row(table, row, column, format!("byte {}", error.column())))
}
