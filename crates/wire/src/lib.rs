//! The exchange between a laptop and a city, or a file on a USB stick: messages, what each side lacks, budgets.
//!
//! It never opens a socket or a file, reads no clock and holds no key: nonces, times and signatures are parameters.
//! What others signed is rebuilt byte for byte, and what cannot be is sent as it is. One thing draws randomness of its
//! own: the sealing of a [`file`], whose one-time keys the library that makes it does not take from outside.
//!
//! Start with [`Request`] and [`Answer`] (one round trip), [`difference`] (who lacks what), [`ChangeWriter`] and
//! [`read_body`] (changes in a body that may be cut), [`RequestHead`] and [`Receipt`] (what is signed), [`blobs`]
//! (attachments), [`file`] (the same messages on a USB stick).

pub mod blobs;
mod body;
mod bytes;
mod changes;
mod difference;
pub mod enrol;
pub mod file;
mod limits;
mod message;
mod shorthand;
mod sign;

pub use body::{BodyError, Whole};
pub use bytes::Malformed;
pub use changes::{Bodies, Budgeted, ChangeWriter, Outgoing, Read, read_body};
pub use difference::{Chain, Lacks, Place, Span, Traces, difference, trace};
pub use limits::{
    FIRST_BUDGET, LARGEST_BUDGET, MAX_BODY, MAX_UNPACKED, SMALLEST_BUDGET, after_cut, after_success,
};
pub use message::{
    Answer, Have, Presented, REVOKED, RefusedPart, Request, StreamAnswer, StreamAsk, StreamState, digest_of,
    frontiers_from_bytes, frontiers_to_bytes,
};
pub use sign::{HEAD_LEN, RECEIPT_LEN, Receipt, RequestHead, Target, frontiers_digest};
