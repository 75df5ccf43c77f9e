//! Who did or saw what: rows that are only added, each hash over the one before, so that a removed row shows.

use crate::db::DbError;
use rusqlite::{Connection, OptionalExtension};

/// Adds a row inside the caller's transaction.
pub fn note(connection: &Connection, at: i64, who: &str, what: &str, subject: &str) -> Result<(), DbError> {
    let last: Option<(i64, Vec<u8>)> = connection
        .query_row("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let (seq, before) = last.map_or((1, Vec::new()), |(seq, hash)| (seq + 1, hash));
    let hash = row_hash(&before, seq, at, [who, what, subject]);
    connection.execute(
        "INSERT INTO audit (seq, at, who, what, subject, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (seq, at, who, what, subject, hash.as_slice()),
    )?;
    Ok(())
}

/// Gives the first row whose number or hash does not follow from the row before it.
pub fn first_break(connection: &Connection) -> Result<Option<i64>, DbError> {
    let mut statement =
        connection.prepare("SELECT seq, at, who, what, subject, hash FROM audit ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let (mut expected, mut before) = (1, Vec::new());
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        let words: [String; 3] = [row.get(2)?, row.get(3)?, row.get(4)?];
        let hash: Vec<u8> = row.get(5)?;
        let right = row_hash(&before, seq, row.get(1)?, [&words[0], &words[1], &words[2]]);
        if seq != expected || hash != right {
            return Ok(Some(expected));
        }
        (expected, before) = (seq + 1, hash);
    }
    Ok(None)
}

fn row_hash(before: &[u8], seq: i64, at: i64, words: [&str; 3]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"jishi audit v1\n").update(before).update(&seq.to_be_bytes()).update(&at.to_be_bytes());
    for word in words {
        hasher.update(&(word.len() as u64).to_be_bytes()).update(word.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::{first_break, note};
    use rusqlite::Connection;

    fn filled() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("migrations/1.sql")).unwrap();
        for at in 1..=4 {
            note(&connection, at, "operator", "view", &format!("record {at}")).unwrap();
        }
        connection
    }

    #[test]
    fn a_removed_or_changed_row_is_found() {
        let table = [
            ("", None),
            ("DELETE FROM audit WHERE seq = 2", Some(2)),
            ("UPDATE audit SET subject = 'nothing' WHERE seq = 3", Some(3)),
            ("UPDATE audit SET at = 0 WHERE seq = 1", Some(1)),
        ];
        for (statement, found) in table {
            let connection = filled();
            connection.execute_batch(statement).unwrap();
            assert_eq!(first_break(&connection).unwrap(), found, "{statement}");
        }
    }
}
