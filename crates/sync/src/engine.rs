//! The exchange: rounds of one request each, until both sides hold the same. Every round leaves both sides whole, so
//! it may be cut anywhere and begun again; no transaction is open while the network is waited for.

use crate::address::Address;
use crate::chain::Held;
use crate::enrol::Enrolment;
use crate::error::SyncError;
use crate::http::{Carrier, Http, NoReply, Reply};
use crate::plan::{self, Next, Open, Sides};
use replica::{DeviceId, Frontier, RawChange, StreamId, is_certificate, planted};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{Sources, Store, StoredReceipt};
use wire::enrol::{EXCHANGE_PATH, EXCHANGE_TYPE};
use wire::{
    Answer, ChangeWriter, FIRST_BUDGET, Receipt, RefusedPart, Request, RequestHead, Span, StreamAsk,
    StreamState, Target, Whole, after_cut, after_success, frontiers_digest,
};

/// Bytes of changes that are read from the store at a time.
const PAGE: usize = 512 * 1024;
/// Cuts in a row without progress after which the exchange gives up for now.
const MOST_CUTS: u32 = 4;
/// Bytes of changes in the one request that tells a city everything from the start.
const MOST_ANEW: u32 = 4 * 1024 * 1024;
/// Rounds in a row that changed nothing.
const MOST_IDLE: u32 = 2;

/// What an exchange did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub requests: u32,
    /// Changes that went out and came in, and the bytes of the bodies.
    pub sent: u64,
    pub received: u64,
    pub bytes_up: u64,
    pub bytes_down: u64,
    /// How many of the requests were cut, up or down.
    pub cuts: u32,
    /// The city's clock minus this computer's, in milliseconds, if that had to be put right.
    pub clock_off: Option<i64>,
    /// What the city turned away.
    pub refused: Vec<RefusedPart>,
    /// The city's time of the last receipt.
    pub receipt_at: Option<i64>,
    /// Seconds after which the city wants to hear from us again.
    pub retry_after: Option<u32>,
}

/// Exchanges with the city that a store is enrolled with.
pub struct Engine {
    carrier: Box<dyn Carrier>,
    enrolment: Enrolment,
    sources: Arc<dyn Sources>,
    /// Bytes of one body. Halved after a cut and doubled after success.
    pub budget: u32,
    /// What is added to this computer's clock so that the city believes the request.
    skew: i64,
}

/// What stays in mind between the rounds of one exchange.
#[derive(Default)]
struct Course {
    report: Report,
    wants: bool,
    /// The city does not know this device: it was set back, and is told everything from the start.
    anew: bool,
    refused: BTreeSet<DeviceId>,
    traces: BTreeMap<StreamId, BTreeMap<DeviceId, Vec<(u64, replica::ChangeId)>>>,
    cuts: u32,
    idle: u32,
}

/// A request that is ready to go.
struct Ready {
    head: RequestHead,
    asks: Vec<StreamAsk>,
    sides: Vec<Sides>,
    framed: Vec<u8>,
    sent: usize,
}

impl Engine {
    /// For the city that the branch is enrolled with.
    pub fn open(store: &Store, sources: Arc<dyn Sources>) -> Result<Engine, SyncError> {
        let enrolment = Enrolment::of(store)?.ok_or(SyncError::NotEnrolled)?;
        let carrier = Box::new(Http::new(Address::parse(&enrolment.address)?)?);
        Ok(Engine { carrier, enrolment, sources, budget: FIRST_BUDGET, skew: 0 })
    }

    /// For the same city, over another carrier than HTTP.
    pub fn over(
        store: &Store,
        carrier: Box<dyn Carrier>,
        sources: Arc<dyn Sources>,
    ) -> Result<Engine, SyncError> {
        let enrolment = Enrolment::of(store)?.ok_or(SyncError::NotEnrolled)?;
        Ok(Engine { carrier, enrolment, sources, budget: FIRST_BUDGET, skew: 0 })
    }

    /// Runs rounds until nothing is left to exchange. What went through before an error stays.
    pub fn exchange(&mut self, store: &Store) -> Result<Report, SyncError> {
        let mut course = Course::default();
        loop {
            let ready = self.prepare(store, &course)?;
            course.report.requests += 1;
            course.report.bytes_up += ready.framed.len() as u64;
            match self.carrier.post(EXCHANGE_PATH, EXCHANGE_TYPE, ready.framed.clone()) {
                Ok(reply) => match self.take(store, &ready, reply, &mut course)? {
                    Next::Done => return Ok(course.report),
                    Next::Again { wants } => course.wants = wants,
                },
                Err(NoReply::Refused(refusal))
                    if refusal.code == "clock" && course.report.clock_off.is_none() =>
                {
                    self.skew = refusal.time - self.sources.now();
                    course.report.clock_off = Some(self.skew);
                }
                Err(NoReply::Refused(refusal))
                    if refusal.code == "not_enrolled" && !course.anew && !planted!(NotToldAnew) =>
                {
                    course.anew = true;
                }
                Err(NoReply::Other(SyncError::CutOff)) => self.cut(&mut course)?,
                Err(other) => return Err(other.into()),
            }
        }
    }

    fn cut(&mut self, course: &mut Course) -> Result<(), SyncError> {
        self.budget = after_cut(self.budget);
        course.report.cuts += 1;
        course.cuts += 1;
        match course.cuts > MOST_CUTS {
            true => Err(SyncError::CutOff),
            false => Ok(()),
        }
    }

    fn prepare(&self, store: &Store, course: &Course) -> Result<Ready, SyncError> {
        let sides = self.sides(store, course)?;
        let asks: Vec<StreamAsk> = sides
            .iter()
            .map(|sides| StreamAsk { stream: sides.stream, have: sides.have(course.wants) })
            .collect();
        let request = Request { streams: asks.clone(), budget: self.budget, changes: Vec::new() };
        let mut writer = request.begin();
        let more = self.fill(store, &sides, course, &mut writer)?;
        let sent = writer.count();
        let body = writer.finish(more);
        let mut nonce = [0; 16];
        self.sources.fill(&mut nonce);
        let at = self.sources.now() + self.skew;
        let mut head = RequestHead { device: store.device()?, nonce, at, signature: [0; 64] };
        let city = self.enrolment.root;
        let target = Target { method: "POST", path: EXCHANGE_PATH, query: "", encoding: "", city };
        head.signature = store.sign(&head.signature_input(&target, &body))?;
        Ok(Ready { head, asks, sides, framed: head.frame(&body), sent })
    }

    /// The streams that this city vouches for.
    fn sides(&self, store: &Store, course: &Course) -> Result<Vec<Sides>, SyncError> {
        let mut sides = Vec::new();
        for info in store.streams()?.iter().filter(|info| info.root == Some(self.enrolment.root)) {
            sides.push(Sides {
                stream: info.id,
                mine: store.frontier(&info.id)?,
                theirs: if course.anew { Frontier::default() } else { store.city_frontier(&info.id)? },
                traces: course.traces.get(&info.id).cloned().unwrap_or_default(),
            });
        }
        Ok(sides)
    }

    /// Writes what the city lacks while there is room. Gives whether something is left.
    fn fill(
        &self,
        store: &Store,
        sides: &[Sides],
        course: &Course,
        writer: &mut ChangeWriter,
    ) -> Result<bool, SyncError> {
        // What lets this device in must be in the request itself, so that one is not split while it can be helped.
        let room = if course.anew { MOST_ANEW } else { self.budget };
        for sides in sides {
            if planted!(OutboxStops) && !course.refused.is_empty() {
                break;
            }
            let held = Held::new(store, &sides.stream);
            let spans = sides.to_send(&course.refused, &held);
            held.done()?;
            let (citys, others): (Vec<_>, Vec<_>) =
                spans.iter().partition(|(device, _)| **device == self.enrolment.operating);
            for (device, span) in citys.into_iter().chain(others) {
                if fill_span(store, &sides.stream, device, span, room, writer)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Takes in what arrived of an answer.
    fn take(
        &mut self,
        store: &Store,
        ready: &Ready,
        reply: Reply,
        course: &mut Course,
    ) -> Result<Next, SyncError> {
        course.report.bytes_down += reply.body.len() as u64;
        let decoded = Answer::decode(&reply.body, &ready.asks, ready.head.nonce, ready.head.device);
        let (answer, whole) = match decoded {
            Ok(decoded) => decoded,
            // Cut before its front was whole: the city may have taken everything, which the next round will show.
            Err(_) if !reply.whole => {
                self.cut(course)?;
                return Ok(Next::Again { wants: course.wants });
            }
            Err(_) => return Err(SyncError::NotOurServer),
        };
        let whole = reply.whole && whole == Whole::Yes;
        let applied = store.apply(&answer.changes)?;
        course.anew = false;
        course.report.received += applied.new.len() as u64;
        let moved = self.note(store, ready, &answer, !applied.new.is_empty(), course)?;
        if !whole {
            course.cuts = if applied.new.is_empty() && !moved { course.cuts } else { 0 };
            self.cut(course)?;
            return Ok(Next::Again { wants: true });
        }
        (self.budget, course.cuts) = (after_success(self.budget), 0);
        course.report.retry_after = answer.retry_after;
        course.report.refused.clone_from(&answer.refused);
        course.idle = if applied.new.is_empty() && !moved { course.idle + 1 } else { 0 };
        if answer.retry_after.is_some() || course.idle > MOST_IDLE {
            return Ok(Next::Done);
        }
        Ok(plan::next(&self.open_ends(store, ready, &answer, course)?, answer.more))
    }

    /// Remembers what the city said that it holds, if that is news or if `new` changes came from it. Gives whether the
    /// city's side moved.
    fn note(
        &mut self,
        store: &Store,
        ready: &Ready,
        answer: &Answer,
        new: bool,
        course: &mut Course,
    ) -> Result<bool, SyncError> {
        let mut covered = BTreeMap::new();
        for (sides, streamed) in ready.sides.iter().zip(&answer.streams) {
            if let StreamState::Differs { traces, .. } = &streamed.state {
                course.traces.insert(sides.stream, traces.clone());
            }
            if let Some(frontier) = plan::answered(&streamed.state, &sides.mine) {
                covered.insert(sides.stream, frontier);
            }
        }
        for part in &answer.refused {
            if let RefusedPart::Device { device, .. } = part {
                course.refused.insert(*device);
            }
        }
        let receipt = answer.receipt.ok_or(SyncError::BadSignature)?;
        self.check(store, &receipt, &covered)?;
        course.report.receipt_at = Some(receipt.at);
        let moved =
            ready.sides.iter().any(|sides| covered.get(&sides.stream).is_some_and(|it| *it != sides.theirs));
        course.report.sent += if moved { ready.sent as u64 } else { 0 };
        // Changes that came in just before the process died are held by both, and not yet noted as such.
        let unnoted = store.outbox()?.changes > 0;
        if moved || new || unnoted {
            let stored = StoredReceipt { at: receipt.at, body: receipt.to_bytes() };
            store.put_receipt(Some(&stored), &covered)?;
        }
        Ok(moved)
    }

    /// A receipt counts if a key that the root certified signed it over just these frontiers.
    fn check(
        &mut self,
        store: &Store,
        receipt: &Receipt,
        covered: &BTreeMap<StreamId, Frontier>,
    ) -> Result<(), SyncError> {
        let digest = frontiers_digest(covered.iter().map(|(stream, frontier)| (*stream, frontier)));
        if receipt.frontiers != digest || !receipt.is_signed() {
            return Err(SyncError::BadSignature);
        }
        if receipt.key != self.enrolment.operating {
            self.believe(store, &receipt.key)?;
        }
        Ok(())
    }

    /// A newer operating key stands, with the root's certificate, in the stream that the answer brought.
    fn believe(&mut self, store: &Store, key: &DeviceId) -> Result<(), SyncError> {
        let (kind, record) = (replica::STREAM_KIND, replica::STREAM_RECORD);
        let state = store.record_in(&self.enrolment.stream, kind, record)?;
        let path = format!("~key/{key}");
        let certified = state
            .as_ref()
            .and_then(|state| state.value(&path))
            .is_some_and(|value| is_certificate(&self.enrolment.root, key, value));
        if !certified {
            return Err(SyncError::BadSignature);
        }
        self.enrolment.operating = *key;
        self.enrolment.save(store)
    }

    fn open_ends(
        &self,
        store: &Store,
        ready: &Ready,
        answer: &Answer,
        course: &Course,
    ) -> Result<Vec<Open>, SyncError> {
        let now = self.sides(store, course)?;
        let mut open = Vec::new();
        for (sides, streamed) in ready.sides.iter().zip(&answer.streams) {
            let theirs = plan::answered(&streamed.state, &sides.mine);
            let now = now.iter().find(|now| now.stream == sides.stream);
            // A stream that the city does not serve to us is left alone.
            let Some((now, theirs)) = now.zip(theirs) else { continue };
            let held = Held::new(store, &sides.stream);
            let lacks = !now.to_send(&course.refused, &held).is_empty();
            open.push(Open { wants: plan::wants(&theirs, &held), lacks });
            held.done()?;
        }
        Ok(open)
    }
}

/// Writes what the city lacks of one device while there is room. Gives whether something is left.
fn fill_span(
    store: &Store,
    stream: &StreamId,
    device: &DeviceId,
    span: &Span,
    room: u32,
    writer: &mut ChangeWriter,
) -> Result<bool, SyncError> {
    match span {
        Span::Only(places) => {
            for (_, id) in places {
                if !writer.has_room(room) {
                    return Ok(true);
                }
                if let Some(change) = store.change(id)? {
                    writer.add(&change.raw);
                }
            }
            Ok(false)
        }
        Span::After(n) => {
            let mut after = *n;
            loop {
                let page = store.changes_after(stream, &BTreeMap::from([(*device, after)]), PAGE)?;
                for change in &page.changes {
                    if !writer.has_room(room) {
                        return Ok(true);
                    }
                    writer.add(change);
                }
                match page.changes.last().filter(|_| page.more) {
                    Some(last) => after = number(last),
                    None => return Ok(false),
                }
            }
        }
    }
}

/// The number of a change in its chain; 0 for one that cannot be read, which the store does not hold.
fn number(change: &RawChange) -> u64 {
    change.clone().read().map_or(0, |change| change.header.n)
}
