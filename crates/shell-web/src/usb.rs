//! Files for a USB stick: the browser saves what it is given, and hands over what the person chose.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Json};
use axum::routing::post;
use serde::Deserialize;
use serde_json::Value;

use crate::server::{Shell, failure, session};

/// The city makes no larger ones.
const LARGEST: usize = 256 * 1024 * 1024;

/// The routes, behind the session like every call.
pub fn routes(shell: Arc<Shell>) -> Router<Arc<Shell>> {
    Router::new()
        .route("/usb/export", post(export))
        .route("/usb/import", post(import))
        .layer(middleware::from_fn_with_state(shell, session))
        .layer(DefaultBodyLimit::max(LARGEST))
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    everything: bool,
}

async fn export(State(shell): State<Arc<Shell>>, Query(wanted): Query<Wanted>) -> Response<Body> {
    let made = tokio::task::spawn_blocking(move || (shell.usb.export)(wanted.everything)).await;
    match made {
        Ok(Ok(file)) => {
            let kind = HeaderValue::from_static("application/octet-stream");
            let headers =
                [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, attachment(&file.name))];
            (headers, file.bytes).into_response()
        }
        Ok(Err(error)) => (StatusCode::UNPROCESSABLE_ENTITY, Json(error)).into_response(),
        Err(panic) => ended(&panic),
    }
}

async fn import(State(shell): State<Arc<Shell>>, body: Bytes) -> Response<Body> {
    let done: Result<Result<Value, Value>, _> =
        tokio::task::spawn_blocking(move || (shell.usb.import)(&body)).await;
    match done {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(error)) => (StatusCode::UNPROCESSABLE_ENTITY, Json(error)).into_response(),
        Err(panic) => ended(&panic),
    }
}

fn ended(panic: &tokio::task::JoinError) -> Response<Body> {
    tracing::error!(%panic, "a file was not handled to its end");
    failure(StatusCode::INTERNAL_SERVER_ERROR, "internal")
}

/// The name as a header takes it: what is no plain ASCII is escaped (RFC 6266).
fn attachment(name: &str) -> HeaderValue {
    let mut value = "attachment; filename*=UTF-8''".to_owned();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => value.push(char::from(byte)),
            _ => value.push_str(&format!("%{byte:02X}")),
        }
    }
    HeaderValue::from_str(&value).expect("escaped bytes are ASCII")
}
