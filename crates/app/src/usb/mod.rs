//! 用 U 盘上报. The page asks; the shell brings bytes to and from the place that a person chooses; here is decided what
//! they are.

mod errors;
mod place;

use crate::app::App;
use crate::branch::Branch;
use crate::civil;
use crate::contract::*;
use crate::error::{CallError, Code};
use crate::reporting::{self, By, News, Rounds, question};
use errors::refused;
use std::collections::BTreeSet;
use store::Query;
use sync::file::{Book, Imported, Note, Pending, Scope, Terms};
use sync::{SyncError, Way};

pub use place::put_whole;

/// What the last import did.
const LAST: &str = "usb_imported";
/// Letters of an organisation's name in a file's name.
const NAME: usize = 24;

/// A file for the city.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsbFile {
    /// What a person recognises and every file system takes.
    pub name: String,
    pub bytes: Vec<u8>,
}

impl App {
    pub(crate) fn usb_page(&self, _: Nothing) -> Result<UsbPage, CallError> {
        let branch = self.branch()?;
        let known = sync::Enrolment::of(&branch.store).map_err(refused)?;
        let matching = known.as_ref().is_some_and(|known| known.reissue_from.is_some());
        let pending = Pending::of(&branch.store).map_err(refused)?.filter(|_| known.is_none());
        let book = Book::of(&branch.store).map_err(refused)?;
        let waiting = branch.store.outbox()?.records;
        Ok(UsbPage {
            enrolled: known.is_some(),
            organisation: known.map(|known| known.organisation_name).unwrap_or_default(),
            pending: pending.map(|it| UsbPending { place: it.place, at: civil::stamp(it.at) }),
            matching,
            waiting: number(waiting),
            unexported: number(waiting.saturating_sub(exported_records(&branch, &book)?)),
            files: reporting::files_waiting(&branch)?,
            exports: book.exports.iter().map(|note| export(&branch, note)).collect::<Result<_, _>>()?,
            question: question::open(&branch)?,
            last_import: branch.store.meta(LAST)?.and_then(|text| serde_json::from_str(&text).ok()),
        })
    }

    /// Takes a code; the next file that is made asks the city to let this computer in.
    pub(crate) fn usb_enrol(&self, request: UsbCode) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        if sync::Enrolment::of(&branch.store).map_err(refused)?.is_some() {
            return Err(CallError::new(Code::AlreadyEnrolled));
        }
        sync::file::begin(&branch.store, &request.code, &*self.world.sources()).map_err(refused)?;
        self.tell(&["sync"]);
        Ok(Nothing {})
    }

    /// Forgets a code that was typed.
    pub(crate) fn usb_forget(&self, _: Nothing) -> Result<Nothing, CallError> {
        sync::file::forget_ask(&self.branch()?.store).map_err(refused)?;
        self.tell(&["sync"]);
        Ok(Nothing {})
    }

    /// Makes a file for the city and gives it to `put`, which answers false if the person changed their mind. Only a
    /// file that is where it should be counts as made.
    pub fn usb_export(
        &self,
        everything: bool,
        put: impl FnOnce(UsbFile) -> Result<bool, CallError>,
    ) -> Result<bool, CallError> {
        let branch = self.branch()?;
        let sources = self.world.sources();
        let scope = if everything { Scope::Everything } else { Scope::SinceReceipt };
        let known = sync::Enrolment::of(&branch.store).map_err(refused)?;
        let mut bytes = Vec::new();
        let made = match known {
            Some(known) if known.reissue_from.is_some() => {
                return Err(CallError::new(Code::UsbMatching));
            }
            Some(_) => {
                let most_lost = question::consent(&branch)?.outgoing;
                let terms = Terms { most_lost, ..Terms::of(scope) };
                let made = sync::file::export(&branch.store, &*sources, terms, &mut bytes);
                question::note_export(&branch, self.world.now(), &made)?;
                self.tell(&["sync"]);
                Some(made.map_err(refused)?)
            }
            None => {
                sync::file::ask(&branch.store, &branch.author_name, &*sources, &mut bytes)
                    .map_err(refused)?;
                None
            }
        };
        let what = if made.is_some() { "上报" } else { "接入申请" };
        let name = self.usb_name(&branch, what)?;
        if !put(UsbFile { name, bytes })? {
            return Ok(false);
        }
        if let Some(made) = made {
            sync::file::exported(&branch.store, &made).map_err(refused)?;
        }
        self.tell(&["sync"]);
        Ok(true)
    }

    /// Takes in a file that a person chose. What it did is on the page. One that would take many records away keeps a
    /// question for the person; after a yes it is read again.
    pub fn usb_import(&self, bytes: &[u8]) -> Result<UsbImported, CallError> {
        let branch = self.branch()?;
        let before = branch.store.outbox()?.records;
        let hold = self.hold(By::Person)?;
        let most_lost = question::consent(&branch)?.incoming;
        let done = sync::file::import(&branch.store, bytes, most_lost).map_err(refused)?;
        drop(hold);
        question::note_file(&branch, self.world.now(), done.question.as_ref())?;
        if let Some(enrolment) = &done.enrolled {
            reporting::enrolled_by_file(&branch, self.world.now(), enrolment, done.damaged.is_none())?;
        }
        branch.forget_facts();
        let reported = before.saturating_sub(branch.store.outbox()?.records);
        let imported = self.imported(&done, reported);
        let text = serde_json::to_string(&imported).map_err(|error| CallError::internal(&error))?;
        branch.store.set_meta(LAST, &text)?;
        if done.receipt_at.is_some() && !done.stale {
            Rounds::add(&branch, self.world.now(), &Ok(round(&done, reported, bytes.len())))?;
        }
        self.signals.tell(News::Changed);
        self.tell(&["sync", "session", "meeting", "person", "organisation", "ledger", "draft", "attachment"]);
        match done.question {
            Some(losses) => Err(refused(SyncError::TooManyLost { way: Way::Incoming, losses })),
            None => Ok(imported),
        }
    }

    fn imported(&self, done: &Imported, reported: u64) -> UsbImported {
        let part = |part: usize| u32::try_from(part).unwrap_or(u32::MAX);
        UsbImported {
            at: civil::stamp(self.world.now()),
            made_at: civil::stamp(done.made_at),
            enrolled: done.enrolled.is_some(),
            reported: number(reported),
            new: number(done.new),
            waiting: number(done.waiting),
            refused: number(done.refused.len() as u64),
            files: number(done.blobs),
            files_reported: number(done.blobs_reported),
            files_left: number(done.blobs_left),
            receipt_at: done.receipt_at.map(civil::stamp),
            address: done.moved_to.clone(),
            stale: done.stale,
            damaged: done.damaged.map(|place| UsbDamage { part: part(place.section), of: part(place.of) }),
        }
    }

    fn usb_name(&self, branch: &Branch, what: &str) -> Result<String, CallError> {
        let (_, fields) = branch.organisation()?;
        let text = |path: &str| fields.get(path).and_then(serde_json::Value::as_str).unwrap_or_default();
        let name = if text("short").is_empty() { text("name") } else { text("short") };
        let plain = |letter: &char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
        let name: String = name.chars().filter(plain).take(NAME).collect();
        let at = self.world.civil_now().format("%Y-%m-%d %H%M%S");
        Ok(format!("支部纪实{what} {name} {at}.{}", sync::file::EXTENSION))
    }
}

/// In the history beside the exchanges over the network.
fn round(done: &Imported, reported: u64, bytes: usize) -> sync::Report {
    sync::Report {
        sent: reported,
        received: done.new,
        bytes_down: bytes as u64,
        receipt_at: done.receipt_at,
        ..sync::Report::default()
    }
}

fn export(branch: &Branch, note: &Note) -> Result<UsbExport, CallError> {
    let covered = note.answered.is_some() || is_covered(branch, note)?;
    Ok(UsbExport {
        at: civil::stamp(note.at),
        records: number(note.records),
        bytes: number(note.bytes),
        files: number(note.blobs),
        files_left: number(note.blobs_left),
        state: if covered { UsbState::Received } else { UsbState::Waiting },
        received_at: note.answered.map(civil::stamp),
    })
}

/// An exchange over the network may have brought what is in the file.
fn is_covered(branch: &Branch, note: &Note) -> Result<bool, CallError> {
    for (_, _, id) in &note.ends {
        if !branch.store.is_reported(id)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Waiting records of which every waiting change is in some file.
fn exported_records(branch: &Branch, book: &Book) -> Result<u64, CallError> {
    let mut exported = 0;
    for kind in crate::values::kinds().iter().filter(|kind| kind.group != replica::Group::System) {
        let query = Query { unsent: true, life: crate::branch::ALL_LIVES.to_vec(), ..Query::of(&kind.kind) };
        for row in branch.store.list(&query)?.rows {
            exported += u64::from(is_exported(branch, book, &row.kind, &row.id)?);
        }
    }
    Ok(exported)
}

/// Says whether every waiting change of a record is in some file.
pub fn is_exported(branch: &Branch, book: &Book, kind: &str, id: &str) -> Result<bool, CallError> {
    let mut devices = BTreeSet::new();
    for entry in branch.store.history(kind, id)?.iter().filter(|entry| !entry.at_city) {
        let Some(change) = branch.store.change(&entry.meta.change)? else { continue };
        let (device, n) = (change.header.device, change.header.n);
        if !book.exports.iter().any(|note| note.holds(&device, n)) {
            return Ok(false);
        }
        devices.insert(device);
    }
    Ok(!devices.is_empty())
}

fn number(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
