//! The chains of one stream as the wire asks about them.

use crate::db::DbError;
use crate::log;
use replica::{ChangeId, DeviceId, Frontier, StreamId};
use rusqlite::Connection;
use std::cell::RefCell;
use wire::Chain;

/// Answers from the database. The wire's questions cannot fail, so a failure is kept until `done`.
pub struct Held<'a> {
    connection: &'a Connection,
    stream: &'a StreamId,
    failed: RefCell<Option<DbError>>,
}

impl<'a> Held<'a> {
    pub fn new(connection: &'a Connection, stream: &'a StreamId) -> Held<'a> {
        Held { connection, stream, failed: RefCell::new(None) }
    }

    /// Gives the first failure, if there was one.
    pub fn done(self) -> Result<(), DbError> {
        self.failed.into_inner().map_or(Ok(()), Err)
    }

    /// Places of a device's chain at n, n-1, n-2, n-4 …, for a laptop that named an end that is not held. A chain with
    /// one end is looked up by number; only a forked one is walked.
    pub fn trace(&self, device: &DeviceId, frontier: &Frontier) -> Result<Vec<(u64, ChangeId)>, DbError> {
        let ends: Vec<(u64, ChangeId)> = frontier.ends(device).collect();
        let [(end, _)] = ends[..] else {
            let mut places: Vec<_> =
                ends.iter().flat_map(|place| wire::trace(device, *place, self)).collect();
            places.sort_unstable();
            places.dedup();
            return Ok(places);
        };
        let mut places = Vec::new();
        for n in thinning(end) {
            let ids = log::chain_at(self.connection, self.stream, device, n)?;
            places.extend(ids.into_iter().map(|id| (n, id)));
        }
        Ok(places)
    }

    fn keep<T: Default>(&self, answer: Result<T, DbError>) -> T {
        answer.unwrap_or_else(|error| {
            self.failed.borrow_mut().get_or_insert(error);
            T::default()
        })
    }
}

/// n, n-1, n-2, n-4 … down to 1.
fn thinning(end: u64) -> impl Iterator<Item = u64> {
    let steps = std::iter::successors(Some(1u64), |step| step.checked_mul(2));
    let inner = steps.map_while(move |step| end.checked_sub(step)).take_while(|n| *n > 1);
    [end].into_iter().chain(inner).chain((end > 1).then_some(1))
}

impl Chain for Held<'_> {
    fn holds(&self, device: &DeviceId, (n, id): (u64, ChangeId)) -> bool {
        self.keep(log::chain_at(self.connection, self.stream, device, n)).contains(&id)
    }

    fn prev(&self, _: &DeviceId, (_, id): (u64, ChangeId)) -> Option<ChangeId> {
        self.keep(log::get(self.connection, &id)).and_then(|change| change.header.prev)
    }
}

#[cfg(test)]
mod tests {
    use super::thinning;

    #[test]
    fn a_trace_is_dense_at_the_end_and_reaches_the_first() {
        let table: [(u64, &[u64]); 4] =
            [(1, &[1]), (2, &[2, 1]), (4, &[4, 3, 2, 1]), (20, &[20, 19, 18, 16, 12, 4, 1])];
        for (end, expected) in table {
            assert_eq!(thinning(end).collect::<Vec<_>>(), expected, "{end}");
        }
    }
}
