//! A file for the city: what it lacked when it was last heard of.

use super::book::{Book, Note};
use super::bundle::{send, vouched};
use super::parcel;
use crate::chain::Held;
use crate::enrol::Enrolment;
use crate::error::{SyncError, Way};
use crate::plan::Sides;
use replica::{BlobHash, DeviceId, Frontier};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use store::{MOST_LOST, Sources, Store};
use wire::file::{BLOBS, Head, Label, PART, Purpose, SectionHead, SectionKind, write};
use wire::{Bodies, ChangeWriter, Have, Request, Span, StreamAsk};

/// What goes into a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// What no receipt covers.
    SinceReceipt,
    /// All of it, for a city that lost what it had.
    Everything,
}

/// How a file is made.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub scope: Scope,
    /// Bytes of attachments that it may hold.
    pub room: u64,
    /// Records that it may take away at the city: 20, or as many as a person agreed to.
    pub most_lost: u64,
}

impl Terms {
    /// What is usual, without a person's word.
    pub fn of(scope: Scope) -> Self {
        Self { scope, room: BLOBS, most_lost: MOST_LOST }
    }
}

/// A file that was written, and is noted as made once it is where it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    pub note: Note,
    blobs: Vec<BlobHash>,
}

/// Writes a file for the city. Call [`exported`] once it is safely where the person wants it. `TooManyLost`: a person is
/// asked first, and nothing was written.
pub fn export(
    store: &Store,
    sources: &dyn Sources,
    terms: Terms,
    out: &mut dyn Write,
) -> Result<Exported, SyncError> {
    let Terms { scope, room, most_lost } = terms;
    let enrolment = Enrolment::of(store)?.ok_or(SyncError::NotEnrolled)?;
    let losses = store.losses_to_send()?;
    if losses.count > most_lost {
        return Err(SyncError::TooManyLost { way: Way::Outgoing, losses });
    }
    let mut sides = vouched(store, &enrolment.root)?;
    if scope == Scope::Everything {
        sides.iter_mut().for_each(|sides| sides.theirs = Frontier::default());
    }
    let mut nonce = [0; 16];
    sources.fill(&mut nonce);
    let mut note = Note::new(&nonce, sources.now());
    note.records = store.outbox()?.records;
    note.ends = own_ends(store, &sides)?;
    let (bodies, changes) = bodies(store, &sides)?;
    note.changes = changes as u64;
    let parcel = parcel::pack(store, &sides, scope, room)?;
    (note.blobs, note.blobs_left) = (parcel.blobs.len() as u64, parcel.left);
    let label = Label { purpose: Purpose::Request, city: enrolment.root, recipient: enrolment.operating };
    let mut parts: Vec<_> = bodies.into_iter().map(|body| (SectionKind::Message, body)).collect();
    parts.push((SectionKind::Held, parcel.held.encode()));
    let head = Head {
        sender: store.device()?,
        nonce,
        at: note.at,
        answers: None,
        since: store.receipts(1)?.first().map_or(0, |receipt| receipt.at),
        certificate: String::new(),
        streams: sides.iter().map(|sides| sides.stream).collect(),
        sections: parts.iter().map(named).chain(parcel.sections()).collect(),
    };
    let signature = store.sign(&head.signature_input(&label))?;
    let mut bodies: Vec<&[u8]> = parts.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    let mut blobs: Vec<_> = parcel.readers(store).collect();
    let bodies = bodies.iter_mut().map(|body| body as &mut dyn Read);
    let sections = bodies.chain(blobs.iter_mut().map(|blob| blob as &mut dyn Read));
    let mut counted = Counted { out, bytes: 0 };
    write(&label, &head, &signature, sections, &mut counted)?;
    note.bytes = counted.bytes;
    Ok(Exported { note, blobs: parcel.blobs.iter().map(|named| named.hash).collect() })
}

fn named((kind, bytes): &(SectionKind, Vec<u8>)) -> SectionHead {
    SectionHead { kind: *kind, len: bytes.len() as u64, hash: *blake3::hash(bytes).as_bytes() }
}

/// Notes that a file is where it should be: its changes wait for a receipt from now on.
pub fn exported(store: &Store, file: &Exported) -> Result<(), SyncError> {
    Book::add(store, file.note.clone())?;
    parcel::note_carried(store, &file.blobs)
}

/// The request in as many bodies as it takes: the first says what is held here, the others only carry.
fn bodies(store: &Store, sides: &[Sides]) -> Result<(Vec<Vec<u8>>, usize), SyncError> {
    let asks =
        sides.iter().map(|sides| StreamAsk { stream: sides.stream, have: Have::Full(sides.mine.clone()) });
    let mut request =
        Request { streams: asks.collect(), budget: u32::MAX, presented: Vec::new(), changes: Vec::new() };
    let first = request.begin();
    request.streams.clear();
    let next = || -> ChangeWriter { request.begin() };
    let mut out = Bodies::new(first, next, PART);
    for sides in sides {
        send(store, &sides.stream, &spans(store, sides)?, &mut out)?;
    }
    let count = out.count();
    Ok((out.finish(), count))
}

/// What the city lacks. Where it named an end that is not known here, a trace could say what is shared; a file cannot
/// ask for one, so the whole chain goes.
fn spans(store: &Store, sides: &Sides) -> Result<BTreeMap<DeviceId, Span>, SyncError> {
    let held = Held::new(store, &sides.stream);
    let mut spans = sides.to_send(&BTreeSet::new(), &held);
    for device in wire::difference(&sides.mine, &sides.theirs, &sides.traces, &held).unknown {
        if sides.mine.0.contains_key(&device) {
            spans.entry(device).or_insert(Span::After(0));
        }
    }
    held.done()?;
    Ok(spans)
}

fn own_ends(store: &Store, sides: &[Sides]) -> Result<Vec<(DeviceId, u64, replica::ChangeId)>, SyncError> {
    let own = store.own_stream()?;
    let Some(sides) = sides.iter().find(|sides| Some(sides.stream) == own) else { return Ok(Vec::new()) };
    let devices = sides.mine.0.keys();
    Ok(devices.flat_map(|device| sides.mine.ends(device).map(|(n, id)| (*device, n, id))).collect())
}

struct Counted<'a> {
    out: &'a mut dyn Write,
    bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
