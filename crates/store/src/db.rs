//! Opening the encrypted file: key, settings, version, migrations, and the cheap look that tells a damaged file.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;
use crate::keys::FileKey;

/// Numbered from 1. Never edited after a release; a file with a higher number is refused.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_start.sql")];

/// The highest file format that this program knows.
pub const FORMAT: i64 = MIGRATIONS.len() as i64;

/// Which file, and through which virtual file system (tests inject faults there).
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub file: PathBuf,
    pub vfs: Option<&'static str>,
}

impl Place {
    /// A connection with the key set and the settings made; nothing was read yet.
    fn connect(&self, key: &FileKey, flags: OpenFlags) -> rusqlite::Result<Connection> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = match self.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(&self.file, flags, vfs)?,
            None => Connection::open_with_flags(&self.file, flags)?,
        };
        db.execute_batch("PRAGMA cipher_log_level = NONE")?;
        db.pragma_update(None, "key", key.to_sqlcipher().as_str())?;
        db.set_prepared_statement_cache_capacity(128);
        Ok(db)
    }

    /// Makes a new file and closes it, whole on disk.
    pub(crate) fn create(&self, key: &FileKey) -> Result<(), StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut db = self.connect(key, flags).map_err(|error| StoreError::sql(&self.file, error))?;
        settings(&db).and_then(|()| migrate(&mut db)).map_err(|error| StoreError::sql(&self.file, error))?;
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
            .and_then(|()| migrate(&mut writing))
            .and_then(|()| glance(&writing))
            .map_err(sorted)?;
        let reading = self.connect(key, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(sorted)?;
        settings(&reading).and_then(|()| reading.pragma_update(None, "query_only", true)).map_err(sorted)?;
        Ok((writing, reading))
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
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    db.pragma_update(None, "cache_size", -16_000)
}

/// Brings the file to the newest format, one transaction for each step.
fn migrate(db: &mut Connection) -> rusqlite::Result<()> {
    let done = usize::try_from(version(db)?).unwrap_or(0);
    for (at, script) in MIGRATIONS.iter().enumerate().skip(done) {
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
    use super::{FORMAT, MIGRATIONS, Place};
    use crate::error::StoreError;
    use crate::keys::FileKey;
    use crate::sources::SystemSources;
    use rusqlite::OpenFlags;

    fn place() -> (tempfile::TempDir, Place, FileKey) {
        let dir = tempfile::tempdir().unwrap();
        let place = Place { file: dir.path().join("branch.db"), vfs: None };
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
