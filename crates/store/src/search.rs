//! The search box: names first, then titles, then text; within each the record that was made last.

use rusqlite::{Connection, params};

use crate::error::{Fault, StoreError};
use crate::project::ClosingCode;
use crate::store::Store;
use crate::words;

/// Where a record was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Name,
    Title,
    Text,
}

/// A record that was found.
#[derive(Clone, PartialEq, Eq)]
pub struct Hit {
    pub kind: String,
    pub id: String,
    pub title: String,
    pub date: String,
    pub closing: ClosingCode,
    pub place: Place,
}

impl std::fmt::Debug for Hit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hit {{ {} {}, {:?}, *** }}", self.kind, self.id, self.place)
    }
}

impl Store {
    /// Finds records of the own stream that are there by what a person typed.
    pub fn search(&self, typed: &str, limit: u32) -> Result<Vec<Hit>, StoreError> {
        let Some(expression) = words::query(typed) else { return Ok(Vec::new()) };
        self.look(|db| {
            let mut hits: Vec<(i64, Hit)> = Vec::new();
            for (column, place) in [("names", Place::Name), ("title", Place::Title), ("body", Place::Text)] {
                if hits.len() < limit as usize {
                    let found = matching(db, &format!("{{{column}}} : ({expression})"), place, limit)?;
                    let new = found.into_iter().filter(|(seq, _)| hits.iter().all(|(known, _)| known != seq));
                    let new: Vec<_> = new.collect();
                    hits.extend(new);
                }
            }
            // Words that stand in different places of one record.
            if hits.len() < limit as usize {
                let found = matching(db, &expression, Place::Text, limit)?;
                let new: Vec<_> =
                    found.into_iter().filter(|(seq, _)| hits.iter().all(|(known, _)| known != seq)).collect();
                hits.extend(new);
            }
            hits.truncate(limit as usize);
            Ok(hits.into_iter().map(|(_, hit)| hit).collect())
        })
    }
}

fn matching(db: &Connection, expression: &str, place: Place, limit: u32) -> Result<Vec<(i64, Hit)>, Fault> {
    let sql = "SELECT record.seq, record.kind, record.id, record.title, record.date, record.closing
               FROM words CROSS JOIN record ON record.seq = words.rowid
               JOIN stream ON stream.seq = record.stream
               WHERE words MATCH ?1 AND stream.own = 1 AND record.life IN ('live', 'contested')
               ORDER BY words.rowid DESC LIMIT ?2";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![expression, limit])?;
    let mut hits = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(2)?;
        let closing = ClosingCode::from_code(row.get_ref(5)?.as_str().unwrap_or_default())
            .ok_or_else(|| Fault::row("record", &id, "closing", "an unknown code"))?;
        let hit = Hit { kind: row.get(1)?, title: row.get(3)?, date: row.get(4)?, closing, place, id };
        hits.push((row.get(0)?, hit));
    }
    Ok(hits)
}
