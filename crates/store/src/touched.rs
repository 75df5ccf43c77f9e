//! The report of a commit.

use replica::{ChangeId, StreamId};

/// What one commit touched, for listeners.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// The changes that were made or arrived, in order.
    pub changes: Vec<ChangeId>,
    /// The records whose view changed.
    pub records: Vec<RecordKey>,
    /// Kind and id of drafts, and of records whose fields on this computer changed.
    pub drafts: Vec<(String, String)>,
    /// How many records lost something, where that was watched.
    pub lost: u64,
}

/// Names a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    pub stream: StreamId,
    pub kind: String,
    pub id: String,
}

impl Touched {
    pub fn is_nothing(&self) -> bool {
        self.changes.is_empty() && self.records.is_empty() && self.drafts.is_empty()
    }

    pub(crate) fn draft(kind: &str, id: &str) -> Self {
        Self { drafts: vec![(kind.to_owned(), id.to_owned())], ..Self::default() }
    }
}
