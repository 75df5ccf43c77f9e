//! How often something may be tried within an hour.

use crate::db::DbError;
use rusqlite::Connection;

pub const WITHIN_MS: i64 = 60 * 60 * 1000;

/// Counts one attempt at `what`; false if there were so many within the hour already.
pub fn take(connection: &Connection, what: &str, most: i64, now: i64) -> Result<bool, DbError> {
    connection.execute("DELETE FROM attempt WHERE at <= ?1", [now - WITHIN_MS])?;
    let made: i64 =
        connection.query_row("SELECT count(*) FROM attempt WHERE what = ?1", [what], |row| row.get(0))?;
    if made >= most {
        return Ok(false);
    }
    connection.execute("INSERT INTO attempt (what, at) VALUES (?1, ?2)", (what, now))?;
    Ok(true)
}

/// Forgets the attempts after one that was right.
pub fn forget(connection: &Connection, what: &str) -> Result<(), DbError> {
    connection.execute("DELETE FROM attempt WHERE what = ?1", [what])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{WITHIN_MS, forget, take};
    use rusqlite::Connection;

    #[test]
    fn five_an_hour_and_each_thing_by_itself() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("migrations/1.sql")).unwrap();
        for at in 0..5 {
            assert!(take(&connection, "ABCD", 5, at).unwrap(), "try {at}");
        }
        assert!(!take(&connection, "ABCD", 5, 5).unwrap(), "the sixth");
        assert!(take(&connection, "EFGH", 5, 5).unwrap(), "another code");
        assert!(take(&connection, "ABCD", 5, WITHIN_MS).unwrap(), "an hour after the first");
        assert!(!take(&connection, "ABCD", 5, WITHIN_MS).unwrap(), "one place became free, not five");
        forget(&connection, "ABCD").unwrap();
        assert!(take(&connection, "ABCD", 5, WITHIN_MS).unwrap());
    }
}
