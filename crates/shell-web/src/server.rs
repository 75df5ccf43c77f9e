//! The routes: the pages, the calls and the events, all behind the door.

use std::sync::Arc;
use std::time::Instant;

use app::UsbFile;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Json};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::door::{Door, Refusal};
use crate::events::Events;
use crate::{pages, usb};

/// Room for a field that is far too long, so that the program itself can say so in words.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// The one way into the program: a name and arguments in, an answer or the error that the page shows.
pub type Call = dyn Fn(&str, Value) -> Result<Value, Value> + Send + Sync;

/// A photo or document by its hash: what it is and its bytes, if it is here.
pub type Photo = dyn Fn(&str) -> Option<(&'static str, Vec<u8>)> + Send + Sync;

/// A file from the city, and what it did.
pub type Import = dyn Fn(&[u8]) -> Result<Value, Value> + Send + Sync;

/// Files between a USB stick and the program; the browser brings them from and to where the person wants.
pub struct Usb {
    /// Makes a file for the city, of everything or of what is new.
    pub export: Box<dyn Fn(bool) -> Result<UsbFile, Value> + Send + Sync>,
    pub import: Box<Import>,
}

/// What the routes share.
pub struct Shell {
    pub door: Door,
    pub events: Events,
    pub call: Box<Call>,
    pub photo: Box<Photo>,
    pub usb: Usb,
}

/// Everything that the browser can ask.
pub fn routes(shell: Arc<Shell>) -> Router {
    let inside = Router::new()
        .route("/call/{name}", post(call))
        .route("/photo/{hash}", get(photo))
        .route("/events", get(events))
        .fallback(get(pages::page))
        .layer(middleware::from_fn_with_state(shell.clone(), session))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .merge(usb::routes(shell.clone()));
    Router::new()
        .route("/enter", get(enter))
        .merge(inside)
        .layer(middleware::from_fn_with_state(shell.clone(), sender))
        .layer(middleware::map_response(harden))
        .with_state(shell)
}

#[derive(Deserialize)]
struct Enter {
    token: String,
}

async fn enter(State(shell): State<Arc<Shell>>, Query(Enter { token }): Query<Enter>) -> Response<Body> {
    match shell.door.enter(&token, Instant::now()) {
        Some(cookie) => ([(header::SET_COOKIE, cookie)], Html(pages::ENTERED)).into_response(),
        None => pages::turned_away(),
    }
}

async fn call(
    State(shell): State<Arc<Shell>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let Some(arguments) = json.then(|| serde_json::from_slice(&body).ok()).flatten() else {
        return failure(StatusCode::BAD_REQUEST, "bad_request");
    };
    // The store and the exchange block; they have threads of their own.
    match tokio::task::spawn_blocking(move || (shell.call)(&name, arguments)).await {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(error)) => (StatusCode::UNPROCESSABLE_ENTITY, Json(error)).into_response(),
        Err(panic) => {
            tracing::error!(%panic, "a call ended abnormally");
            failure(StatusCode::INTERNAL_SERVER_ERROR, "internal")
        }
    }
}

/// Pictures of the records: named by a hash, never by a path, and of the types that the program knows.
async fn photo(State(shell): State<Arc<Shell>>, Path(hash): Path<String>) -> Response<Body> {
    match tokio::task::spawn_blocking(move || (shell.photo)(&hash)).await {
        Ok(Some((media, bytes))) => ([(header::CONTENT_TYPE, media)], bytes).into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(panic) => {
            tracing::error!(%panic, "a photo was not served");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn events(State(shell): State<Arc<Shell>>) -> impl IntoResponse {
    shell.events.listen()
}

async fn sender(State(shell): State<Arc<Shell>>, request: Request, next: Next) -> Response<Body> {
    match shell.door.checks_sender(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refused(refusal),
    }
}

pub async fn session(State(shell): State<Arc<Shell>>, request: Request, next: Next) -> Response<Body> {
    let path = request.uri().path();
    let is_call = path.starts_with("/call/") || path.starts_with("/usb/");
    match shell.door.checks_session(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(_) if is_call => failure(StatusCode::FORBIDDEN, "session_lost"),
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> Response<Body> {
    tracing::warn!(?refusal, "turned away");
    pages::turned_away()
}

pub fn failure(status: StatusCode, code: &str) -> Response<Body> {
    (status, Json(json!({ "code": code }))).into_response()
}

async fn harden(mut response: Response<Body>) -> Response<Body> {
    const HEADERS: [(HeaderName, &str); 5] = [
        (header::CONTENT_SECURITY_POLICY, pages::POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests;
