//! Laptops, a city and a bad line between them: nothing lost, nothing double, wherever it is cut.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod blobs;
mod copies;
mod cuts;
mod damaged;
mod enrol;
mod exchange;
mod file_blobs;
mod file_keys;
mod files;
mod keys;
mod line;
mod losses;
mod moved;
mod receipts;
mod restored;
mod revoked;
mod rule;
mod town;
