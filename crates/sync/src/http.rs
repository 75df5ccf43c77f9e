//! The HTTP carrier: sends one body, keeps as much of the answer as arrived, and says plainly what went wrong.

use crate::address::Address;
use crate::error::SyncError;
use crate::stop::Stop;
use reqwest::header::{CONTENT_TYPE, RANGE, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response, StatusCode};
use std::io;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use wire::blobs::{BlobMethod, BlobReply, BlobRequest, PIECE_TYPE, REQUEST_HEADER, TUS_VERSION, blob_path};
use wire::enrol::Refusal;

/// No answer is read beyond this.
const MOST_ANSWER: usize = 64 * 1024 * 1024;
const TUS_RESUMABLE: &str = "tus-resumable";
const UPLOAD_OFFSET: &str = "upload-offset";
const CONNECT: Duration = Duration::from_secs(15);
/// Until an answer begins, and between two parts of it.
const SILENCE: Duration = Duration::from_secs(180);

/// What came back with status 200.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    pub body: Vec<u8>,
    /// False if the connection broke before the end; the body then holds what arrived.
    pub whole: bool,
}

/// Why there is no reply.
#[derive(Debug)]
pub enum NoReply {
    /// The city's own word.
    Refused(Refusal),
    Other(SyncError),
}

impl From<NoReply> for SyncError {
    fn from(error: NoReply) -> SyncError {
        match error {
            NoReply::Refused(Refusal { code, detail, .. }) => SyncError::Refused { code, detail },
            NoReply::Other(error) => error,
        }
    }
}

/// What carries requests to a city and brings its answers: HTTP, or a test that stands in for the line.
pub trait Carrier: Send + Sync {
    fn get(&self, path: &str, media_type: &str) -> Result<Reply, NoReply>;
    fn post(&self, path: &str, media_type: &str, body: Vec<u8>) -> Result<Reply, NoReply>;

    /// Somebody else works while it carries. Where the other side is called directly nothing is gained by threads.
    fn is_waited_for(&self) -> bool {
        false
    }

    /// Carries a request for one attachment. A line that cannot says so; records travel without.
    fn blob(&self, _request: &BlobRequest) -> Result<BlobReply, NoReply> {
        Err(NoReply::Other(SyncError::Offline("this line carries no attachments".to_owned())))
    }
}

/// A client for one city. Connections are kept open between requests. Once it is told to stop, every request ends
/// where it is, and none begins.
#[derive(Debug)]
pub struct Http {
    client: Client,
    address: Address,
    stop: Stop,
    drive: Drive,
}

impl Http {
    pub fn new(address: Address, stop: &Stop) -> Result<Http, SyncError> {
        let builder = Client::builder().connect_timeout(CONNECT).read_timeout(SILENCE);
        let builder = if address.is_loopback() { builder.no_proxy() } else { builder };
        Http::over(builder, address, stop)
    }

    fn over(builder: ClientBuilder, address: Address, stop: &Stop) -> Result<Http, SyncError> {
        // A redirect is a portal's, never the city's.
        let built = builder.redirect(reqwest::redirect::Policy::none()).build();
        let client = built.map_err(|error| SyncError::Offline(error.to_string()))?;
        Ok(Http { client, address, stop: stop.clone(), drive: Drive::new()? })
    }

    /// Waits for what is carried, or lets go of it where it is.
    fn wait<T>(&self, carried: impl Future<Output = Result<T, NoReply>>) -> Result<T, NoReply> {
        self.drive.runtime().block_on(async {
            tokio::select! {
                biased;
                () = self.stop.told() => Err(NoReply::Other(SyncError::Stopped)),
                carried = carried => carried,
            }
        })
    }

    fn send(&self, request: RequestBuilder, media_type: &str) -> Result<Reply, NoReply> {
        self.wait(async {
            let response = request.send().await.map_err(|error| NoReply::Other(failed(&error)))?;
            if response.status() == StatusCode::OK && is(&response, media_type) {
                return Ok(read(response).await);
            }
            Err(refused(response).await)
        })
    }
}

/// What moves the connections: a thread of its own. It is left behind rather than waited for, because a name that is
/// being looked up cannot be called off.
#[derive(Debug)]
struct Drive(Option<Runtime>);

impl Drive {
    fn new() -> Result<Drive, SyncError> {
        let built = Builder::new_multi_thread().worker_threads(1).thread_name("line").enable_all().build();
        built.map(|runtime| Drive(Some(runtime))).map_err(|error| SyncError::Offline(error.to_string()))
    }

    fn runtime(&self) -> &Runtime {
        self.0.as_ref().expect("only its end takes it away")
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Carrier for Http {
    fn is_waited_for(&self) -> bool {
        true
    }

    fn get(&self, path: &str, media_type: &str) -> Result<Reply, NoReply> {
        self.send(self.client.get(self.address.at(path)), media_type)
    }

    fn post(&self, path: &str, media_type: &str, body: Vec<u8>) -> Result<Reply, NoReply> {
        let request = self.client.post(self.address.at(path)).header(CONTENT_TYPE, media_type).body(body);
        self.send(request, media_type)
    }

    fn blob(&self, request: &BlobRequest) -> Result<BlobReply, NoReply> {
        let method = Method::from_bytes(request.method.as_str().as_bytes()).expect("a method of HTTP");
        let path = blob_path(&request.stream, &request.hash);
        let mut sent = self.client.request(method, self.address.at(&path));
        sent = sent.header(REQUEST_HEADER, replica::to_hex(&request.head)).header(TUS_RESUMABLE, TUS_VERSION);
        if let Some(length) = request.length {
            sent = sent.header("upload-length", length);
        }
        if let Some(offset) = request.offset {
            sent = sent.header(UPLOAD_OFFSET, offset);
        }
        if let Some((first, last)) = request.range {
            let last = last.map_or_else(String::new, |last| last.to_string());
            sent = sent.header(RANGE, format!("bytes={first}-{last}"));
        }
        if !request.body.is_empty() {
            sent = sent.header(CONTENT_TYPE, PIECE_TYPE).body(request.body.clone());
        }
        self.wait(async {
            let response = sent.send().await.map_err(|error| NoReply::Other(failed(&error)))?;
            blob_reply(request, response).await
        })
    }
}

/// Anything without the header of tus is somebody in between.
async fn blob_reply(request: &BlobRequest, response: Response) -> Result<BlobReply, NoReply> {
    let number =
        |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()?.parse().ok());
    let (status, offset, length) =
        (response.status().as_u16(), number(UPLOAD_OFFSET), number("upload-length"));
    let ours = response.headers().contains_key(TUS_RESUMABLE);
    let expected = match request.method {
        BlobMethod::Get => status == 206,
        BlobMethod::Post | BlobMethod::Patch | BlobMethod::Head => {
            matches!(status, 200 | 201 | 204 | 409) && offset.is_some()
        }
        BlobMethod::Delete => status == 204,
    };
    if !ours || !expected {
        return Err(refused(response).await);
    }
    let Reply { body, whole } = read(response).await;
    Ok(BlobReply { status, offset, length, body, whole })
}

fn is(response: &Response, media_type: &str) -> bool {
    let found = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    found.is_some_and(|found| found.split(';').next().is_some_and(|found| found.trim() == media_type))
}

async fn read(mut response: Response) -> Reply {
    let mut body = Vec::new();
    while body.len() < MOST_ANSWER {
        match response.chunk().await {
            Ok(Some(part)) => body.extend_from_slice(&part),
            Ok(None) => break,
            Err(_) => return Reply { body, whole: false },
        }
    }
    Reply { body, whole: true }
}

/// Only a city says why in its own words; anything else, whatever its status, is somebody in between.
async fn refused(response: Response) -> NoReply {
    let between = between(&response);
    let Reply { body, whole } = read(response).await;
    match serde_json::from_slice(&body) {
        Ok(refusal) => NoReply::Refused(refusal),
        Err(_) if !whole => NoReply::Other(SyncError::CutOff),
        Err(_) => NoReply::Other(between),
    }
}

/// Who it is that answered instead of the city, and what helps against it.
fn between(response: &Response) -> SyncError {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let wait = header(RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
    match (response.status(), wait) {
        (StatusCode::PROXY_AUTHENTICATION_REQUIRED, _) => SyncError::ProxyAsks,
        (_, Some(seconds)) => SyncError::Busy(seconds),
        (StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT, None) => {
            SyncError::Offline(response.status().to_string())
        }
        (StatusCode::NETWORK_AUTHENTICATION_REQUIRED, None) => SyncError::WebPage,
        (status, None) if status.is_redirection() || is(response, "text/html") => SyncError::WebPage,
        (_, None) => SyncError::NotOurServer,
    }
}

/// A connection that was never made is no connection; one that broke is a cut.
fn failed(error: &reqwest::Error) -> SyncError {
    let cause = cause(error);
    match error.is_connect() {
        true if is_untrusted(error) => SyncError::Untrusted(cause),
        true if cause == PROXY_ASKS => SyncError::ProxyAsks,
        true => SyncError::Offline(cause),
        false => SyncError::CutOff,
    }
}

/// What the HTTP library says when a proxy answers a tunnel by 407; its type is not public.
const PROXY_ASKS: &str = "tunnel error: proxy authorization required";

/// What TLS refuses, or cannot read, reaches us as invalid data. The error of one layer is within that of the next,
/// where `source` does not lead.
fn is_untrusted(error: &reqwest::Error) -> bool {
    let mut next = std::error::Error::source(error);
    while let Some(layer) = next {
        let mut inner = layer.downcast_ref::<io::Error>();
        while let Some(layer) = inner {
            if layer.kind() == io::ErrorKind::InvalidData {
                return true;
            }
            inner = layer.get_ref().and_then(|layer| layer.downcast_ref());
        }
        next = layer.source();
    }
    false
}

/// The innermost cause says most.
fn cause(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

#[cfg(test)]
mod tests;
