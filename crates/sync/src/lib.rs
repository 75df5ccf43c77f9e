//! The exchange between a store and its city: enrolment, rounds over HTTP, files on a USB stick, and issuing records
//! again into a stream that the city already has.
//!
//! It never holds a transaction while it waits for the network, never decides what a record comes to, never believes
//! an address: the city's root key is what it knows. It blocks: call it from a thread of its own.
//!
//! Start with [`enrol`], [`Engine`] (`exchange`, then `blobs`) and [`file`]; `plan` decides what the next request says,
//! without doing anything.

mod address;
mod announced;
mod asked;
mod blobs;
mod came;
mod chain;
mod engine;
mod enrol;
mod error;
pub mod file;
mod http;
mod outgoing;
mod plan;
mod receipts;
mod reissue;
mod report;
mod rounds;
mod stop;
mod watched;

pub use address::Address;
pub use blobs::{BlobPlan, BlobProgress, BlobReport, Reach, Watch};
pub use engine::Engine;
pub use enrol::{Enrolment, enrol, enrol_over, move_city};
pub use error::{SyncError, Way};
pub use http::{Carrier, NoReply, Reply};
pub use receipts::{Proof, ProvedReceipt, receipts};
pub use reissue::{Candidate, Same, candidates, matched, reissue};
pub use report::{Consent, Report};
pub use stop::Stop;
pub use watched::Watcher;
