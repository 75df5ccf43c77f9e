//! Values about a person that must never reach a log line.

use std::fmt;

/// A value whose `Debug` prints `***`. Use it wherever a value could be logged or put into an error.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Personal<T>(pub T);

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::Personal;

    #[test]
    fn debug_hides_the_value() {
        let shown = format!("{:?} {:?}", Personal("379999196305240890"), Some(Personal(13900983959_u64)));
        assert_eq!(shown, "*** Some(***)");
    }
}
