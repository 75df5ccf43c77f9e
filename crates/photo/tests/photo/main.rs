//! What comes out of files of all sorts, sound and not.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod files;
mod prepared;
mod refused;
