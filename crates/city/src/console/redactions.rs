//! Redaction in the console: asking, and deciding on what another asked.

use super::act::{parsed, signed_in};
use super::{records, view};
use crate::city::City;
use crate::http::Refuse;
use crate::redact::{Redaction, Subject};
use crate::tally;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use replica::StreamId;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
pub struct Ask {
    stream: StreamId,
    kind: String,
    record: String,
    /// Left out: the whole record.
    #[serde(default)]
    path: Option<String>,
    reason: String,
}

/// `GET /console/api/redactions`
pub async fn list(State(city): State<Arc<City>>, headers: HeaderMap) -> Response {
    signed_in(city, headers, |city, who| {
        let all: Vec<Value> =
            city.redactions()?.iter().map(|it| shown(city, it)).collect::<Result<_, _>>()?;
        Ok(json!({ "me": who, "redactions": all }))
    })
    .await
}

/// `POST /console/api/redactions`
pub async fn ask(State(city): State<Arc<City>>, headers: HeaderMap, Json(ask): Json<Ask>) -> Response {
    signed_in(city, headers, move |city, who| {
        let Ask { stream, kind, record, path, reason } = ask;
        let subject = match path {
            Some(path) => Subject::Field { kind, record, path },
            None => Subject::Record { kind, record },
        };
        Ok(json!({ "id": city.ask_redaction(who, &stream, &subject, &reason)? }))
    })
    .await
}

/// `POST /console/api/redactions/{id}/confirm`
pub async fn confirm(State(city): State<Arc<City>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    signed_in(city, headers, move |city, who| {
        Ok(json!({ "changes": city.confirm_redaction(who, parsed(&id)?)? }))
    })
    .await
}

/// `POST /console/api/redactions/{id}/decline`
pub async fn decline(State(city): State<Arc<City>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    signed_in(city, headers, move |city, who| {
        city.decline_redaction(who, parsed(&id)?)?;
        Ok(json!({}))
    })
    .await
}

/// What it is about in the kind's words. The record's name is shown while it is there.
fn shown(city: &City, it: &Redaction) -> Result<Value, Refuse> {
    let (kind, record, path) = match &it.subject {
        Subject::Change(id) => (None, id.to_string(), None),
        Subject::Record { kind, record } => (Some(kind), record.clone(), None),
        Subject::Field { kind, record, path } => (Some(kind), record.clone(), Some(path)),
    };
    let known = kind.and_then(|kind| city.kinds.get(kind));
    let field = path.map(|path| {
        known.and_then(|kind| kind.field_for(path)).map_or(path.as_str(), |field| field.label.as_str())
    });
    let (branch, title) = city.db.read::<_, Refuse>(|c| {
        let state = kind.map(|kind| tally::stored(c, &it.stream, kind, &record)).transpose()?.flatten();
        let title = state.map(|state| view::title(&city.kinds, &state).to_owned());
        Ok((records::branch(c, &it.stream)?, title))
    })?;
    // Nothing is left to reach once it is done.
    let reach = city.reach(&it.stream, &it.subject).ok();
    Ok(json!({
        "id": it.id,
        "branch": branch,
        "kind": kind,
        "kind_label": known.map(|kind| &kind.label),
        "record": title.unwrap_or(record),
        "field": field,
        "reason": it.reason,
        "asked_by": it.asked_by,
        "asked_at": it.asked_at,
        "decided_by": it.decided.as_ref().map(|decision| &decision.by),
        "decided_at": it.decided.as_ref().map(|decision| decision.at),
        "done": it.decided.as_ref().map(|decision| decision.done),
        "changes": reach.as_ref().map(|(changes, _)| changes),
        "records": reach.as_ref().map(|(_, records)| records.len()),
    }))
}
