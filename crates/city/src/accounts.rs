//! The people who may act in the city's console: a name and a password each, until there are roles.

use crate::city::City;
use crate::db::DbError;
use crate::{attempts, audit, password};
use rusqlite::{Connection, OptionalExtension};

/// The first operator, whom `city init` makes.
pub const OPERATOR: &str = "operator";
const LONGEST_NAME: usize = 30;

/// Tries an hour of one name from one source, and of one source whatever the names. Nobody elsewhere is locked out by
/// them.
const OF_NAME: i64 = 5;
const OF_SOURCE: i64 = 20;

/// Why there is no account, or no way in.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("名称“{0}”不能用：写 1 到 30 个字，不要空格")]
    BadName(String),
    #[error("已经有管理员“{0}”。要给他换口令，加上 --reset")]
    Exists(String),
    #[error("没有管理员“{0}”。要新增，去掉 --reset")]
    Unknown(String),
    #[error("名称或口令不对")]
    Wrong,
    #[error("试的次数太多，请一小时后再试")]
    TooManyTries,
    #[error(transparent)]
    Db(#[from] DbError),
}

impl City {
    /// Makes another operator. The password is shown once.
    pub fn add_operator(&self, name: &str) -> Result<String, AccountError> {
        check_name(name)?;
        let password = password::make(&self.world);
        self.db.write(|t| {
            if stored(t, name)?.is_some() {
                return Err(AccountError::Exists(name.to_owned()));
            }
            add(t, self, name, &password)?;
            audit::note(t, self.world.now(), "command line", "operator added", name)?;
            Ok(password)
        })
    }

    /// Gives an operator a new password; whoever is signed in with the old one is signed out.
    pub fn reset_operator(&self, name: &str) -> Result<String, AccountError> {
        let password = password::make(&self.world);
        self.db.write(|t| {
            if stored(t, name)?.is_none() {
                return Err(AccountError::Unknown(name.to_owned()));
            }
            t.execute("DELETE FROM account WHERE name = ?1", [name]).map_err(DbError::from)?;
            t.execute("DELETE FROM session WHERE account = ?1", [name]).map_err(DbError::from)?;
            add(t, self, name, &password)?;
            audit::note(t, self.world.now(), "command line", "operator password reset", name)?;
            Ok(password)
        })
    }

    pub fn operators(&self) -> Result<Vec<String>, AccountError> {
        Ok(self.db.read(names)?)
    }

    /// Says whether these are the words of an operator. Tries are counted before the password is looked at, so that
    /// parallel ones do not slip through; one that was right frees the others.
    pub fn identify(&self, name: &str, typed: &str, source: &str) -> Result<(), AccountError> {
        let now = self.world.now();
        let (of_name, of_source) = (format!("console {source} {name}"), format!("console {source}"));
        let stored = self.db.write::<_, AccountError>(|t| {
            let free =
                attempts::take(t, &of_source, OF_SOURCE, now)? && attempts::take(t, &of_name, OF_NAME, now)?;
            Ok(free.then_some(stored(t, name)?))
        })?;
        let stored = stored.ok_or(AccountError::TooManyTries)?;
        let fits = {
            // One at a time: each takes 64 MiB, and strangers may ask.
            let _turn = self.hashing.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            password::fits(stored.as_deref().unwrap_or_default(), typed)
        };
        self.db.write(|t| {
            if !fits {
                audit::note(t, now, name, "sign-in failed", source)?;
                return Ok(Err(AccountError::Wrong));
            }
            attempts::forget(t, &of_name)?;
            attempts::forget(t, &of_source)?;
            Ok::<_, AccountError>(Ok(()))
        })?
    }
}

fn check_name(name: &str) -> Result<(), AccountError> {
    let letters = name.chars().count();
    let plain = name.chars().all(|letter| !letter.is_whitespace() && !letter.is_control());
    match plain && (1..=LONGEST_NAME).contains(&letters) {
        true => Ok(()),
        false => Err(AccountError::BadName(name.to_owned())),
    }
}

pub fn add(t: &Connection, city: &City, name: &str, password: &str) -> Result<(), DbError> {
    insert(t, name, &password::hash(&city.world, password), city.world.now())
}

pub fn insert(t: &Connection, name: &str, hash: &str, now: i64) -> Result<(), DbError> {
    t.execute("INSERT INTO account (name, password, made_at) VALUES (?1, ?2, ?3)", (name, hash, now))?;
    Ok(())
}

pub fn names(c: &Connection) -> Result<Vec<String>, DbError> {
    let mut statement = c.prepare("SELECT name FROM account ORDER BY made_at, name")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn stored(c: &Connection, name: &str) -> Result<Option<String>, DbError> {
    let statement = "SELECT password FROM account WHERE name = ?1";
    Ok(c.query_row(statement, [name], |row| row.get(0)).optional()?)
}
