//! The device's branch: one folder with one encrypted SQLite file for the log of signed changes, the records folded
//! from it, the lists and the search box, drafts, and the fields that never leave this computer; and a second one for
//! the attachments that records name.
//!
//! It never talks to a network, never decides a Party rule, never lets a value of a record into a log line or an
//! error, and has one way to write: `Store::write` for this computer's changes and `Store::apply` for those of others
//! end in the same fold, in one transaction. It blocks: call it from a thread of its own.
//!
//! Start at `store.rs` (opening), `write.rs` (one user action), `apply.rs` (changes from elsewhere), `fold.rs` (what
//! both end in), `blobs/` (attachments); `migrations/` is the schema.

mod apply;
mod aside;
mod blobs;
mod coverage;
mod damage;
mod db;
mod ends;
mod error;
mod exchange;
mod fold;
mod folder;
mod identity;
mod index;
mod keys;
mod log;
mod losses;
mod personal;
mod project;
mod query;
mod receipts;
mod records;
mod returned;
mod ruling;
mod search;
mod sources;
mod store;
mod touched;
mod wal;
mod whole;
mod words;
mod write;

pub use apply::{Applied, Refusal, Verified};
pub use aside::Draft;
pub use blobs::{Appended, BlobHere, BlobState, BlobsLeft, NamedBlob, SMALL};
pub use damage::Healed;
pub use db::{FORMAT, Ground};
pub use error::StoreError;
pub use exchange::{Issue, IssueWrite, Outbox, Page, StoredReceipt, StreamInfo};
pub use keys::{ARGON2_MEMORY_KIB, ARGON2_PASSES, CodeError, LEAST_PASSWORD, RecoveryCode};
pub use losses::{Losses, MOST_LOST};
pub use personal::Personal;
pub use project::{ClosingCode, LifeCode};
pub use query::{HistoryEntry, ListPage, ListRow, Order, Query};
pub use receipts::KeptReceipt;
pub use returned::Returned;
pub use search::{Hit, Place};
pub use sources::{Sources, SystemSources};
pub use store::{Listener, Store};
pub use touched::{RecordKey, Touched};
pub use words::{letter, search_keys, sort_key};
pub use write::{Author, Write};

#[cfg(test)]
mod crash;
