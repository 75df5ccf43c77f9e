//! The outside as parameters: the clock, randomness and new ids.

use chrono::{NaiveDate, NaiveDateTime};
use std::sync::Arc;
use store::{Sources, SystemSources};

/// Where time, ids and randomness come from.
#[derive(Clone)]
pub struct World(Arc<dyn Sources>);

impl World {
    pub fn new(sources: Arc<dyn Sources>) -> Self {
        Self(sources)
    }

    /// The system's clock and randomness, for the shells.
    pub fn real() -> Self {
        Self::new(Arc::new(SystemSources(system_clock)))
    }

    pub fn sources(&self) -> Arc<dyn Sources> {
        self.0.clone()
    }

    /// Unix milliseconds.
    pub fn now(&self) -> i64 {
        self.0.now()
    }

    /// The civil date-time at +08:00.
    pub fn civil_now(&self) -> NaiveDateTime {
        domain::civil(self.now())
    }

    /// The civil date at +08:00.
    pub fn today(&self) -> NaiveDate {
        self.civil_now().date()
    }

    /// A new record id: a UUID of version 7, so that ids sort by the time of their making.
    pub fn id(&self) -> String {
        let mut random = [0; 10];
        self.0.fill(&mut random);
        let at = u64::try_from(self.now()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(at, &random).into_uuid().to_string()
    }

    /// A new id of an item within a record: twelve characters of `a`–`z` and `0`–`9`.
    pub fn item_id(&self) -> String {
        const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        let mut random = [0; 12];
        self.0.fill(&mut random);
        random.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place of the desktop that reads the clock")]
fn system_clock() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
