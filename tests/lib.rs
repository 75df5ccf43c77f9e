//! What the fuzzers in `tests/fuzz` and the bounded runs in `tests/hostile` share. The stories themselves are tests.

pub mod entries;
