//! Opening the encrypted file: key, settings, version, migrations, and the cheap look that tells a damaged file.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;
use crate::keys::FileKey;
use crate::wal;

/// Numbered from 1. Never edited after a release; a file with a higher number is refused.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_start.sql"),
    include_str!("migrations/0002_blobs.sql"),
    include_str!("migrations/0003_receipts.sql"),
    include_str!("migrations/0004_receipt_owner.sql"),
    include_str!("migrations/0005_unindexed.sql"),
];

/// The highest file format that this program knows.
pub const FORMAT: i64 = MIGRATIONS.len() as i64;

/// SQLite's cache of each connection, in negative KiB as it wants it.
pub(crate) const CACHE: i64 = -16_000;

/// What lies below the file. A program always takes the default; tests put a disk with faults there, and leave the
/// cipher out where millions of pages are read again.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ground {
    /// The name of a virtual file system that is registered with SQLite.
    pub disk: Option<&'static str>,
    /// The file is not encrypted, and opens only like that.
    pub plain: bool,
}

/// Which file, and what lies below it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub file: PathBuf,
    pub ground: Ground,
}

impl Place {
    /// A connection with the key set and the settings made; nothing was read yet.
    fn connect(&self, key: &FileKey, flags: OpenFlags) -> rusqlite::Result<Connection> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = match self.ground.disk {
            Some(disk) => Connection::open_with_flags_and_vfs(&self.file, flags, disk)?,
            None => Connection::open_with_flags(&self.file, flags)?,
        };
        if !self.ground.plain {
            db.execute_batch("PRAGMA cipher_log_level = NONE")?;
            db.pragma_update(None, "key", key.to_sqlcipher().as_str())?;
        }
        db.set_prepared_statement_cache_capacity(256);
        Ok(db)
    }

    /// Makes a new file and closes it, whole on disk.
    pub(crate) fn create(&self, key: &FileKey) -> Result<(), StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut db = self.connect(key, flags).map_err(|error| StoreError::sql(&self.file, error))?;
        settings(&db)
            .and_then(|()| migrate(&mut db, MIGRATIONS))
            .map_err(|error| StoreError::sql(&self.file, error))?;
        db.close().map_err(|(_, error)| StoreError::sql(&self.file, error))
    }

    /// Opens the writing and the reading connection, after the version and a few pages were looked at.
    pub(crate) fn open(&self, key: &FileKey) -> Result<(Connection, Connection), StoreError> {
        if !self.file.is_file() {
            return Err(StoreError::Damaged {
                file: self.file.clone(),
                what: "the file is missing".to_owned(),
            });
        }
        self.refuse_newer(key)?;
        let sorted = |error| StoreError::sql(&self.file, error);
        let mut writing = self.connect(key, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(sorted)?;
        settings(&writing)
            .and_then(|()| migrate(&mut writing, MIGRATIONS))
            .and_then(|()| glance(&writing))
            // Else SQLite compiles a statement again whenever a value is bound that a partial index might turn on. Lists
            // need that; a bulk of changes does not.
            .and_then(|()| writing.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop))
            .map_err(sorted)?;
        let reading = self.connect(key, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(sorted)?;
        settings(&reading).and_then(|()| reading.pragma_update(None, "query_only", true)).map_err(sorted)?;
        Ok((writing, reading))
    }

    /// Opens, or makes, a file of another schema beside the branch's. A making that was cut is begun again.
    pub(crate) fn open_beside(&self, key: &FileKey, scripts: &[&str]) -> Result<Connection, StoreError> {
        let sorted = |error| StoreError::sql(&self.file, error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut db = self.connect(key, flags).map_err(sorted)?;
        let (found, known) = (version(&db).map_err(sorted)?, scripts.len() as i64);
        if found > known {
            return Err(StoreError::TooNew { file: self.file.clone(), found, known });
        }
        settings(&db).and_then(|()| migrate(&mut db, scripts)).map_err(sorted)?;
        Ok(db)
    }

    /// Reads the version on a connection that cannot change the file, not even by folding its WAL back at the end.
    fn refuse_newer(&self, key: &FileKey) -> Result<(), StoreError> {
        let sorted = |error| StoreError::sql(&self.file, error);
        let looking = self.connect(key, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(sorted)?;
        looking.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(sorted)?;
        let found = version(&looking).map_err(sorted)?;
        match found {
            1..=FORMAT => Ok(()),
            newer if newer > FORMAT => {
                Err(StoreError::TooNew { file: self.file.clone(), found: newer, known: FORMAT })
            }
            _ => Err(StoreError::Damaged {
                file: self.file.clone(),
                what: "it has no format number".to_owned(),
            }),
        }
    }
}

fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn settings(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    wal::settings(db)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    db.pragma_update(None, "cache_size", CACHE)
}

/// Brings the file to the newest format, one transaction for each step.
fn migrate(db: &mut Connection, scripts: &[&str]) -> rusqlite::Result<()> {
    let done = usize::try_from(version(db)?).unwrap_or(0);
    for (at, script) in scripts.iter().enumerate().skip(done) {
        let step = db.transaction()?;
        step.execute_batch(script)?;
        step.pragma_update(None, "user_version", at as i64 + 1)?;
        step.commit()?;
    }
    Ok(())
}

/// Reads the schema and the two ends of the log and of the records. A whole check is `Store::check`.
fn glance(db: &Connection) -> rusqlite::Result<()> {
    for table in ["meta", "identity", "change", "record", "fold"] {
        db.query_row(&format!("SELECT count(*) FROM (SELECT * FROM {table} LIMIT 1)"), [], |_| Ok(()))?;
    }
    for table in ["change", "record"] {
        db.query_row(&format!("SELECT max(seq) FROM {table}"), [], |_| Ok(()))?;
    }
    Ok(())
}

/// Every page by its authentication code, then the structure of the tables. Pages are read from the file itself, where
/// a power failure may have left one half written that is whole in the WAL: so that is folded back first.
pub(crate) fn check(db: &Connection, file: &Path) -> Result<(), StoreError> {
    db.pragma_query(None, "wal_checkpoint", |_| Ok(())).map_err(|error| StoreError::sql(file, error))?;
    for pragma in ["PRAGMA cipher_integrity_check", "PRAGMA quick_check"] {
        let mut statement = db.prepare(pragma).map_err(|error| StoreError::sql(file, error))?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0)).and_then(Iterator::collect);
        let lines: Vec<String> = lines.map_err(|error| StoreError::sql(file, error))?;
        if let Some(what) = lines.into_iter().find(|line| line != "ok") {
            return Err(StoreError::Damaged { file: file.to_owned(), what });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{FORMAT, Ground, MIGRATIONS, Place};
    use crate::error::StoreError;
    use crate::keys::FileKey;
    use crate::sources::SystemSources;
    use rusqlite::OpenFlags;

    fn place() -> (tempfile::TempDir, Place, FileKey) {
        let dir = tempfile::tempdir().unwrap();
        let place = Place { file: dir.path().join("branch.db"), ground: Ground::default() };
        let key = FileKey::new(&SystemSources(|| 0));
        place.create(&key).unwrap();
        (dir, place, key)
    }

    #[test]
    fn a_newer_file_is_refused_before_anything_is_touched() {
        let (dir, place, key) = place();
        let newer = place.connect(&key, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        newer.execute_batch("CREATE TABLE of_tomorrow (a)").unwrap();
        newer.pragma_update(None, "user_version", FORMAT + 1).unwrap();
        // What stands in the WAL of a killed program is not folded back either.
        let files = || -> Vec<(std::ffi::OsString, Vec<u8>)> {
            let entries = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap());
            let kept = entries.filter(|entry| !entry.file_name().to_string_lossy().ends_with("-shm"));
            let mut files: Vec<_> =
                kept.map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap())).collect();
            files.sort();
            files
        };
        let before = files();
        match place.open(&key) {
            Err(StoreError::TooNew { file, found, known }) => {
                assert_eq!((file, found, known), (place.file.clone(), FORMAT + 1, FORMAT));
            }
            other => panic!("{other:?}"),
        }
        assert!(files() == before, "no byte of the newer program's files changed");
    }

    #[test]
    fn migrations_are_numbered_from_one_and_run_once() {
        let (_dir, place, key) = place();
        for _ in 0..2 {
            let (db, _) = place.open(&key).unwrap();
            assert_eq!(super::version(&db).unwrap(), FORMAT);
        }
        assert_eq!(FORMAT, MIGRATIONS.len() as i64);
    }

    #[test]
    fn files_that_were_named_before_this_format_are_known_afterwards() {
        let (_dir, place, key) = place();
        std::fs::remove_file(&place.file).unwrap();
        let mut old =
            place.connect(&key, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).unwrap();
        super::settings(&old).unwrap();
        super::migrate(&mut old, &MIGRATIONS[..1]).unwrap();
        let named = |byte: &str, len: i64| {
            format!(r#"{{"blob":"{}","len":{len},"media":"image/jpeg"}}"#, byte.repeat(64))
        };
        let payloads = [
            format!(r#"[true,{{"blob":{},"thumb":{}}}]"#, named("a", 5), named("b", 6)),
            format!("[{}]", named("A", 5)),
            format!("[{}]", named("c", 0)),
            r#"["blob", {"blob": 1}"#.to_owned(),
            r#"["a text with the word "blob" that is no json"#.to_owned(),
        ];
        old.execute("INSERT INTO stream (seq, id) VALUES (1, zeroblob(32))", []).unwrap();
        for (seq, payload) in payloads.iter().enumerate() {
            let sql =
                "INSERT INTO change (seq, id, stream, device, n, lamport, at, header, signature, payload)
                       VALUES (?1, ?2, 1, x'', 1, 1, 1, x'', x'', ?3)";
            old.execute(sql, (seq as i64, [seq as u8; 32], payload.as_bytes())).unwrap();
        }
        old.execute(
            "INSERT INTO fold VALUES (7, ?1)",
            [format!("{{\"file\":{}}}", named("a", 5)).as_bytes()],
        )
        .unwrap();
        super::migrate(&mut old, MIGRATIONS).unwrap();
        let rows = |table: &str| -> Vec<(i64, Vec<u8>, i64)> {
            let mut statement = old.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
            rows.map(Result::unwrap).collect()
        };
        assert_eq!(rows("blob_name"), [(0, vec![0xaa; 32], 5), (0, vec![0xbb; 32], 6)]);
        assert_eq!(rows("record_blob"), [(7, vec![0xaa; 32], 5)]);
    }

    #[test]
    fn the_settings_that_durability_rests_on_are_made() {
        let (_dir, place, key) = place();
        let (db, reading) = place.open(&key).unwrap();
        let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        let mode: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!((mode.as_str(), number("synchronous")), ("wal", 2));
        assert_eq!((number("secure_delete"), number("foreign_keys")), (1, 1));
        reading
            .execute("INSERT INTO meta VALUES ('a', 'b')", [])
            .expect_err("the reading connection only reads");
    }
}
