//! Changes that were seen before: read and verified once for all who hold them.

use std::collections::HashMap;

use replica::{Change, ChangeId, RawChange, Refused};

/// By id, and with or without what they say.
#[derive(Debug, Clone, Default)]
pub struct Known(HashMap<(ChangeId, bool), Change>);

impl Known {
    /// The change of these bytes, after its signature and payload proved good.
    pub fn read(&mut self, raw: RawChange) -> Result<Change, Refused> {
        let name = (raw.id(), raw.payload.is_some());
        match self.0.get(&name).filter(|known| known.raw == raw) {
            Some(known) => Ok(known.clone()),
            None => {
                let change = raw.verify()?;
                self.0.insert(name, change.clone());
                Ok(change)
            }
        }
    }
}
