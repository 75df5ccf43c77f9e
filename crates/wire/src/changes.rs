//! Changes in a body: packed in chunks, each chunk a column of headers, one of payloads, one of signatures, because
//! like packs better beside like.

use replica::{Header, PayloadHash, RawChange};

use crate::body::{BodyError, Packer, Whole, pack, unpack};
use crate::bytes::{Malformed, Reader, Writer};
use crate::limits::{CHUNK, MAX_UNPACKED};
use crate::shorthand::{PayloadFacts, Tables};

const AS_IT_IS: u8 = 1;
const HELD: u8 = 2;
const SIGNATURE: usize = 64;

/// Writes a body: a front, then changes as long as there is room, then whether more is waiting.
pub struct ChangeWriter {
    front: Vec<u8>,
    packer: Option<Packer>,
    tables: Tables,
    chunk: Chunk,
    count: usize,
}

#[derive(Default)]
struct Chunk {
    count: u64,
    heads: Writer,
    payloads: Writer,
    signatures: Vec<u8>,
}

impl Chunk {
    fn len(&self) -> usize {
        self.heads.0.len() + self.payloads.0.len() + self.signatures.len()
    }

    fn write(&self, out: &mut Writer) {
        out.number(self.count);
        out.sized(&self.heads.0);
        out.sized(&self.payloads.0);
        out.fixed(&self.signatures);
    }
}

impl ChangeWriter {
    pub(crate) fn new(front: &[u8]) -> Self {
        let mut writer = Writer::default();
        writer.sized(front);
        Self { front: writer.0, packer: None, tables: Tables::default(), chunk: Chunk::default(), count: 0 }
    }

    /// Says whether another change may go. The first always may, or a long one would never go at all.
    pub fn has_room(&self, budget: u32) -> bool {
        let done = self.packer.as_ref().map_or(self.front.len(), Packer::len);
        // Headers and payloads shrink to about a third; signatures do not.
        let waiting = (self.chunk.len() - self.chunk.signatures.len()) / 3 + self.chunk.signatures.len();
        self.count == 0 || done + waiting < budget as usize
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Adds a change. Those of one device should come in the order of their chain.
    pub fn add(&mut self, change: &RawChange) {
        let payload = change.payload.as_deref();
        let held = if payload.is_some() { HELD } else { 0 };
        match plain_header(change) {
            Some((header, explicit)) => {
                self.chunk.heads.byte(held);
                self.tables.write(&header, explicit, &mut self.chunk.heads);
                self.tables.remember(change.id(), Some(&header));
            }
            None => {
                self.chunk.heads.byte(held | AS_IT_IS);
                self.chunk.heads.sized(&change.header);
                self.tables.remember(change.id(), None);
            }
        }
        if let Some(payload) = payload {
            self.chunk.payloads.sized(payload);
        }
        self.chunk.signatures.extend_from_slice(&change.signature);
        self.chunk.count += 1;
        self.count += 1;
        if self.chunk.len() >= CHUNK {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let front = std::mem::take(&mut self.front);
        let packer = self.packer.get_or_insert_with(|| {
            let mut packer = Packer::new();
            packer.add(&front);
            packer
        });
        let mut out = Writer::default();
        std::mem::take(&mut self.chunk).write(&mut out);
        packer.add(&out.0);
    }

    /// Ends the body. `more`: changes are left that did not fit.
    pub fn finish(mut self, more: bool) -> Vec<u8> {
        if self.packer.is_some() && self.chunk.count > 0 {
            self.flush();
        }
        let mut end = Writer(std::mem::take(&mut self.front));
        if self.chunk.count > 0 {
            self.chunk.write(&mut end);
        }
        end.number(0);
        end.byte(u8::from(more));
        match self.packer {
            None => pack(&end.0),
            Some(mut packer) => {
                packer.add(&end.0);
                packer.finish()
            }
        }
    }
}

/// Where changes go on their way out.
pub trait Outgoing {
    /// Says whether another change may go.
    fn has_room(&self) -> bool;
    fn add(&mut self, change: &RawChange);
}

/// One body, within a budget.
pub struct Budgeted<'a> {
    pub writer: &'a mut ChangeWriter,
    pub budget: u32,
}

impl Outgoing for Budgeted<'_> {
    fn has_room(&self) -> bool {
        self.writer.has_room(self.budget)
    }

    fn add(&mut self, change: &RawChange) {
        self.writer.add(change);
    }
}

/// As many bodies as it takes, for a file: the first with the message's front, the others begun by `next`.
pub struct Bodies<F> {
    done: Vec<Vec<u8>>,
    writer: ChangeWriter,
    next: F,
    part: u32,
    count: usize,
}

impl<F: Fn() -> ChangeWriter> Bodies<F> {
    pub fn new(first: ChangeWriter, next: F, part: u32) -> Self {
        Self { done: Vec::new(), writer: first, next, part, count: 0 }
    }

    /// Changes in all bodies.
    pub fn count(&self) -> usize {
        self.count
    }

    pub fn finish(mut self) -> Vec<Vec<u8>> {
        self.done.push(self.writer.finish(false));
        self.done
    }
}

impl<F: Fn() -> ChangeWriter> Outgoing for Bodies<F> {
    fn has_room(&self) -> bool {
        true
    }

    fn add(&mut self, change: &RawChange) {
        if !self.writer.has_room(self.part) {
            let full = std::mem::replace(&mut self.writer, (self.next)());
            self.done.push(full.finish(false));
        }
        self.writer.add(change);
        self.count += 1;
    }
}

/// The header, if expanding its shorthand gives these bytes again, and whether its payload must be described.
fn plain_header(change: &RawChange) -> Option<(Header, bool)> {
    let header: Header = serde_json::from_slice(&change.header).ok()?;
    let canonical = header.v == replica::limits::VERSION
        && (header.n == 1) == header.prev.is_none()
        && header.to_bytes() == change.header;
    let facts = change.payload.as_deref().map(facts);
    let told =
        facts.is_some_and(|facts| facts.hash == header.payload_hash && facts.len == header.payload_len);
    canonical.then_some((header, !told))
}

fn facts(payload: &[u8]) -> PayloadFacts {
    PayloadFacts { hash: PayloadHash(*blake3::hash(payload).as_bytes()), len: payload.len() as u64 }
}

/// What a body held.
pub struct Read {
    /// None: the body was cut before its front was whole.
    pub front: Option<Vec<u8>>,
    /// Every change that arrived whole. Nothing about them is verified yet.
    pub changes: Vec<RawChange>,
    /// Changes were left that did not fit. True for a cut body.
    pub more: bool,
    pub whole: Whole,
}

/// Reads what is there of a body that may be cut.
pub fn read_body(body: &[u8]) -> Result<Read, BodyError> {
    let (bytes, whole) = unpack(body)?;
    let mut read = Read { front: None, changes: Vec::new(), more: true, whole: Whole::Cut };
    let mut from = Reader(&bytes);
    let Ok(front) = from.sized() else { return Ok(read) };
    read.front = Some(front.to_vec());
    let mut tables = Tables::default();
    let mut expanded = 0;
    while let Ok(count) = from.number() {
        if count == 0 {
            let Ok(more) = from.byte() else { break };
            read.more = more != 0;
            read.whole = whole;
            break;
        }
        let Ok(changes) = read_chunk(&mut from, count, &mut tables) else { break };
        expanded += changes.iter().map(|change| change.header.len()).sum::<usize>();
        if expanded > MAX_UNPACKED {
            return Err(BodyError::TooLong);
        }
        read.changes.extend(changes);
    }
    Ok(read)
}

fn read_chunk(from: &mut Reader, count: u64, tables: &mut Tables) -> Result<Vec<RawChange>, Malformed> {
    let mut heads = Reader(from.sized()?);
    let mut payloads = Reader(from.sized()?);
    let count = usize::try_from(count).map_err(|_| Malformed)?;
    let signatures = from.take(count.checked_mul(SIGNATURE).ok_or(Malformed)?)?;
    let mut changes = Vec::with_capacity(count);
    for signature in signatures.chunks_exact(SIGNATURE) {
        let signature = signature.try_into().expect("chunks of just this size");
        changes.push(read_change(&mut heads, &mut payloads, signature, tables)?);
    }
    if heads.is_empty() && payloads.is_empty() { Ok(changes) } else { Err(Malformed) }
}

fn read_change(
    heads: &mut Reader,
    payloads: &mut Reader,
    signature: [u8; SIGNATURE],
    tables: &mut Tables,
) -> Result<RawChange, Malformed> {
    let flags = heads.byte()?;
    let payload = if flags & HELD == 0 { None } else { Some(payloads.sized()?.to_vec()) };
    let mut change = RawChange { header: Vec::new(), signature, payload };
    if flags & AS_IT_IS == 0 {
        let header = tables.read(heads, change.payload.as_deref().map(facts))?;
        change.header = header.to_bytes();
        tables.remember(change.id(), Some(&header));
    } else {
        change.header = heads.sized()?.to_vec();
        tables.remember(change.id(), None);
    }
    Ok(change)
}
