//! Time and randomness that a test holds still, for laptops and the city alike.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::random::Random;

/// 2026-11-05 20:00 at +08:00.
pub const EVENING: i64 = 1_793_880_000_000;

/// A clock that only the test moves, and bytes that only look random.
#[derive(Debug)]
pub struct World {
    now: AtomicI64,
    random: Mutex<Random>,
}

impl World {
    pub fn new(seed: u64) -> Arc<Self> {
        Self::at(EVENING, seed)
    }

    pub fn at(now: i64, seed: u64) -> Arc<Self> {
        Arc::new(Self { now: AtomicI64::new(now), random: Mutex::new(Random::seeded(seed)) })
    }

    /// Sets the clock, also backwards.
    pub fn set(&self, now: i64) {
        self.now.store(now, Ordering::SeqCst);
    }

    pub fn pass(&self, milliseconds: i64) {
        self.now.fetch_add(milliseconds, Ordering::SeqCst);
    }

    pub fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    pub fn fill(&self, bytes: &mut [u8]) {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
    }

    /// The same clock and bytes, as the city takes them.
    pub fn of_city(self: &Arc<Self>) -> city::World {
        let (clock, random) = (self.clone(), self.clone());
        city::World::new(move || clock.now(), move |bytes| random.fill(bytes))
    }
}

impl store::Sources for World {
    fn now(&self) -> i64 {
        World::now(self)
    }

    fn fill(&self, bytes: &mut [u8]) {
        World::fill(self, bytes);
    }
}
