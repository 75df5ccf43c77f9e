//! The key of a branch file and its two wraps.
//!
//! The key is random. It is wrapped by the user's password (argon2id) and by a recovery code. Each wrap file carries
//! a checksum, so that a wrong password is told apart from a damaged file, and is kept twice: the good copy heals
//! the other one.

mod code;
mod files;
mod wrap;

pub use code::{CodeError, RecoveryCode};
pub(crate) use files::{heal, read, save, sync_folder};
pub use wrap::{ARGON2_MEMORY_KIB, ARGON2_PASSES};
pub(crate) use wrap::{FileKey, KeyFile};

/// The shortest password that is taken.
pub const LEAST_PASSWORD: usize = 6;
