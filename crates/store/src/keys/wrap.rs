//! Wrapping the key of a branch file.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::keys::RecoveryCode;
use crate::sources::{Sources, random};

/// Memory of argon2id in every build: 64 MiB.
pub const ARGON2_MEMORY_KIB: u32 = 64 * 1024;
/// Passes of argon2id in every build.
pub const ARGON2_PASSES: u32 = 3;
const ARGON2_LANES: u32 = 1;
/// What a hostile key file may at most ask of the machine.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 16;

pub(crate) const KEY_FORMAT: i64 = 1;

/// The random 256-bit key of one branch file.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct FileKey([u8; 32]);

impl FileKey {
    pub(crate) fn new(sources: &dyn Sources) -> Self {
        Self(random(sources))
    }

    pub(crate) fn to_bytes(&self) -> [u8; 32] {
        self.0
    }

    /// The raw form that SQLCipher takes without a derivation of its own.
    pub(crate) fn to_sqlcipher(&self) -> zeroize::Zeroizing<String> {
        let mut text = zeroize::Zeroizing::new(String::with_capacity(67));
        text.push_str("x'");
        text.push_str(&hex(&self.0));
        text.push('\'');
        text
    }
}

/// The stored wraps. Everything is public in the sense of cryptography: without password or code it is useless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyFile {
    pub v: i64,
    /// Counts changes of the file, so that the newer of two good copies wins.
    pub seq: u64,
    pub kdf: Kdf,
    pub password: Sealed,
    pub recovery: Sealed,
    /// Whether the user has retyped the recovery code.
    pub confirmed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kdf {
    pub name: String,
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
    pub salt: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sealed {
    pub nonce: String,
    pub sealed: String,
}

impl KeyFile {
    pub(crate) fn new(key: &FileKey, password: &str, code: &RecoveryCode, sources: &dyn Sources) -> Self {
        let kdf = Kdf::new(sources);
        let wrapping = kdf.derive(password).expect("the constants are valid parameters");
        Self {
            v: KEY_FORMAT,
            seq: 1,
            password: seal(&wrapping, key, b"password", sources),
            recovery: seal(&of_code(code), key, b"recovery", sources),
            kdf,
            confirmed: false,
        }
    }

    /// The key, if the password is right. `None` also for parameters that no program of ours writes.
    pub(crate) fn open_with_password(&self, password: &str) -> Option<FileKey> {
        unseal(&*self.kdf.derive(password)?, &self.password, b"password")
    }

    pub(crate) fn open_with_code(&self, code: &RecoveryCode) -> Option<FileKey> {
        unseal(&of_code(code), &self.recovery, b"recovery")
    }

    /// The same key under a new password; the recovery code stays valid.
    pub(crate) fn with_password(&self, key: &FileKey, password: &str, sources: &dyn Sources) -> Self {
        let kdf = Kdf::new(sources);
        let wrapping = kdf.derive(password).expect("the constants are valid parameters");
        let sealed = seal(&wrapping, key, b"password", sources);
        Self { seq: self.seq + 1, kdf, password: sealed, ..self.clone() }
    }

    pub(crate) fn with_confirmed(&self) -> Self {
        Self { seq: self.seq + 1, confirmed: true, ..self.clone() }
    }

    /// The same key under a new recovery code, not confirmed yet.
    pub(crate) fn with_code(&self, key: &FileKey, code: &RecoveryCode, sources: &dyn Sources) -> Self {
        let sealed = seal(&of_code(code), key, b"recovery", sources);
        Self { seq: self.seq + 1, recovery: sealed, confirmed: false, ..self.clone() }
    }
}

impl Kdf {
    fn new(sources: &dyn Sources) -> Self {
        Self {
            name: "argon2id".to_owned(),
            memory_kib: ARGON2_MEMORY_KIB,
            passes: ARGON2_PASSES,
            lanes: ARGON2_LANES,
            salt: hex(&random::<16>(sources)),
        }
    }

    fn derive(&self, password: &str) -> Option<zeroize::Zeroizing<[u8; 32]>> {
        if self.name != "argon2id" || self.memory_kib > MOST_MEMORY_KIB || self.passes > MOST_PASSES {
            return None;
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok()?;
        let mut key = zeroize::Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), &unhex(&self.salt)?, &mut *key)
            .ok()?;
        Some(key)
    }
}

/// A code has 130 random bits: stretching would add nothing.
fn of_code(code: &RecoveryCode) -> zeroize::Zeroizing<[u8; 32]> {
    zeroize::Zeroizing::new(blake3::derive_key("jishi recovery code v1", code.secret()))
}

fn seal(wrapping: &[u8; 32], key: &FileKey, purpose: &[u8], sources: &dyn Sources) -> Sealed {
    let nonce = random::<24>(sources);
    let sealed = XChaCha20Poly1305::new(&(*wrapping).into())
        .encrypt(&XNonce::from(nonce), Payload { msg: &key.0, aad: purpose })
        .expect("32 bytes are within the limits of the cipher");
    Sealed { nonce: hex(&nonce), sealed: hex(&sealed) }
}

fn unseal(wrapping: &[u8; 32], sealed: &Sealed, purpose: &[u8]) -> Option<FileKey> {
    let nonce: [u8; 24] = unhex(&sealed.nonce)?.try_into().ok()?;
    let bytes = unhex(&sealed.sealed)?;
    let opened = XChaCha20Poly1305::new(&(*wrapping).into())
        .decrypt(&XNonce::from(nonce), Payload { msg: &bytes, aad: purpose })
        .ok()?;
    Some(FileKey(opened.try_into().ok()?))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}
