//! A file from the city: taken in section by section, so that what is good of a damaged one is kept.

use super::asking::Pending;
use super::book::{Book, Signed};
use super::bundle::covers;
use super::parcel;
use crate::announced;
use crate::enrol::{Enrolment, accept};
use crate::error::SyncError;
use crate::plan;
use replica::{BlobHash, ChangeId, DeviceId, Frontier, RawChange, RootKey, StreamId, is_certificate};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use store::{Appended, BlobHere, Losses, Store, StoreError, StoredReceipt, Verified};
use wire::enrol::{EnrolYes, Keys, Sealed, Way};
use wire::file::{
    FileError, Head, Inventory, Label, OpenFile, OpeningKey, Place, Purpose, Section, SectionKind, Unsealed,
    open,
};
use wire::{Answer, Have, RefusedPart, StreamAsk, frontiers_to_bytes};

/// Bytes of changes that are taken in together. A branch has far fewer in ten years.
const MOST_IN_MEMORY: usize = 64 * 1024 * 1024;

/// What a file did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// It let this computer in. If `reissue_from` is set, records have to be matched first.
    pub enrolled: Option<Enrolment>,
    /// When the city made it, by its clock.
    pub made_at: i64,
    /// The nonce of the export that it answers, in hex.
    pub answers: Option<String>,
    /// Changes that are new here, that were here, and that wait for one before them.
    pub new: u64,
    pub known: u64,
    pub waiting: u64,
    /// What the city turned away.
    pub refused: Vec<RefusedPart>,
    /// The city's time of the receipt.
    pub receipt_at: Option<i64>,
    /// A later answer was here before: its receipt stands.
    pub stale: bool,
    /// Attachments that arrived, that the city holds and was not known to, and that it holds and that did not come with
    /// this file.
    pub blobs: u64,
    pub blobs_reported: u64,
    pub blobs_left: u64,
    /// The address of the city, which was not known here before and is used from now on.
    pub moved_to: Option<String>,
    /// More records than the person agreed to would lose something by it. No change of it was taken in then; its receipt
    /// and its attachments were, and it can be read again after a yes.
    pub question: Option<Losses>,
    /// From here on the file could not be read; what came before was taken in.
    pub damaged: Option<Place>,
}

/// Takes in a file that the city made. At most so many records may lose something by it; for more there is a question.
pub fn import(store: &Store, mut from: impl Read, most_lost: u64) -> Result<Imported, SyncError> {
    let label = Label::read(&mut from)?;
    let known = Enrolment::of(store)?;
    match label.purpose {
        Purpose::Request | Purpose::EnrolAsk => return Err(SyncError::WrongWay),
        Purpose::Answer | Purpose::EnrolYes => {}
    }
    if known.as_ref().is_some_and(|known| known.root != label.city) {
        return Err(SyncError::OtherCity);
    }
    let key = store.opening_key(&label.recipient)?.ok_or(SyncError::OtherComputer)?;
    let file = open(&label, from, &OpeningKey::new(&key))?;
    let mut intake = Intake {
        store,
        label,
        file,
        most_lost,
        changes: Vec::new(),
        bytes: 0,
        came: Vec::new(),
        held: None,
        lacking: None,
        done: Imported::default(),
    };
    let certified = is_from(&label.city, &intake.file.head);
    let enrolment = match known {
        Some(known) => known,
        None => intake.enrol()?,
    };
    if !certified {
        return Err(SyncError::BadSignature);
    }
    intake.run(enrolment)?;
    Ok(intake.done)
}

/// Says whether the root vouches for who made the file.
fn is_from(root: &RootKey, head: &Head) -> bool {
    let certificate = serde_json::from_str(&head.certificate);
    certificate.is_ok_and(|certificate| is_certificate(root, &head.sender, &certificate))
}

struct Intake<'a, R: Read> {
    store: &'a Store,
    label: Label,
    file: OpenFile<Unsealed<R>>,
    most_lost: u64,
    /// Changes that were read and not taken in yet, and how many bytes they are.
    changes: Vec<RawChange>,
    bytes: usize,
    /// What is new here.
    came: Vec<ChangeId>,
    /// What the city says that it holds of attachments.
    held: Option<Inventory>,
    /// Attachments that records show and that are not here, from when the first one comes.
    lacking: Option<BTreeSet<BlobHash>>,
    done: Imported,
}

/// The front of an answer, before its receipt counts.
struct Front {
    answer: Answer,
    covered: BTreeMap<StreamId, Frontier>,
}

impl<R: Read> Intake<'_, R> {
    /// Takes the yes to this computer's ask. Only the code proves whose city this is.
    fn enrol(&mut self) -> Result<Enrolment, SyncError> {
        let pending = Pending::of(self.store)?.filter(|_| self.label.purpose == Purpose::EnrolYes);
        let pending = pending.ok_or(SyncError::NotEnrolled)?;
        let section = self.file.next()?.filter(|section| section.kind == SectionKind::Enrolment);
        let bytes = section.map(|section| section.bytes).unwrap_or_default();
        let sealed: Sealed = serde_json::from_slice(&bytes).map_err(|_| SyncError::BadSignature)?;
        let keys = Keys { device: &self.label.recipient, root: &self.label.city.0 };
        let fits = sealed.fits(&pending.key(), Way::ToLaptop, keys);
        let yes: Option<EnrolYes> = fits.then(|| sealed.read()).flatten();
        let yes = yes.ok_or(SyncError::BadSignature)?;
        if yes.operating != self.file.head.sender || !is_from(&self.label.city, &self.file.head) {
            return Err(SyncError::BadSignature);
        }
        let own = self.store.own_stream()?.ok_or(StoreError::NoStream)?;
        let enrolment = accept(self.store, "", self.label.city, own, yes)?;
        Pending::clear(self.store)?;
        self.done.enrolled = Some(enrolment.clone());
        Ok(enrolment)
    }

    fn run(&mut self, mut enrolment: Enrolment) -> Result<(), SyncError> {
        let head = self.file.head.clone();
        self.done.made_at = head.at;
        self.done.answers = head.answers.as_ref().map(|nonce| replica::to_hex(nonce));
        let mut front = None;
        let read = self.sections(&head, &mut front);
        // What is good of a damaged file counts.
        self.take_in()?;
        read?;
        if let Some(front) = front {
            self.receipt(&head, front, &mut enrolment)?;
        }
        self.done.moved_to = announced::adopt(self.store, &mut enrolment)?;
        Ok(())
    }

    fn sections(&mut self, head: &Head, front: &mut Option<Front>) -> Result<(), SyncError> {
        loop {
            match self.file.next() {
                Ok(None) => return Ok(()),
                Ok(Some(section)) => match section.kind {
                    SectionKind::Message => self.message(head, &section, front)?,
                    SectionKind::Held => self.held = Inventory::decode(&section.bytes).ok(),
                    SectionKind::Blob => {
                        self.take_in()?;
                        self.blob(&section)?;
                    }
                    SectionKind::Enrolment | SectionKind::Other(_) => {}
                },
                Err(FileError::WrongBlob(place)) => self.done.damaged = Some(place),
                Err(FileError::Damaged(Some(place))) if front.is_some() || self.done.enrolled.is_some() => {
                    self.done.damaged = Some(place);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The first message has the front and names the streams in the head's order; later ones only carry changes.
    fn message(
        &mut self,
        head: &Head,
        section: &Section,
        front: &mut Option<Front>,
    ) -> Result<(), SyncError> {
        let first = front.is_none();
        let asked = |stream: &StreamId| StreamAsk { stream: *stream, have: Have::Digest([0; 16]) };
        let asked: Vec<StreamAsk> = if first { head.streams.iter().map(asked).collect() } else { Vec::new() };
        let device = self.label.recipient;
        let (mut answer, _) = Answer::decode(&section.bytes, &asked, head.receipt_nonce(), device)
            .map_err(|_| FileError::Damaged(None))?;
        self.gather(std::mem::take(&mut answer.changes))?;
        if first {
            // Without a request in mind "the same" says nothing, and the city does not say it in a file.
            let told = |state| plan::answered(state, &Frontier::default());
            let streams = answer.streams.iter();
            let covered = streams.filter_map(|stream| Some((stream.stream, told(&stream.state)?))).collect();
            *front = Some(Front { answer, covered });
        }
        Ok(())
    }

    /// Changes are taken in together, so that what they take away is counted together.
    fn gather(&mut self, changes: Vec<RawChange>) -> Result<(), SyncError> {
        let bytes = |change: &RawChange| change.header.len() + change.payload.as_ref().map_or(0, Vec::len);
        self.bytes += changes.iter().map(bytes).sum::<usize>();
        self.changes.extend(changes);
        if self.bytes > MOST_IN_MEMORY { self.take_in() } else { Ok(()) }
    }

    fn take_in(&mut self) -> Result<(), SyncError> {
        let changes = std::mem::take(&mut self.changes);
        self.bytes = 0;
        if changes.is_empty() || self.done.question.is_some() {
            return Ok(());
        }
        match self.store.apply_within(Verified::of(changes), self.most_lost) {
            Ok(applied) => {
                self.most_lost = self.most_lost.saturating_sub(applied.lost);
                self.done.new += applied.new.len() as u64;
                self.done.known += applied.known as u64;
                self.done.waiting += applied.waiting as u64;
                self.came.extend(applied.new);
            }
            Err(StoreError::TooManyLost(losses)) => self.done.question = Some(losses),
            Err(other) => return Err(other.into()),
        }
        Ok(())
    }

    /// Keeps an attachment that a record shows and that is not here. Its bytes are the ones that its name says.
    fn blob(&mut self, section: &Section) -> Result<(), SyncError> {
        let (hash, bytes) = (BlobHash(section.hash), &section.bytes);
        if self.lacking.is_none() {
            self.lacking = Some(self.store.blobs_to_fetch()?.iter().map(|named| named.hash).collect());
        }
        if !self.lacking.as_ref().is_some_and(|lacking| lacking.contains(&hash)) {
            return Ok(());
        }
        let len = bytes.len() as u64;
        let mut have = match self.store.blob_state(&hash)?.here {
            BlobHere::Partial { have, len: other } if other == len => have,
            BlobHere::Partial { .. } | BlobHere::Missing => 0,
            BlobHere::Whole { .. } => return Ok(()),
        };
        // Twice, if what was here before was not the beginning of it.
        for _ in 0..2 {
            match self.store.append_blob(&hash, len, have, &bytes[have as usize..])? {
                Appended::Whole => {
                    self.done.blobs += 1;
                    return Ok(());
                }
                Appended::Partial { .. } | Appended::WrongHash => have = 0,
            }
        }
        Ok(())
    }

    /// What the city holds of attachments that records here show: all of it, as of its answer.
    fn note_held(&mut self) -> Result<(), SyncError> {
        let Some(held) = &self.held else { return Ok(()) };
        let (streams, hashes): (BTreeSet<_>, _) =
            (held.streams.iter().map(|(stream, _)| *stream).collect(), held.hashes());
        let (mut said, mut news) = (Vec::new(), BTreeSet::new());
        for named in self.store.blobs_shown()?.iter().filter(|named| streams.contains(&named.stream)) {
            let is_held = hashes.contains(&named.hash);
            if is_held && !self.store.blob_state(&named.hash)?.at_city {
                news.insert(named.hash);
            }
            said.push((named.hash, is_held));
        }
        self.store.note_city_blobs(&said)?;
        parcel::forget_carried(self.store)?;
        let mut lacking: BTreeSet<_> = self.store.blobs_to_fetch()?.iter().map(|named| named.hash).collect();
        self.done.blobs_left = lacking.intersection(&hashes).count() as u64;
        // What came with this file is no news of what was sent from here.
        lacking.extend(self.lacking.iter().flatten());
        self.done.blobs_reported = news.difference(&lacking).count() as u64;
        Ok(())
    }

    /// What the city said that it holds, if no later answer said so before.
    fn receipt(&mut self, head: &Head, front: Front, enrolment: &mut Enrolment) -> Result<(), SyncError> {
        let Front { answer, covered } = front;
        let receipt = answer.receipt.ok_or(SyncError::BadSignature)?;
        if receipt.key != head.sender || !covers(&receipt, &covered) {
            return Err(SyncError::BadSignature);
        }
        self.done.refused = answer.refused;
        self.done.receipt_at = Some(receipt.at);
        let signed = Signed { at: receipt.at, by_another: head.sender != enrolment.operating };
        self.done.stale = !Book::take(self.store, self.done.answers.as_deref(), signed)?;
        if !self.done.stale {
            let frontiers: Vec<_> = covered.iter().map(|(id, frontier)| (*id, frontier.clone())).collect();
            let frontiers = frontiers_to_bytes(&frontiers);
            let stored = StoredReceipt { at: receipt.at, body: receipt.to_bytes(), frontiers };
            self.store.put_receipt(Some(&stored), &covered, &self.came)?;
            self.trust(enrolment, head.sender)?;
            self.note_held()?;
        }
        Ok(())
    }

    /// The next file is sealed to the key that the city signs with now.
    fn trust(&self, enrolment: &mut Enrolment, key: DeviceId) -> Result<(), SyncError> {
        if enrolment.operating != key {
            enrolment.operating = key;
            enrolment.save(self.store)?;
        }
        Ok(())
    }
}
