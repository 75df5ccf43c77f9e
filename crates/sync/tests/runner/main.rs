//! Laptops, a city and a bad line between them: nothing lost, nothing double, wherever it is cut.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod cuts;
mod enrol;
mod exchange;
mod line;
mod restored;
mod rule;
mod town;
