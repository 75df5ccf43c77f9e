//! A request in a file: the same door, log, fold and receipt as over the network.

use super::answer::{self, Asker};
use super::attachments::{self, Has, Parcel};
use super::kept::{self, Waits, link_kept};
use super::read::{Brought, addressed, brought};
use super::{FileDone, FileReport};
use crate::accept;
use crate::city::City;
use crate::db::DbError;
use crate::exchange::{may_be_heard, turned_away, verify};
use crate::http::Refuse;
use crate::right::{self, Carrier};
use crate::{blobs, log, quarantine, seen};
use axum::http::StatusCode;
use replica::{ChangeId, StreamId};
use rusqlite::Connection;
use std::collections::BTreeMap;
use wire::file::Purpose;
use wire::{Presented, REVOKED, RefusedPart, Request, RequestHead};

/// Changes, with the one before each in its chain.
type Prevs = BTreeMap<ChangeId, Option<ChangeId>>;

/// What the changes of a file came to.
struct Intake {
    carrier: Carrier,
    known: usize,
    new: usize,
    /// Something is new in the log, which has to be in a receipt that is kept.
    logged: bool,
    linked: usize,
    unlinked: Prevs,
    refused: Vec<RefusedPart>,
}

pub fn import(city: &City, bytes: &[u8], room: u64) -> Result<FileDone, Refuse> {
    let addressed = city.db.read::<_, Refuse>(|c| addressed(city, c, bytes))?;
    let Brought { head, mut request, holds, damaged } = brought(&addressed)?;
    let asks = RequestHead { device: head.sender, nonce: head.nonce, at: head.at, signature: [0; 64] };
    if !city.db.read::<_, Refuse>(|c| may_be_heard(c, &request, &asks))? {
        return Err(Refuse::new(StatusCode::FORBIDDEN, "not_enrolled"));
    }
    let intake = take_in(city, &asks, &mut request)?;
    let streams: Vec<StreamId> = request.streams.iter().map(|ask| ask.stream).collect();
    // Only now is it known what names them; changes that were refused or wait have no say in that.
    let came = attachments::take_in(city, &addressed, &head.sender, &streams)?;
    blobs::sweep(city)?;
    match intake.carrier {
        Carrier::LetIn => {}
        // What it hands in stays aside for review; it is given nothing but the refusal.
        Carrier::Revoked => return Err(Refuse::new(StatusCode::FORBIDDEN, REVOKED)),
        // What it carried was judged by its signers and stays.
        Carrier::Stranger => return Err(Refuse::new(StatusCode::FORBIDDEN, "not_enrolled")),
    }
    let has = holds.map_or(Has::NoIdea, |holds| Has::These(holds.hashes()));
    let parcel = attachments::pack(city, &head.sender, &streams, &has, room)?;
    let report = FileReport {
        made_at: head.at,
        since: head.since,
        new: intake.new,
        known: intake.known,
        waiting: intake.unlinked.len(),
        refused: intake.refused.iter().map(words).collect(),
        linked: intake.linked,
        attachments: came.new,
        attachments_refused: came.turned_away,
        attachments_back: parcel.blobs.len(),
        attachments_left: parcel.left,
        damaged: damaged.map(|place| (place.section, place.of)),
        ..FileReport::default()
    };
    answer(city, &Asked { bytes, asks, request, parcel }, intake, report)
}

/// Takes in what the file brought of changes, in one transaction.
fn take_in(city: &City, asks: &RequestHead, request: &mut Request) -> Result<Intake, Refuse> {
    let (changes, mut refused) = verify(std::mem::take(&mut request.changes));
    let presented: Vec<_> =
        std::mem::take(&mut request.presented).into_iter().filter(Presented::is_sound).collect();
    let prevs: Prevs = changes.iter().map(|change| (change.id, change.header.prev)).collect();
    city.db.write(|t| {
        let now = city.world.now();
        let known = held(t, &prevs)?;
        let taken = accept::take_in(city, t, changes, &presented, now)?;
        seen::note(t, &asks.device, now)?;
        let carrier = right::carrier(t, &asks.device)?;
        if carrier == Carrier::Revoked {
            quarantine::answer(city, t, asks, request, Vec::new())?;
        }
        let linked = if taken.new > 0 { link_kept(city, t, now)? } else { 0 };
        let unlinked = taken.unlinked.iter().map(|id| (*id, prevs.get(id).copied().flatten())).collect();
        refused.extend(turned_away(&taken));
        let new = held(t, &prevs)? - known;
        Ok(Intake { carrier, known, new, logged: taken.new > 0, linked, unlinked, refused })
    })
}

/// A file whose sender is let in, after all that it brought was taken in.
struct Asked<'a> {
    bytes: &'a [u8],
    asks: RequestHead,
    request: Request,
    parcel: Parcel,
}

/// Makes the file that goes back, and keeps both as long as they are needed.
fn answer(city: &City, asked: &Asked<'_>, intake: Intake, report: FileReport) -> Result<FileDone, Refuse> {
    let Asked { bytes, asks, request, parcel } = asked;
    city.db.write(|t| {
        let whose = answer::whose(t, &asks.device)?;
        let asker = Asker { head: asks, label: Purpose::Answer, enrolment: None, asked: true, parcel };
        let answer = answer::to(city, t, asker, request, intake.refused, intake.logged)?;
        let missing = kept::missing(t, &intake.unlinked)?;
        let report = FileReport {
            organisation: whose.organisation,
            organisation_name: whose.organisation_name,
            device: whose.device,
            kept: !missing.is_empty() && kept::has_room(t, bytes.len())?,
            ..report
        };
        let waits = report.kept.then_some(Waits { file: bytes, missing });
        let id = kept::put(t, asks, &report, &answer, waits.as_ref(), city.world.now())?;
        Ok(FileDone { id, report, answer })
    })
}

fn held(t: &Connection, changes: &Prevs) -> Result<usize, DbError> {
    let mut count = 0;
    for id in changes.keys() {
        count += usize::from(log::holds(t, id)?);
    }
    Ok(count)
}

fn words(part: &RefusedPart) -> String {
    match part {
        RefusedPart::Stream { stream, code } => format!("stream {stream} {code}"),
        RefusedPart::Device { device, code } => format!("device {device} {code}"),
        RefusedPart::Change { change, code } => format!("change {change} {code}"),
    }
}
