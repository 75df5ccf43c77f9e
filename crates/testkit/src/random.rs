//! Numbers that look drawn and are the same on every run.

/// A seeded sequence (splitmix64). Not for keys of anything that leaves a test.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..limit`, which is not empty; the bias of the remainder does not matter here.
    #[track_caller]
    pub fn below(&mut self, limit: usize) -> usize {
        assert!(limit > 0, "there is something to draw from");
        usize::try_from(self.draw() % limit as u64).expect("a number below a usize is a usize")
    }

    /// A number in `least..=most`.
    pub fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most - least + 1)
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.draw().to_le_bytes()[..chunk.len()]);
        }
    }

    /// A uuid v7 made at `at` (unix milliseconds).
    pub fn id(&mut self, at: i64) -> String {
        let mut bytes = [0; 10];
        self.fill(&mut bytes);
        let at = u64::try_from(at).expect("records are made after 1970");
        uuid::Builder::from_unix_timestamp_millis(at, &bytes).into_uuid().to_string()
    }

    /// An id of an item within a record, as the pages make them.
    pub fn token(&mut self) -> String {
        const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        (0..12).map(|_| char::from(LETTERS[self.below(LETTERS.len())])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn a_seed_repeats_and_another_differs() {
        let drawn = |seed| {
            let mut random = Random::seeded(seed);
            (random.id(1_791_000_000_000), random.token(), random.below(1000))
        };
        assert_eq!(drawn(7), drawn(7), "a figure must be comparable with yesterday's");
        assert_ne!(drawn(7), drawn(8));
        assert_eq!(drawn(7).0.len(), 36);
        assert_eq!(drawn(7).0.as_bytes()[14], b'7', "record ids are uuid v7");
    }
}
