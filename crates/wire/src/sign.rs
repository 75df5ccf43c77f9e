//! What is signed around an exchange: the request by the device, the receipt by the city.

use replica::{DeviceId, Frontier, RootKey, StreamId, is_signed, to_hex};

use crate::bytes::{Malformed, Reader, Writer};

const VERSION: u8 = 1;
/// Bytes of a request's head: version, device, nonce, time, signature.
pub const HEAD_LEN: usize = 1 + 32 + 16 + 8 + 64;
/// Bytes of a kept receipt.
pub const RECEIPT_LEN: usize = 1 + 16 + 32 + 32 + 8 + 32 + 64;
const REQUEST_PURPOSE: &str = "jishi request v1";
const RECEIPT_PURPOSE: &[u8] = b"jishi receipt v1\n";
const FRONTIERS_PURPOSE: &[u8] = b"jishi frontiers v1\n";

/// Where a request goes. The signature covers it, so a request cannot be turned to another address or city.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    /// The `Content-Encoding` of the transport; usually empty, since bodies say themselves how they are packed.
    pub encoding: &'a str,
    /// The city's root key: what a laptop pins, whatever operating key the city uses this year.
    pub city: RootKey,
}

/// The head of a signed body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestHead {
    pub device: DeviceId,
    /// Fresh for each request; the city refuses one that it has seen.
    pub nonce: [u8; 16],
    /// Unix milliseconds on the device's clock.
    pub at: i64,
    pub signature: [u8; 64],
}

impl RequestHead {
    /// The bytes that the device signs.
    pub fn signature_input(&self, target: &Target, body: &[u8]) -> Vec<u8> {
        let Target { method, path, query, encoding, city } = target;
        let (device, nonce, at) = (self.device, to_hex(&self.nonce), self.at);
        let body = blake3::hash(body).to_hex();
        let lines = [
            REQUEST_PURPOSE,
            method,
            path,
            query,
            encoding,
            &city.to_string(),
            &device.to_string(),
            &nonce,
            &at.to_string(),
            &body,
        ];
        lines.join("\n").into_bytes()
    }

    /// Says whether the device that the head names signed this body for this target. The line break between parts
    /// cannot occur in a method, path or query of HTTP.
    pub fn is_signed(&self, target: &Target, body: &[u8]) -> bool {
        is_signed(&self.device, &self.signature_input(target, body), &self.signature)
    }

    /// Puts the head before the body.
    pub fn frame(&self, body: &[u8]) -> Vec<u8> {
        let mut out = Writer(Vec::with_capacity(HEAD_LEN + body.len()));
        out.byte(VERSION);
        out.fixed(&self.device.0);
        out.fixed(&self.nonce);
        out.fixed(&self.at.to_be_bytes());
        out.fixed(&self.signature);
        out.fixed(body);
        out.0
    }

    /// Takes the head off.
    pub fn split(framed: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let mut from = Reader(framed);
        if from.byte()? != VERSION {
            return Err(Malformed);
        }
        let head = Self {
            device: DeviceId(from.fixed()?),
            nonce: from.fixed()?,
            at: i64::from_be_bytes(from.fixed()?),
            signature: from.fixed()?,
        };
        Ok((head, from.0))
    }
}

/// The city's word that it held these frontiers at this time, answering this request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The nonce and the device of the request.
    pub nonce: [u8; 16],
    pub device: DeviceId,
    /// `frontiers_digest` of the streams that the request named.
    pub frontiers: [u8; 32],
    /// When the city received the request, unix milliseconds.
    pub at: i64,
    /// The operating key that signed. Whether the root certified it is asked elsewhere.
    pub key: DeviceId,
    pub signature: [u8; 64],
}

impl Receipt {
    /// The bytes that the city signs.
    pub fn signature_input(&self) -> Vec<u8> {
        let at = self.at.to_be_bytes();
        [RECEIPT_PURPOSE, &self.nonce, &self.device.0, &self.frontiers, &at].concat()
    }

    /// Says whether `key` signed it.
    pub fn is_signed(&self) -> bool {
        is_signed(&self.key, &self.signature_input(), &self.signature)
    }

    /// To keep and to show: everything, on 185 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.byte(VERSION);
        out.fixed(&self.nonce);
        out.fixed(&self.device.0);
        self.write(&mut out);
        out.0
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader(bytes);
        if from.byte()? != VERSION {
            return Err(Malformed);
        }
        let (nonce, device) = (from.fixed()?, DeviceId(from.fixed()?));
        let receipt = Self::read(&mut from, nonce, device)?;
        if from.is_empty() { Ok(receipt) } else { Err(Malformed) }
    }

    /// Without what the asker knows: its nonce and itself.
    pub(crate) fn write(&self, out: &mut Writer) {
        out.fixed(&self.frontiers);
        out.fixed(&self.at.to_be_bytes());
        out.fixed(&self.key.0);
        out.fixed(&self.signature);
    }

    pub(crate) fn read(from: &mut Reader, nonce: [u8; 16], device: DeviceId) -> Result<Self, Malformed> {
        Ok(Self {
            nonce,
            device,
            frontiers: from.fixed()?,
            at: i64::from_be_bytes(from.fixed()?),
            key: DeviceId(from.fixed()?),
            signature: from.fixed()?,
        })
    }
}

/// The digest over several streams' frontiers that a receipt carries, whatever order they are given in.
pub fn frontiers_digest<'a>(frontiers: impl IntoIterator<Item = (StreamId, &'a Frontier)>) -> [u8; 32] {
    let mut parts: Vec<_> =
        frontiers.into_iter().map(|(stream, frontier)| (stream, frontier.digest())).collect();
    parts.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    hasher.update(FRONTIERS_PURPOSE);
    for (stream, digest) in parts {
        hasher.update(&stream.0).update(&digest);
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};

    fn signed() -> (RequestHead, Target<'static>) {
        let key = SigningKey::from_bytes(&[7; 32]);
        let target =
            Target { method: "POST", path: "/v1/exchange", query: "", encoding: "", city: RootKey([9; 32]) };
        let mut head =
            RequestHead { device: replica::device_of(&key), nonce: [1; 16], at: 5, signature: [0; 64] };
        head.signature = key.sign(&head.signature_input(&target, b"body")).to_bytes();
        (head, target)
    }

    #[test]
    fn a_request_is_good_for_one_body_at_one_address_of_one_city() {
        let (head, target) = signed();
        assert!(head.is_signed(&target, b"body"));
        assert!(!head.is_signed(&target, b"bodx"));
        for other in [
            Target { method: "GET", ..target },
            Target { path: "/v1/other", ..target },
            Target { query: "a=1", ..target },
            Target { encoding: "gzip", ..target },
            Target { city: RootKey([8; 32]), ..target },
        ] {
            assert!(!head.is_signed(&other, b"body"), "{other:?}");
        }
        for other in [RequestHead { nonce: [2; 16], ..head }, RequestHead { at: 6, ..head }] {
            assert!(!other.is_signed(&target, b"body"));
        }
    }

    #[test]
    fn heads_come_off_as_they_went_on() {
        let (head, _) = signed();
        let framed = head.frame(b"body");
        assert_eq!(framed.len(), HEAD_LEN + 4);
        assert_eq!(RequestHead::split(&framed), Ok((head, &b"body"[..])));
        assert_eq!(RequestHead::split(&framed[..100]), Err(Malformed));
    }

    #[test]
    fn a_receipt_is_kept_whole_and_cannot_be_altered() {
        let key = SigningKey::from_bytes(&[3; 32]);
        let mut receipt = Receipt {
            nonce: [1; 16],
            device: DeviceId([2; 32]),
            frontiers: [4; 32],
            at: 1_790_000_000_000,
            key: replica::device_of(&key),
            signature: [0; 64],
        };
        receipt.signature = key.sign(&receipt.signature_input()).to_bytes();
        let bytes = receipt.to_bytes();
        assert_eq!((bytes.len(), Receipt::from_bytes(&bytes)), (185, Ok(receipt)));
        assert!(receipt.is_signed());
        for index in 1..bytes.len() {
            let mut altered = bytes.clone();
            altered[index] ^= 1;
            assert!(!Receipt::from_bytes(&altered).unwrap().is_signed(), "byte {index}");
        }
    }
}
