//! The scheme `photo`: pictures of the records for the page, named by a hash. The page never sees a path.

use tauri::http::{Request, Response, StatusCode, header};
use tauri::{AppHandle, Manager, UriSchemeResponder};

use crate::calls::Calls;

pub const SCHEME: &str = "photo";

/// Answers `photo://localhost/<hash>` on a thread that may block.
pub fn answer(handle: AppHandle, request: Request<Vec<u8>>, responder: UriSchemeResponder) {
    tauri::async_runtime::spawn_blocking(move || {
        let hash = request.uri().path().trim_start_matches('/').to_owned();
        let shown = handle.try_state::<Calls>().and_then(|calls| calls.photo(&hash));
        let response = match shown {
            Some(shown) => Response::builder()
                .header(header::CONTENT_TYPE, shown.media)
                .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
                .header(header::CACHE_CONTROL, "no-store")
                .body(shown.bytes),
            None => Response::builder().status(StatusCode::NOT_FOUND).body(Vec::new()),
        };
        responder.respond(response.expect("the headers are constants"));
    });
}
