//! The city's server: takes in what branches report, folds it, and shows it in a console. One binary, one folder.
//!
//! It never trusts a clock of a laptop, never judges a change by its carrier, never holds the root key, and never
//! answers before what it says is on disk. It reads records only by the replica's fold and rules only by the domain.
//!
//! Start with [`router`]; then `exchange` (one request), `accept` (the one way in), `fold` (what it comes to), `enrol`,
//! `blobs` (attachments), and `check` (what proves it).

mod accept;
mod accounts;
mod announce;
mod attempts;
mod audit;
mod backup;
mod blobs;
mod chain;
mod check;
mod city;
mod codes;
mod console;
mod db;
mod devices;
mod direct;
mod enrol;
mod exchange;
mod file;
mod fold;
mod http;
mod init;
mod judge;
mod keys;
mod lacking;
mod log;
mod organisations;
mod passphrase;
mod password;
mod pen;
mod presented;
mod quarantine;
mod receipts;
mod redact;
mod restore;
mod revoke;
mod right;
mod seal;
mod seen;
mod tally;
mod world;

pub use accounts::AccountError;
pub use backup::{About, BackedUp, BackupError};
pub use blobs::{Copied, CopyError, Lost};
pub use check::Report;
pub use city::{City, CityError, Listen, NewOrganisation};
pub use db::{DbError, Folder, Ground};
pub use devices::{Device, DeviceState};
pub use file::{AnswerFile, FileDone, FileReport};
pub use http::router;
pub use init::{InitError, Setup, init};
pub use keys::{Advice, OperatingKey, RootError, Rotated, read_root};
pub use organisations::{BadFile, Fault, Organisation};
pub use quarantine::Quarantined;
pub use redact::{Decision, RedactError, Redaction, Subject};
pub use restore::{Key, Office, RestoreError, Restored, Restoring, restore};
pub use world::World;
