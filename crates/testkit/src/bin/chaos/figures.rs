//! What happened, counted; and what must not have happened, in words.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    LaptopKilled,
    CityKilled,
    ClockWrong,
    ClockPutRight,
    DiskFull,
    RefusedFull,
    Exchanged,
    ExchangeFailed,
    DraftSaved,
    DraftFound,
    DraftLost,
    Settled,
    Declined,
}

#[derive(Default)]
pub struct Figures(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    counts: BTreeMap<What, u64>,
    /// Why exchanges failed, by code.
    failures: BTreeMap<String, u64>,
    wrong: Vec<String>,
}

impl Figures {
    pub fn count(&self, what: What) {
        *self.counted().counts.entry(what).or_default() += 1;
    }

    pub fn exchange_failed(&self, code: &str) {
        self.count(What::ExchangeFailed);
        *self.counted().failures.entry(code.to_owned()).or_default() += 1;
    }

    /// Something that has no business to happen.
    pub fn wrong(&self, words: String) {
        println!("wrong: {words}");
        self.counted().wrong.push(words);
    }

    pub fn of(&self, what: What) -> u64 {
        self.counted().counts.get(&what).copied().unwrap_or_default()
    }

    pub fn failures(&self) -> String {
        let counted = self.counted();
        let each = counted.failures.iter().map(|(code, count)| format!("{code} {count}"));
        each.collect::<Vec<_>>().join(", ")
    }

    pub fn wrongs(&self) -> usize {
        self.counted().wrong.len()
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
