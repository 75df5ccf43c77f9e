//! What the fold comes to, told as stories of devices; hostile bytes; rulings; properties; the conformance pack.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod conformance;
mod fold;
mod hostile;
mod pack;
mod properties;
mod rulings;
mod world;
