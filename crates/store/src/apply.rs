//! Changes from elsewhere: verified before the transaction, taken in whatever order they come, folded once at its end.

use replica::{Change, ChangeId, RawChange, Refused, Verifier, planted, threads};
use rusqlite::Connection;

use crate::error::{Fault, StoreError};
use crate::fold::Batch;
use crate::log::{self, Held};
use crate::store::Store;

/// From so many changes on the search box follows afterwards, and the write-ahead log may become larger.
const BULK: usize = 64;

/// What became of the changes of one `apply`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Held now and not before, in the order they were taken in; also ones that had waited.
    pub new: Vec<ChangeId>,
    /// Held before.
    pub known: usize,
    /// Kept until the change before them arrives.
    pub waiting: usize,
    /// Not kept.
    pub refused: Vec<(ChangeId, Refusal)>,
    /// How many records lost something, where that was watched.
    pub lost: u64,
}

/// Why a change was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Bytes(#[from] Refused),
    #[error("it does not follow the change that it names")]
    Chain,
}

/// Changes from elsewhere that were read and whose signatures were checked. It needs no store, so it can be made while the
/// store is busy with others.
#[derive(Debug, Default)]
pub struct Verified {
    good: Vec<Change>,
    refused: Vec<(ChangeId, Refusal)>,
}

impl Verified {
    /// Signatures cost far more than anything else before the transaction.
    pub fn of(changes: Vec<RawChange>) -> Self {
        let judged = threads::map(changes, |verifier: &mut Verifier, raw: RawChange| {
            let id = raw.id();
            verifier.verify(raw).map_err(|refused| (id, refused))
        });
        let mut verified = Self { good: Vec::with_capacity(judged.len()), refused: Vec::new() };
        for one in judged {
            match one {
                Ok(change) => verified.good.push(change),
                Err((id, refused)) => verified.refused.push((id, refused.into())),
            }
        }
        verified
    }

    /// The changes in their order. None: there was one that is not what somebody signed.
    pub fn all(&self) -> Option<&[Change]> {
        self.refused.is_empty().then_some(&self.good)
    }
}

impl Store {
    /// Verifies changes and unites them into the log, in one transaction.
    pub fn apply(&self, changes: &[RawChange]) -> Result<Applied, StoreError> {
        self.unite(Verified::of(changes.to_vec()), None)
    }

    /// Unites changes into the log, in one transaction, unless more than `most` records would lose something by it: then
    /// nothing is applied, and the error says what a person must be asked.
    pub fn apply_within(&self, changes: Verified, most: u64) -> Result<Applied, StoreError> {
        self.unite(changes, Some(most))
    }

    fn unite(&self, changes: Verified, most: Option<u64>) -> Result<Applied, StoreError> {
        let Verified { good: verified, refused } = changes;
        let mut applied = Applied { refused, ..Applied::default() };
        let is_bulk = verified.len() >= BULK;
        let unite = || {
            self.commit(|db, batch| {
                most.into_iter().for_each(|most| batch.watch_losses(most));
                if is_bulk {
                    batch.index_later();
                }
                let any_waits = log::any_waits(db)?;
                let mut intake = Intake { db, batch, applied: &mut applied, any_waits };
                for change in verified {
                    intake.take(change)?;
                }
                Ok(Vec::new())
            })
        };
        let touched = if is_bulk { self.in_a_bulk(unite) } else { unite() }?;
        applied.new.clone_from(&touched.changes);
        applied.lost = touched.lost;
        self.tell(&touched);
        Ok(applied)
    }
}

struct Intake<'a, 'b> {
    db: &'a Connection,
    batch: &'b mut Batch<'a>,
    applied: &'b mut Applied,
    /// Some change may wait for one that is not held.
    any_waits: bool,
}

impl Intake<'_, '_> {
    /// Takes in a change and the ones that waited for it.
    fn take(&mut self, change: Change) -> Result<(), Fault> {
        let mut ready = vec![change];
        while let Some(change) = ready.pop() {
            let id = change.id;
            if self.take_one(change)? && self.any_waits {
                ready.extend(log::take_waiting(self.db, &id)?);
            }
        }
        Ok(())
    }

    /// Whether the change is held now and was not before.
    fn take_one(&mut self, change: Change) -> Result<bool, Fault> {
        if let Some(held) = self.batch.held(&change.id)? {
            self.applied.known += 1;
            self.heal(held, &change)?;
            return Ok(false);
        }
        if planted!(NumberIsIdentity) {
            let (stream, header) = (log::add_stream(self.db, &change.stream)?.seq, &change.header);
            if !log::chain_ids(self.db, stream, &header.device, &[header.n])?.is_empty() {
                return Ok(false);
            }
        }
        let Some(prev) = change.header.prev else {
            return self.append(change).map(|()| true);
        };
        match self.batch.held(&prev)? {
            Some(before) if self.follows(&change, &before)? => self.append(change).map(|()| true),
            Some(_) => {
                self.applied.refused.push((change.id, Refusal::Chain));
                Ok(false)
            }
            None if planted!(GapAccepted) => self.append(change).map(|()| true),
            None => {
                self.applied.waiting += usize::from(!log::is_waiting(self.db, &change.id)?);
                log::keep_waiting(self.db, &change, &prev)?;
                self.any_waits = true;
                Ok(false)
            }
        }
    }

    fn append(&mut self, mut change: Change) -> Result<(), Fault> {
        let stream = self.batch.add_stream(&change.stream)?;
        if planted!(UnknownFieldDropped) {
            change.raw.header = change.header.to_bytes();
        }
        if change.raw.payload.is_some()
            && !planted!(RedactionForgotten)
            && self.batch.redacts(stream, &change)?
        {
            change.drop_payload();
        }
        self.batch.append(stream, change)
    }

    fn follows(&mut self, change: &Change, before: &Held) -> Result<bool, Fault> {
        let same_stream =
            self.batch.known_stream(&change.stream)?.is_some_and(|row| row.seq == before.stream);
        Ok(same_stream && before.device == change.header.device && before.n + 1 == change.header.n)
    }

    /// A payload that was withheld may arrive later; a redacted one never comes back.
    fn heal(&mut self, held: Held, change: &Change) -> Result<(), Fault> {
        let Some(payload) = change.raw.payload.as_ref().filter(|_| !held.has_payload) else { return Ok(()) };
        let stream = self.batch.add_stream(&change.stream)?;
        if planted!(RedactionForgotten) || !self.batch.redacts(stream, change)? {
            log::fill_payload(self.db, &change.id, payload)?;
            if change.touches(replica::STREAM_KIND, replica::STREAM_RECORD) {
                self.batch.rule(stream)?;
            }
            self.batch.touch_again(stream, held.seq)?;
        }
        Ok(())
    }
}
