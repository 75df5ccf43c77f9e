//! The exchange: rounds of one request each, until both sides hold the same. Every round leaves both sides whole, so
//! it may be cut anywhere and begun again; no transaction is open while the network is waited for.

use crate::address::Address;
use crate::announced;
use crate::came::{Came, Opened};
use crate::chain::Held;
use crate::enrol::Enrolment;
use crate::error::{SyncError, Way};
use crate::file::Book;
use crate::http::{Carrier, Http};
use crate::outgoing::Told;
use crate::plan::{self, Next, Open, Stall};
use crate::report::{Consent, Report};
use crate::rounds::{Ahead, Ready};
use crate::stop::Stop;
use replica::{ChangeId, DeviceId, Frontier, StreamId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{Applied, Losses, Sources, Store, StoreError, StoredReceipt, Verified};
use wire::{
    Answer, FIRST_BUDGET, REVOKED, Receipt, RefusedPart, StreamState, after_success, frontiers_digest,
    frontiers_to_bytes,
};

/// Exchanges with the city that a store is enrolled with.
pub struct Engine {
    pub(crate) carrier: Arc<dyn Carrier>,
    pub(crate) enrolment: Enrolment,
    pub(crate) sources: Arc<dyn Sources>,
    pub(crate) stop: Stop,
    /// Bytes of one body. Halved after a cut and doubled after success.
    pub budget: u32,
    /// What the person agreed to beforehand.
    pub consent: Consent,
    /// What is added to this computer's clock so that the city believes the request.
    pub(crate) skew: i64,
}

/// What stays in mind between the rounds of one exchange.
#[derive(Default)]
pub(crate) struct Course {
    pub report: Report,
    pub wants: bool,
    /// The city does not know this device: it was set back, and is told everything from the start.
    pub anew: bool,
    /// How far it was told, while it does not say itself what it holds.
    pub told: Told,
    /// This device was revoked: the city takes what it hands in, says what it has got, and gives nothing.
    pub handing_in: Option<BTreeMap<StreamId, Frontier>>,
    /// Changes that the city holds without their values, and those of them that it was given.
    pub wanted: Vec<ChangeId>,
    pub given: BTreeSet<ChangeId>,
    pub refused: BTreeSet<DeviceId>,
    pub traces: BTreeMap<StreamId, BTreeMap<DeviceId, Vec<(u64, ChangeId)>>>,
    pub cuts: u32,
    pub stall: Stall,
    /// Records here that lost something so far.
    pub lost: u64,
    /// The city's changes are not taken: a person is asked first. What is here goes out nevertheless.
    pub halted: Option<Losses>,
    /// The same the other way round.
    pub held: Option<Losses>,
}

/// What a round came to at the city.
struct Noted {
    /// The city holds something else than is noted here.
    moved: bool,
    /// The city took something of what was sent.
    arrived: bool,
}

impl Course {
    fn question(&self) -> Option<SyncError> {
        let incoming = self.halted.clone().map(|losses| (Way::Incoming, losses));
        let (way, losses) = incoming.or_else(|| Some((Way::Outgoing, self.held.clone()?)))?;
        Some(SyncError::TooManyLost { way, losses })
    }
}

impl Engine {
    /// For the city that the branch is enrolled with.
    pub fn open(store: &Store, sources: Arc<dyn Sources>, stop: &Stop) -> Result<Engine, SyncError> {
        let enrolment = Enrolment::of(store)?.ok_or(SyncError::NotEnrolled)?;
        let carrier = Arc::new(Http::new(Address::parse(&enrolment.address)?, stop)?);
        Ok(Engine::with(carrier, enrolment, sources, stop))
    }

    /// For the same city, over another carrier than HTTP.
    pub fn over(
        store: &Store,
        carrier: Box<dyn Carrier>,
        sources: Arc<dyn Sources>,
    ) -> Result<Engine, SyncError> {
        let enrolment = Enrolment::of(store)?.ok_or(SyncError::NotEnrolled)?;
        Ok(Engine::with(Arc::from(carrier), enrolment, sources, &Stop::default()))
    }

    fn with(
        carrier: Arc<dyn Carrier>,
        enrolment: Enrolment,
        sources: Arc<dyn Sources>,
        stop: &Stop,
    ) -> Engine {
        let (stop, budget, consent) = (stop.clone(), FIRST_BUDGET, Consent::default());
        Engine { carrier, enrolment, sources, stop, budget, consent, skew: 0 }
    }

    /// The same with other bodies at first: small ones in tests, so that little makes many requests.
    #[doc(hidden)]
    pub fn with_budget(self, budget: u32) -> Engine {
        Engine { budget, ..self }
    }

    /// Runs rounds until nothing is left to exchange. What went through before an error stays. A person is asked by
    /// [`SyncError::TooManyLost`], after everything else went through.
    pub fn exchange(&mut self, store: &Store) -> Result<Report, SyncError> {
        let mut course = Course::default();
        let ran = self.attempt(store, &mut course);
        if is_damaged(&ran) || course.report.refused.iter().any(is_bad) {
            self.heal(store, &mut course)?;
        } else {
            ran?;
        }
        if let Some(device) = store.renew_if_forked()? {
            course.report.renewed = Some(device);
            self.rounds(store, &mut course)?;
        }
        course.report.moved_to = announced::follow(store, &mut self.enrolment, &self.stop)?;
        course.question().map_or(Ok(course.report), Err)
    }

    fn attempt(&mut self, store: &Store, course: &mut Course) -> Result<(), SyncError> {
        let losses = store.losses_to_send()?;
        course.held = (losses.count > self.consent.outgoing).then_some(losses);
        self.rounds(store, course)
    }

    /// A row of the log cannot be read here, or not verified there: it is replaced, and what follows goes out after all.
    fn heal(&mut self, store: &Store, course: &mut Course) -> Result<(), SyncError> {
        let healed = store.heal_damage()?;
        course.report.renewed = healed.renewed;
        course.report.issued_again = healed.issued_again;
        // What was set aside is missing now, and only who says so is sent it.
        course.wants = true;
        self.attempt(store, course)
    }

    /// Takes in what arrived of an answer.
    pub(crate) fn take(
        &mut self,
        store: &Store,
        ready: &Ready,
        came: Came,
        course: &mut Course,
        ahead: &mut Ahead,
    ) -> Result<Next, SyncError> {
        course.report.bytes_down += came.bytes;
        let opened = match came.opened {
            Ok(opened) => opened,
            // The city may have taken everything, which the next round will show.
            Err(SyncError::CutOff) => {
                self.cut(course)?;
                return Ok(Next::Again { wants: course.wants });
            }
            Err(other) => return Err(other),
        };
        if opened.answer.is_to_revoked(&ready.head.device) {
            return self.hand_in(store, ready, &opened.answer, course);
        }
        match opened.whole {
            true => self.take_while_asking(store, ready, opened, course, ahead),
            false => self.take_in(store, ready, opened, course),
        }
    }

    pub(crate) fn take_in(
        &mut self,
        store: &Store,
        ready: &Ready,
        opened: Opened,
        course: &mut Course,
    ) -> Result<Next, SyncError> {
        let Opened { answer, changes, whole } = opened;
        let answer = &answer;
        let applied = self.unite(store, changes, course)?;
        (course.anew, course.told) = (false, Told::new());
        course.report.received += applied.new.len() as u64;
        if !whole && !self.knows_signer(store, answer)? {
            // The certificate of a new key was in the part that did not arrive.
            self.cut(course)?;
            return Ok(Next::Again { wants: true });
        }
        let Noted { moved, arrived } = self.note(store, ready, answer, &applied.new, course)?;
        if !whole {
            course.cuts = if applied.new.is_empty() && !moved { course.cuts } else { 0 };
            self.cut(course)?;
            return Ok(Next::Again { wants: true });
        }
        (self.budget, course.cuts) = (after_success(self.budget), 0);
        course.report.retry_after = answer.retry_after;
        course.report.refused.clone_from(&answer.refused);
        course.given.extend(std::mem::take(&mut course.wanted));
        course.wanted = self.still_wanted(store, answer, course)?;
        let got_on = !applied.new.is_empty() || arrived;
        if course.stall.after(got_on, moved) || answer.retry_after.is_some() {
            return Ok(Next::Done);
        }
        let more = answer.more && course.halted.is_none();
        match plan::next(&self.open_ends(store, ready, answer, course)?, more) {
            Next::Done if !course.wanted.is_empty() => Ok(Next::Again { wants: false }),
            next => Ok(next),
        }
    }

    /// Takes changes in, unless a person must be asked first.
    fn unite(&self, store: &Store, changes: Verified, course: &mut Course) -> Result<Applied, SyncError> {
        match store.apply_within(changes, self.consent.incoming.saturating_sub(course.lost)) {
            Ok(applied) => {
                course.lost += applied.lost;
                Ok(applied)
            }
            Err(StoreError::TooManyLost(losses)) => {
                course.halted = Some(losses);
                Ok(Applied::default())
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Values that the city asks for, that are here, and that it was not given in this exchange yet.
    fn still_wanted(
        &self,
        store: &Store,
        answer: &Answer,
        course: &Course,
    ) -> Result<Vec<ChangeId>, SyncError> {
        let mut wanted = Vec::new();
        for id in answer.wanted.iter().filter(|id| !course.given.contains(id)) {
            if store.change(id)?.is_some_and(|change| change.raw.payload.is_some()) {
                wanted.push(*id);
            }
        }
        Ok(wanted)
    }

    /// The city took this device's right to write. It keeps what still comes aside for review, so everything goes there
    /// before this ends in a refusal. Nothing counts as reported: there is no receipt.
    fn hand_in(
        &self,
        store: &Store,
        ready: &Ready,
        answer: &Answer,
        course: &mut Course,
    ) -> Result<Next, SyncError> {
        let (mut said, mut moved) = (BTreeMap::new(), false);
        for (sides, streamed) in ready.asked.sides.iter().zip(&answer.streams) {
            if let StreamState::Differs { frontier, traces } = &streamed.state {
                moved |= course.traces.insert(sides.stream, traces.clone()).as_ref() != Some(traces);
                said.insert(sides.stream, frontier.clone());
            }
        }
        for part in &answer.refused {
            if let RefusedPart::Device { device, code } = part
                && code != REVOKED
            {
                course.refused.insert(*device);
            }
        }
        moved |= course.handing_in.as_ref() != Some(&said);
        course.handing_in = Some(said);
        course.given.extend(std::mem::take(&mut course.wanted));
        course.wanted = self.still_wanted(store, answer, course)?;
        // Where a chain parted is known once the city was told this side's ends; it may lack what it wrote itself.
        let asks = !ready.asked.wants;
        let open = self.open_ends(store, ready, answer, course)?;
        let lacks = open.iter().any(|open| open.lacks || open.wants && asks);
        let left = moved && lacks || !course.wanted.is_empty();
        let is_over = course.stall.after(moved && ready.sent > 0, moved);
        match left && !is_over {
            true => Ok(Next::Again { wants: true }),
            false => Err(SyncError::Refused { code: REVOKED.to_owned(), detail: String::new() }),
        }
    }

    /// Remembers what the city said that it holds, if that is news or if `new` changes came from it.
    fn note(
        &mut self,
        store: &Store,
        ready: &Ready,
        answer: &Answer,
        new: &[ChangeId],
        course: &mut Course,
    ) -> Result<Noted, SyncError> {
        let mut covered = BTreeMap::new();
        for (sides, streamed) in ready.asked.sides.iter().zip(&answer.streams) {
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
        let moved = ready
            .asked
            .sides
            .iter()
            .any(|sides| covered.get(&sides.stream).is_some_and(|it| *it != sides.theirs));
        // What it held before in this exchange it has not got from this request.
        let arrived = course.stall.is_news(receipt.frontiers) && moved && ready.sent > 0;
        course.report.sent += if arrived { ready.sent as u64 } else { 0 };
        // Changes that came in just before the process died are held by both, and not yet noted as such. Asked last: it
        // goes through the whole log.
        if moved || !new.is_empty() || store.outbox()?.changes > 0 {
            let frontiers: Vec<_> = covered.iter().map(|(id, frontier)| (*id, frontier.clone())).collect();
            let stored = StoredReceipt {
                at: receipt.at,
                body: receipt.to_bytes(),
                frontiers: frontiers_to_bytes(&frontiers),
            };
            store.put_receipt(Some(&stored), &covered, new)?;
            Book::passed(store, receipt.at)?;
        }
        Ok(Noted { moved, arrived })
    }

    /// A receipt counts if a key that the root certified signed it over just these frontiers.
    fn check(
        &mut self,
        store: &Store,
        receipt: &Receipt,
        covered: &BTreeMap<StreamId, Frontier>,
    ) -> Result<(), SyncError> {
        let digest = frontiers_digest(covered.iter().map(|(stream, frontier)| (*stream, frontier)));
        match receipt.frontiers == digest {
            true => self.trust(store, receipt),
            false => Err(SyncError::BadSignature),
        }
    }

    /// Whatever it is over: whether the city that is pinned signed it.
    pub(crate) fn trust(&mut self, store: &Store, receipt: &Receipt) -> Result<(), SyncError> {
        if !receipt.is_signed() {
            return Err(SyncError::BadSignature);
        }
        self.believe(store, &receipt.key)
    }

    fn knows_signer(&self, store: &Store, answer: &Answer) -> Result<bool, SyncError> {
        match &answer.receipt {
            Some(receipt) if receipt.key != self.enrolment.operating => {
                Ok(store.city_keys(&self.enrolment.stream)?.contains(&receipt.key))
            }
            Some(_) | None => Ok(true),
        }
    }

    /// A newer operating key stands, with the root's certificate, in the stream that the answer brought.
    fn believe(&mut self, store: &Store, key: &DeviceId) -> Result<(), SyncError> {
        if *key == self.enrolment.operating {
            return Ok(());
        }
        if !store.city_keys(&self.enrolment.stream)?.contains(key) {
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
        for (sides, streamed) in ready.asked.sides.iter().zip(&answer.streams) {
            let theirs = plan::answered(&streamed.state, &sides.mine);
            let now = now.iter().find(|now| now.stream == sides.stream);
            // A stream that the city does not serve to us is left alone.
            let Some((now, theirs)) = now.zip(theirs) else { continue };
            let held = Held::new(store, &sides.stream);
            let lacks = course.held.is_none() && !now.to_send(&course.refused, &held).is_empty();
            open.push(Open { wants: course.halted.is_none() && plan::wants(&theirs, &held), lacks });
            held.done()?;
        }
        Ok(open)
    }
}

/// What the city holds of a stream, as far as it is known.
pub(crate) fn theirs(store: &Store, course: &Course, stream: &StreamId) -> Result<Frontier, SyncError> {
    match &course.handing_in {
        Some(said) => Ok(said.get(stream).cloned().unwrap_or_default()),
        None if course.anew => Ok(Frontier::default()),
        None => Ok(store.city_frontier(stream)?),
    }
}

fn is_bad(part: &RefusedPart) -> bool {
    matches!(part, RefusedPart::Change { .. })
}

fn is_damaged(ran: &Result<(), SyncError>) -> bool {
    matches!(ran, Err(SyncError::Store(StoreError::BadRow { table: "change", .. })))
}
