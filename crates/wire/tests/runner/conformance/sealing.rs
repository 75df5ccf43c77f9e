//! Sealing whatever is to be inside, good or not. What age draws is drawn anew each time, so a file of the pack is kept as
//! long as it holds what it should.

use std::io::{Read, Write};

use ed25519_dalek::SigningKey;
use replica::{device_of, opening_key, sealing_key};
use serde_json::Value;
use wire::file::Label;

use crate::pack::{bytes, cases, stored};

/// The bytes of a file with this inside: the ones that the pack has under the name, if they hold just that.
pub fn sealed(pack: &str, name: &str, to: &SigningKey, label: &Label, inside: &[u8]) -> Vec<u8> {
    kept(pack, name).filter(|file| opened(file, to, label).as_deref() == Some(inside)).unwrap_or_else(|| {
        let recipient: age::x25519::Recipient =
            bech32("age", &sealing_key(&device_of(to)).unwrap()).parse().unwrap();
        let sealing =
            age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient)).unwrap();
        let mut out = sealing.wrap_output(label.to_bytes()).unwrap();
        out.write_all(inside).unwrap();
        out.finish().unwrap()
    })
}

fn kept(pack: &str, name: &str) -> Option<Vec<u8>> {
    let file = stored(pack)?;
    let is_it = |case: &&Value| case["name"] == name && (case["door"].is_null() || case["door"] == "file");
    let case = cases(&file).find(is_it)?;
    let given = if case["given"].is_null() { case } else { &case["given"] };
    Some(bytes(&given["bytes"]))
}

fn opened(file: &[u8], key: &SigningKey, label: &Label) -> Option<Vec<u8>> {
    let behind = file.strip_prefix(label.to_bytes().as_slice())?;
    let secret: age::x25519::Identity = bech32("age-secret-key-", &opening_key(key)).parse().ok()?;
    let mut inside = Vec::new();
    let sealed = age::Decryptor::new(behind).ok()?;
    let mut from = sealed.decrypt(std::iter::once(&secret as &dyn age::Identity)).ok()?;
    from.read_to_end(&mut inside).ok()?;
    Some(inside)
}

fn bech32(name: &str, key: &[u8; 32]) -> String {
    bech32::encode::<bech32::Bech32>(bech32::Hrp::parse(name).unwrap(), key).unwrap()
}
