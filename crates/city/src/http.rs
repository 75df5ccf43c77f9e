//! The router: which address is served by which module, and what holds for all of them.

use crate::city::City;
use crate::db::DbError;
use crate::{blobs, console, enrol, exchange};
use axum::Json;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;
use wire::enrol::Refusal;

/// No body is read beyond this; a laptop's budget is far below.
pub const MOST_BODY: usize = wire::MAX_BODY;

/// Everything the city serves, ready for a listener or for `tower::ServiceExt::oneshot`.
pub fn router(city: Arc<City>) -> Router {
    Router::new()
        .route("/v1/city", get(enrol::hello))
        .route("/v1/enrol", post(enrol::enrol))
        .route("/v1/exchange", post(exchange::exchange))
        .merge(blobs::http::routes())
        .merge(console::routes())
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(from_fn_with_state(city.clone(), refuse_plain_http))
        .with_state(city)
}

/// Behind a proxy the city is reached over TLS only: what the proxy took over plain HTTP is turned away.
async fn refuse_plain_http(State(city): State<Arc<City>>, request: Request, next: Next) -> Response {
    let plain = request.headers().get("x-forwarded-proto").is_some_and(|scheme| scheme != "https");
    match city.behind_proxy && plain {
        true => Refuse::new(StatusCode::FORBIDDEN, "plain_http").response(city.world.now()),
        false => next.run(request).await,
    }
}

/// Runs blocking work off the async threads and writes out its refusal, if it is one.
pub async fn blocking<T: IntoResponse + Send + 'static>(
    city: Arc<City>,
    work: impl FnOnce(&City) -> Result<T, Refuse> + Send + 'static,
) -> Response {
    let worker = city.clone();
    let done = tokio::task::spawn_blocking(move || work(&worker)).await;
    match done {
        Ok(Ok(answer)) => answer.into_response(),
        Ok(Err(refuse)) => refuse.response(city.world.now()),
        Err(panic) => Refuse::inner(&panic).response(city.world.now()),
    }
}

/// Why a request is turned away: a status for machines in between, a code for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refuse {
    pub status: StatusCode,
    pub code: &'static str,
    pub detail: String,
}

impl Refuse {
    pub fn new(status: StatusCode, code: &'static str) -> Refuse {
        Refuse { status, code, detail: String::new() }
    }

    pub fn with(self, detail: impl Into<String>) -> Refuse {
        Refuse { detail: detail.into(), ..self }
    }

    pub fn bad(code: &'static str) -> Refuse {
        Refuse::new(StatusCode::BAD_REQUEST, code)
    }

    /// A fault of the city itself: the cause goes to the log, never over the wire.
    pub fn inner(cause: &dyn std::fmt::Display) -> Refuse {
        tracing::error!(%cause, "a request failed");
        Refuse::new(StatusCode::INTERNAL_SERVER_ERROR, "city_fault")
    }

    /// What the laptop reads of it.
    pub fn words(self, time: i64) -> Refusal {
        Refusal { code: self.code.to_owned(), detail: self.detail, time }
    }

    pub fn response(self, time: i64) -> Response {
        let mut response = (self.status, Json(self.words(time))).into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl From<DbError> for Refuse {
    fn from(error: DbError) -> Refuse {
        match error.is_full() {
            true => {
                tracing::error!(%error, "no room on the disk");
                Refuse::new(StatusCode::INSUFFICIENT_STORAGE, "city_full")
            }
            false => Refuse::inner(&error),
        }
    }
}

impl From<rusqlite::Error> for Refuse {
    fn from(error: rusqlite::Error) -> Refuse {
        Refuse::inner(&error)
    }
}
