//! Everything about the city that is seen from outside: by its command line, over HTTP, and on disk.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod backup;
mod blob_copies;
mod blobs;
mod check;
mod console;
mod enrol;
mod exchange;
mod init;
mod judge;
mod redact;
mod usb;
mod usb_blobs;
mod world;
