//! The numbers of a meeting as the city works them out from what it holds, by the same rules as the laptop.

use crate::http::Refuse;
use crate::tally;
use domain::{Branch, Meeting, Organisation, Pack, Person, count, votes};
use replica::{RecordState, StreamId};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Attendance and votes; null for a record that is not a meeting with a date.
pub fn of(c: &Connection, stream: &StreamId, state: &RecordState) -> Result<Value, Refuse> {
    if state.kind != "meeting" {
        return Ok(Value::Null);
    }
    let meeting = Meeting::from_fields(&state.id, &fields(state));
    let Some(date) = meeting.date() else { return Ok(Value::Null) };
    let persons: Vec<Person> =
        live(c, stream, "person")?.iter().map(|it| Person::from_fields(&it.id, &fields(it))).collect();
    let organisations = live(c, stream, "organisation")?;
    let Some(org) = organisations.first() else { return Ok(Value::Null) };
    let org = Organisation::from_fields(&org.id, &fields(org));
    let branch = Branch { org: &org, persons: &persons };
    let pack = Pack::on(date);
    let attendance = count(branch, &meeting, pack).numbers;
    Ok(json!({ "attendance": attendance, "votes": votes(branch, &meeting, pack) }))
}

fn live(c: &Connection, stream: &StreamId, kind: &str) -> Result<Vec<RecordState>, Refuse> {
    let mut statement =
        c.prepare_cached("SELECT state FROM record WHERE stream = ?1 AND kind = ?2 ORDER BY id")?;
    let mut rows = statement.query((stream.0.as_slice(), kind))?;
    let mut states = Vec::new();
    while let Some(row) = rows.next()? {
        let state = tally::read(&row.get::<_, String>(0)?)?;
        if state.is_live() {
            states.push(state);
        }
    }
    Ok(states)
}

fn fields(state: &RecordState) -> BTreeMap<String, Value> {
    state.values().map(|(path, value)| (path.to_owned(), value.clone())).collect()
}
