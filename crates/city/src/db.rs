//! The embedded database: one SQLCipher file, its key in a file of its own, migrations by number.

use replica::planted;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, ffi};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

const MIGRATIONS: [&str; 4] = [
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
    include_str!("migrations/3.sql"),
    include_str!("migrations/4.sql"),
];

/// SQLite's cache of each connection, in negative KiB as it wants it: an index that does not fit is decrypted and encrypted
/// again with every request.
const CACHE: i64 = -32_000;

/// Pages of the WAL (16 MB) from which on they are copied into the file: in a bulk a page that each request changes is copied
/// once for several of them.
const CHECKPOINT: i64 = 4_000;

/// Where the parts of a city lie on disk. The key is never beside the database file, so that a copy of the database
/// folder alone opens nothing.
#[derive(Debug, Clone)]
pub struct Folder {
    pub root: PathBuf,
    ground: Ground,
}

/// What lies below the database. A server always takes the default; tests put a disk with faults there, and leave the
/// cipher out where millions of pages are read again.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ground {
    /// The name of a virtual file system that is registered with SQLite.
    pub disk: Option<&'static str>,
    /// The file is not encrypted, and opens only like that.
    pub plain: bool,
}

impl Folder {
    pub fn new(root: impl Into<PathBuf>) -> Folder {
        Folder::on(Ground::default(), root)
    }

    #[doc(hidden)]
    pub fn on(ground: Ground, root: impl Into<PathBuf>) -> Folder {
        Folder { root: root.into(), ground }
    }

    pub fn database(&self) -> PathBuf {
        self.root.join("db").join("city.sqlite")
    }

    pub fn key(&self) -> PathBuf {
        self.root.join("city.key")
    }

    /// Attachments, sealed under a key that is derived from the database's.
    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    pub fn root_key(&self) -> PathBuf {
        self.root.join("root.key")
    }

    /// The database key as text.
    pub fn read_key(&self) -> Result<String, DbError> {
        let file = self.key();
        let key = std::fs::read_to_string(&file)
            .map_err(|source| DbError::KeyFile { file: file.clone(), source })?;
        let key = key.trim();
        match key.len() == 64 && key.bytes().all(|letter| letter.is_ascii_hexdigit()) {
            true => Ok(key.to_owned()),
            false => Err(DbError::BadKey(file)),
        }
    }
}

/// Why the database does not open, or a statement did not run.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    #[error("这个文件夹里没有市级平台的数据：{0}。先运行 city init")]
    Missing(PathBuf),
    #[error("密钥文件 {file} 读写不了：{source}")]
    KeyFile { file: PathBuf, source: std::io::Error },
    #[error("密钥文件 {0} 不是 64 位十六进制数。请从备份恢复原来的密钥文件")]
    BadKey(PathBuf),
    #[error("数据库 {0} 打不开：密钥文件不是它的，或者文件已损坏。请核对密钥文件，或从备份恢复")]
    WrongKey(PathBuf),
    #[error("数据库 {file} 是更新的程序写的（{found}），这个程序只认识到 {known}。请升级程序")]
    TooNew { file: PathBuf, found: u32, known: u32 },
    #[error("数据库操作失败：{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("数据库里的 {table} 有一行读不懂：{what}")]
    Damaged { table: &'static str, what: String },
}

impl DbError {
    /// Whether the disk is full, which somebody must hear of.
    pub fn is_full(&self) -> bool {
        let DbError::Sqlite(error) = self else { return false };
        // The second code: no room for the memory that the connections share.
        error.sqlite_error().is_some_and(|error| {
            error.code == ErrorCode::DiskFull || error.extended_code == ffi::SQLITE_IOERR_SHMSIZE
        })
    }
}

/// The open database. One connection writes; readers share a second, which never waits for the writer.
#[derive(Debug)]
pub struct Db {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
}

impl Db {
    /// Makes a new database and its key file. Fails if the key file is there already.
    pub fn create(folder: &Folder, key: [u8; 32]) -> Result<Db, DbError> {
        let file = folder.key();
        write_secret(&file, &hex(&key)).map_err(|source| DbError::KeyFile { file, source })?;
        Db::open_with(folder, &hex(&key))
    }

    /// Opens an existing one, after bringing it up to date; a newer one is refused before anything is touched.
    pub fn open(folder: &Folder) -> Result<Db, DbError> {
        if !folder.database().exists() {
            return Err(DbError::Missing(folder.root.clone()));
        }
        Db::open_with(folder, &folder.read_key()?)
    }

    fn open_with(folder: &Folder, key: &str) -> Result<Db, DbError> {
        let file = folder.database();
        let mut writer = connect(&file, key, folder.ground)?;
        migrate(&mut writer, &file)?;
        let reader = connect(&file, key, folder.ground)?;
        reader.pragma_update(None, "query_only", true)?;
        Ok(Db { writer: Mutex::new(writer), reader: Mutex::new(reader) })
    }

    /// Runs `body` in one transaction that holds the write lock from its start; an error undoes all of it.
    pub fn write<T, E: From<DbError>>(
        &self,
        body: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = lock(&self.writer);
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(DbError::from)?;
        let done = body(&transaction)?;
        transaction.commit().map_err(DbError::from)?;
        Ok(done)
    }

    /// Copies everything as it is at one moment into a new file under the same key. Readers and other processes go on.
    pub fn copy_to(&self, file: &Path) -> Result<(), DbError> {
        let file = file.to_string_lossy();
        lock(&self.writer).execute("VACUUM INTO ?1", [file.as_ref()])?;
        Ok(())
    }

    /// Runs `body` on a copy that `copy_to` made. The copy stays as it is.
    pub fn read_copy<T, E: From<DbError>>(
        folder: &Folder,
        file: &Path,
        body: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = open_file(file, OpenFlags::SQLITE_OPEN_READ_ONLY, folder.ground)?;
        unlock(&connection, file, &folder.read_key()?, folder.ground)?;
        body(&connection)
    }

    /// Empties the write-ahead log, so that what was erased is not there either.
    pub fn forget_pages(&self) -> Result<(), DbError> {
        Ok(lock(&self.writer).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Folds the WAL back into the file. After a power failure pages of the file may be half written that are whole in
    /// the WAL: whoever looks at the file itself does this first.
    pub fn fold_back(&self) -> Result<(), DbError> {
        Ok(lock(&self.writer).pragma_query(None, "wal_checkpoint", |_| Ok(()))?)
    }

    /// Runs `body` on one consistent view.
    pub fn read<T, E: From<DbError>>(&self, body: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        let mut connection = lock(&self.reader);
        let view = connection.transaction().map_err(DbError::from)?;
        body(&view)
    }
}

/// A thread that panicked inside a transaction has undone it; the connection itself is sound.
fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn connect(file: &Path, key: &str, ground: Ground) -> Result<Connection, DbError> {
    let connection = open_file(file, OpenFlags::default(), ground)?;
    unlock(&connection, file, key, ground)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = if planted!(AnswerBeforeSync) { "OFF" } else { "FULL" };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "cache_size", CACHE)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT, |_| Ok(()))?;
    // Else SQLite compiles a statement again whenever a value is bound that a partial index might turn on.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

fn open_file(file: &Path, flags: OpenFlags, ground: Ground) -> Result<Connection, DbError> {
    Ok(match ground.disk {
        Some(disk) => Connection::open_with_flags_and_vfs(file, flags, disk)?,
        None => Connection::open_with_flags(file, flags)?,
    })
}

fn unlock(connection: &Connection, file: &Path, key: &str, ground: Ground) -> Result<(), DbError> {
    if !ground.plain {
        connection.pragma_update(None, "cipher_log_level", "NONE")?;
        connection.pragma_update(None, "key", format!("x'{key}'"))?;
    }
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(|_| DbError::WrongKey(file.to_owned()))
}

fn migrate(connection: &mut Connection, file: &Path) -> Result<(), DbError> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = MIGRATIONS.len() as u32;
    if found > known {
        return Err(DbError::TooNew { file: file.to_owned(), found, known });
    }
    for (version, statements) in (1u32..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(statements)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Writes a file that only this account may read, and that was not there before.
pub fn write_secret(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Takes a value of the `meta` table.
pub fn meta(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, DbError> {
    use rusqlite::OptionalExtension;
    Ok(connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0)).optional()?)
}

pub fn set_meta(connection: &Connection, name: &str, value: &[u8]) -> Result<(), DbError> {
    connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)", (name, value))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Db, DbError, Folder, meta, set_meta};
    use std::os::unix::fs::PermissionsExt;

    fn made() -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        std::fs::create_dir(place.path().join("db")).unwrap();
        let db = Db::create(&folder, [7; 32]).unwrap();
        db.write(|t| set_meta(t, "hello", "泰山".as_bytes())).unwrap();
        (place, folder)
    }

    #[test]
    fn what_was_written_is_there_again_and_the_files_say_nothing() {
        let (_place, folder) = made();
        let db = Db::open(&folder).unwrap();
        assert_eq!(db.read(|c| meta(c, "hello")).unwrap(), Some("泰山".as_bytes().to_vec()));
        let bytes = std::fs::read(folder.database()).unwrap();
        assert!(!bytes.starts_with(b"SQLite format"), "the file is encrypted from its first byte");
        let mode = std::fs::metadata(folder.key()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "only this account reads the key");
    }

    #[test]
    fn a_failed_body_leaves_nothing() {
        let (_place, folder) = made();
        let db = Db::open(&folder).unwrap();
        let failed: Result<(), DbError> = db.write(|t| {
            set_meta(t, "hello", b"changed")?;
            Err(DbError::Missing("".into()))
        });
        assert!(failed.is_err());
        assert_eq!(db.read(|c| meta(c, "hello")).unwrap(), Some("泰山".as_bytes().to_vec()));
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        let (_place, folder) = made();
        assert!(matches!(Db::open(&Folder::new("/nonexistent")), Err(DbError::Missing(_))));
        let key = std::fs::read_to_string(folder.key()).unwrap();
        std::fs::write(folder.key(), key.replace("07", "08")).unwrap();
        assert!(matches!(Db::open(&folder), Err(DbError::WrongKey(_))), "another key");
        std::fs::write(folder.key(), "泰山").unwrap();
        assert!(matches!(Db::open(&folder), Err(DbError::BadKey(_))));
        std::fs::remove_file(folder.key()).unwrap();
        assert!(matches!(Db::open(&folder), Err(DbError::KeyFile { .. })));
    }

    #[test]
    fn refuses_a_newer_database_before_touching_it() {
        let (_place, folder) = made();
        let db = Db::open(&folder).unwrap();
        db.writer.lock().unwrap().pragma_update(None, "user_version", 99).unwrap();
        drop(db);
        let known_now = super::MIGRATIONS.len() as u32;
        let refused = Db::open(&folder);
        assert!(matches!(refused, Err(DbError::TooNew { found: 99, known, .. }) if known == known_now));
    }
}
