//! Sealing: age files for one X25519 key.

use super::FileError;
use crate::enrol::CodeKey;
use age::stream::{StreamReader, StreamWriter};
use age::x25519::{Identity, Recipient};
use bech32::{Bech32, Hrp};
use ed25519_dalek::SigningKey;
use replica::{DeviceId, device_of, opening_key, sealing_key};
use std::fmt;
use std::io::{BufReader, Chain, Cursor, Read, Take, Write};
use zeroize::Zeroizing;

const PUBLIC: Hrp = Hrp::parse_unchecked("age");
const SECRET: Hrp = Hrp::parse_unchecked("age-secret-key-");
/// The header of an age file for one recipient takes a few hundred bytes. It is not parsed beyond this.
const MOST_HEADER: u64 = 16 * 1024;
const HEADER_ENDS: &[u8] = b"\n--- ";

/// The secret that opens what was sealed to a key.
pub struct OpeningKey(Identity);

impl OpeningKey {
    /// From [`replica::opening_key`].
    pub fn new(secret: &Zeroizing<[u8; 32]>) -> OpeningKey {
        let text = bech32::encode::<Bech32>(SECRET, secret.as_slice()).expect("32 bytes fit a bech32 text");
        let text = Zeroizing::new(text);
        OpeningKey(text.parse().expect("this is how age writes its secrets"))
    }

    /// Says whether it opens what is sealed to this key.
    pub fn opens(&self, recipient: &DeviceId) -> bool {
        sealed_to(recipient).is_some_and(|known| known.to_string() == self.0.to_public().to_string())
    }
}

/// The key pair that both sides of an enrolment derive from its code: what its first file is sealed to.
pub fn of_code(code: &CodeKey) -> (DeviceId, OpeningKey) {
    let seed = Zeroizing::new(blake3::derive_key("jishi enrolment file v1", &code.0));
    let key = SigningKey::from_bytes(&seed);
    (device_of(&key), OpeningKey::new(&Zeroizing::new(opening_key(&key))))
}

impl fmt::Debug for OpeningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpeningKey(***)")
    }
}

fn sealed_to(recipient: &DeviceId) -> Option<Recipient> {
    let text =
        bech32::encode::<Bech32>(PUBLIC, &sealing_key(recipient)?).expect("32 bytes fit a bech32 text");
    text.parse().ok()
}

/// Starts to write something that only the recipient can read.
pub(super) fn seal<W: Write>(recipient: &DeviceId, out: W) -> Result<StreamWriter<W>, FileError> {
    let recipient = sealed_to(recipient).ok_or(FileError::NotForUs)?;
    let sealed = age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
        .map_err(|error| FileError::Io(std::io::Error::other(error.to_string())))?;
    Ok(sealed.wrap_output(out)?)
}

/// What is read of a sealed file: its header, which was looked at first, and the rest.
pub(super) type Sealed<R> = BufReader<Chain<Cursor<Vec<u8>>, Take<R>>>;

/// Starts to read what was sealed to this key.
pub(super) fn unseal<R: Read>(from: R, key: &OpeningKey) -> Result<StreamReader<Sealed<R>>, FileError> {
    let mut from = from.take(super::MAX_FILE as u64);
    let mut begun = Vec::new();
    (&mut from).take(MOST_HEADER).read_to_end(&mut begun)?;
    if !begun.windows(HEADER_ENDS.len()).any(|bytes| bytes == HEADER_ENDS) {
        return Err(FileError::Damaged(None));
    }
    let damaged = |_| FileError::Damaged(None);
    let sealed =
        age::Decryptor::new_buffered(BufReader::new(Cursor::new(begun).chain(from))).map_err(damaged)?;
    sealed.decrypt(std::iter::once(&key.0 as &dyn age::Identity)).map_err(|error| match error {
        age::DecryptError::NoMatchingKeys => FileError::NotForUs,
        _ => FileError::Damaged(None),
    })
}

#[cfg(test)]
mod tests {
    use super::OpeningKey;
    use replica::{DeviceId, opening_key};
    use zeroize::Zeroizing;

    #[test]
    fn the_secret_of_a_signing_key_opens_what_is_sealed_to_its_device() {
        let signing = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let key = OpeningKey::new(&Zeroizing::new(opening_key(&signing)));
        assert!(key.opens(&replica::device_of(&signing)));
        assert!(!key.opens(&replica::device_of(&ed25519_dalek::SigningKey::from_bytes(&[8; 32]))));
        assert!(!key.opens(&DeviceId([0xFF; 32])), "no key at all");
        assert_eq!(format!("{key:?}"), "OpeningKey(***)");
    }
}
