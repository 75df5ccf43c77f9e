//! The keys by which something is sealed to a device: the X25519 form of the keys that it signs with, so that whoever
//! knows a device can seal something to it without having met it.

use ed25519_dalek::{SigningKey, VerifyingKey};

use crate::id::DeviceId;

/// The public X25519 key of a device. None if its id is no key, or a weak one that would seal to everybody.
pub fn sealing_key(device: &DeviceId) -> Option<[u8; 32]> {
    let key = VerifyingKey::from_bytes(&device.0).ok()?;
    (!key.is_weak()).then(|| key.to_montgomery().to_bytes())
}

/// The secret that belongs to [`sealing_key`], before the clamping that every X25519 does by itself.
pub fn opening_key(key: &SigningKey) -> [u8; 32] {
    key.to_scalar_bytes()
}

#[cfg(test)]
mod tests {
    use super::sealing_key;
    use crate::DeviceId;
    use ed25519_dalek::SigningKey;

    #[test]
    fn nothing_is_sealed_to_what_is_no_key() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(sealing_key(&DeviceId(identity)), None, "a point of small order");
        let device = SigningKey::from_bytes(&[2; 32]).verifying_key().to_bytes();
        assert!(sealing_key(&DeviceId(device)).is_some(), "a key");
        assert_eq!(sealing_key(&DeviceId([2; 32])), None, "not a point");
    }
}
