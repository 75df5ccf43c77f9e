//! The city's server: takes in what branches report, folds it, and shows it in a console. One binary, one folder.
//!
//! It never trusts a clock of a laptop, never judges a change by its carrier, never holds the root key, and never
//! answers before what it says is on disk. It reads records only by the replica's fold and rules only by the domain.
//!
//! Start with [`router`]; then `exchange` (one request), `accept` (the one way in), `fold` (what it comes to), `enrol`,
//! and `check` (what proves it).

mod accept;
mod attempts;
mod audit;
mod chain;
mod check;
mod city;
mod codes;
mod console;
mod db;
mod direct;
mod enrol;
mod exchange;
mod fold;
mod http;
mod init;
mod judge;
mod log;
mod organisations;
mod password;
mod pen;
mod receipts;
mod revoke;
mod right;
mod tally;
mod world;

pub use check::Report;
pub use city::{City, CityError, Listen, NewOrganisation};
pub use db::{DbError, Folder, Ground};
pub use http::router;
pub use init::{InitError, Setup, init};
pub use organisations::{BadFile, Fault, Organisation};
pub use world::World;
