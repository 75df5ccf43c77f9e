//! Stories of one branch folder, through the public interface only.

#![expect(clippy::unwrap_used, reason = "the lint allows it in test functions only, and helpers are none")]

mod applying;
mod blobs;
mod ending;
mod exchanging;
mod opening;
mod rebuilding;
mod searching;
mod world;
mod writing;
