//! The ends of chains that a transaction moves: kept in mind while changes come in one after another, and written once.

use std::collections::{BTreeMap, BTreeSet};

use replica::{Change, ChangeId, DeviceId};
use rusqlite::Connection;

use crate::error::Fault;
use crate::log::{self, Held};

#[derive(Default)]
pub(crate) struct Ends {
    chains: BTreeMap<(i64, DeviceId), Chain>,
    /// The highest lamport value that counts, by stream.
    lamports: BTreeMap<i64, u64>,
}

#[derive(Default)]
struct Chain {
    /// Stored ends that something follows now.
    passed: BTreeSet<(u64, ChangeId)>,
    ends: BTreeSet<(u64, ChangeId)>,
}

impl Ends {
    /// Notes a change that was appended.
    pub(crate) fn advance(&mut self, held: &Held, change: &Change) {
        let chain = self.chains.entry((held.stream, held.device)).or_default();
        if let Some(prev) = change.header.prev.map(|prev| (held.n - 1, prev))
            && !chain.ends.remove(&prev)
        {
            chain.passed.insert(prev);
        }
        chain.ends.insert((held.n, change.id));
        let lamport = self.lamports.entry(held.stream).or_default();
        *lamport = held.lamport.max(*lamport);
    }

    /// Writes what was noted.
    pub(crate) fn write(&mut self, db: &Connection) -> Result<(), Fault> {
        for ((stream, device), chain) in std::mem::take(&mut self.chains) {
            log::move_ends(db, stream, &device, &chain.passed, &chain.ends)?;
        }
        for (stream, lamport) in std::mem::take(&mut self.lamports) {
            log::raise_lamport(db, stream, lamport)?;
        }
        Ok(())
    }
}
