//! Where time and randomness come from: parameters, so that a test can hold them still.

/// Time and random bytes for one store.
pub trait Sources: Send + Sync {
    /// Unix milliseconds.
    fn now(&self) -> i64;
    /// Fills `bytes` with randomness fit for keys.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's randomness and a clock that the program hands down.
pub struct SystemSources<C>(pub C);

impl<C: Fn() -> i64 + Send + Sync> Sources for SystemSources<C> {
    fn now(&self) -> i64 {
        (self.0)()
    }

    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has randomness");
    }
}

/// `N` fresh random bytes.
pub(crate) fn random<const N: usize>(sources: &dyn Sources) -> [u8; N] {
    let mut bytes = [0; N];
    sources.fill(&mut bytes);
    bytes
}
