//! Bodies as a whole: what survives them, what a cut leaves, how long they are, and the vectors of the format.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod carried;
mod conformance;
mod cuts;
mod enrol;
mod file;
#[path = "../../../replica/tests/runner/pack.rs"]
mod pack;
mod sizes;
mod story;
mod vectors;
mod world;
