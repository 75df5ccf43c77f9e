//! What one replica holds, byte for byte, as the oracle remembers it.

use std::collections::BTreeMap;

use replica::{Change, ChangeId};

/// The parts of a change that its id does not already fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    pub signature: [u8; 64],
    pub payload: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held(pub BTreeMap<ChangeId, Kept>);

impl Held {
    pub fn of(changes: &[Change]) -> Held {
        let kept =
            |change: &Change| Kept { signature: change.raw.signature, payload: change.raw.payload.is_some() };
        Held(changes.iter().map(|change| (change.id, kept(change))).collect())
    }

    /// Whether the change is here with what it says.
    pub fn has_whole(&self, id: &ChangeId) -> bool {
        self.0.get(id).is_some_and(|kept| kept.payload)
    }

    /// A change that was here before and is not any more, or has lost its values, or is signed otherwise.
    pub fn lost_since(&self, before: &Held) -> Option<ChangeId> {
        let same = |id: &ChangeId, kept: &Kept| {
            self.0.get(id).is_some_and(|now| now.signature == kept.signature && now.payload >= kept.payload)
        };
        before.0.iter().find(|(id, kept)| !same(id, kept)).map(|(id, _)| *id)
    }
}
