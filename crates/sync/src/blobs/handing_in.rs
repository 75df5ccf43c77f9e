//! A device whose right was taken hands in its attachments after its changes, to be kept beside them until somebody has
//! looked. The city tells it nothing, so each is offered, and none counts as held there.

use super::{BlobPlan, BlobReport, Phase, Watch};
use crate::engine::Engine;
use crate::error::SyncError;
use std::collections::HashSet;
use store::Store;

impl Engine {
    /// Offers the city all attachments that records show and that it is not known to hold, after it refused this device
    /// as `revoked`. It takes those that changes of this device name.
    pub fn hand_in_blobs(&mut self, store: &Store, watch: Watch<'_>) -> Result<BlobReport, SyncError> {
        let plan = BlobPlan::usual();
        let mut phase = Phase::new(self, store, &plan, watch);
        let ended = phase.hand_in();
        let mut report = phase.report;
        report.left = store.blob_outbox()?;
        ended.map(|()| report)
    }
}

impl Phase<'_> {
    fn hand_in(&mut self) -> Result<(), SyncError> {
        let served = self.served_streams()?;
        let mut open = self.store.blobs_to_send()?;
        let mut seen = HashSet::new();
        open.retain(|named| served.contains(&named.stream) && seen.insert(named.hash));
        for named in open {
            self.report.sent += u32::from(self.send(&named, 0)?);
        }
        Ok(())
    }
}
