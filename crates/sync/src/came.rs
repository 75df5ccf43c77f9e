//! What comes back for a request, read and verified before the store is asked to take it in.

use crate::error::SyncError;
use crate::http::Reply;
use crate::rounds::Ready;
use store::Verified;
use wire::{Answer, Whole};

/// What came back for a request.
pub(crate) struct Came {
    pub bytes: u64,
    pub opened: Result<Opened, SyncError>,
}

/// An answer that was read, its changes verified.
pub(crate) struct Opened {
    /// Without its changes.
    pub answer: Answer,
    pub changes: Verified,
    /// It arrived to its end.
    pub whole: bool,
}

impl Came {
    /// Reads and verifies what arrived. This needs no store: it can go on while the answer before is taken in.
    pub(crate) fn read(ready: &Ready, reply: &Reply) -> Came {
        let decoded = Answer::decode(&reply.body, &ready.asks, ready.head.nonce, ready.head.device);
        let opened = match decoded {
            Ok((mut answer, whole)) => {
                let changes = Verified::of(std::mem::take(&mut answer.changes));
                Ok(Opened { answer, changes, whole: reply.whole && whole == Whole::Yes })
            }
            // Cut before its front was whole.
            Err(_) if !reply.whole => Err(SyncError::CutOff),
            Err(_) => Err(SyncError::NotOurServer),
        };
        Came { bytes: reply.body.len() as u64, opened }
    }
}
