//! The two messages of an exchange. Over HTTP or in a file: the same bytes.

use replica::{ChangeId, DeviceId, Frontier, RawChange, StreamId};

use crate::body::Whole;
use crate::bytes::{Malformed, Reader, Writer};
use crate::changes::{ChangeWriter, read_body};
use crate::difference::{Place, Traces};
use crate::sign::{RECEIPT_LEN, Receipt, frontiers_digest};

const VERSION: u8 = 1;

/// What a side holds of a stream once it has what is in the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Have {
    /// `digest_of` the frontier: enough when nothing is expected to be new.
    Digest([u8; 16]),
    Full(Frontier),
}

/// The short digest by which two sides see that a frontier is the same.
pub fn digest_of(frontier: &Frontier) -> [u8; 16] {
    frontier.digest()[..16].try_into().expect("a digest has 32 bytes")
}

impl Have {
    /// Says whether this is what a side with the frontier holds.
    pub fn is(&self, frontier: &Frontier) -> bool {
        match self {
            Self::Digest(digest) => *digest == digest_of(frontier),
            Self::Full(theirs) => theirs == frontier,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamAsk {
    pub stream: StreamId,
    pub have: Have,
}

/// What a laptop says: what it holds, and what the city lacked when it last heard of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub streams: Vec<StreamAsk>,
    /// Bytes of answer that it can take.
    pub budget: u32,
    /// Receipts that the city gave for changes in here: it was set back since, and no longer knows when it got them.
    pub presented: Vec<Presented>,
    /// Filled in by `decode`, and written by `encode`; `begin` leaves them to the caller.
    pub changes: Vec<RawChange>,
}

/// A receipt with what it was given for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    pub receipt: Receipt,
    pub frontiers: Vec<(StreamId, Frontier)>,
}

impl Presented {
    /// Says whether these are the frontiers that the receipt was signed for. Whose the key is, is another question.
    pub fn is_sound(&self) -> bool {
        let frontiers = self.frontiers.iter().map(|(stream, frontier)| (*stream, frontier));
        frontiers_digest(frontiers) == self.receipt.frontiers && self.receipt.is_signed()
    }

    fn write(&self, out: &mut Writer) {
        out.fixed(&self.receipt.to_bytes());
        out.sized(&frontiers_to_bytes(&self.frontiers));
    }

    fn read(from: &mut Reader) -> Result<Self, Malformed> {
        let receipt = Receipt::from_bytes(&from.fixed::<RECEIPT_LEN>()?)?;
        Ok(Self { receipt, frontiers: frontiers_from_bytes(from.sized()?)? })
    }
}

/// Frontiers of several streams as they are kept beside the receipt that covers them.
pub fn frontiers_to_bytes(frontiers: &[(StreamId, Frontier)]) -> Vec<u8> {
    let mut out = Writer::default();
    out.number(frontiers.len() as u64);
    for (stream, frontier) in frontiers {
        out.fixed(&stream.0);
        write_frontier(frontier, &mut out);
    }
    out.0
}

pub fn frontiers_from_bytes(bytes: &[u8]) -> Result<Vec<(StreamId, Frontier)>, Malformed> {
    let mut from = Reader(bytes);
    (0..from.count()?).map(|_| Ok((StreamId(from.fixed()?), read_frontier(&mut from)?))).collect()
}

/// Of one stream, in the order of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamState {
    /// Both sides hold the same now.
    Same,
    /// The city's frontier after what was sent, and for each device of which it was told an end that it does not
    /// know, places of its own chain.
    Differs { frontier: Frontier, traces: Traces },
    /// Not served to this device; `refused` says why.
    Refused,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamAnswer {
    pub stream: StreamId,
    pub state: StreamState,
}

/// Something that was turned away. Everything else went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusedPart {
    Stream { stream: StreamId, code: String },
    Device { device: DeviceId, code: String },
    Change { change: ChangeId, code: String },
}

/// What the city says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub streams: Vec<StreamAnswer>,
    pub refused: Vec<RefusedPart>,
    /// Seconds after which to come again.
    pub retry_after: Option<u32>,
    pub receipt: Option<Receipt>,
    /// Changes that the city holds without their values, which their author may still have.
    pub wanted: Vec<ChangeId>,
    /// More is waiting than fitted the budget.
    pub more: bool,
    /// Filled in by `decode`, and written by `encode`; `begin` leaves them to the caller.
    pub changes: Vec<RawChange>,
}

/// The code with which a device is refused whose right to write was taken.
pub const REVOKED: &str = "revoked";

impl Request {
    /// Starts a body to which the caller adds changes while there is room.
    pub fn begin(&self) -> ChangeWriter {
        let mut out = Writer::default();
        out.byte(VERSION);
        out.number(u64::from(self.budget));
        out.number(self.streams.len() as u64);
        for ask in &self.streams {
            out.fixed(&ask.stream.0);
            match &ask.have {
                Have::Digest(digest) => {
                    out.byte(0);
                    out.fixed(digest);
                }
                Have::Full(frontier) => {
                    out.byte(1);
                    write_frontier(frontier, &mut out);
                }
            }
        }
        if !self.presented.is_empty() {
            out.number(self.presented.len() as u64);
            self.presented.iter().for_each(|presented| presented.write(&mut out));
        }
        ChangeWriter::new(&out.0)
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut body = self.begin();
        self.changes.iter().for_each(|change| body.add(change));
        body.finish(false)
    }

    /// Reads a request, or what arrived of one. Its changes are not verified yet.
    pub fn decode(body: &[u8]) -> Result<(Self, Whole), Malformed> {
        let read = read_body(body).map_err(|_| Malformed)?;
        let front = read.front.ok_or(Malformed)?;
        let mut from = Reader(&front);
        version(&mut from)?;
        let budget = u32::try_from(from.number()?).map_err(|_| Malformed)?;
        let streams = (0..from.count()?).map(|_| read_ask(&mut from)).collect::<Result<_, _>>()?;
        let presented =
            (0..rest(&mut from)?).map(|_| Presented::read(&mut from)).collect::<Result<_, _>>()?;
        Ok((Self { streams, budget, presented, changes: read.changes }, read.whole))
    }
}

impl Answer {
    /// Says whether the city only takes from this device and gives nothing: no changes, no receipt.
    pub fn is_to_revoked(&self, asker: &DeviceId) -> bool {
        let revoked = |part: &RefusedPart| matches!(part, RefusedPart::Device { device, code } if device == asker && code == REVOKED);
        self.receipt.is_none() && self.refused.iter().any(revoked)
    }

    /// Starts a body to which the caller adds changes while there is room.
    pub fn begin(&self) -> ChangeWriter {
        let mut out = Writer::default();
        out.byte(VERSION);
        out.number(self.streams.len() as u64);
        for answer in &self.streams {
            write_state(&answer.state, &mut out);
        }
        out.number(self.refused.len() as u64);
        for part in &self.refused {
            write_refused(part, &mut out);
        }
        out.number(self.retry_after.map_or(0, |seconds| u64::from(seconds) + 1));
        out.byte(u8::from(self.receipt.is_some()));
        if let Some(receipt) = &self.receipt {
            receipt.write(&mut out);
        }
        if !self.wanted.is_empty() {
            out.number(self.wanted.len() as u64);
            self.wanted.iter().for_each(|id| out.fixed(&id.0));
        }
        ChangeWriter::new(&out.0)
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut body = self.begin();
        self.changes.iter().for_each(|change| body.add(change));
        body.finish(self.more)
    }

    /// Reads the answer to a request, or what arrived of it; the request's streams, nonce and device fill in what
    /// the city left out.
    pub fn decode(
        body: &[u8],
        asked: &[StreamAsk],
        nonce: [u8; 16],
        device: DeviceId,
    ) -> Result<(Self, Whole), Malformed> {
        let read = read_body(body).map_err(|_| Malformed)?;
        let front = read.front.ok_or(Malformed)?;
        let mut from = Reader(&front);
        version(&mut from)?;
        if from.count()? != asked.len() {
            return Err(Malformed);
        }
        let streams = asked
            .iter()
            .map(|ask| Ok(StreamAnswer { stream: ask.stream, state: read_state(&mut from)? }))
            .collect::<Result<_, _>>()?;
        let refused = (0..from.count()?).map(|_| read_refused(&mut from)).collect::<Result<_, _>>()?;
        let retry_after = match from.number()? {
            0 => None,
            seconds => Some(u32::try_from(seconds - 1).map_err(|_| Malformed)?),
        };
        let receipt = match from.byte()? {
            0 => None,
            _ => Some(Receipt::read(&mut from, nonce, device)?),
        };
        let wanted = (0..rest(&mut from)?).map(|_| Ok(ChangeId(from.fixed()?))).collect::<Result<_, _>>()?;
        let (more, changes) = (read.more, read.changes);
        Ok((Self { streams, refused, retry_after, receipt, wanted, more, changes }, read.whole))
    }
}

/// The length of a list at the end of a front, which is left out when it is empty.
fn rest(from: &mut Reader) -> Result<usize, Malformed> {
    if from.is_empty() { Ok(0) } else { from.count() }
}

fn version(from: &mut Reader) -> Result<(), Malformed> {
    if from.byte()? == VERSION { Ok(()) } else { Err(Malformed) }
}

fn read_ask(from: &mut Reader) -> Result<StreamAsk, Malformed> {
    let stream = StreamId(from.fixed()?);
    let have = match from.byte()? {
        0 => Have::Digest(from.fixed()?),
        1 => Have::Full(read_frontier(from)?),
        _ => return Err(Malformed),
    };
    Ok(StreamAsk { stream, have })
}

fn write_state(state: &StreamState, out: &mut Writer) {
    match state {
        StreamState::Same => out.byte(0),
        StreamState::Differs { frontier, traces } => {
            out.byte(1);
            write_frontier(frontier, out);
            out.number(traces.len() as u64);
            for (device, places) in traces {
                out.fixed(&device.0);
                write_places(places.iter().copied(), out);
            }
        }
        StreamState::Refused => out.byte(2),
    }
}

fn read_state(from: &mut Reader) -> Result<StreamState, Malformed> {
    match from.byte()? {
        0 => Ok(StreamState::Same),
        1 => {
            let frontier = read_frontier(from)?;
            let mut traces = Traces::new();
            for _ in 0..from.count()? {
                traces.insert(DeviceId(from.fixed()?), read_places(from)?);
            }
            Ok(StreamState::Differs { frontier, traces })
        }
        2 => Ok(StreamState::Refused),
        _ => Err(Malformed),
    }
}

fn write_frontier(frontier: &Frontier, out: &mut Writer) {
    out.number(frontier.0.len() as u64);
    for device in frontier.0.keys() {
        out.fixed(&device.0);
        write_places(frontier.ends(device), out);
    }
}

fn read_frontier(from: &mut Reader) -> Result<Frontier, Malformed> {
    let mut frontier = Frontier::default();
    for _ in 0..from.count()? {
        let device = DeviceId(from.fixed()?);
        frontier.0.insert(device, read_places(from)?.into_iter().collect());
    }
    Ok(frontier)
}

fn write_places(places: impl Iterator<Item = Place>, out: &mut Writer) {
    let places: Vec<Place> = places.collect();
    out.number(places.len() as u64);
    for (n, id) in places {
        out.number(n);
        out.fixed(&id.0);
    }
}

fn read_places(from: &mut Reader) -> Result<Vec<Place>, Malformed> {
    (0..from.count()?).map(|_| Ok((from.number()?, ChangeId(from.fixed()?)))).collect()
}

fn write_refused(part: &RefusedPart, out: &mut Writer) {
    let (tag, id, code) = match part {
        RefusedPart::Stream { stream, code } => (0, &stream.0, code),
        RefusedPart::Device { device, code } => (1, &device.0, code),
        RefusedPart::Change { change, code } => (2, &change.0, code),
    };
    out.byte(tag);
    out.fixed(id);
    out.sized(code.as_bytes());
}

fn read_refused(from: &mut Reader) -> Result<RefusedPart, Malformed> {
    let tag = from.byte()?;
    let id = from.fixed()?;
    let code = from.text()?.to_string();
    match tag {
        0 => Ok(RefusedPart::Stream { stream: StreamId(id), code }),
        1 => Ok(RefusedPart::Device { device: DeviceId(id), code }),
        2 => Ok(RefusedPart::Change { change: ChangeId(id), code }),
        _ => Err(Malformed),
    }
}
