//! What can go wrong with a branch folder. Every variant that a person must act on is its own, and names the
//! folder or file; no message holds a value of a record.

use std::path::{Path, PathBuf};

use rusqlite::{ErrorCode, ffi};

/// Why the store refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the password is wrong")]
    WrongPassword,
    #[error("the recovery code is not of this branch")]
    WrongRecoveryCode,
    #[error("the recovery code is mistyped: {0}")]
    BadRecoveryCode(#[from] crate::keys::CodeError),
    #[error("the password has fewer than {least} characters")]
    WeakPassword { least: usize },
    #[error("{folder} is open in another window")]
    AlreadyOpen { folder: PathBuf },
    #[error("{folder} holds no branch")]
    NotABranch { folder: PathBuf },
    #[error("{folder} already holds a branch")]
    Exists { folder: PathBuf },
    #[error("{file} was written by a newer program (format {found}, this program knows {known})")]
    TooNew { file: PathBuf, found: i64, known: i64 },
    #[error("{file} is damaged: {what}")]
    Damaged { file: PathBuf, what: String },
    #[error("{folder} cannot be written to")]
    ReadOnly { folder: PathBuf },
    #[error("no room left on the disk that holds {folder}")]
    DiskFull { folder: PathBuf },
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{file}: {source}")]
    Sql { file: PathBuf, source: rusqlite::Error },
    #[error("{file}: table {table}, row {row}, column {column}: {why}")]
    BadRow { file: PathBuf, table: &'static str, row: String, column: &'static str, why: String },
    #[error("this branch has no stream of its own yet")]
    NoStream,
    #[error("this branch already has a stream of its own")]
    HasStream,
    #[error("no kind of record is called {kind}")]
    UnknownKind { kind: String },
    #[error("{kind} {id}: {path}: {code}")]
    BadValue { kind: String, id: String, path: String, code: String },
    #[error("there is no {kind} {id}")]
    NoRecord { kind: String, id: String },
    #[error("{kind} {id} already exists")]
    RecordExists { kind: String, id: String },
    #[error("the change is too large: {what}")]
    TooLarge { what: String },
    #[error("{kind} {id} is closed: only a correction may change it")]
    Closed { kind: String, id: String },
    #[error("{} records would be lost", .0.count)]
    TooManyLost(crate::losses::Losses),
    #[error("the caller gave up: {0}")]
    Abandoned(String),
}

impl StoreError {
    /// The stable code that the application shows words for.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongPassword => "wrong_password",
            Self::WrongRecoveryCode => "wrong_recovery_code",
            Self::BadRecoveryCode(_) => "bad_recovery_code",
            Self::WeakPassword { .. } => "weak_password",
            Self::AlreadyOpen { .. } => "already_open",
            Self::NotABranch { .. } => "not_a_branch",
            Self::Exists { .. } => "exists",
            Self::TooNew { .. } => "too_new",
            Self::Damaged { .. } | Self::BadRow { .. } => "damaged",
            Self::ReadOnly { .. } => "read_only",
            Self::DiskFull { .. } => "disk_full",
            Self::Io { .. } => "io",
            Self::Sql { .. } => "sql",
            Self::NoStream => "no_stream",
            Self::HasStream => "has_stream",
            Self::UnknownKind { .. } => "unknown_kind",
            Self::BadValue { .. } => "bad_value",
            Self::NoRecord { .. } => "no_record",
            Self::RecordExists { .. } => "record_exists",
            Self::TooLarge { .. } => "too_large",
            Self::Closed { .. } => "closed",
            Self::TooManyLost(_) => "too_many_lost",
            Self::Abandoned(_) => "abandoned",
        }
    }

    /// Sorts an error of the file system into what a person can do about it.
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind;
        let folder = path.parent().unwrap_or(path).to_owned();
        match source.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { folder },
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull { folder },
            _ => Self::Io { path: path.to_owned(), source },
        }
    }

    /// Sorts an error of SQLite into what a person can do about it.
    pub(crate) fn sql(file: &Path, source: rusqlite::Error) -> Self {
        let folder = || file.parent().unwrap_or(file).to_owned();
        if source.sqlite_error().is_some_and(no_room) {
            return Self::DiskFull { folder: folder() };
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { file: file.to_owned(), what: source.to_string() }
            }
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly { folder: folder() },
            _ => Self::Sql { file: file.to_owned(), source },
        }
    }
}

/// SQLite has another word for a disk that has no room for the memory that its connections share.
fn no_room(error: &ffi::Error) -> bool {
    error.code == ErrorCode::DiskFull || error.extended_code == ffi::SQLITE_IOERR_SHMSIZE
}

/// What goes wrong inside a transaction, before the file it happened in is named.
///
/// SQL functions return this, so that `?` works on both; the outermost function adds the file.
#[derive(Debug)]
pub(crate) enum Fault {
    Sql(rusqlite::Error),
    Row { table: &'static str, row: String, column: &'static str, why: String },
    Store(StoreError),
}

impl Fault {
    pub(crate) fn row(
        table: &'static str,
        row: impl ToString,
        column: &'static str,
        why: impl ToString,
    ) -> Self {
        Self::Row { table, row: row.to_string(), column, why: why.to_string() }
    }

    pub(crate) fn at(self, file: &Path) -> StoreError {
        match self {
            Self::Sql(source) => StoreError::sql(file, source),
            Self::Row { table, row, column, why } => {
                StoreError::BadRow { file: file.to_owned(), table, row, column, why }
            }
            Self::Store(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
