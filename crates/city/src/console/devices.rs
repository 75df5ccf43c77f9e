//! The computers of a branch, and what revoked ones sent.

use super::act::{parsed, signed_in};
use super::{records, view};
use crate::audit;
use crate::city::City;
use crate::http::Refuse;
use crate::quarantine::Quarantined;
use crate::tally;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use replica::{ChangeId, DeviceId, StreamId};
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Deserialize)]
pub struct Release {
    changes: Vec<ChangeId>,
}

/// `GET /console/api/branches/{stream}/devices`. Looking at what waits for review is noted in the audit log.
pub async fn devices(
    State(city): State<Arc<City>>,
    Path(stream): Path<String>,
    headers: HeaderMap,
) -> Response {
    signed_in(city, headers, move |city, who| {
        let stream: StreamId = parsed(&stream)?;
        let (devices, waiting) = (city.devices(&stream)?, city.quarantine(&stream)?);
        city.db.write::<_, Refuse>(|t| {
            if !waiting.is_empty() {
                audit::note(t, city.world.now(), who, "view", &format!("{stream} quarantine"))?;
            }
            let names = records::names(t, &stream)?;
            let shown: Vec<Value> =
                waiting.iter().map(|it| one(city, t, &stream, it, &names)).collect::<Result<_, _>>()?;
            Ok(json!({ "branch": records::branch(t, &stream)?, "devices": devices, "waiting": shown }))
        })
    })
    .await
}

/// `POST /console/api/branches/{stream}/devices/{device}/revoke`
pub async fn revoke(
    State(city): State<Arc<City>>,
    Path((stream, device)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    signed_in(city, headers, move |city, who| {
        Ok(json!({ "ruling": city.revoke_by(who, &parsed(&stream)?, &parsed::<DeviceId>(&device)?)? }))
    })
    .await
}

/// `POST /console/api/branches/{stream}/devices/{device}/reinstate`
pub async fn reinstate(
    State(city): State<Arc<City>>,
    Path((stream, device)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    signed_in(city, headers, move |city, who| {
        Ok(json!({ "ruling": city.reinstate(who, &parsed(&stream)?, &parsed::<DeviceId>(&device)?)? }))
    })
    .await
}

/// `POST /console/api/branches/{stream}/release`
pub async fn release(
    State(city): State<Arc<City>>,
    Path(stream): Path<String>,
    headers: HeaderMap,
    Json(Release { changes }): Json<Release>,
) -> Response {
    signed_in(city, headers, move |city, who| {
        Ok(json!({ "ruling": city.release(who, &parsed(&stream)?, &changes)? }))
    })
    .await
}

/// One change that waits: who wrote it, when, and what it would say.
fn one(
    city: &City,
    c: &Connection,
    stream: &StreamId,
    it: &Quarantined,
    names: &BTreeMap<String, String>,
) -> Result<Value, Refuse> {
    let header = &it.change.header;
    let mut records = Vec::new();
    for (kind, record) in crate::log::touched(&it.change) {
        let label = city.kinds.get(kind).map_or(kind, |kind| &kind.label);
        let title = match tally::stored(c, stream, kind, record)? {
            Some(state) => view::title(&city.kinds, &state).to_owned(),
            None => record.to_owned(),
        };
        records.push(json!({ "kind": kind, "kind_label": label, "id": record, "title": title }));
    }
    let values = it.change.values.iter().flatten();
    let writes: Vec<Value> = header
        .writes
        .iter()
        .zip(values)
        .map(|(write, value)| view::written(&city.kinds, &write.kind, &write.path, value, names))
        .collect();
    Ok(json!({
        "id": it.change.id,
        "device": header.device,
        "author": header.author,
        "at": header.at,
        "received_at": it.received_at,
        "records": records,
        "writes": writes,
    }))
}
