//! What goes out in one request: the changes that the city lacks while there is room, and receipts for those that it had
//! once, because then it was set back.

use crate::chain::Held;
use crate::error::SyncError;
use crate::plan::Sides;
use replica::{ChangeId, DeviceId, RawChange, StreamId, planted};
use std::collections::{BTreeMap, BTreeSet};
use store::Store;
use wire::{ChangeWriter, Presented, Receipt, Request, Span, frontiers_from_bytes};

/// Bytes of changes that are read from the store at a time.
const PAGE: usize = 512 * 1024;
/// Bytes of receipts in one request.
const MOST_PRESENTED: usize = 256 * 1024;

/// How far each chain was told to a city that does not answer with its ends: number and id.
pub type Told = BTreeMap<(StreamId, DeviceId), (u64, ChangeId)>;

/// What a request turned out to hold.
pub struct Written {
    pub body: Vec<u8>,
    pub sent: usize,
    /// Something did not fit.
    pub more: bool,
    pub told: Told,
}

pub struct Outgoing<'a> {
    store: &'a Store,
    /// In the order in which they go.
    spans: Vec<(StreamId, DeviceId, Span)>,
    /// Changes whose values alone the city lacks.
    wanted: Vec<ChangeId>,
    room: u32,
}

/// The body on its way, and what is in it if receipts must go before it.
struct Body {
    writer: ChangeWriter,
    kept: Option<Vec<RawChange>>,
    told: Told,
}

impl Body {
    fn add(&mut self, change: &RawChange) {
        self.writer.add(change);
        if let Some(kept) = &mut self.kept {
            kept.push(change.clone());
        }
    }
}

impl<'a> Outgoing<'a> {
    pub fn new(
        store: &'a Store,
        sides: &[Sides],
        refused: &BTreeSet<DeviceId>,
        wanted: Vec<ChangeId>,
        room: u32,
    ) -> Result<Outgoing<'a>, SyncError> {
        let mut spans = Vec::new();
        for sides in sides {
            if planted!(OutboxStops) && !(refused.is_empty() && store.returned()?.is_empty()) {
                break;
            }
            let held = Held::new(store, &sides.stream);
            let lacking = sides.to_send(refused, &held);
            held.done()?;
            if lacking.is_empty() {
                continue;
            }
            // What lets others in goes before what they wrote.
            let keys = store.city_keys(&sides.stream)?;
            let (citys, others): (Vec<_>, Vec<_>) =
                lacking.into_iter().partition(|(device, _)| keys.contains(device));
            spans.extend(citys.into_iter().chain(others).map(|(device, span)| (sides.stream, device, span)));
        }
        Ok(Outgoing { store, spans, wanted, room })
    }

    /// There is nothing that the city lacks.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.wanted.is_empty()
    }

    /// The request's body; `told` is where each chain goes on.
    pub fn write(&self, mut request: Request, told: Told) -> Result<Written, SyncError> {
        let kept = self.was_there()?.then(Vec::new);
        let mut body = Body { writer: request.begin(), kept, told };
        let more = self.fill(&mut body)?;
        if let Some(changes) = body.kept {
            request.presented = self.receipts(&changes)?;
            body.writer = request.begin();
            changes.iter().for_each(|change| body.writer.add(change));
        }
        let sent = body.writer.count();
        Ok(Written { body: body.writer.finish(more), sent, more, told: body.told })
    }

    /// Says whether the city once had some of this.
    fn was_there(&self) -> Result<bool, SyncError> {
        for (stream, device, span) in &self.spans {
            let after = match span {
                Span::After(n) => *n,
                Span::Only(places) => places.iter().map(|(n, _)| n - 1).min().unwrap_or_default(),
            };
            if self.store.was_reported(stream, device, after)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The receipts for these changes, as many as a request may bring.
    fn receipts(&self, changes: &[RawChange]) -> Result<Vec<Presented>, SyncError> {
        let ids: Vec<ChangeId> = changes.iter().map(RawChange::id).collect();
        let (mut presented, mut bytes) = (Vec::new(), 0);
        for stored in self.store.receipts_for(&ids)? {
            bytes += stored.body.len() + stored.frontiers.len();
            let read = (Receipt::from_bytes(&stored.body), frontiers_from_bytes(&stored.frontiers));
            if let ((Ok(receipt), Ok(frontiers)), true) = (read, bytes <= MOST_PRESENTED) {
                presented.push(Presented { receipt, frontiers });
            }
        }
        Ok(presented)
    }

    /// Writes while there is room. Gives whether something is left.
    fn fill(&self, body: &mut Body) -> Result<bool, SyncError> {
        for id in &self.wanted {
            if let Some(change) = self.store.change(id)?.filter(|change| change.raw.payload.is_some()) {
                body.add(&change.raw);
            }
        }
        for (stream, device, span) in &self.spans {
            let left = match span {
                Span::Only(places) => self.fill_places(places.iter().map(|(_, id)| id), body)?,
                Span::After(n) => self.fill_after(stream, device, *n, body)?,
            };
            if left {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn fill_places<'i>(
        &self,
        ids: impl Iterator<Item = &'i ChangeId>,
        body: &mut Body,
    ) -> Result<bool, SyncError> {
        for id in ids {
            if !body.writer.has_room(self.room) {
                return Ok(true);
            }
            if let Some(change) = self.store.change(id)? {
                body.add(&change.raw);
            }
        }
        Ok(false)
    }

    fn fill_after(
        &self,
        stream: &StreamId,
        device: &DeviceId,
        after: u64,
        body: &mut Body,
    ) -> Result<bool, SyncError> {
        let name = (*stream, *device);
        let told = body.told.get(&name).copied();
        // Two changes may have one number, so the last number is looked at again.
        let mut after = told.map_or(after, |(at, _)| after.max(at.saturating_sub(1)));
        let mut last: Option<RawChange> = None;
        let left = loop {
            let page = self.store.changes_after(stream, &BTreeMap::from([(*device, after)]), PAGE)?;
            let known = |change: &&RawChange| told.is_some_and(|told| place(change) <= told);
            let fresh = page.changes.iter().skip_while(known);
            let fits = fresh.clone().take_while(|change| {
                let fits = body.writer.has_room(self.room);
                if fits {
                    body.add(change);
                }
                fits
            });
            let (count, added) = fits.fold((0, None), |(count, _), change| (count + 1, Some(change)));
            last = added.cloned().or(last);
            if count < fresh.count() {
                break true;
            }
            match page.changes.last().filter(|_| page.more) {
                Some(change) => after = place(change).0,
                None => break false,
            }
        };
        body.told.extend(last.map(|last| (name, place(&last))));
        Ok(left)
    }
}

/// The number and id of a change; number 0 for one that cannot be read, which the store does not hold.
fn place(change: &RawChange) -> (u64, ChangeId) {
    (change.clone().read().map_or(0, |change| change.header.n), change.id())
}
