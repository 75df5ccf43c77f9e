//! The stories live in `stories/`; this crate holds nothing else.
