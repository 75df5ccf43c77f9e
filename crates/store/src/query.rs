//! Reading records: one, a page of a list, many at once, and the history of one.

use replica::{ChangeMeta, Excerpt, RecordState, StreamId};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use serde_json::Value;

use crate::aside::read_json;
use crate::coverage;
use crate::error::{Fault, StoreError};
use crate::log::{self, StreamRow};
use crate::personal::Personal;
use crate::project::{ClosingCode, LifeCode};
use crate::receipts;
use crate::records::{self, Name};
use crate::store::Store;
use crate::words;

/// Sorts after every date.
const AFTER_ANY_DATE: &str = ":";

/// Which records of a kind, in which order, and which page of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub kind: String,
    /// `None`: the branch's own stream.
    pub stream: Option<StreamId>,
    /// Empty: records that are there, contested ones included.
    pub life: Vec<LifeCode>,
    /// Also records that were closed and then removed: 作废 keeps a record in sight.
    pub annulled: bool,
    /// Empty: any.
    pub closing: Vec<ClosingCode>,
    /// For each listed choice or person: one of these values.
    pub facets: Vec<(String, Vec<String>)>,
    /// First and last civil date, inclusive.
    pub from: Option<String>,
    pub until: Option<String>,
    /// As typed into the search box.
    pub text: Option<String>,
    /// Only records that the city does not hold as they are here.
    pub unsent: bool,
    /// Only records that wait for a person to decide.
    pub undecided: bool,
    /// Only this record.
    pub id: Option<String>,
    pub order: Order,
    pub offset: u32,
    /// `None`: all.
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Newest,
    Oldest,
    /// By the reading of the title.
    Title,
    /// Latest change first.
    Changed,
}

impl Query {
    /// All records of a kind that are there, the newest first.
    pub fn of(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            stream: None,
            life: Vec::new(),
            annulled: false,
            closing: Vec::new(),
            facets: Vec::new(),
            from: None,
            until: None,
            text: None,
            unsent: false,
            undecided: false,
            id: None,
            order: Order::Newest,
            offset: 0,
            limit: None,
        }
    }
}

/// One line of a list.
#[derive(Clone, PartialEq)]
pub struct ListRow {
    pub kind: String,
    pub id: String,
    pub title: String,
    pub date: String,
    pub date_end: String,
    /// The values that the list shows, by path.
    pub list: Value,
    pub life: LifeCode,
    pub closing: ClosingCode,
    /// Fields in conflict, and life or closing in conflict.
    pub conflicts: u32,
    /// Writes that arrived after 定稿.
    pub late: u32,
    pub born_at: Option<i64>,
    pub last_at: i64,
    /// The city holds every change of it.
    pub at_city: bool,
    /// When the city received the last of them.
    pub received_at: Option<i64>,
}

impl std::fmt::Debug for ListRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListRow")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .field("title", &Personal(&self.title))
            .field("list", &Personal(&self.list))
            .field("date", &self.date)
            .field("state", &(self.life, self.closing, self.conflicts, self.late, self.at_city))
            .finish_non_exhaustive()
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListPage {
    pub rows: Vec<ListRow>,
    /// Of all pages.
    pub total: u64,
}

/// One change in the history of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    pub meta: ChangeMeta,
    /// The paths of this record that it wrote.
    pub paths: Vec<String>,
    /// False: refused, quarantined or not readable. It stands in no account of what happened.
    pub counts: bool,
    /// 录入时间存疑: its time lies before a receipt that came before it was written.
    pub doubtful: bool,
    pub at_city: bool,
    pub received_at: Option<i64>,
}

impl Store {
    /// A record of the own stream as it is folded now.
    pub fn record(&self, kind: &str, id: &str) -> Result<Option<RecordState>, StoreError> {
        self.look(|db| match log::own_stream(db)? {
            Some(stream) => {
                records::state(db, &Name { stream: stream.seq, kind: kind.to_owned(), id: id.to_owned() })
            }
            None => Ok(None),
        })
    }

    /// A record of any stream.
    pub fn record_in(
        &self,
        stream: &StreamId,
        kind: &str,
        id: &str,
    ) -> Result<Option<RecordState>, StoreError> {
        self.look(|db| match log::stream(db, stream)? {
            Some(stream) => {
                records::state(db, &Name { stream: stream.seq, kind: kind.to_owned(), id: id.to_owned() })
            }
            None => Ok(None),
        })
    }

    /// Whole records in the order of the query, in one pass.
    pub fn records(&self, query: &Query) -> Result<Vec<RecordState>, StoreError> {
        self.look_for(query, |db| {
            let Some(found) = Found::new(db, query)? else { return Ok(Vec::new()) };
            let mut statement = db.prepare_cached(&format!(
                "SELECT id, state FROM record JOIN fold ON fold.record = record.seq {}",
                found.tail(query)
            ))?;
            let mut rows = statement.query(params_from_iter(&found.values))?;
            let mut states = Vec::new();
            while let Some(row) = rows.next()? {
                states.push(records::read_state(&row.get::<_, String>(0)?, row.get_ref(1)?)?);
            }
            Ok(states)
        })
    }

    fn look_for<T>(
        &self,
        query: &Query,
        body: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        if query.text.is_some() {
            self.index_words()?;
        }
        self.look(body)
    }

    /// A page of a list, and how many records all pages have.
    pub fn list(&self, query: &Query) -> Result<ListPage, StoreError> {
        let mut rows = Vec::new();
        let total = self.page(query, LIST_ROW, |row| {
            rows.push(read_row(row)?);
            Ok(())
        })?;
        Ok(ListPage { rows, total })
    }

    /// The same, and of each record the fields whose paths are wanted.
    pub fn list_with(
        &self,
        query: &Query,
        wants: &dyn Fn(&str) -> bool,
    ) -> Result<(ListPage, Vec<Excerpt>), StoreError> {
        let (mut rows, mut excerpts) = (Vec::new(), Vec::new());
        let columns = format!("{LIST_ROW}, (SELECT state FROM fold WHERE fold.record = record.seq)");
        let total = self.page(query, &columns, |row| {
            let listed = read_row(row)?;
            excerpts.push(records::read_excerpt(&listed.id, row.get_ref(LIST_COLUMNS)?, wants)?);
            rows.push(listed);
            Ok(())
        })?;
        Ok((ListPage { rows, total }, excerpts))
    }

    /// Reads one page and gives the number of records on all of them.
    fn page(
        &self,
        query: &Query,
        columns: &str,
        mut read: impl FnMut(&Row) -> Result<(), Fault>,
    ) -> Result<u64, StoreError> {
        self.look_for(query, |db| {
            let Some(found) = Found::new(db, query)? else { return Ok(0) };
            let sql = format!("SELECT {columns} FROM record {}", found.tail(query));
            let mut statement = db.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(&found.values))?;
            while let Some(row) = rows.next()? {
                read(row)?;
            }
            found.count(db)
        })
    }

    /// The years that the records of a kind are dated in, the latest first.
    pub fn years(&self, kind: &str) -> Result<Vec<String>, StoreError> {
        self.look(|db| {
            let Some(own) = log::own_stream(db)? else { return Ok(Vec::new()) };
            // One step into the index for each year: the dates between are not read.
            let mut statement = db.prepare_cached(
                "SELECT substr(date, 1, 4) FROM record
                 WHERE stream = ?1 AND kind = ?2 AND date <> '' AND date < ?3 AND life IN ('live', 'contested')
                 ORDER BY date DESC LIMIT 1",
            )?;
            let mut years: Vec<String> = Vec::new();
            loop {
                let before = years.last().map_or(AFTER_ANY_DATE, String::as_str);
                let year = statement.query_row(params![own.seq, kind, before], |row| row.get(0)).optional()?;
                match year {
                    Some(year) => years.push(year),
                    None => return Ok(years),
                }
            }
        })
    }

    /// Pairs of live records of a kind whose stretches of time overlap, the earlier one first.
    pub fn overlapping(&self, kind: &str) -> Result<Vec<(String, String)>, StoreError> {
        self.look(|db| {
            let sql = "SELECT a.id, b.id FROM record a
                       JOIN stream ON stream.seq = a.stream AND stream.own = 1
                       JOIN record b ON b.stream = a.stream AND b.kind = a.kind
                         AND b.date >= a.date AND b.date < a.date_end AND b.life = 'live'
                         AND b.date < b.date_end AND (b.date > a.date OR b.id > a.id)
                       WHERE a.kind = ?1 AND a.life = 'live' AND a.date <> '' AND a.date < a.date_end
                       ORDER BY a.date DESC, a.id, b.id";
            let mut statement = db.prepare_cached(sql)?;
            Ok(statement
                .query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?)
        })
    }

    /// The changes that touch a record of the own stream, the latest first.
    pub fn history(&self, kind: &str, id: &str) -> Result<Vec<HistoryEntry>, StoreError> {
        self.look(|db| match log::own_stream(db)? {
            Some(stream) => history(db, stream, kind, id),
            None => Ok(Vec::new()),
        })
    }
}

fn history(db: &Connection, stream: StreamRow, kind: &str, id: &str) -> Result<Vec<HistoryEntry>, Fault> {
    let name = Name { stream: stream.seq, kind: kind.to_owned(), id: id.to_owned() };
    let ignored = records::state(db, &name)?.map(|state| state.ignored).unwrap_or_default();
    let mut entries = Vec::new();
    for seq in records::touching(db, &name)? {
        let change = log::change(db, seq)?;
        let (at_city, received_at) = coverage::receipt_of(db, seq)?;
        let writes = change.header.writes.iter().filter(|write| write.kind == kind && write.record == id);
        let paths = writes.map(|write| write.path.clone()).collect();
        let header = &change.header;
        let meta = ChangeMeta {
            change: change.id,
            lamport: change.lamport,
            at: header.at,
            author: header.author.clone(),
            device: header.device,
            action: header.action.clone(),
        };
        let doubtful =
            receipts::is_doubtful(db, &header.device, header.n, header.at, header.origin.as_ref())?;
        let counts = !ignored.contains(&change.id);
        entries.push(HistoryEntry { meta, paths, counts, doubtful, at_city, received_at });
    }
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.meta.lamport, entry.meta.change)));
    Ok(entries)
}

/// What a [`ListRow`] is read from.
const LIST_ROW: &str =
    "kind, id, title, date, date_end, list, life, closing, conflicts, late, born_at, last_at,
  NOT EXISTS (SELECT 1 FROM touch WHERE touch.record = record.seq
              AND NOT EXISTS (SELECT 1 FROM reported WHERE reported.change = touch.change AND held = 1)),
  (SELECT max(reported.at) FROM touch JOIN reported ON reported.change = touch.change
   WHERE touch.record = record.seq)";
/// How many columns that is.
const LIST_COLUMNS: usize = 14;

fn read_row(row: &Row) -> Result<ListRow, Fault> {
    let id: String = row.get(1)?;
    let code = |column: &'static str| Fault::row("record", &id, column, "an unknown code");
    let life =
        LifeCode::from_code(row.get_ref(6)?.as_str().unwrap_or_default()).ok_or_else(|| code("life"))?;
    let closing = ClosingCode::from_code(row.get_ref(7)?.as_str().unwrap_or_default())
        .ok_or_else(|| code("closing"))?;
    let list = read_json("record", &id, "list", row.get_ref(5)?.as_str().unwrap_or_default())?;
    let at_city: bool = row.get(12)?;
    let received_at: Option<i64> = row.get(13)?;
    Ok(ListRow {
        kind: row.get(0)?,
        title: row.get(2)?,
        date: row.get(3)?,
        date_end: row.get(4)?,
        list,
        life,
        closing,
        conflicts: row.get(8)?,
        late: row.get(9)?,
        born_at: row.get(10)?,
        last_at: row.get(11)?,
        at_city,
        received_at: received_at.filter(|_| at_city),
        id,
    })
}

/// The conditions of a query with the values to bind.
struct Found {
    conditions: String,
    values: Vec<Sql>,
}

impl Found {
    /// `None`: nothing can be found.
    fn new(db: &Connection, query: &Query) -> Result<Option<Self>, Fault> {
        let stream = match &query.stream {
            Some(id) => log::stream(db, id)?,
            None => log::own_stream(db)?,
        };
        let Some(stream) = stream else { return Ok(None) };
        let mut found = Self { conditions: "WHERE stream = ?1 AND kind = ?2".to_owned(), values: Vec::new() };
        found.values.extend([Sql::Integer(stream.seq), Sql::Text(query.kind.clone())]);
        found.codes(query);
        found.dates(query);
        for (path, values) in &query.facets {
            found.facet(path, values);
        }
        if let Some(id) = &query.id {
            let place = found.bind(id.clone());
            found.conditions.push_str(&format!(" AND id = {place}"));
        }
        if query.undecided {
            found.conditions.push_str(" AND (conflicts > 0 OR late > 0)");
        }
        if query.unsent {
            found.conditions.push_str(
                " AND EXISTS (SELECT 1 FROM touch WHERE touch.record = record.seq
                  AND NOT EXISTS (SELECT 1 FROM reported WHERE reported.change = touch.change AND held = 1))",
            );
        }
        if let Some(typed) = query.text.as_deref().filter(|typed| !typed.trim().is_empty()) {
            let Some(expression) = words::query(typed) else { return Ok(None) };
            let place = found.bind(expression);
            found
                .conditions
                .push_str(&format!(" AND seq IN (SELECT rowid FROM words WHERE words MATCH {place})"));
        }
        Ok(Some(found))
    }

    fn codes(&mut self, query: &Query) {
        let there = [LifeCode::Live, LifeCode::Contested];
        let life = if query.life.is_empty() { &there[..] } else { &query.life };
        let life = one_of("life", life.iter().map(|code| code.code()));
        self.conditions.push_str(&match query.annulled {
            true => format!(" AND ({life} OR (life = 'gone' AND closing = 'final'))"),
            false => format!(" AND {life}"),
        });
        if !query.closing.is_empty() {
            let closing = one_of("closing", query.closing.iter().map(|code| code.code()));
            self.conditions.push_str(&format!(" AND {closing}"));
        }
    }

    fn dates(&mut self, query: &Query) {
        if let Some(from) = &query.from {
            let place = self.bind(from.clone());
            self.conditions.push_str(&format!(" AND date >= {place}"));
        }
        if let Some(until) = &query.until {
            // A time on the last day comes after the day itself.
            let place = self.bind(format!("{until}~"));
            self.conditions.push_str(&format!(" AND date <= {place}"));
        }
    }

    fn facet(&mut self, path: &str, values: &[String]) {
        let path = self.bind(path.to_owned());
        let places: Vec<String> = values.iter().map(|value| self.bind(value.clone())).collect();
        self.conditions.push_str(&format!(
            " AND EXISTS (SELECT 1 FROM facet WHERE facet.record = record.seq AND path = {path} AND value IN ({}))",
            places.join(", ")
        ));
    }

    fn bind(&mut self, text: String) -> String {
        self.values.push(Sql::Text(text));
        format!("?{}", self.values.len())
    }

    fn tail(&self, query: &Query) -> String {
        let order = match query.order {
            Order::Newest => "date DESC, id DESC",
            Order::Oldest => "date, id",
            Order::Title => "title_key, id",
            Order::Changed => "last_at DESC, id",
        };
        let limit = query.limit.map_or(-1, i64::from);
        format!("{} ORDER BY {order} LIMIT {limit} OFFSET {}", self.conditions, query.offset)
    }

    fn count(&self, db: &Connection) -> Result<u64, Fault> {
        let mut statement = db.prepare_cached(&format!("SELECT count(*) FROM record {}", self.conditions))?;
        Ok(statement.query_row(params_from_iter(&self.values), |row| row.get::<_, i64>(0))?.unsigned_abs())
    }
}

fn one_of<'c>(column: &str, codes: impl Iterator<Item = &'c str>) -> String {
    let codes: Vec<String> = codes.map(|code| format!("'{code}'")).collect();
    format!("{column} IN ({})", codes.join(", "))
}
