//! The chains of one stream in the store, as the wire asks about them.

use crate::error::SyncError;
use replica::{ChangeId, DeviceId, StreamId};
use std::cell::RefCell;
use store::{Store, StoreError};
use wire::Chain;

/// The wire's questions cannot fail, so a failure is kept until `done`.
pub struct Held<'a> {
    store: &'a Store,
    stream: &'a StreamId,
    failed: RefCell<Option<StoreError>>,
}

impl<'a> Held<'a> {
    pub fn new(store: &'a Store, stream: &'a StreamId) -> Held<'a> {
        Held { store, stream, failed: RefCell::new(None) }
    }

    /// Gives the first failure, if there was one.
    pub fn done(self) -> Result<(), SyncError> {
        self.failed.into_inner().map_or(Ok(()), |error| Err(error.into()))
    }

    fn keep<T: Default>(&self, answer: Result<T, StoreError>) -> T {
        answer.unwrap_or_else(|error| {
            self.failed.borrow_mut().get_or_insert(error);
            T::default()
        })
    }
}

impl Chain for Held<'_> {
    fn holds(&self, device: &DeviceId, (n, id): (u64, ChangeId)) -> bool {
        self.keep(self.store.chain_ids(self.stream, device, &[n])).contains(&(n, id))
    }

    fn prev(&self, _: &DeviceId, (_, id): (u64, ChangeId)) -> Option<ChangeId> {
        self.keep(self.store.change(&id)).and_then(|change| change.header.prev)
    }
}
