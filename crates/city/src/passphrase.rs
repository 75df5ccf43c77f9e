//! A secret under a passphrase that a person keeps.

use crate::db::hex;
use crate::world::World;
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use replica::from_hex;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Letters that a passphrase has at least.
pub const SHORTEST: usize = 12;
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;

/// Everything but the passphrase. The parameters are those of this format.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sealed {
    pub v: u32,
    pub salt: String,
    pub nonce: String,
    pub sealed: String,
}

pub fn seal(world: &World, words: &str, secret: &[u8]) -> Sealed {
    let (salt, nonce) = (world.random::<16>(), world.random::<24>());
    let sealed = cipher(words, &salt)
        .encrypt(&XNonce::from(nonce), secret)
        .expect("a secret of a few bytes can be encrypted");
    Sealed { v: 1, salt: hex(&salt), nonce: hex(&nonce), sealed: hex(&sealed) }
}

/// None: another passphrase, or altered bytes.
pub fn open(sealed: &Sealed, words: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (salt, nonce) = (from_hex::<16>(&sealed.salt).ok()?, from_hex::<24>(&sealed.nonce).ok()?);
    let bytes = (0..sealed.sealed.len() / 2)
        .map(|at| u8::from_str_radix(sealed.sealed.get(2 * at..2 * at + 2)?, 16).ok())
        .collect::<Option<Vec<u8>>>()?;
    cipher(words, &salt).decrypt(&XNonce::from(nonce), bytes.as_slice()).ok().map(Zeroizing::new)
}

fn cipher(words: &str, salt: &[u8; 16]) -> XChaCha20Poly1305 {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).expect("constants within argon2's bounds");
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(words.as_bytes(), salt, key.as_mut_slice())
        .expect("the lengths are constants within argon2's bounds");
    XChaCha20Poly1305::new_from_slice(key.as_slice()).expect("the key has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::{open, seal};
    use crate::world::World;

    #[test]
    fn only_the_same_words_open_it() {
        let mut sealed = seal(&World::real(), "一段足够长的备份口令吧", b"secret");
        assert_eq!(open(&sealed, "一段足够长的备份口令吧").unwrap().as_slice(), b"secret");
        assert!(open(&sealed, "另一段足够长的备份口令").is_none());
        sealed.sealed.replace_range(0..1, if sealed.sealed.starts_with('0') { "1" } else { "0" });
        assert!(open(&sealed, "一段足够长的备份口令吧").is_none(), "altered");
    }
}
