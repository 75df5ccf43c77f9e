//! 上报: enrolment, the exchange with the city, and what each side holds. The network is waited for with no
//! transaction open. `exchange` is one exchange, for a person or by itself; `rhythm` decides when the `courier` begins
//! one; the `line` keeps a second one out and ends one.

mod courier;
mod errors;
mod exchange;
mod line;
mod matching;
pub mod question;
mod receipts;
mod rhythm;
mod rounds;

use crate::app::App;
use crate::branch::{ALL_LIVES, Branch};
use crate::civil;
use crate::contract::*;
use crate::error::{CallError, Code};
use crate::usb::is_exported;
use crate::values::kinds;
pub use courier::{Courier, News, Signals};
pub use errors::refused;
pub use exchange::files_waiting;
pub use line::{By, Line};
use replica::{Change, Group};
pub use rounds::Rounds;
use store::{ListRow, Order, Query};
use sync::Address;

/// How many waiting records the page lists; the rest is a number.
const LISTED: u32 = 50;
/// When the branch was enrolled, in milliseconds.
const SINCE: &str = "enrolled_at";

impl App {
    pub(crate) fn sync_page(&self, _: Nothing) -> Result<SyncPage, CallError> {
        let branch = self.branch()?;
        let (records_here, records_received) = branch.store.count_records()?;
        let rounds = Rounds::of(&branch)?;
        Ok(SyncPage {
            enrolment: enrolment(&branch)?,
            waiting: waiting(&branch)?,
            waiting_total: number(branch.store.outbox()?.records),
            records_here: number(records_here),
            records_received: number(records_received),
            last_success: rounds.last_success(),
            last_error: rounds.last_error(),
            next_try: self.signals.next().map(civil::stamp),
            files_error: rounds.files_error(),
            rounds: rounds.lines(),
            busy: self.line.is_held(),
            question: question::open(&branch)?,
            revoked: is_revoked(&branch)?,
            metered: exchange::is_metered(&branch)?,
            files: exchange::files_waiting(&branch)?,
        })
    }

    pub(crate) fn sync_pill(&self, _: Nothing) -> Result<SyncPill, CallError> {
        let branch = self.branch()?;
        let rounds = Rounds::of(&branch)?;
        Ok(SyncPill {
            enrolled: enrolment(&branch)?.is_some(),
            waiting: number(branch.store.outbox()?.records),
            last_success: rounds.last_success(),
            failed: rounds.last_error().is_some(),
            retrying: self.signals.next().is_some(),
            files: if exchange::is_metered(&branch)? { number(branch.store.blob_outbox()?.blobs) } else { 0 },
            busy: self.line.is_held(),
        })
    }

    /// Enrols with the city's code. What it refuses changes nothing here.
    pub(crate) fn enrol(&self, request: EnrolRequest) -> Result<EnrolAnswer, CallError> {
        let branch = self.branch()?;
        let revoked = is_revoked(&branch)?;
        let known = sync::Enrolment::of(&branch.store).map_err(refused)?;
        if !revoked && known.is_some_and(|known| known.reissue_from.is_none()) {
            return Err(CallError::new(Code::AlreadyEnrolled));
        }
        let address = Address::parse(&request.address).map_err(refused)?;
        let sources = self.world.sources();
        let hold = self.hold(By::Person)?;
        // The key that was revoked stays so; whoever has a copy of it must not come back in with this code.
        let fresh = if revoked { Some(branch.store.add_identity()?) } else { None };
        let (code, name) = (&request.code, &branch.author_name);
        let enrolled = sync::enrol(&branch.store, &address, code, name, &*sources, &hold.stop);
        if let (Err(_), Some(fresh)) = (&enrolled, fresh) {
            branch.store.drop_identity(&fresh)?;
        }
        let enrolled = enrolled.map_err(refused)?;
        Rounds::forgive(&branch)?;
        branch.store.set_meta(SINCE, &self.world.now().to_string())?;
        self.signals.tell(News::Changed);
        self.tell(&["sync", "session"]);
        if enrolled.reissue_from.is_some() {
            self.fetch(&hold, &branch)?;
            return Ok(EnrolAnswer::Matching { page: matching::page(&branch)? });
        }
        let enrolment = enrolment(&branch)?.ok_or_else(|| CallError::new(Code::NotEnrolled))?;
        Ok(EnrolAnswer::Adopted { enrolment })
    }

    /// What the person said to the question before many records are lost. After a yes the next exchange goes on.
    pub(crate) fn answer_losses(&self, request: AnswerLosses) -> Result<Nothing, CallError> {
        question::answer(&*self.branch()?, request.agree)?;
        if request.agree {
            self.signals.tell(News::Changed);
        }
        self.tell(&["sync"]);
        Ok(Nothing {})
    }

    /// The same city at another address.
    pub(crate) fn move_city(&self, request: MoveCity) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        let address = Address::parse(&request.address).map_err(refused)?;
        let hold = self.hold(By::Person)?;
        sync::move_city(&branch.store, &address, &hold.stop).map_err(refused)?;
        drop(hold);
        self.signals.tell(News::Changed);
        Ok(Nothing {})
    }
}

/// What is noted once the city's yes was read from a file.
pub fn enrolled_by_file(
    branch: &Branch,
    now: i64,
    enrolment: &sync::Enrolment,
    whole: bool,
) -> Result<(), CallError> {
    branch.store.set_meta(SINCE, &now.to_string())?;
    if enrolment.reissue_from.is_some() && whole {
        matching::fetched(branch)?;
    }
    Ok(())
}

/// The city that the branch is enrolled with. While records still have to be matched it is not.
pub fn enrolment(branch: &Branch) -> Result<Option<Enrolment>, CallError> {
    let known = sync::Enrolment::of(&branch.store).map_err(refused)?;
    let Some(known) = known.filter(|known| known.reissue_from.is_none()) else { return Ok(None) };
    let since = branch.store.meta(SINCE)?.and_then(|text| text.parse().ok());
    Ok(Some(Enrolment {
        address: known.address,
        organisation: known.organisation_name,
        since: since.map(civil::stamp),
    }))
}

/// Whether there is a city to exchange with, and not by files alone.
pub fn can_reach_city(branch: &Branch) -> Result<bool, CallError> {
    Ok(enrolment(branch)?.is_some_and(|enrolment| !enrolment.address.is_empty()))
}

/// The city said so when it was last asked.
fn is_revoked(branch: &Branch) -> Result<bool, CallError> {
    let revoked = crate::findings::code(&Code::Revoked);
    Ok(Rounds::of(branch)?.last_error().is_some_and(|error| error.code == revoked))
}

/// Records with changes that no receipt covers, the latest first.
fn waiting(branch: &Branch) -> Result<Vec<WaitingRecord>, CallError> {
    let mut rows: Vec<ListRow> = Vec::new();
    for kind in kinds().iter().filter(|kind| kind.group != Group::System) {
        let query = Query {
            unsent: true,
            life: ALL_LIVES.to_vec(),
            order: Order::Changed,
            limit: Some(LISTED),
            ..Query::of(&kind.kind)
        };
        rows.extend(branch.store.list(&query)?.rows);
    }
    rows.sort_by(|a, b| (b.last_at, &a.id).cmp(&(a.last_at, &b.id)));
    rows.truncate(LISTED as usize);
    let book = sync::file::Book::of(&branch.store).map_err(refused)?;
    rows.into_iter().map(|row| waiting_record(branch, &book, row)).collect()
}

fn waiting_record(
    branch: &Branch,
    book: &sync::file::Book,
    row: ListRow,
) -> Result<WaitingRecord, CallError> {
    let mut bytes = 0;
    for entry in branch.store.history(&row.kind, &row.id)?.iter().filter(|entry| !entry.at_city) {
        let change = branch.store.change(&entry.meta.change)?;
        bytes += change.map_or(0, |change| own_bytes(&change, &row));
    }
    Ok(WaitingRecord {
        exported: is_exported(branch, book, &row.kind, &row.id)?,
        kind_label: kinds().get(&row.kind).map(|kind| kind.label.clone()).unwrap_or_default(),
        date: row.date.get(..10).map(str::to_owned),
        title: row.title,
        kind: row.kind,
        id: row.id,
        bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
    })
}

/// What a record's own writes take of a change: an import shares one among many.
fn own_bytes(change: &Change, row: &ListRow) -> usize {
    let values = change.values.as_deref().unwrap_or_default();
    let writes = change.header.writes.iter().zip(values);
    let own = writes.filter(|(write, _)| write.kind == row.kind && write.record == row.id);
    own.map(|(write, value)| write.path.len() + value.to_string().len()).sum()
}

fn number(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
