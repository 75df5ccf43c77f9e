//! The floor of a commit: the rows that it left behind, prepared beforehand and written raw into a copy of the same
//! database, with the same cipher, settings and durability, and nothing computed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use ed25519_dalek::{Signature, VerifyingKey};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params_from_iter};

use crate::figures::median;

/// The tables that a commit of a record writes. The search index is `words`.
const WRITTEN: &[&str] = &["stream", "change", "frontier", "record", "fold", "touch", "facet"];

/// Everything that one commit wrote.
pub struct Rows {
    /// The insert or update of each row, with its values.
    statements: Vec<(String, Vec<Value>)>,
}

/// A database that is written to without the product.
pub struct Raw(Connection);

impl Raw {
    /// Opens a branch file with the one of `keys` that fits.
    pub fn open(file: &Path, keys: &[[u8; 32]]) -> Result<Self> {
        let found = keys.iter().find_map(|key| connect(file, key).ok());
        Ok(Self(found.with_context(|| format!("no key fits {}", file.display()))?))
    }

    pub fn last_change(&self) -> Result<i64> {
        Ok(self.0.query_row("SELECT max(seq) FROM change", [], |row| row.get(0))?)
    }

    /// The rows of each commit after the change `base`, in order.
    pub fn commits_after(&self, base: i64) -> Result<Vec<Rows>> {
        self.0.execute_batch(
            "CREATE VIRTUAL TABLE temp.spelled USING fts5vocab('main', 'words', 'instance')",
        )?;
        (base + 1..=self.last_change()?).map(|change| self.rows_of(change)).collect()
    }

    /// Fails when the files differ in a table that the floor does not write.
    pub fn differs_only_where_expected(&self, base: &Path, key: &[u8; 32]) -> Result<()> {
        self.0.execute("ATTACH ?1 AS base KEY ?2", (base.to_string_lossy(), spelled(key)))?;
        for table in
            self.texts("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'words%'")?
        {
            let sql = format!(
                "SELECT 1 FROM (SELECT * FROM main.{table} EXCEPT SELECT * FROM base.{table}) LIMIT 1"
            );
            let differs: Option<i64> = self.0.query_row(&sql, [], |row| row.get(0)).optional()?;
            ensure!(
                differs.is_none() || WRITTEN.contains(&table.as_str()),
                "a commit writes to table {table}, which the floor does not know"
            );
        }
        self.0.execute_batch("DETACH base")?;
        Ok(())
    }

    /// Writes the rows of one commit in one durable transaction.
    pub fn write(&mut self, rows: &Rows) -> Result<Duration> {
        let begin = Instant::now();
        let transaction = self.0.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (sql, values) in &rows.statements {
            transaction.prepare_cached(sql)?.execute(params_from_iter(values))?;
        }
        transaction.commit()?;
        Ok(begin.elapsed())
    }

    fn rows_of(&self, change: i64) -> Result<Rows> {
        let mut statements = self.inserts("change", "seq", change)?;
        let end = "SELECT stream, device, n, id FROM change WHERE seq = ?1";
        let end = self.row(end, change)?;
        let before = vec![end[0].clone(), end[1].clone(), less_one(&end[2])];
        statements
            .push(("DELETE FROM frontier WHERE stream = ?1 AND device = ?2 AND n = ?3".to_owned(), before));
        statements.push(("INSERT INTO frontier VALUES (?1, ?2, ?3, ?4)".to_owned(), end));
        let lamport = self.row("SELECT lamport, stream FROM change WHERE seq = ?1", change)?;
        statements.push(("UPDATE stream SET lamport = ?1 WHERE seq = ?2".to_owned(), lamport));
        for record in self.numbers("SELECT record FROM touch WHERE change = ?1", change)? {
            statements.extend(self.inserts("record", "seq", record)?);
            statements.extend(self.inserts("fold", "record", record)?);
            statements.extend(self.inserts("facet", "record", record)?);
            statements.push(self.words(record)?);
        }
        statements.extend(self.inserts("touch", "change", change)?);
        Ok(Rows { statements })
    }

    fn inserts(&self, table: &str, key: &str, value: i64) -> Result<Vec<(String, Vec<Value>)>> {
        let mut statement = self.0.prepare_cached(&format!("SELECT * FROM {table} WHERE {key} = ?1"))?;
        let columns = statement.column_count();
        let places: Vec<String> = (1..=columns).map(|column| format!("?{column}")).collect();
        let sql = format!("INSERT INTO {table} VALUES ({})", places.join(", "));
        let rows =
            statement.query_map([value], |row| (0..columns).map(|column| row.get(column)).collect())?;
        rows.map(|row| Ok((sql.clone(), row?))).collect()
    }

    /// The words of a record, spelled out again from the index.
    fn words(&self, record: i64) -> Result<(String, Vec<Value>)> {
        let mut values = vec![Value::Integer(record)];
        for column in ["names", "title", "body"] {
            let sql = "SELECT term FROM temp.spelled WHERE doc = ?1 AND col = ?2 ORDER BY offset";
            let mut statement = self.0.prepare_cached(sql)?;
            let terms = statement.query_map((record, column), |row| row.get(0))?;
            let terms: Vec<String> = terms.collect::<rusqlite::Result<_>>()?;
            values.push(Value::Text(terms.join(" ")));
        }
        Ok(("INSERT INTO words (rowid, names, title, body) VALUES (?1, ?2, ?3, ?4)".to_owned(), values))
    }

    fn row(&self, sql: &str, key: i64) -> Result<Vec<Value>> {
        let mut statement = self.0.prepare_cached(sql)?;
        let columns = statement.column_count();
        Ok(statement.query_row([key], |row| (0..columns).map(|column| row.get(column)).collect())?)
    }

    fn numbers(&self, sql: &str, key: i64) -> Result<Vec<i64>> {
        let mut statement = self.0.prepare_cached(sql)?;
        Ok(statement.query_map([key], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }

    fn texts(&self, sql: &str) -> Result<Vec<String>> {
        let mut statement = self.0.prepare(sql)?;
        Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }
}

/// How often the floor of an exchange is measured.
const FLOORS: usize = 3;

/// Changes as they lie in a log, for the floor of an exchange.
pub struct Bytes {
    source: PathBuf,
    key: [u8; 32],
    first: i64,
    count: usize,
}

impl Bytes {
    /// The last `count` changes that this computer wrote.
    pub fn written(file: &Path, key: &[u8; 32], count: usize) -> Result<Self> {
        let db = connect(file, key)?;
        let last: i64 = db.query_row("SELECT max(seq) FROM change", [], |row| row.get(0))?;
        let first = last + 1 - i64::try_from(count)?;
        Ok(Self { source: file.to_owned(), key: *key, first, count })
    }

    pub fn len(&self) -> usize {
        self.count
    }

    /// The median time of this: reads them, verifies every signature strictly, and appends the same bytes to an encrypted log, `together` in
    /// one durable transaction; folds nothing and indexes nothing.
    pub fn floor(&self, together: usize) -> Result<Duration> {
        let mut times = Vec::new();
        for _ in 0..FLOORS {
            times.push(self.once(together)?);
        }
        Ok(median(&mut times))
    }

    fn once(&self, together: usize) -> Result<Duration> {
        let folder = tempfile::tempdir()?;
        let mut target = connect_new(&folder.path().join("floor.db"), &self.key)?;
        target.execute_batch("CREATE TABLE log (header BLOB, signature BLOB, payload BLOB)")?;
        let source = connect(&self.source, &self.key)?;
        let begin = Instant::now();
        let mut statement = source
            .prepare("SELECT device, header, signature, payload FROM change WHERE seq >= ?1 ORDER BY seq")?;
        let mut rows = statement.query([self.first])?;
        let mut left = self.count;
        while left > 0 {
            let transaction = target.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for _ in 0..together.min(left) {
                let row = rows.next()?.context("the log is shorter than it was")?;
                append_verified(&transaction, row)?;
                left -= 1;
            }
            transaction.commit()?;
        }
        Ok(begin.elapsed())
    }
}

fn append_verified(target: &Connection, row: &rusqlite::Row) -> Result<()> {
    let (device, header): ([u8; 32], Vec<u8>) = (row.get(0)?, row.get(1)?);
    let (signature, payload): ([u8; 64], Option<Vec<u8>>) = (row.get(2)?, row.get(3)?);
    let key = VerifyingKey::from_bytes(&device)?;
    key.verify_strict(&replica::signature_input(&header), &Signature::from_bytes(&signature))?;
    target.prepare_cached("INSERT INTO log VALUES (?1, ?2, ?3)")?.execute((header, signature, payload))?;
    Ok(())
}

/// Which of `keys` opens a file.
pub fn key_of(file: &Path, keys: &[[u8; 32]]) -> Result<[u8; 32]> {
    let found = keys.iter().find(|key| connect(file, key).is_ok());
    found.copied().with_context(|| format!("no key fits {}", file.display()))
}

/// Copies a database that nobody has open.
pub fn copy(file: &Path, to: &Path) -> Result<()> {
    fs::copy(file, to).with_context(|| format!("cannot copy {}", file.display()))?;
    Ok(())
}

/// The settings of the store, so that a raw transaction is as durable and as secret as its own.
pub fn connect(file: &Path, key: &[u8; 32]) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    set_up(db, key)
}

fn connect_new(file: &Path, key: &[u8; 32]) -> rusqlite::Result<Connection> {
    set_up(Connection::open(file)?, key)
}

fn set_up(db: Connection, key: &[u8; 32]) -> rusqlite::Result<Connection> {
    db.execute_batch("PRAGMA cipher_log_level = NONE")?;
    db.pragma_update(None, "key", spelled(key))?;
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    db.pragma_update(None, "cache_size", -16_000)?;
    db.set_prepared_statement_cache_capacity(128);
    Ok(db)
}

/// The raw form of a key that SQLCipher takes without a derivation of its own.
fn spelled(key: &[u8; 32]) -> String {
    let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("x'{digits}'")
}

fn less_one(number: &Value) -> Value {
    match number {
        Value::Integer(number) => Value::Integer(number - 1),
        Value::Null | Value::Real(_) | Value::Text(_) | Value::Blob(_) => Value::Null,
    }
}
