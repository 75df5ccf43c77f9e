//! What the fold comes to, told as stories of devices; hostile bytes; rulings; properties; vectors.

mod fold;
mod hostile;
mod properties;
mod rulings;
mod vectors;
mod world;
