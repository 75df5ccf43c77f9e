//! The built pages, embedded, and what the browser is told about them.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse};
use include_dir::{Dir, include_dir};

/// Nothing from elsewhere, nothing inline, nobody around it.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

static PAGES: Dir<'_> = include_dir!("$JISHI_PAGES");

/// The file of a path; a path that names no file is a place inside the one page.
pub async fn page(uri: Uri) -> Response<Body> {
    let path = uri.path().trim_start_matches('/');
    let found = match PAGES.get_file(path) {
        Some(file) => Some(file),
        None if path.contains('.') => None,
        None => PAGES.get_file("index.html"),
    };
    match found {
        Some(file) => {
            let kind = HeaderValue::from_static(content_type(&file.path().to_string_lossy()));
            ([(header::CONTENT_TYPE, kind)], file.contents()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Sends the browser on from inside: a redirect would still count as coming from the file that it was opened from,
/// and a strict cookie would not go with it.
pub const ENTERED: &str = "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>支部纪实</title>\
     <link rel=\"icon\" href=\"/icon.svg\"><meta http-equiv=\"refresh\" content=\"0;url=/\"><p>正在打开支部纪实…</p></html>";

/// What somebody without a session reads.
pub fn turned_away() -> Response<Body> {
    let words = "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>支部纪实</title>\
        <link rel=\"icon\" href=\"data:,\"><h1>这个地址已经用过或已经过期</h1>\
        <p>记录都在本机，没有受影响。请关闭此页，从桌面图标重新打开支部纪实。</p></html>";
    (StatusCode::FORBIDDEN, Html(words)).into_response()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}
