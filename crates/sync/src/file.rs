//! The exchange as files on a USB stick: what goes to the city, and what comes back.
//!
//! A file is made from what the city is known to hold, and what it brings back is united like any answer: files may
//! come twice, late, in any order, or never. Only a receipt that came back makes anything reported. Attachments come
//! last in a file, as many as it may hold, and what did not fit goes with the next one.
//!
//! Start with [`export`] and [`import`]; [`begin`] is the way in for a computer that never sees a network.

mod asking;
mod book;
mod bundle;
mod export;
mod import;
mod parcel;

pub use asking::{Pending, ask, begin, forget_ask};
pub use book::{Book, Note};
pub use export::{Exported, Scope, Terms, export, exported};
pub use import::{Imported, import};
pub use wire::file::{BLOBS, EXTENSION, FileError};
