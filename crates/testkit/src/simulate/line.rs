//! The line between a laptop and the city, without sockets: bytes go in, bytes come out, and what may happen to bytes
//! on the way happens when the story says so.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use city::City;
use sync::{Carrier, NoReply, Reply, SyncError};
use wire::blobs::{BLOBS_PATH, BlobReply, BlobRequest};
use wire::enrol::{EXCHANGE_PATH, Refusal};

/// What happens to one request or its answer. Numbers are dice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    DropRequest,
    DropAnswer,
    /// The city gets it twice; the laptop sees the first answer or the second.
    Duplicate {
        second: bool,
    },
    /// The city gets it later; the laptop sees a cut.
    Delay,
    CorruptRequest(u64),
    CorruptAnswer(u64),
    /// Only the beginning of the answer arrives.
    Cut(u64),
}

/// Requests that are still on their way.
pub type Delayed = Arc<Mutex<Vec<Vec<u8>>>>;

/// Carries to a city that stands in this process.
pub struct Line {
    city: Arc<City>,
    delayed: Delayed,
    /// The request that each fault waits for, counted from 0.
    faults: Vec<(usize, Fault)>,
    sent: Hits,
    hits: Hits,
    twice: Hits,
}

/// More requests than any exchange of a story needs. After them the line is dead.
const MOST_REQUESTS: usize = 1_000;

/// How often something occurred.
#[derive(Debug, Clone, Default)]
pub struct Hits(Arc<AtomicUsize>);

impl Hits {
    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Whether an exchange that sent so many requests would go on for ever.
    pub fn is_endless(&self) -> bool {
        self.get() > MOST_REQUESTS
    }
}

impl Line {
    pub fn clean(city: &Arc<City>) -> Line {
        Line::faulty(city, &Delayed::default(), Vec::new())
    }

    pub fn faulty(city: &Arc<City>, delayed: &Delayed, faults: Vec<(usize, Fault)>) -> Line {
        Line {
            city: city.clone(),
            delayed: delayed.clone(),
            faults,
            sent: Hits::default(),
            hits: Hits::default(),
            twice: Hits::default(),
        }
    }

    pub fn hits(&self) -> Hits {
        self.hits.clone()
    }

    pub fn sent(&self) -> Hits {
        self.sent.clone()
    }

    /// How often the city answered one request a second time, though a request is good once.
    pub fn twice(&self) -> Hits {
        self.twice.clone()
    }

    fn fault(&self) -> Option<Fault> {
        let at = self.sent.0.fetch_add(1, Ordering::SeqCst);
        if self.sent.is_endless() {
            return Some(Fault::DropRequest);
        }
        let fault = self.faults.iter().find(|(when, _)| *when == at).map(|(_, fault)| *fault);
        self.hits.0.fetch_add(usize::from(fault.is_some()), Ordering::SeqCst);
        fault
    }

    /// What the city answers, and nothing in between.
    fn ask(&self, path: &str, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        match path {
            EXCHANGE_PATH => return self.city.exchange("", "", body),
            BLOBS_PATH => return self.city.probe_blobs(body),
            _ => {}
        }
        let malformed = || Refusal { code: "malformed".to_owned(), detail: String::new(), time: 0 };
        let sealed = serde_json::from_slice(body).map_err(|_| malformed())?;
        let answer = self.city.enrol(&sealed)?;
        serde_json::to_vec(&answer).map_err(|_| malformed())
    }

    /// A request for an attachment. One that is held up is lost: what its laptop does next, it asks anew.
    fn carry_blob(&self, request: &BlobRequest) -> Result<BlobReply, NoReply> {
        let cut = || NoReply::Other(SyncError::CutOff);
        let ask = |request: &BlobRequest| {
            let reply = self.city.serve_blob(request).map_err(NoReply::Refused)?;
            Ok(BlobReply { whole: true, ..reply })
        };
        match self.fault() {
            None => ask(request),
            Some(Fault::DropRequest | Fault::Delay) => Err(cut()),
            Some(Fault::DropAnswer) => {
                let _lost = ask(request);
                Err(cut())
            }
            Some(Fault::Duplicate { second }) => {
                let (first, again) = (ask(request), ask(request));
                self.twice.0.fetch_add(usize::from(first.is_ok() && again.is_ok()), Ordering::SeqCst);
                if second { again } else { first }
            }
            Some(Fault::CorruptRequest(dice)) => {
                let mut request = request.clone();
                flip(&mut request.body, dice);
                flip(&mut request.head, dice);
                ask(&request)
            }
            Some(Fault::CorruptAnswer(dice)) => ask(request).map(|mut reply| {
                flip(&mut reply.body, dice);
                reply
            }),
            Some(Fault::Cut(dice)) => ask(request).map(|mut reply| {
                reply.body.truncate(below(dice, reply.body.len()));
                BlobReply { whole: false, ..reply }
            }),
        }
    }

    fn carry(&self, path: &str, mut body: Vec<u8>) -> Result<Reply, NoReply> {
        let whole = |body| Reply { body, whole: true };
        let cut = || NoReply::Other(SyncError::CutOff);
        let ask = |body: &[u8]| self.ask(path, body).map_err(NoReply::Refused);
        match self.fault() {
            None => ask(&body).map(whole),
            Some(Fault::DropRequest) => Err(cut()),
            Some(Fault::DropAnswer) => {
                let _lost = ask(&body);
                Err(cut())
            }
            Some(Fault::Duplicate { second }) => {
                let (first, again) = (ask(&body), ask(&body));
                self.twice.0.fetch_add(usize::from(first.is_ok() && again.is_ok()), Ordering::SeqCst);
                if second { again.map(whole) } else { first.map(whole) }
            }
            Some(Fault::Delay) => {
                self.delayed.lock().unwrap_or_else(PoisonError::into_inner).push(body);
                Err(cut())
            }
            Some(Fault::CorruptRequest(dice)) => {
                flip(&mut body, dice);
                ask(&body).map(whole)
            }
            Some(Fault::CorruptAnswer(dice)) => ask(&body).map(|mut answer| {
                flip(&mut answer, dice);
                whole(answer)
            }),
            Some(Fault::Cut(dice)) => ask(&body).map(|mut answer| {
                answer.truncate(below(dice, answer.len()));
                Reply { body: answer, whole: false }
            }),
        }
    }
}

impl Carrier for Line {
    fn get(&self, _: &str, _: &str) -> Result<Reply, NoReply> {
        let hello = self.city.hello().map_err(NoReply::Refused)?;
        let body = serde_json::to_vec(&hello).expect("a greeting is plain data");
        Ok(Reply { body, whole: true })
    }

    fn post(&self, path: &str, _: &str, body: Vec<u8>) -> Result<Reply, NoReply> {
        self.carry(path, body)
    }

    fn blob(&self, request: &BlobRequest) -> Result<BlobReply, NoReply> {
        self.carry_blob(request)
    }
}

fn below(dice: u64, limit: usize) -> usize {
    usize::try_from(dice % limit.max(1) as u64).expect("a number below a usize is a usize")
}

fn flip(bytes: &mut [u8], dice: u64) {
    let at = below(dice, bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << (dice >> 61);
    }
}
