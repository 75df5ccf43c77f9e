//! Sizes that both sides agree on.

/// Budget of a first exchange, in bytes of body.
pub const FIRST_BUDGET: u32 = 256 * 1024;
/// A budget is not halved below this. One change always goes, even if it is longer.
pub const SMALLEST_BUDGET: u32 = 16 * 1024;
/// A budget is not doubled above this: about what a line of 64 kbit/s moves before anyone loses patience, and as much
/// as an old laptop takes in at a time without feeling it.
pub const LARGEST_BUDGET: u32 = 512 * 1024;
/// Bytes of a whole body: a budget that may be larger in other programs, and the frontiers of many streams.
pub const MAX_BODY: usize = 8 * 1024 * 1024;
/// Bytes of a body when unpacked. What unpacks to more is refused before it is all in memory.
pub const MAX_UNPACKED: usize = 64 * 1024 * 1024;
/// Bytes of changes that are packed together. A cut loses at most these.
pub(crate) const CHUNK: usize = 48 * 1024;

/// The budget after an exchange was cut.
pub fn after_cut(budget: u32) -> u32 {
    (budget / 2).max(SMALLEST_BUDGET)
}

/// The budget after an exchange went through.
pub fn after_success(budget: u32) -> u32 {
    budget.saturating_mul(2).min(LARGEST_BUDGET)
}
