//! What the fold comes to, told as stories of devices; hostile bytes; rulings; properties; vectors.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod fold;
mod hostile;
mod properties;
mod rulings;
mod vectors;
mod world;
