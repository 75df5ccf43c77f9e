//! Attachments over HTTP: the question about many, and tus 1.0 with its extensions creation, creation-with-upload and
//! termination, and reading by ranges.

use crate::blobs;
use crate::city::City;
use crate::http::{Refuse, blocking};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use replica::limits::MAX_BLOB;
use std::sync::Arc;
use wire::blobs::{
    BLOBS_PATH, BlobMethod, BlobReply, BlobRequest, MAX_ASKED, PIECE, PIECE_TYPE, REQUEST_HEADER, TUS_VERSION,
};
use wire::enrol::EXCHANGE_TYPE;

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const VERSIONS: HeaderName = HeaderName::from_static("tus-version");
const EXTENSIONS: HeaderName = HeaderName::from_static("tus-extension");
const MOST: HeaderName = HeaderName::from_static("tus-max-size");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
/// Bytes of a question: its head, and every hash in a stream of its own.
const MOST_QUESTION: usize = 1024 + MAX_ASKED * 80;

pub fn routes() -> Router<Arc<City>> {
    let one: MethodRouter<Arc<City>> = post(one).patch(one).head(one).get(one).delete(one).options(options);
    Router::new()
        .route(BLOBS_PATH, post(probe).options(options))
        .route(&format!("{BLOBS_PATH}/{{stream}}/{{hash}}"), one)
        .layer(from_fn(speak_tus))
}

/// Every answer says that it is of a tus server; that is how a laptop tells it from a portal's.
async fn speak_tus(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(RESUMABLE, HeaderValue::from_static(TUS_VERSION));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn options() -> Response {
    let said = [
        (VERSIONS, HeaderValue::from_static(TUS_VERSION)),
        (EXTENSIONS, HeaderValue::from_static("creation,creation-with-upload,termination")),
        (MOST, HeaderValue::from(MAX_BLOB)),
    ];
    (StatusCode::NO_CONTENT, said).into_response()
}

async fn probe(State(city): State<Arc<City>>, request: Request) -> Response {
    let body = match read_body(request.into_body(), MOST_QUESTION).await {
        Ok(body) => body,
        Err(refuse) => return refuse.response(city.world.now()),
    };
    blocking(city, move |city| {
        let answer = blobs::probe(city, &body)?;
        Ok(([(header::CONTENT_TYPE, EXCHANGE_TYPE)], answer).into_response())
    })
    .await
}

async fn one(
    State(city): State<Arc<City>>,
    Path(place): Path<(String, String)>,
    request: Request,
) -> Response {
    match read(place, request).await {
        Ok(request) => blocking(city, move |city| Ok(written(&request, blobs::serve(city, &request)?))).await,
        Err(refuse) => {
            let mut response = refuse.response(city.world.now());
            if response.status() == StatusCode::PRECONDITION_FAILED {
                response.headers_mut().insert(VERSIONS, HeaderValue::from_static(TUS_VERSION));
            }
            response
        }
    }
}

/// Reads what the headers say. What the signature cannot cover (a query, an encoding) is refused.
async fn read((stream, hash): (String, String), request: Request) -> Result<BlobRequest, Refuse> {
    let not_named = |_| Refuse::new(StatusCode::NOT_FOUND, "not_named");
    let (stream, hash) = (stream.parse().map_err(not_named)?, hash.parse().map_err(not_named)?);
    let (parts, body) = request.into_parts();
    let (headers, method) = (&parts.headers, method(&parts.method)?);
    if parts.uri.query().is_some() || headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Refuse::bad("malformed"));
    }
    if method != BlobMethod::Get && text(headers, &RESUMABLE) != Some(TUS_VERSION) {
        return Err(Refuse::new(StatusCode::PRECONDITION_FAILED, "tus_version"));
    }
    let body = match method {
        BlobMethod::Post | BlobMethod::Patch => read_body(body, PIECE).await?,
        BlobMethod::Head | BlobMethod::Delete | BlobMethod::Get => Vec::new(),
    };
    let typed =
        (method == BlobMethod::Patch || !body.is_empty()).then(|| text(headers, &header::CONTENT_TYPE));
    if typed.is_some_and(|found| found != Some(PIECE_TYPE)) {
        return Err(Refuse::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "malformed"));
    }
    Ok(BlobRequest {
        method,
        stream,
        hash,
        head: head(headers)?,
        length: number(headers, &LENGTH)?,
        offset: number(headers, &OFFSET)?,
        range: text(headers, &header::RANGE).map(range).transpose()?,
        body,
    })
}

fn method(method: &Method) -> Result<BlobMethod, Refuse> {
    let all = [BlobMethod::Post, BlobMethod::Patch, BlobMethod::Head, BlobMethod::Get, BlobMethod::Delete];
    let found = all.into_iter().find(|known| known.as_str() == method.as_str());
    found.ok_or(Refuse::new(StatusCode::METHOD_NOT_ALLOWED, "malformed"))
}

/// A line that was cut is answered, too, but nobody reads that.
async fn read_body(body: Body, most: usize) -> Result<Vec<u8>, Refuse> {
    let read = axum::body::to_bytes(body, most).await;
    read.map(Vec::from).map_err(|_| Refuse::new(StatusCode::PAYLOAD_TOO_LARGE, "piece_too_large"))
}

fn head(headers: &HeaderMap) -> Result<Vec<u8>, Refuse> {
    let hex = headers.get(REQUEST_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let bytes: Result<[u8; wire::HEAD_LEN], _> = replica::from_hex(hex);
    bytes.map(Vec::from).map_err(|_| Refuse::bad("malformed"))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Refuse> {
    let read = |text: &str| match text.bytes().all(|digit| digit.is_ascii_digit()) {
        true => text.parse().map_err(|_| Refuse::bad("malformed")),
        false => Err(Refuse::bad("malformed")),
    };
    headers.contains_key(name).then(|| read(text(headers, name).unwrap_or("?"))).transpose()
}

/// `bytes=first-` or `bytes=first-last`, which is all that is needed to go on.
fn range(text: &str) -> Result<(u64, Option<u64>), Refuse> {
    let read = || {
        let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
        let last = if last.is_empty() { None } else { Some(last.parse().ok()?) };
        Some((first.parse().ok()?, last))
    };
    read().ok_or(Refuse::new(StatusCode::RANGE_NOT_SATISFIABLE, "range"))
}

fn written(request: &BlobRequest, reply: BlobReply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match status {
        StatusCode::CONFLICT => {
            (status, axum::Json(serde_json::json!({ "code": "wrong_offset" }))).into_response()
        }
        _ => status.into_response(),
    };
    let body_length = reply.body.len() as u64;
    let headers = response.headers_mut();
    if let Some(offset) = reply.offset {
        headers.insert(OFFSET, offset.into());
    }
    if let Some(length) = reply.length.filter(|_| reply.offset.is_some()) {
        headers.insert(LENGTH, length.into());
    }
    if request.method == BlobMethod::Post {
        let place = wire::blobs::blob_path(&request.stream, &request.hash);
        headers.insert(header::LOCATION, HeaderValue::from_str(&place).expect("a path of hex digits"));
    }
    if request.method == BlobMethod::Get {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let (Some((first, _)), Some(length)) = (request.range, reply.length) {
            let range = format!("bytes {first}-{}/{length}", first + body_length.saturating_sub(1));
            headers.insert(header::CONTENT_RANGE, HeaderValue::from_str(&range).expect("digits"));
        }
        *response.body_mut() = Body::from(reply.body);
    }
    response
}
