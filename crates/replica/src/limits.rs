//! Limits of wire version 1. They are part of the format: every program of this version must agree on them,
//! so a change of a number is a new version.

/// Version of the header format that this program writes and folds.
pub const VERSION: u32 = 1;
/// Bytes of one header.
pub const MAX_HEADER: usize = 64 * 1024;
/// Bytes of one payload.
pub const MAX_PAYLOAD: usize = 96 * 1024;
/// Bytes of a header or payload that is refused outright instead of being held as unreadable.
pub const MAX_HELD: usize = 256 * 1024;
/// Writes in one change.
pub const MAX_WRITES: usize = 500;
/// Nesting of arrays and objects.
pub const MAX_DEPTH: usize = 16;
/// Largest absolute value of an integer: what every JSON reader keeps exactly.
pub const MAX_INTEGER: u64 = 1 << 53;
/// Bytes of a path.
pub const MAX_PATH: usize = 256;
/// Bytes of a record id, a kind, an action, an author, a batch or an origin.
pub const MAX_NAME: usize = 128;
/// Bytes of one file that a record names.
pub const MAX_BLOB: u64 = 16 * 1024 * 1024;
/// A lamport value further than this above the one before it in its chain is not believed.
pub const MAX_LAMPORT_JUMP: u64 = 1_000_000;
