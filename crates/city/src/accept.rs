//! Taking changes in: link, door, append, judge, fold, tallies, all in the caller's one transaction.
//! The city's own changes take the same way.

use crate::city::City;
use crate::db::DbError;
use crate::log::{self, Address, Appending};
use crate::pen::{self, PenError};
use crate::{fold, judge, tally};
use replica::{Change, ChangeId, DeviceId, STREAM_KIND, STREAM_RECORD, StreamId, Verdicts, planted};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

/// What became of the changes of one request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub new: usize,
    /// Held back: the change before it in its chain is not here.
    pub unlinked: Vec<ChangeId>,
    /// Refused at the door, whole: nobody let this device write in this stream.
    pub not_permitted: BTreeSet<(StreamId, DeviceId)>,
    /// Refused at the door, whole: the city does not have this stream.
    pub no_stream: BTreeSet<StreamId>,
}

/// Takes in verified changes. What is held already is passed over.
pub fn take_in(city: &City, t: &Connection, changes: Vec<Change>, now: i64) -> Result<Taken, PenError> {
    let mut by_stream: BTreeMap<StreamId, Vec<Change>> = BTreeMap::new();
    for change in changes {
        if !log::holds(t, &change.id)? {
            by_stream.entry(change.stream).or_default().push(change);
        }
    }
    let mut taken = Taken::default();
    for (stream, changes) in by_stream {
        match fold::founder(t, &stream)? {
            Some(founder) => Intake::new(city, t, stream, founder, now)?.run(changes, &mut taken)?,
            None => {
                taken.no_stream.insert(stream);
            }
        }
    }
    Ok(taken)
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
    /// Devices that held changes name, once that was asked.
    introduced: Option<BTreeSet<DeviceId>>,
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
            introduced: None,
        })
    }

    fn run(mut self, changes: Vec<Change>, taken: &mut Taken) -> Result<(), PenError> {
        let waiting = self.append_all(changes)?;
        self.sort_out(waiting, taken)?;
        taken.new += self.fresh.len();
        if !self.fresh.is_empty() {
            self.judge()?;
            self.settle()?;
        }
        Ok(())
    }

    /// Appends what links and may enter, again and again while something new lets more in. Gives back the rest.
    fn append_all(&mut self, changes: Vec<Change>) -> Result<Vec<Change>, DbError> {
        let mut waiting = changes;
        loop {
            let (count, mut left) = (waiting.len(), Vec::new());
            for change in waiting {
                if self.links(&change)? && self.may_enter(&change)? {
                    self.append(change)?;
                } else {
                    left.push(change);
                }
            }
            if left.is_empty() || left.len() == count {
                return Ok(left);
            }
            waiting = left;
        }
    }

    fn links(&self, change: &Change) -> Result<bool, DbError> {
        change.header.prev.as_ref().map_or(Ok(true), |prev| self.log.holds(prev))
    }

    /// A change that touches the stream's record may let its own device in: the city's first one carries the
    /// certificate of its key.
    fn may_enter(&mut self, change: &Change) -> Result<bool, DbError> {
        let device = &change.header.device;
        if lets_in(&self.verdicts, device) || self.was_introduced(device)? {
            return Ok(true);
        }
        if !change.touches(STREAM_KIND, STREAM_RECORD) {
            return Ok(false);
        }
        let root = &self.city.root;
        Ok(lets_in(&fold::verdicts(self.t, root, &self.stream, self.founder, Some(change))?, device))
    }

    /// A device that a held change introduced, but one that does not count: written after its own device was revoked.
    /// What it wrote is held like that, and counts as little.
    fn was_introduced(&mut self, device: &DeviceId) -> Result<bool, DbError> {
        if self.introduced.is_none() {
            let held = log::touching(self.t, &self.stream, STREAM_KIND, STREAM_RECORD)?;
            let paths = held.iter().flat_map(|change| change.header.writes.iter().map(|write| &write.path));
            let devices = paths.filter_map(|path| path.strip_prefix("~device/")?.parse().ok());
            self.introduced = Some(devices.collect());
        }
        Ok(self.introduced.as_ref().is_some_and(|introduced| introduced.contains(device)))
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
        if change.touches(STREAM_KIND, STREAM_RECORD) {
            self.introduced = None;
        }
        let revoked = self.verdicts.revoked.contains_key(&change.header.device);
        if revoked || change.touches(STREAM_KIND, STREAM_RECORD) {
            self.verdicts = fold::verdicts(self.t, &self.city.root, &self.stream, self.founder, None)?;
        }
        self.fresh.push(change);
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
    fn judge(&mut self) -> Result<(), PenError> {
        let waited = judge::take_waiting(self.t, &self.stream)?;
        let mut writes = judge::rulings(self.t, &self.city.kinds, &self.verdicts, &self.fresh)?;
        writes.extend(judge::rulings(self.t, &self.city.kinds, &self.verdicts, &waited)?);
        for writes in writes.chunks(100) {
            let ruling = pen::draft(self.city, &self.log, &self.stream, self.now, "rule", writes)?;
            self.append(ruling)?;
        }
        Ok(())
    }

    /// Brings everything that is derived from the log up to it.
    fn settle(mut self) -> Result<(), DbError> {
        self.log.finish()?;
        let (t, stream) = (self.t, &self.stream);
        let mut addresses: BTreeSet<Address> = BTreeSet::new();
        for (kind, record) in self.fresh.iter().flat_map(log::touched) {
            addresses.insert((kind.to_owned(), record.to_owned()));
        }
        if self.before != self.verdicts {
            addresses.extend(fold::affected(t, stream, &self.before, &self.verdicts)?);
            if !planted!(SignersStale) {
                fold::put_signers(t, stream, &self.verdicts)?;
            }
            erase_dropped(t, &self.verdicts, &mut self.fresh)?;
        }
        let mut counts = tally::Counts::new();
        tally::before(t, stream, &addresses, &mut counts)?;
        let states = fold::refold(t, stream, &addresses, &self.fresh, &self.verdicts, self.now)?;
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
