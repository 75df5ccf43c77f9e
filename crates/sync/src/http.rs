//! The HTTP carrier: sends one body, keeps as much of the answer as arrived, and says plainly what went wrong.

use crate::address::Address;
use crate::error::SyncError;
use reqwest::StatusCode;
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use std::io::Read;
use std::time::Duration;
use wire::enrol::Refusal;

/// No answer is read beyond this.
const MOST_ANSWER: u64 = 64 * 1024 * 1024;
const CONNECT: Duration = Duration::from_secs(15);
const WHOLE: Duration = Duration::from_secs(180);

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
pub trait Carrier: Send {
    fn get(&self, path: &str, media_type: &str) -> Result<Reply, NoReply>;
    fn post(&self, path: &str, media_type: &str, body: Vec<u8>) -> Result<Reply, NoReply>;
}

/// A client for one city. Connections are kept open between requests.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    address: Address,
}

impl Http {
    pub fn new(address: Address) -> Result<Http, SyncError> {
        let mut builder = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            // A redirect is a portal's, never the city's.
            .redirect(reqwest::redirect::Policy::none());
        if address.is_loopback() {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| SyncError::Offline(error.to_string()))?;
        Ok(Http { client, address })
    }

    fn send(&self, request: RequestBuilder, media_type: &str) -> Result<Reply, NoReply> {
        let response = request.send().map_err(|error| NoReply::Other(failed(&error)))?;
        if response.status() == StatusCode::OK && is(&response, media_type) {
            return Ok(read(response));
        }
        Err(refused(response))
    }
}

impl Carrier for Http {
    fn get(&self, path: &str, media_type: &str) -> Result<Reply, NoReply> {
        self.send(self.client.get(self.address.at(path)), media_type)
    }

    fn post(&self, path: &str, media_type: &str, body: Vec<u8>) -> Result<Reply, NoReply> {
        let request = self.client.post(self.address.at(path)).header(CONTENT_TYPE, media_type).body(body);
        self.send(request, media_type)
    }
}

fn is(response: &Response, media_type: &str) -> bool {
    let found = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    found.is_some_and(|found| found.split(';').next().is_some_and(|found| found.trim() == media_type))
}

fn read(response: Response) -> Reply {
    let mut body = Vec::new();
    let whole = response.take(MOST_ANSWER).read_to_end(&mut body).is_ok();
    Reply { body, whole }
}

/// Only a city says why in its own words; anything else, whatever its status, is somebody in between.
fn refused(response: Response) -> NoReply {
    let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let Reply { body, whole } = read(response);
    match serde_json::from_slice(&body) {
        Ok(refusal) => NoReply::Refused(refusal),
        Err(_) if !whole => NoReply::Other(SyncError::CutOff),
        Err(_) => match wait {
            Some(seconds) => NoReply::Other(SyncError::Busy(seconds)),
            None => NoReply::Other(SyncError::NotOurServer),
        },
    }
}

/// A connection that was never made is no connection; one that broke is a cut.
fn failed(error: &reqwest::Error) -> SyncError {
    if error.is_connect() { SyncError::Offline(cause(error)) } else { SyncError::CutOff }
}

/// The innermost cause says most.
fn cause(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
