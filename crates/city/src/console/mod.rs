//! The console's host: sign-in, what was received, and the built pages. It reads only.

mod figures;
mod pages;
mod records;
mod session;
mod view;

use crate::city::City;
use axum::Router;
use axum::routing::{get, post};
use std::sync::Arc;

pub use session::OPERATOR;

pub fn routes() -> Router<Arc<City>> {
    Router::new()
        .route("/console/api/login", post(session::login))
        .route("/console/api/logout", post(session::logout))
        .route("/console/api/branches", get(records::branches))
        .route("/console/api/branches/{stream}/records", get(records::records))
        .route("/console/api/branches/{stream}/records/{kind}/{id}", get(records::record))
        .fallback(pages::page)
}
