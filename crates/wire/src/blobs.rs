//! Attachments on the wire: what is asked and said of many at once, and the requests that carry one (tus 1.0).

use replica::{BlobHash, DeviceId, StreamId};

use crate::bytes::{Malformed, Reader, Writer};
use crate::sign::Receipt;

/// Where is asked what the city holds. One attachment lies at `blob_path`.
pub const BLOBS_PATH: &str = "/v1/blobs";
/// The header that carries a request's head where the body is the attachment's own bytes, in hex.
pub const REQUEST_HEADER: &str = "jishi-request";
pub const TUS_VERSION: &str = "1.0.0";
/// The media type of a piece.
pub const PIECE_TYPE: &str = "application/offset+octet-stream";
/// Most bytes of one piece: what a cut can cost.
pub const PIECE: usize = 64 * 1024;
/// Fewest bytes of a piece that is not the last.
pub const LEAST_PIECE: usize = 4 * 1024;
/// Attachments that one request may ask about.
pub const MAX_ASKED: usize = 2_000;

const VERSION: u8 = 1;
const PURPOSE: &[u8] = b"jishi blobs v1\n";

/// The address of one attachment within a stream that names it.
pub fn blob_path(stream: &StreamId, hash: &BlobHash) -> String {
    format!("{BLOBS_PATH}/{stream}/{hash}")
}

/// Asks what the city holds of these.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlobAsk {
    pub streams: Vec<(StreamId, Vec<BlobHash>)>,
}

/// What the city holds of one attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobHeld {
    /// Nothing of the stream that this device may see names it.
    NotNamed,
    Missing,
    /// So many bytes from its beginning.
    Partial(u64),
    /// All of it, held against its name.
    Whole,
}

/// The city's signed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobAnswer {
    /// In the order of the request. `None`: the stream is refused.
    pub streams: Vec<Option<Vec<BlobHeld>>>,
    /// Its `frontiers` are the digest of request and answer.
    pub receipt: Receipt,
}

impl BlobAsk {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.byte(VERSION);
        write_by_stream(&mut out, &self.streams);
        out.0
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader(bytes);
        if from.byte()? != VERSION {
            return Err(Malformed);
        }
        let (mut streams, mut asked) = (Vec::new(), 0);
        for _ in 0..from.count()? {
            let stream = StreamId(from.fixed()?);
            let count = from.count()?;
            asked += count;
            if asked > MAX_ASKED {
                return Err(Malformed);
            }
            let hashes = (0..count).map(|_| from.fixed().map(BlobHash)).collect::<Result<_, _>>()?;
            streams.push((stream, hashes));
        }
        if from.is_empty() { Ok(Self { streams }) } else { Err(Malformed) }
    }
}

/// Attachments by the streams that name them.
pub(crate) fn write_by_stream(out: &mut Writer, streams: &[(StreamId, Vec<BlobHash>)]) {
    out.number(streams.len() as u64);
    for (stream, hashes) in streams {
        out.fixed(&stream.0);
        out.number(hashes.len() as u64);
        hashes.iter().for_each(|hash| out.fixed(&hash.0));
    }
}

impl BlobAnswer {
    /// What the receipt signs: the request's body and the answer before the receipt.
    pub fn digest(ask: &[u8], streams: &[Option<Vec<BlobHeld>>]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(PURPOSE).update(blake3::hash(ask).as_bytes()).update(&front(streams));
        *hasher.finalize().as_bytes()
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer(front(&self.streams));
        self.receipt.write(&mut out);
        out.0
    }

    /// Reads the answer to a request. That its receipt is over just this answer is checked here; whose key signed it
    /// is asked elsewhere.
    pub fn decode(bytes: &[u8], ask: &BlobAsk, nonce: [u8; 16], device: DeviceId) -> Result<Self, Malformed> {
        let mut from = Reader(bytes);
        if from.byte()? != VERSION {
            return Err(Malformed);
        }
        let mut streams = Vec::with_capacity(ask.streams.len());
        for (_, hashes) in &ask.streams {
            streams.push(match from.byte()? {
                0 => None,
                1 => Some(hashes.iter().map(|_| held(&mut from)).collect::<Result<_, _>>()?),
                _ => return Err(Malformed),
            });
        }
        let receipt = Receipt::read(&mut from, nonce, device)?;
        let right = from.is_empty() && receipt.frontiers == Self::digest(&ask.encode(), &streams);
        if right { Ok(Self { streams, receipt }) } else { Err(Malformed) }
    }
}

fn front(streams: &[Option<Vec<BlobHeld>>]) -> Vec<u8> {
    let mut out = Writer::default();
    out.byte(VERSION);
    for stream in streams {
        out.byte(u8::from(stream.is_some()));
        for held in stream.iter().flatten() {
            match held {
                BlobHeld::NotNamed => out.byte(0),
                BlobHeld::Missing => out.byte(1),
                BlobHeld::Partial(have) => {
                    out.byte(2);
                    out.number(*have);
                }
                BlobHeld::Whole => out.byte(3),
            }
        }
    }
    out.0
}

fn held(from: &mut Reader) -> Result<BlobHeld, Malformed> {
    Ok(match from.byte()? {
        0 => BlobHeld::NotNamed,
        1 => BlobHeld::Missing,
        2 => BlobHeld::Partial(from.number()?),
        3 => BlobHeld::Whole,
        _ => return Err(Malformed),
    })
}

/// What is done with one attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobMethod {
    /// Begins it, perhaps with its first piece.
    Post,
    /// Asks how much is there.
    Head,
    /// Adds a piece.
    Patch,
    /// Gives up what is there of one that is not whole.
    Delete,
    /// Reads it, or a part.
    Get,
}

impl BlobMethod {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Head => "HEAD",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Get => "GET",
        }
    }
}

/// A request for one attachment, whatever carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobRequest {
    pub method: BlobMethod,
    pub stream: StreamId,
    pub hash: BlobHash,
    /// The head that signs it, as `RequestHead::frame` writes it before an empty body.
    pub head: Vec<u8>,
    /// `Upload-Length`.
    pub length: Option<u64>,
    /// `Upload-Offset`.
    pub offset: Option<u64>,
    /// First and last byte that are wanted.
    pub range: Option<(u64, Option<u64>)>,
    pub body: Vec<u8>,
}

/// What came back. Anything but this city answers without `Tus-Resumable` and is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlobReply {
    pub status: u16,
    /// `Upload-Offset`.
    pub offset: Option<u64>,
    /// `Upload-Length`, or of the whole attachment that a part is of.
    pub length: Option<u64>,
    pub body: Vec<u8>,
    /// False if the connection broke before the end; the body then holds what arrived.
    pub whole: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask() -> BlobAsk {
        let hashes = |of: &[u8]| of.iter().map(|byte| BlobHash([*byte; 32])).collect();
        BlobAsk {
            streams: vec![(StreamId([1; 32]), hashes(&[1, 2, 3, 4])), (StreamId([2; 32]), hashes(&[5]))],
        }
    }

    fn answer(ask: &BlobAsk) -> BlobAnswer {
        let held = vec![BlobHeld::NotNamed, BlobHeld::Missing, BlobHeld::Partial(70_000), BlobHeld::Whole];
        let streams = vec![Some(held), None];
        let frontiers = BlobAnswer::digest(&ask.encode(), &streams);
        let (nonce, device) = ([7; 16], DeviceId([8; 32]));
        let receipt = Receipt { nonce, device, frontiers, at: 5, key: DeviceId([9; 32]), signature: [3; 64] };
        BlobAnswer { streams, receipt }
    }

    #[test]
    fn what_is_asked_and_said_comes_back() {
        let (ask, answer) = (ask(), answer(&ask()));
        assert_eq!(BlobAsk::decode(&ask.encode()), Ok(ask.clone()));
        assert_eq!(BlobAnswer::decode(&answer.encode(), &ask, [7; 16], DeviceId([8; 32])), Ok(answer));
    }

    #[test]
    fn an_answer_is_good_for_one_request_and_as_it_was_given() {
        let (ask, answer) = (ask(), answer(&ask()));
        let read = |bytes: &[u8], ask: &BlobAsk| BlobAnswer::decode(bytes, ask, [7; 16], DeviceId([8; 32]));
        let mut other = ask.clone();
        other.streams[0].1[0] = BlobHash([6; 32]);
        assert_eq!(read(&answer.encode(), &other), Err(Malformed), "the answer to another question");
        let bytes = answer.encode();
        for index in 0..bytes.len() - 64 - 32 - 8 {
            let mut altered = bytes.clone();
            altered[index] ^= 1;
            assert_eq!(read(&altered, &ask), Err(Malformed), "byte {index}");
        }
        assert_eq!(read(&bytes[..bytes.len() - 1], &ask), Err(Malformed));
    }

    #[test]
    fn too_many_or_too_few_are_refused_before_they_are_read() {
        let many = |count| BlobAsk { streams: vec![(StreamId([1; 32]), vec![BlobHash([2; 32]); count])] };
        assert!(BlobAsk::decode(&many(MAX_ASKED).encode()).is_ok());
        assert_eq!(BlobAsk::decode(&many(MAX_ASKED + 1).encode()), Err(Malformed));
        for bytes in [&[][..], &[2], &[1, 5], &[1, 0, 0], &ask().encode()[..100]] {
            assert_eq!(BlobAsk::decode(bytes), Err(Malformed), "{bytes:?}");
        }
    }
}
