//! Attachments, after the changes that name them: what the city lacks goes up in pieces, what records show comes
//! down, small ones first. It may be cut anywhere and goes on where it was; no transaction is open while the network
//! is waited for, and nothing counts as held by the city without its signed word.

mod handing_in;
mod sending;

use crate::engine::Engine;
use crate::error::SyncError;
use crate::http::NoReply;
use replica::{BlobHash, StreamId};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;
use store::{Appended, BlobHere, BlobsLeft, NamedBlob, SMALL, Store};
use wire::blobs::{
    BLOBS_PATH, BlobAnswer, BlobAsk, BlobHeld, BlobMethod, BlobReply, BlobRequest, LEAST_PIECE, MAX_ASKED,
    PIECE, blob_path,
};
use wire::enrol::EXCHANGE_TYPE;
use wire::{RequestHead, Target};

/// Cuts in a row without progress after which the phase gives up for now.
const MOST_CUTS: u32 = 4;
/// After this long the city is asked again about what it once said that it holds: its disk may have been replaced.
const RECHECK_MS: i64 = 7 * 24 * 60 * 60 * 1000;
const CHECKED_AT: &str = "blobs.checked_at";
const STREAM_FULL: &str = "stream_full";

/// How far a direction goes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Nothing,
    /// Thumbnails and other files up to `store::SMALL`.
    Small,
    All,
}

/// What the phase may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobPlan {
    pub send: Reach,
    pub fetch: Reach,
    /// Fetched whatever `fetch` says, and first: a person asked to see them.
    pub wanted: Vec<BlobHash>,
    /// Bytes of attachments both ways. The piece that reaches it is the last.
    pub budget: u64,
}

impl Reach {
    fn covers(self, named: &NamedBlob) -> bool {
        match self {
            Self::Nothing => false,
            Self::Small => named.len <= SMALL,
            Self::All => true,
        }
    }
}

impl BlobPlan {
    /// Everything that branches recorded goes up, thumbnails come down; photos of others when somebody looks at them.
    pub fn usual() -> BlobPlan {
        BlobPlan { send: Reach::All, fetch: Reach::Small, wanted: Vec::new(), budget: u64::MAX }
    }

    /// Text first: on a line that is paid by the byte only thumbnails travel.
    pub fn metered() -> BlobPlan {
        BlobPlan { send: Reach::Small, ..BlobPlan::usual() }
    }

    /// Only what a person asked to see.
    pub fn wanted(hashes: &[BlobHash]) -> BlobPlan {
        BlobPlan { send: Reach::Nothing, fetch: Reach::Nothing, wanted: hashes.to_vec(), budget: u64::MAX }
    }
}

/// Bytes of attachments so far, of those that this phase means to move, and how many attachments are behind it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BlobProgress {
    pub done: u64,
    pub of: u64,
    pub files: u32,
    pub of_files: u32,
}

/// What the phase did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlobReport {
    pub requests: u32,
    /// Attachments that went up or came down whole.
    pub sent: u32,
    pub fetched: u32,
    /// Bytes of attachments in the bodies, also those that had to go again.
    pub bytes_up: u64,
    pub bytes_down: u64,
    pub cuts: u32,
    /// Attachments that the city does not hold either.
    pub missing: Vec<BlobHash>,
    /// Attachments that the city turned away, and its code.
    pub refused: Vec<(BlobHash, String)>,
    /// What is still to go up.
    pub left: BlobsLeft,
}

/// Is told of every piece; `Break` ends the phase, and what went through stays.
pub type Watch<'a> = &'a mut dyn FnMut(BlobProgress) -> ControlFlow<()>;

impl Engine {
    /// Moves attachments both ways as far as the plan goes. Asks nothing if there is nothing to move. A city that signs
    /// with a key that is not known here tells of it in an exchange.
    pub fn blobs(
        &mut self,
        store: &Store,
        plan: &BlobPlan,
        watch: Watch<'_>,
    ) -> Result<BlobReport, SyncError> {
        match self.move_blobs(store, plan, watch) {
            Err(SyncError::BadSignature) => {
                self.exchange(store)?;
                self.move_blobs(store, plan, watch)
            }
            ended => ended,
        }
    }

    fn move_blobs(
        &mut self,
        store: &Store,
        plan: &BlobPlan,
        watch: Watch<'_>,
    ) -> Result<BlobReport, SyncError> {
        let mut phase = Phase::new(self, store, plan, watch);
        let ended = phase.run();
        let mut report = phase.report;
        report.left = store.blob_outbox()?;
        ended.map(|()| report)
    }
}

/// One attachment that is to move.
#[derive(Debug, Clone, Copy)]
struct Task {
    named: NamedBlob,
    way: Way,
}

#[derive(Debug, Clone, Copy)]
enum Way {
    /// The city has so many bytes of it.
    Up(u64),
    Down(u64),
}

impl Task {
    fn left(&self) -> u64 {
        let (Way::Up(have) | Way::Down(have)) = self.way;
        self.named.len.saturating_sub(have)
    }
}

/// What became of one request for one attachment.
enum Outcome {
    Reply(BlobReply),
    Cut,
    Refused(String),
}

struct Phase<'a> {
    engine: &'a mut Engine,
    store: &'a Store,
    plan: &'a BlobPlan,
    watch: Watch<'a>,
    report: BlobReport,
    progress: BlobProgress,
    /// Bytes of a piece that goes up. Halved after a cut and doubled after success.
    piece: usize,
    cuts: u32,
    clock_was_set: bool,
    /// The least that streams had no room for.
    full: HashMap<StreamId, u64>,
}

impl<'a> Phase<'a> {
    fn new(engine: &'a mut Engine, store: &'a Store, plan: &'a BlobPlan, watch: Watch<'a>) -> Phase<'a> {
        let (report, progress) = (BlobReport::default(), BlobProgress::default());
        let (cuts, clock_was_set, full) = (0, false, HashMap::new());
        Phase { engine, store, plan, watch, report, progress, piece: PIECE, cuts, clock_was_set, full }
    }

    fn run(&mut self) -> Result<(), SyncError> {
        let mut tasks = self.lacking()?;
        tasks.extend(self.coming()?);
        tasks.sort_by_key(|task| {
            let asked_for = self.plan.wanted.contains(&task.named.hash);
            (!asked_for, task.named.len > SMALL, matches!(task.way, Way::Down(_)))
        });
        self.progress.of = tasks.iter().map(Task::left).sum();
        self.progress.of_files = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
        let (mut gone, mut came) = (Vec::new(), Vec::new());
        for task in tasks {
            if self.is_over() {
                break;
            }
            match task.way {
                Way::Up(have) => gone.extend(self.send(&task.named, have)?.then_some(task.named)),
                Way::Down(have) => came.extend(self.fetch(&task.named, have)?.then_some(task.named)),
            }
            self.progress.files += 1;
        }
        // Only now does the city say, signed, that it holds them; what came from it waits for that word, too.
        let said = self.ask(&[&gone[..], &came].concat())?;
        let holds = |named: &&NamedBlob| said.get(&(named.stream, named.hash)) == Some(&BlobHeld::Whole);
        self.report.sent = gone.iter().filter(holds).count() as u32;
        Ok(())
    }

    /// What the city says that it lacks of what is here.
    fn lacking(&mut self) -> Result<Vec<Task>, SyncError> {
        let (recheck, send) = (self.recheck_is_due()?, self.plan.send);
        let mut open = self.store.blobs_to_send()?;
        match recheck {
            true => open = self.held_somewhere()?,
            false => open.retain(|named| send.covers(named)),
        }
        let served = self.served_streams()?;
        open.retain(|named| served.contains(&named.stream));
        let said = self.ask(&open)?;
        if recheck && !open.is_empty() {
            self.store.set_meta(CHECKED_AT, &self.engine.sources.now().to_string())?;
        }
        let (mut tasks, mut taken) = (Vec::new(), HashSet::new());
        for named in open.into_iter().filter(|named| send.covers(named)) {
            let have = match said.get(&(named.stream, named.hash)) {
                Some(BlobHeld::Missing) => 0,
                Some(BlobHeld::Partial(have)) => *have,
                Some(BlobHeld::Whole | BlobHeld::NotNamed) | None => continue,
            };
            let here = matches!(self.store.blob_state(&named.hash)?.here, BlobHere::Whole { .. });
            if here && taken.insert(named.hash) {
                tasks.push(Task { named, way: Way::Up(have) });
            }
        }
        Ok(tasks)
    }

    /// What is here, and what the city once said that it holds.
    fn held_somewhere(&self) -> Result<Vec<NamedBlob>, SyncError> {
        let mut held = Vec::new();
        for named in self.store.blobs_shown()? {
            let state = self.store.blob_state(&named.hash)?;
            if state.at_city || matches!(state.here, BlobHere::Whole { .. }) {
                held.push(named);
            }
        }
        Ok(held)
    }

    fn coming(&self) -> Result<Vec<Task>, SyncError> {
        let served = self.served_streams()?;
        let mut tasks = Vec::new();
        for named in self.store.blobs_to_fetch()? {
            if (self.plan.fetch.covers(&named) || self.plan.wanted.contains(&named.hash))
                && served.contains(&named.stream)
            {
                let have = match self.store.blob_state(&named.hash)?.here {
                    BlobHere::Partial { have, len } if len == named.len => have,
                    BlobHere::Partial { .. } | BlobHere::Missing | BlobHere::Whole { .. } => 0,
                };
                tasks.push(Task { named, way: Way::Down(have) });
            }
        }
        let mut taken = HashSet::new();
        tasks.retain(|task| taken.insert(task.named.hash));
        Ok(tasks)
    }

    /// The streams that this city vouches for.
    fn served_streams(&self) -> Result<HashSet<StreamId>, SyncError> {
        let streams = self.store.streams()?.into_iter();
        Ok(streams.filter(|info| info.root == Some(self.engine.enrolment.root)).map(|info| info.id).collect())
    }

    /// A clock that jumped only makes this early.
    fn recheck_is_due(&self) -> Result<bool, SyncError> {
        if self.plan.send == Reach::Nothing {
            return Ok(false);
        }
        let (now, last) = (self.engine.sources.now(), self.store.meta(CHECKED_AT)?);
        let since = last.and_then(|last| Some(now - last.parse::<i64>().ok()?));
        Ok(!since.is_some_and(|since| (0..RECHECK_MS).contains(&since)))
    }

    fn is_over(&self) -> bool {
        self.report.bytes_up + self.report.bytes_down >= self.plan.budget
    }

    /// Counts bytes that got there. `Break`: the person has had enough.
    fn moved(&mut self, bytes: u64) -> ControlFlow<()> {
        self.progress.done += bytes;
        if bytes > 0 {
            self.cuts = 0;
        }
        (self.watch)(self.progress)
    }

    /// Asks the city what it holds of these, and notes its signed word.
    fn ask(&mut self, named: &[NamedBlob]) -> Result<HashMap<(StreamId, BlobHash), BlobHeld>, SyncError> {
        let mut said = HashMap::new();
        for part in named.chunks(MAX_ASKED) {
            let mut streams: BTreeMap<StreamId, Vec<BlobHash>> = BTreeMap::new();
            part.iter().for_each(|named| streams.entry(named.stream).or_default().push(named.hash));
            let ask = BlobAsk { streams: streams.into_iter().collect() };
            let answer = self.question(&ask)?;
            for ((stream, hashes), held) in ask.streams.iter().zip(answer.streams) {
                let held = held.into_iter().flatten();
                said.extend(hashes.iter().zip(held).map(|(hash, held)| ((*stream, *hash), held)));
            }
        }
        let word = |(place, held): (&(StreamId, BlobHash), &BlobHeld)| match held {
            BlobHeld::Whole => Some((place.1, true)),
            BlobHeld::Missing | BlobHeld::Partial(_) => Some((place.1, false)),
            BlobHeld::NotNamed => None,
        };
        let words: Vec<(BlobHash, bool)> = said.iter().filter_map(word).collect();
        if !words.is_empty() {
            self.store.note_city_blobs(&words)?;
        }
        Ok(said)
    }

    fn question(&mut self, ask: &BlobAsk) -> Result<BlobAnswer, SyncError> {
        let body = ask.encode();
        loop {
            let head = self.head("POST", BLOBS_PATH, &body)?;
            self.report.requests += 1;
            let sent = self.engine.carrier.post(BLOBS_PATH, EXCHANGE_TYPE, head.frame(&body));
            match sent {
                Ok(reply) if reply.whole => {
                    let answer = BlobAnswer::decode(&reply.body, ask, head.nonce, head.device);
                    let answer = answer.map_err(|_| SyncError::NotOurServer)?;
                    self.engine.trust(self.store, &answer.receipt)?;
                    return Ok(answer);
                }
                Ok(_) => self.cut()?,
                Err(reason) => match self.why(reason)? {
                    Outcome::Refused(code) => {
                        return Err(SyncError::Refused { code, detail: String::new() });
                    }
                    Outcome::Cut | Outcome::Reply(_) => {}
                },
            }
        }
    }

    /// Fetches one attachment from where it ends here. Whatever arrives of a cut answer is kept. Gives whether all of it is
    /// here.
    fn fetch(&mut self, named: &NamedBlob, have: u64) -> Result<bool, SyncError> {
        let mut have = have;
        while have < named.len {
            let last = named.len.min(have + PIECE as u64) - 1;
            let request =
                BlobRequest { range: Some((have, Some(last))), ..self.about(named, BlobMethod::Get) };
            let reply = match self.request(request)? {
                Outcome::Reply(reply) => reply,
                Outcome::Cut => continue,
                Outcome::Refused(code) => {
                    match code.as_str() {
                        "not_here" => self.report.missing.push(named.hash),
                        _ => self.report.refused.push((named.hash, code)),
                    }
                    return Ok(false);
                }
            };
            self.report.bytes_down += reply.body.len() as u64;
            let now = match self.store.append_blob(&named.hash, named.len, have, &reply.body)? {
                Appended::Partial { have } => have,
                Appended::Whole => {
                    self.report.fetched += 1;
                    named.len
                }
                Appended::WrongHash => {
                    self.report.refused.push((named.hash, "wrong_hash".to_owned()));
                    return Ok(false);
                }
            };
            let ended = self.moved(now.saturating_sub(have));
            if !reply.whole || now <= have {
                self.cut()?;
            }
            have = now;
            if ended.is_break() || (self.is_over() && have < named.len) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn about(&self, named: &NamedBlob, method: BlobMethod) -> BlobRequest {
        BlobRequest {
            method,
            stream: named.stream,
            hash: named.hash,
            head: Vec::new(),
            length: None,
            offset: None,
            range: None,
            body: Vec::new(),
        }
    }

    fn request(&mut self, mut request: BlobRequest) -> Result<Outcome, SyncError> {
        let path = blob_path(&request.stream, &request.hash);
        request.head = self.head(request.method.as_str(), &path, &request.body)?.frame(&[]);
        self.report.requests += 1;
        match self.engine.carrier.blob(&request) {
            Ok(reply) => Ok(Outcome::Reply(reply)),
            Err(reason) => self.why(reason),
        }
    }

    /// What a failed request means: a cut, a clock that was put right (which is like one), a refusal of this one
    /// attachment, or the end of the phase.
    fn why(&mut self, reason: NoReply) -> Result<Outcome, SyncError> {
        match reason {
            NoReply::Other(SyncError::CutOff) => self.cut().map(|()| Outcome::Cut),
            NoReply::Refused(refusal) if refusal.code == "clock" && !self.clock_was_set => {
                self.clock_was_set = true;
                self.engine.skew = refusal.time - self.engine.sources.now();
                Ok(Outcome::Cut)
            }
            // The city had heard it: the line lost the answer and somebody in between asked again.
            NoReply::Refused(refusal) if refusal.code == "replayed" => self.cut().map(|()| Outcome::Cut),
            NoReply::Refused(refusal) if OF_ONE.contains(&refusal.code.as_str()) => {
                Ok(Outcome::Refused(refusal.code))
            }
            other => Err(other.into()),
        }
    }

    fn cut(&mut self) -> Result<(), SyncError> {
        self.report.cuts += 1;
        self.cuts += 1;
        self.piece = (self.piece / 2).max(LEAST_PIECE);
        match self.cuts > MOST_CUTS {
            true => Err(SyncError::CutOff),
            false => Ok(()),
        }
    }

    fn head(&self, method: &str, path: &str, body: &[u8]) -> Result<RequestHead, SyncError> {
        let mut nonce = [0; 16];
        self.engine.sources.fill(&mut nonce);
        let at = self.engine.sources.now() + self.engine.skew;
        let mut head = RequestHead { device: self.store.device()?, nonce, at, signature: [0; 64] };
        let target = Target { method, path, query: "", encoding: "", city: self.engine.enrolment.root };
        head.signature = self.store.sign(&head.signature_input(&target, body))?;
        Ok(head)
    }
}

/// Codes that are about one attachment; any other ends the phase.
const OF_ONE: [&str; 10] = [
    "not_named",
    "not_permitted",
    "not_here",
    "not_begun",
    "wrong_length",
    "wrong_hash",
    "beyond_length",
    "piece_too_small",
    "piece_too_large",
    STREAM_FULL,
];
