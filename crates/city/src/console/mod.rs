//! The console's host: sign-in, what was received, what operators do about devices and redactions, files on USB sticks,
//! and the built pages.

mod act;
mod devices;
mod figures;
mod pages;
mod records;
mod redactions;
mod session;
mod usb;
mod view;

use crate::city::City;
use crate::file::MAX_FILE;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use std::sync::Arc;

pub fn routes() -> Router<Arc<City>> {
    Router::new()
        .route("/console/api/login", post(session::login))
        .route("/console/api/logout", post(session::logout))
        .route("/console/api/branches", get(records::branches))
        .route("/console/api/branches/{stream}/records", get(records::records))
        .route("/console/api/branches/{stream}/records/{kind}/{id}", get(records::record))
        .route("/console/api/branches/{stream}/devices", get(devices::devices))
        .route("/console/api/branches/{stream}/devices/{device}/revoke", post(devices::revoke))
        .route("/console/api/branches/{stream}/devices/{device}/reinstate", post(devices::reinstate))
        .route("/console/api/branches/{stream}/release", post(devices::release))
        .route("/console/api/redactions", get(redactions::list).post(redactions::ask))
        .route("/console/api/redactions/{id}/confirm", post(redactions::confirm))
        .route("/console/api/redactions/{id}/decline", post(redactions::decline))
        .route("/console/api/me", get(records::me))
        .route("/console/api/usb", get(usb::history).post(usb::import).layer(DefaultBodyLimit::max(MAX_FILE)))
        .route("/console/api/usb/{id}/answer", get(usb::answer))
        .fallback(pages::page)
}
