//! Files on USB sticks in the console: take one in, and get the one that goes back, also later.

use super::session::account;
use crate::audit;
use crate::city::City;
use crate::file::{self, answer_of};
use crate::http::{Refuse, blocking};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;
use std::fmt::Write;
use std::sync::Arc;
use wire::file::BLOBS;

/// `GET /console/api/usb`
pub async fn history(State(city): State<Arc<City>>, headers: HeaderMap) -> Response {
    blocking(city, move |city| {
        city.db.read::<_, Refuse>(|c| {
            account(c, &headers, city.world.now())?;
            Ok(Json(json!({ "files": file::history(c)? })))
        })
    })
    .await
}

/// `POST /console/api/usb`: the bytes of a file.
pub async fn import(State(city): State<Arc<City>>, headers: HeaderMap, body: Bytes) -> Response {
    blocking(city, move |city| {
        city.db.read::<_, Refuse>(|c| account(c, &headers, city.world.now()))?;
        let done = file::import(city, &body, BLOBS)?;
        Ok(Json(json!({ "id": done.id, "report": done.report, "name": done.answer.name })))
    })
    .await
}

/// `GET /console/api/usb/{id}/answer`: the file that goes back. It is sealed to the laptop.
pub async fn answer(State(city): State<Arc<City>>, Path(id): Path<i64>, headers: HeaderMap) -> Response {
    blocking(city, move |city| {
        let now = city.world.now();
        city.db.write::<_, Refuse>(|t| {
            let who = account(t, &headers, now)?;
            let found = answer_of(t, id)?.ok_or(Refuse::new(StatusCode::NOT_FOUND, "no_file"))?;
            audit::note(t, now, &who, "usb answer taken", &found.name)?;
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
                (header::CONTENT_DISPOSITION, attachment(&found.name)),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            Ok((headers, found.bytes))
        })
    })
    .await
}

/// Every byte of the name is escaped: it is no ASCII (RFC 6266).
fn attachment(name: &str) -> HeaderValue {
    let mut value = "attachment; filename*=UTF-8''".to_owned();
    for byte in name.bytes() {
        write!(value, "%{byte:02X}").expect("a text takes every text");
    }
    HeaderValue::from_str(&value).expect("escaped bytes are ASCII")
}
