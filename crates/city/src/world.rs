//! Time and randomness, handed down from `main` so that nothing below reads a global.

use std::fmt;
use std::sync::Arc;

type Randomness = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Where the city gets the time (unix milliseconds) and random bytes from.
#[derive(Clone)]
pub struct World {
    clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    random: Randomness,
}

impl World {
    pub fn new(
        clock: impl Fn() -> i64 + Send + Sync + 'static,
        random: impl Fn(&mut [u8]) + Send + Sync + 'static,
    ) -> World {
        World { clock: Arc::new(clock), random: Arc::new(random) }
    }

    /// The machine's clock and its source of randomness: for programs, never for tests.
    #[expect(clippy::disallowed_methods, reason = "the one place of the city that reads the clock")]
    pub fn real() -> World {
        let clock = || {
            let since =
                std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        };
        World::new(clock, |bytes| getrandom::fill(bytes).expect("the system gives random bytes"))
    }

    /// The time in unix milliseconds.
    pub fn now(&self) -> i64 {
        (self.clock)()
    }

    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}
