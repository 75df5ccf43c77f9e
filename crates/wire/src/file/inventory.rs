//! Attachments in a file: what its sender holds, and which ones go into it.

use crate::blobs::write_by_stream;
use crate::bytes::{Malformed, Reader, Writer};
use replica::{BlobHash, StreamId};
use std::collections::BTreeSet;

/// Bytes of attachments that one file carries: a stick and an old computer take them in a minute.
pub const BLOBS: u64 = 64 * 1024 * 1024;
/// Attachments that one file carries, so that its head stays far below what a head may be.
const MOST: usize = 10_000;
const VERSION: u8 = 1;

/// The attachments that the sender of a file holds whole, by the streams that name them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    pub streams: Vec<(StreamId, Vec<BlobHash>)>,
}

impl Inventory {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.byte(VERSION);
        write_by_stream(&mut out, &self.streams);
        out.0
    }

    /// Reads what `encode` wrote. What follows it is of a newer program, and passed over.
    pub fn decode(bytes: &[u8]) -> Result<Inventory, Malformed> {
        let mut from = Reader(bytes);
        if from.byte()? != VERSION {
            return Err(Malformed);
        }
        let streams = (0..from.count()?)
            .map(|_| {
                let stream = StreamId(from.fixed()?);
                let hashes =
                    (0..from.count()?).map(|_| from.fixed().map(BlobHash)).collect::<Result<_, _>>()?;
                Ok((stream, hashes))
            })
            .collect::<Result<_, _>>()?;
        Ok(Inventory { streams })
    }

    /// All of them, whichever stream names them.
    pub fn hashes(&self) -> BTreeSet<BlobHash> {
        self.streams.iter().flat_map(|(_, hashes)| hashes).copied().collect()
    }
}

/// How many of these attachments, given by their lengths in the order in which they travel, fit into a file that may
/// hold so many bytes of them.
pub fn fitting(lengths: impl Iterator<Item = u64>, mut room: u64) -> usize {
    let fits = |len: &u64| {
        let left = room.checked_sub(*len);
        room = left.unwrap_or(0);
        left.is_some()
    };
    lengths.take(MOST).take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use super::{Inventory, MOST, fitting};
    use replica::{BlobHash, StreamId};

    #[test]
    fn what_is_held_comes_back_and_anything_else_is_refused() {
        let hashes = |of: &[u8]| of.iter().map(|byte| BlobHash([*byte; 32])).collect();
        let held = Inventory {
            streams: vec![(StreamId([1; 32]), hashes(&[1, 2])), (StreamId([2; 32]), hashes(&[2]))],
        };
        let bytes = held.encode();
        assert_eq!(Inventory::decode(&bytes), Ok(held.clone()));
        assert_eq!(held.hashes().len(), 2, "each once");
        assert_eq!(Inventory::decode(&[&bytes[..], &[1, 2]].concat()), Ok(held), "of a newer program");
        for cut in 0..bytes.len() {
            assert!(Inventory::decode(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(Inventory::decode(&[2, 0]).is_err(), "another version");
    }

    #[test]
    fn a_file_is_filled_in_order_until_one_does_not_fit() {
        let table = [
            (&[][..], 10, 0),
            (&[4, 6], 10, 2),
            (&[4, 6, 1], 10, 2),
            (&[4, 7, 1], 10, 1),
            (&[11], 10, 0),
            (&[u64::MAX, 1], 10, 0),
        ];
        for (lengths, room, expected) in table {
            assert_eq!(fitting(lengths.iter().copied(), room), expected, "{lengths:?}");
        }
        assert_eq!(fitting(std::iter::repeat_n(1, MOST + 5), u64::MAX), MOST);
    }
}
