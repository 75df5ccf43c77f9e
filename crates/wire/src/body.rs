//! Bodies: one byte that says how the rest is packed, then one zstd stream, flushed so that a cut loses little.

use std::io::{Read, Write};

use zstd::stream::read::Decoder;
use zstd::stream::write::Encoder;

use crate::limits::MAX_UNPACKED;

const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
/// Higher levels cost more time than they save bytes.
const LEVEL: i32 = 3;
/// Below this packing adds more than it saves.
const WORTH_PACKING: usize = 200;
/// log2 of the largest window that is unpacked.
const WINDOW_LOG: u32 = 23;

/// A body that cannot be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("packed in a way that this program does not know")]
    UnknownPacking,
    #[error("unpacks to more than is allowed")]
    TooLong,
}

/// Whether a body arrived whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    Yes,
    /// The connection broke; what came before is good.
    Cut,
}

/// Packs as it is written to.
pub(crate) struct Packer(Encoder<'static, Vec<u8>>);

impl Packer {
    pub fn new() -> Self {
        let mut encoder = Encoder::new(vec![ZSTD], LEVEL).expect("the level exists");
        encoder.include_contentsize(false).expect("a parameter of every version");
        Self(encoder)
    }

    /// Adds bytes and flushes, so that the receiver can unpack them without what follows.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("memory takes every byte");
        self.0.flush().expect("memory takes every byte");
    }

    /// Bytes of body so far.
    pub fn len(&self) -> usize {
        self.0.get_ref().len()
    }

    pub fn finish(self) -> Vec<u8> {
        self.0.finish().expect("memory takes every byte")
    }
}

/// Packs a body that needs no flushes, if it is worth it.
pub(crate) fn pack(bytes: &[u8]) -> Vec<u8> {
    if bytes.len() >= WORTH_PACKING {
        let mut packer = Packer::new();
        packer.0.write_all(bytes).expect("memory takes every byte");
        let packed = packer.finish();
        if packed.len() <= bytes.len() {
            return packed;
        }
    }
    [&[PLAIN], bytes].concat()
}

/// Unpacks what is there of a body.
pub(crate) fn unpack(body: &[u8]) -> Result<(Vec<u8>, Whole), BodyError> {
    match body.split_first() {
        None => Ok((Vec::new(), Whole::Cut)),
        Some((&PLAIN, rest)) => Ok((rest.to_vec(), Whole::Yes)),
        Some((&ZSTD, rest)) => unpack_zstd(rest),
        Some(_) => Err(BodyError::UnknownPacking),
    }
}

fn unpack_zstd(packed: &[u8]) -> Result<(Vec<u8>, Whole), BodyError> {
    let mut decoder = Decoder::with_buffer(packed).expect("memory for a decoder").single_frame();
    decoder.window_log_max(WINDOW_LOG).expect("a window that zstd knows");
    let mut out = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        match decoder.read(&mut piece) {
            Ok(0) => return Ok((out, Whole::Yes)),
            Ok(len) if out.len() + len > MAX_UNPACKED => return Err(BodyError::TooLong),
            Ok(len) => out.extend_from_slice(&piece[..len]),
            // Cut or damaged: every change in what came before carries its own signature.
            Err(_) => return Ok((out, Whole::Cut)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_flushed_survives_a_cut() {
        let mut packer = Packer::new();
        let mut ends = Vec::new();
        for round in 0..5u8 {
            packer.add(&[round; 1000]);
            ends.push(packer.len());
        }
        let body = packer.finish();
        for (round, end) in ends.iter().enumerate() {
            let (out, whole) = unpack(&body[..*end]).unwrap();
            assert_eq!((out.len(), whole), (1000 * (round + 1), Whole::Cut));
        }
        assert_eq!(unpack(&body).unwrap().1, Whole::Yes);
        assert_eq!(unpack(&[]), Ok((Vec::new(), Whole::Cut)));
    }

    #[test]
    fn bombs_and_unknown_packings_are_refused() {
        assert_eq!(unpack(&[9, 1, 2]), Err(BodyError::UnknownPacking));
        let bomb = pack(&vec![0; MAX_UNPACKED + 1]);
        assert!(bomb.len() < 10_000);
        assert_eq!(unpack(&bomb), Err(BodyError::TooLong));
    }

    #[test]
    fn small_bodies_stay_plain() {
        assert_eq!(pack(b"abc"), b"\0abc");
        assert!(pack(&[7; 500]).len() < 60);
    }
}
