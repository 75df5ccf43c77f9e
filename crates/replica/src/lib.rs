//! The merge core: a replica is a set of signed, content-addressed changes, to sync is to unite two sets, and a
//! record is a fold of the set.
//!
//! It never does I/O, reads no clock and draws no random number: time, keys and ids are parameters. It knows no
//! Party rules and no storage. Signatures are verified strictly, bytes of others are carried as they are, and no
//! clock value decides which value survives.
//!
//! Start with [`RawChange`] and [`Change`] (what is carried), [`ChangeBuilder`] (how one is made), [`fold_record`]
//! (what it comes to), [`verdicts`] (what does not count) and [`Replica`] (a set of changes in memory).

mod blob;
mod builder;
mod change;
mod excerpt;
mod fold;
mod frontier;
mod graph;
mod header;
mod id;
mod json;
mod kinds;
pub mod limits;
mod replica;
mod sealing;
mod shown;
mod state;
mod state_json;
mod text;
pub mod threads;
mod verdict;
#[cfg(feature = "zoo")]
pub mod zoo;

/// Whether a planted bug is on: in every program this is the word `false`.
#[cfg(not(feature = "zoo"))]
#[macro_export]
macro_rules! planted {
    ($name:ident) => {
        false
    };
}

pub use blob::{BlobRef, blobs_in};
pub use builder::{CannotBuild, ChangeBuilder, End, device_of};
pub use change::{
    Change, RawChange, Refused, SIGNATURE_PURPOSE, Verifier, display_lamport, is_signed, signature_input,
};
pub use excerpt::Excerpt;
pub use fold::fold_record;
pub use frontier::Frontier;
pub use header::{Header, WriteHead};
pub use id::{BadId, BlobHash, ChangeId, DeviceId, PayloadHash, RootKey, StreamId, from_hex, to_hex};
pub use json::{Unreadable, canonical, inspect};
pub use kinds::{BadKind, BadValue, Choice, FieldDef, FieldType, Group, ItemDef, Kind, Kinds, Section};
pub use replica::{Inserted, Replica};
pub use sealing::{opening_key, sealing_key};
pub use state::{ChangeMeta, Closing, Field, Head, Item, LateWrite, Life, RecordState};
pub use state_json::StateDigest;
pub use text::{Piece, Take, TextMerge, merge_text, taken};
pub use verdict::{
    FaultPlace, Ruling, STREAM_KIND, STREAM_RECORD, Standing, StreamFacts, Verdicts, Voided, certified_keys,
    certify, is_certificate, ruling_path, verdicts,
};
