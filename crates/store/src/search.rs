//! The search box: names first, then titles, then text; within each the record that was made last.

use replica::{Kinds, RecordState};
use rusqlite::{Connection, params};

use crate::error::{Fault, StoreError};
use crate::personal::Personal;
use crate::project::{ClosingCode, is_searched, texts};
use crate::records::read_state;
use crate::store::Store;
use crate::words;

/// Characters of an excerpt before and after what was typed.
const AROUND: usize = 12;

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
    /// The city holds every change of it.
    pub at_city: bool,
    pub place: Place,
    /// The words around what was typed, of a record that was found by its text.
    pub excerpt: Option<String>,
}

impl std::fmt::Debug for Hit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hit")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .field("title", &Personal(&self.title))
            .field("place", &self.place)
            .field("excerpt", &Personal(&self.excerpt))
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Finds records of the own stream that are there by what a person typed.
    pub fn search(&self, typed: &str, limit: u32) -> Result<Vec<Hit>, StoreError> {
        let Some(expression) = words::query(typed) else { return Ok(Vec::new()) };
        self.index_words()?;
        self.look(|db| {
            let mut found = Found { db, kinds: self.kinds(), typed, limit, hits: Vec::new() };
            found.look_in(&format!("{{names}} : ({expression})"), Place::Name)?;
            found.look_in(&format!("{{title}} : ({expression})"), Place::Title)?;
            found.look_in(&format!("{{body}} : ({expression})"), Place::Text)?;
            // Words that stand in different places of one record.
            found.look_in(&expression, Place::Text)?;
            Ok(found.hits.into_iter().map(|(_, hit)| hit).collect())
        })
    }
}

struct Found<'a> {
    db: &'a Connection,
    kinds: &'a Kinds,
    typed: &'a str,
    limit: u32,
    hits: Vec<(i64, Hit)>,
}

impl Found<'_> {
    fn look_in(&mut self, expression: &str, place: Place) -> Result<(), Fault> {
        let sql =
            "SELECT record.seq, record.kind, record.id, record.title, record.date, record.closing, fold.state,
                          NOT EXISTS (SELECT 1 FROM touch WHERE touch.record = record.seq
                            AND NOT EXISTS (SELECT 1 FROM reported
                                            WHERE reported.change = touch.change AND held = 1))
                   FROM words CROSS JOIN record ON record.seq = words.rowid
                   JOIN fold ON fold.record = record.seq
                   JOIN stream ON stream.seq = record.stream
                   WHERE words MATCH ?1 AND stream.own = 1 AND record.life IN ('live', 'contested')
                   ORDER BY words.rowid DESC LIMIT ?2";
        if self.hits.len() >= self.limit as usize {
            return Ok(());
        }
        let mut statement = self.db.prepare_cached(sql)?;
        let mut rows = statement.query(params![expression, self.limit])?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            if self.hits.iter().any(|(known, _)| *known == seq) || self.hits.len() >= self.limit as usize {
                continue;
            }
            let (kind, id): (String, String) = (row.get(1)?, row.get(2)?);
            let closing = ClosingCode::from_code(row.get_ref(5)?.as_str().unwrap_or_default())
                .ok_or_else(|| Fault::row("record", &id, "closing", "an unknown code"))?;
            let excerpt = match place {
                Place::Text => excerpt(&read_state(&id, row.get_ref(6)?)?, self.kinds, self.typed),
                Place::Name | Place::Title => None,
            };
            let at_city = row.get(7)?;
            let hit =
                Hit { kind, title: row.get(3)?, date: row.get(4)?, closing, at_city, place, excerpt, id };
            self.hits.push((seq, hit));
        }
        Ok(())
    }
}

/// The first searched text that holds a word of what was typed, cut around it.
fn excerpt(state: &RecordState, kinds: &Kinds, typed: &str) -> Option<String> {
    let kind = kinds.get(&state.kind)?;
    let searched = state.values().filter(|(path, _)| is_searched(kind, path));
    let all: Vec<&str> = searched.flat_map(|(_, value)| texts(value)).collect();
    typed.split_whitespace().find_map(|word| {
        let lower = word.to_lowercase();
        all.iter().find_map(|text| cut(text, &lower))
    })
}

fn cut(text: &str, word: &str) -> Option<String> {
    // Lower case may have another length than the text, but as many characters for anything that is searched.
    let at = text.to_lowercase().find(word)?;
    let before = text.to_lowercase()[..at].chars().count();
    let start = before.saturating_sub(AROUND);
    let length = before - start + word.chars().count() + AROUND;
    let shown: String = text.chars().skip(start).take(length).collect();
    let more = text.chars().count() > start + length;
    Some(format!("{}{shown}{}", if start > 0 { "…" } else { "" }, if more { "…" } else { "" }))
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn an_excerpt_shows_both_sides() {
        let long = "一二三四五六七八九十甲乙丙丁学习贯彻子丑寅卯辰巳午未申酉戌亥天地";
        let cases = [
            (long, "学习", Some("…三四五六七八九十甲乙丙丁学习贯彻子丑寅卯辰巳午未申酉…")),
            ("学习", "学习", Some("学习")),
            ("ABC公司", "abc", Some("ABC公司")),
            ("学习", "党课", None),
        ];
        for (text, word, shown) in cases {
            assert_eq!(cut(text, word).as_deref(), shown, "{word}");
        }
    }
}
