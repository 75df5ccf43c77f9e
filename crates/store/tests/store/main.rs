//! Stories of one branch folder, through the public interface only.

mod opening;
mod world;
