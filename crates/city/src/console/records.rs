//! What was received: branches, their records, and one record field by field with its four times.

use super::act::signed_in;
use super::session::account;
use super::{figures, view};
use crate::audit;
use crate::city::City;
use crate::http::{Refuse, blocking};
use crate::keys::Advice;
use crate::tally;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use replica::{RecordState, StreamId};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// `GET /console/api/me`: who is signed in, and what should be done about the city's keys.
pub async fn me(State(city): State<Arc<City>>, headers: HeaderMap) -> Response {
    signed_in(city, headers, |city, who| {
        let advice: Vec<Value> = city.key_advice()?.into_iter().map(advice).collect();
        Ok(json!({ "name": who, "advice": advice }))
    })
    .await
}

fn advice(advice: Advice) -> Value {
    match advice {
        Advice::Ends(days) => {
            json!({ "code": if days > 0 { "key_ends" } else { "key_ended" }, "days": days })
        }
        Advice::FreshKeyWanted => json!({ "code": "fresh_key_wanted" }),
        Advice::NoSpare => json!({ "code": "no_spare_key" }),
    }
}

/// `GET /console/api/branches`
pub async fn branches(State(city): State<Arc<City>>, headers: HeaderMap) -> Response {
    blocking(city, move |city| {
        city.db.read::<_, Refuse>(|c| {
            account(c, &headers, city.world.now())?;
            Ok(Json(json!({ "branches": all_branches(c)? })))
        })
    })
    .await
}

/// `GET /console/api/branches/{stream}/records`
pub async fn records(
    State(city): State<Arc<City>>,
    Path(stream): Path<String>,
    headers: HeaderMap,
) -> Response {
    blocking(city, move |city| {
        city.db.read::<_, Refuse>(|c| {
            account(c, &headers, city.world.now())?;
            let stream: StreamId = stream.parse().map_err(|_| Refuse::bad("malformed"))?;
            Ok(Json(json!({ "branch": branch(c, &stream)?, "records": all_records(city, c, &stream)? })))
        })
    })
    .await
}

/// `GET /console/api/branches/{stream}/records/{kind}/{id}`. The view is noted in the audit log.
pub async fn record(
    State(city): State<Arc<City>>,
    Path((stream, kind, id)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    blocking(city, move |city| {
        let now = city.world.now();
        let stream: StreamId = stream.parse().map_err(|_| Refuse::bad("malformed"))?;
        city.db.write::<_, Refuse>(|t| {
            let who = account(t, &headers, now)?;
            let (state, received) = stored(t, &stream, &kind, &id)?;
            audit::note(t, now, &who, "view", &format!("{stream} {kind} {id}"))?;
            let names = names(t, &stream)?;
            let shown = view::record(&city.kinds, &state, &names, received);
            let figures = figures::of(t, &stream, &state)?;
            Ok(Json(json!({ "branch": branch(t, &stream)?, "record": shown, "figures": figures })))
        })
    })
    .await
}

fn all_branches(c: &Connection) -> Result<Vec<Value>, Refuse> {
    let mut statement = c.prepare_cached(
        "SELECT o.id, o.name, o.kind, o.parent, o.stream, count(r.id), max(r.received_at)
         FROM organisation o LEFT JOIN record r ON r.stream = o.stream AND r.kind <> 'stream'
         GROUP BY o.id ORDER BY o.position",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(json!({
            "id": row.get::<_, String>(0)?,
            "name": row.get::<_, String>(1)?,
            "kind": row.get::<_, String>(2)?,
            "parent": row.get::<_, Option<String>>(3)?,
            "stream": row.get::<_, Option<Vec<u8>>>(4)?.map(|bytes| crate::db::hex(&bytes)),
            "records": row.get::<_, i64>(5)?,
            "received_at": row.get::<_, Option<i64>>(6)?,
        }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn branch(c: &Connection, stream: &StreamId) -> Result<Value, Refuse> {
    let statement = "SELECT id, name FROM organisation WHERE stream = ?1";
    let found = c.query_row(statement, [stream.0.as_slice()], |row| {
        Ok(json!({ "id": row.get::<_, String>(0)?, "name": row.get::<_, String>(1)?, "stream": stream }))
    });
    found.optional()?.ok_or(Refuse::new(StatusCode::NOT_FOUND, "not_found"))
}

fn all_records(city: &City, c: &Connection, stream: &StreamId) -> Result<Vec<Value>, Refuse> {
    let mut statement = c.prepare_cached(
        "SELECT state, received_at FROM record WHERE stream = ?1 AND kind <> 'stream' ORDER BY kind, id",
    )?;
    let mut rows = statement.query([stream.0.as_slice()])?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next()? {
        listed.push(view::line(&city.kinds, &tally::read(&row.get::<_, String>(0)?)?, row.get(1)?));
    }
    Ok(listed)
}

fn stored(c: &Connection, stream: &StreamId, kind: &str, id: &str) -> Result<(RecordState, i64), Refuse> {
    let statement = "SELECT state, received_at FROM record WHERE stream = ?1 AND kind = ?2 AND id = ?3";
    let found: Option<(String, i64)> = c
        .query_row(statement, (stream.0.as_slice(), kind, id), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (text, received) = found.ok_or(Refuse::new(StatusCode::NOT_FOUND, "not_found"))?;
    Ok((tally::read(&text)?, received))
}

/// Names of the branch's persons, to show instead of their ids.
pub fn names(c: &Connection, stream: &StreamId) -> Result<BTreeMap<String, String>, Refuse> {
    let mut statement = c.prepare_cached(
        "SELECT id, coalesce(json_extract(state, '$.fields.name.value'),
                             json_extract(state, '$.fields.name.heads[0].value'))
         FROM record WHERE stream = ?1 AND kind = 'person'",
    )?;
    let rows = statement
        .query_map([stream.0.as_slice()], |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?)))?;
    let mut names = BTreeMap::new();
    for row in rows {
        let (id, name) = row?;
        names.insert(id, name.unwrap_or_default());
    }
    Ok(names)
}
