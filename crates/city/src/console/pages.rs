//! The built console pages, carried inside the binary. Without them the city still serves its API.

use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use include_dir::{Dir, include_dir};

/// `build.rs` makes this folder: a copy of `ui/dist`, or empty when the pages were not built.
static PAGES: Dir<'_> = include_dir!("$OUT_DIR/pages");

const ENTRY: &str = "console.html";
const POLICY: &str = "default-src 'self'; img-src 'self' data:; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Any address that is not the API's: a file of the build, or the console's entry page at `/` and `/console`.
pub async fn page(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "console/" {
        // The page names its files relative to the root.
        return Redirect::permanent("/console").into_response();
    }
    let name = if path.is_empty() || path == "console" { ENTRY } else { path };
    let mut response = match PAGES.get_file(name) {
        Some(file) => ([(header::CONTENT_TYPE, media_type(name))], file.contents()).into_response(),
        None if name == ENTRY => {
            (StatusCode::NOT_FOUND, Html("<!doctype html><meta charset=utf-8><p>这个程序没有带管理页面。"))
                .into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some(_) | None => "application/octet-stream",
    }
}
