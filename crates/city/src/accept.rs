//! Taking changes in: link, door, append, judge, fold, tallies, all in the caller's one transaction.
//! The city's own changes take the same way.

use crate::city::City;
use crate::db::DbError;
use crate::log::{self, Address, Appending, Kept};
use crate::pen::{self, PenError, Write};
use crate::presented::Covered;
use crate::{fold, judge, keys, tally};
use replica::{Change, ChangeId, DeviceId, STREAM_KIND, STREAM_RECORD, StreamId, Verdicts, planted};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use wire::Presented;

/// What became of the changes of one request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub new: usize,
    /// Held back: the change before it in its chain is not here.
    pub unlinked: Vec<ChangeId>,
    /// Refused: it names a change before it that is of another chain, or not the last before it.
    pub misplaced: Vec<ChangeId>,
    /// Refused at the door, whole: nobody let this device write in this stream.
    pub not_permitted: BTreeSet<(StreamId, DeviceId)>,
    /// Refused at the door, whole: the city does not have this stream.
    pub no_stream: BTreeSet<StreamId>,
}

/// What came of one stream and is not held whole.
#[derive(Default)]
struct Brought {
    new: Vec<Change>,
    /// Held without the values that come now.
    lacking: Vec<Change>,
}

/// Takes in verified changes. What is held already is passed over, but for values that were lacking.
/// `presented` are sound receipts of before the city was set back.
pub fn take_in(
    city: &City,
    t: &Connection,
    changes: Vec<Change>,
    presented: &[Presented],
    now: i64,
) -> Result<Taken, PenError> {
    let mut by_stream: BTreeMap<StreamId, Brought> = BTreeMap::new();
    for change in changes {
        let kept = log::kept(t, &change.id)?;
        if kept == Some(Kept::Whole) || (kept.is_some() && change.raw.payload.is_none()) {
            continue;
        }
        let brought = by_stream.entry(change.stream).or_default();
        if kept.is_some() { &mut brought.lacking } else { &mut brought.new }.push(change);
    }
    let mut taken = Taken::default();
    for (stream, brought) in by_stream {
        match fold::founder(t, &stream)? {
            Some(founder) => {
                Intake::new(city, t, stream, founder, now)?.run(brought, presented, &mut taken)?;
            }
            None => {
                taken.no_stream.insert(stream);
            }
        }
    }
    Ok(taken)
}

/// Writes a change of the city's own at the end of its chain, with all that follows from it.
pub fn write(
    city: &City,
    t: &Connection,
    stream: &StreamId,
    action: &str,
    writes: &[Write],
    now: i64,
) -> Result<Change, PenError> {
    let founder = fold::founder(t, stream)?.ok_or(PenError::NoStream(*stream))?;
    let mut intake = Intake::new(city, t, *stream, founder, now)?;
    let change = pen::draft(t, &intake.log, stream, now, action, writes)?;
    intake.append(change.clone())?;
    intake.settle()?;
    Ok(change)
}

/// The changes of one stream on their way in.
struct Intake<'a> {
    city: &'a City,
    t: &'a Connection,
    stream: StreamId,
    founder: DeviceId,
    now: i64,
    log: Appending<'a>,
    before: Verdicts,
    verdicts: Verdicts,
    fresh: Vec<Change>,
    /// Held before, without the values that came now.
    healed: Vec<Change>,
    covered: Covered,
}

impl<'a> Intake<'a> {
    fn new(
        city: &'a City,
        t: &'a Connection,
        stream: StreamId,
        founder: DeviceId,
        now: i64,
    ) -> Result<Intake<'a>, DbError> {
        let verdicts = fold::verdicts(t, &city.root, &stream, founder, None)?;
        let log = Appending::to(t, stream, now)?;
        Ok(Intake {
            city,
            t,
            stream,
            founder,
            now,
            log,
            before: verdicts.clone(),
            verdicts,
            fresh: Vec::new(),
            healed: Vec::new(),
            covered: Covered::default(),
        })
    }

    fn run(mut self, brought: Brought, presented: &[Presented], taken: &mut Taken) -> Result<(), PenError> {
        let waiting = self.append_all(brought.new, &mut taken.misplaced)?;
        brought.lacking.into_iter().try_for_each(|change| self.heal(change))?;
        self.sort_out(waiting, taken)?;
        let new = self.fresh.len() + self.healed.len();
        taken.new += new;
        if new > 0 {
            self.notice_own()?;
            let waited = judge::take_waiting(self.t, &self.stream)?;
            let open = waited.iter().chain(&self.fresh);
            self.covered = Covered::take(self.t, &self.stream, presented, &self.verdicts, open)?;
            self.judge(&waited)?;
            self.settle()?;
        }
        Ok(())
    }

    /// Appends what links and may enter, again and again while something new lets more in. Gives back the rest.
    fn append_all(
        &mut self,
        changes: Vec<Change>,
        misplaced: &mut Vec<ChangeId>,
    ) -> Result<Vec<Change>, DbError> {
        let mut waiting = changes;
        loop {
            let (count, mut left) = (waiting.len(), Vec::new());
            for change in waiting {
                match self.links(&change)? {
                    Some(false) => misplaced.push(change.id),
                    Some(true) if self.may_enter(&change)? => self.append(change)?,
                    Some(true) | None => left.push(change),
                }
            }
            if left.is_empty() || left.len() == count {
                return Ok(left);
            }
            waiting = left;
        }
    }

    /// None: the change before it is not here.
    fn links(&self, change: &Change) -> Result<Option<bool>, DbError> {
        change.header.prev.as_ref().map_or(Ok(Some(true)), |prev| self.log.follows(change, prev))
    }

    /// A change that touches the stream's record may let its own device in: the city's first one carries the
    /// certificate of its key.
    fn may_enter(&mut self, change: &Change) -> Result<bool, DbError> {
        let device = &change.header.device;
        if lets_in(&self.verdicts, device) || self.verdicts.was_introduced(device) {
            return Ok(true);
        }
        if !change.touches(STREAM_KIND, STREAM_RECORD) {
            return Ok(false);
        }
        let root = &self.city.root;
        Ok(lets_in(&fold::verdicts(self.t, root, &self.stream, self.founder, Some(change))?, device))
    }

    /// Fills in values that a change was held without; redacted ones never come back.
    fn heal(&mut self, mut change: Change) -> Result<(), DbError> {
        let twice = self.healed.iter().any(|healed| healed.id == change.id);
        if !twice && !self.verdicts.drops(&change) {
            log::fill(self.t, &mut change)?;
            if change.touches(STREAM_KIND, STREAM_RECORD) {
                self.rule_again()?;
            }
            self.healed.push(change);
        }
        Ok(())
    }

    /// What the key that signs now signed, arrives only at a city that was set back.
    fn notice_own(&self) -> Result<(), DbError> {
        let own = keys::signing(self.t)?.device();
        match self.fresh.iter().any(|change| change.header.device == own) {
            true => keys::set_back(self.t, self.now),
            false => Ok(()),
        }
    }

    fn append(&mut self, mut change: Change) -> Result<(), DbError> {
        // The same change twice in one request.
        if self.log.took(&change.id) {
            return Ok(());
        }
        if self.verdicts.drops(&change) {
            change.drop_payload();
        }
        self.log.append(&mut change)?;
        let revoked = self.verdicts.revoked.contains_key(&change.header.device);
        if revoked || change.touches(STREAM_KIND, STREAM_RECORD) {
            self.rule_again()?;
        }
        self.fresh.push(change);
        Ok(())
    }

    fn rule_again(&mut self) -> Result<(), DbError> {
        self.verdicts = fold::verdicts(self.t, &self.city.root, &self.stream, self.founder, None)?;
        Ok(())
    }

    fn sort_out(&self, waiting: Vec<Change>, taken: &mut Taken) -> Result<(), DbError> {
        for change in waiting {
            let device = change.header.device;
            if lets_in(&self.verdicts, &device) {
                taken.unlinked.push(change.id);
            } else {
                taken.not_permitted.insert((self.stream, device));
            }
        }
        Ok(())
    }

    /// Writes the rulings over what is refused by rule as one change of the city's.
    fn judge(&mut self, waited: &[Change]) -> Result<(), PenError> {
        let changes: Vec<&Change> = waited.iter().chain(&self.fresh).collect();
        let case =
            judge::Case { verdicts: &self.verdicts, covered: &self.covered, changes, healed: &self.healed };
        let writes = judge::rulings(self.t, &self.city.kinds, &case)?;
        for writes in writes.chunks(100) {
            let ruling = pen::draft(self.t, &self.log, &self.stream, self.now, "rule", writes)?;
            self.append(ruling)?;
        }
        Ok(())
    }

    /// Brings everything that is derived from the log up to it.
    fn settle(mut self) -> Result<(), DbError> {
        self.log.finish()?;
        let (t, stream) = (self.t, &self.stream);
        let mut addresses: BTreeSet<Address> = BTreeSet::new();
        addresses.extend(self.fresh.iter().chain(&self.healed).flat_map(log::touched).map(log::owned));
        if self.before != self.verdicts {
            addresses.extend(fold::affected(t, stream, &self.before, &self.verdicts)?);
            if !planted!(SignersStale) {
                fold::put_signers(t, stream, &self.verdicts)?;
            }
            erase_dropped(t, &self.verdicts, &mut self.fresh)?;
        }
        let now = Some(self.now).filter(|_| self.covered.receipted().is_empty());
        for id in self.covered.receipted() {
            addresses.extend(log::get(t, id)?.iter().flat_map(log::touched).map(log::owned));
        }
        let due = fold::due(t, stream, &addresses, &self.fresh)?;
        let mut counts = tally::Counts::new();
        tally::before(t, stream, &due, &mut counts)?;
        let states = fold::refold(t, stream, &due, &self.verdicts, now)?;
        tally::after(t, stream, &states, counts)
    }
}

fn lets_in(verdicts: &Verdicts, device: &DeviceId) -> bool {
    verdicts.devices.as_ref().is_none_or(|devices| devices.contains(device))
}

/// A redacted payload is erased; header, chain and causality stay.
fn erase_dropped(t: &Connection, verdicts: &Verdicts, fresh: &mut [Change]) -> Result<(), DbError> {
    for id in verdicts.drop_candidates() {
        if log::get(t, &id)?.is_some_and(|change| verdicts.drops(&change)) {
            t.execute("UPDATE change SET payload = NULL WHERE id = ?1", [id.0.as_slice()])?;
        }
    }
    for change in fresh.iter_mut().filter(|change| verdicts.drops(change)) {
        change.drop_payload();
    }
    Ok(())
}
