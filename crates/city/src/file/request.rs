//! A request in a file: the same door, log, fold and receipt as over the network.

use super::answer::{self, Asker};
use super::kept::{self, Waits, link_kept};
use super::read::{Brought, addressed, brought};
use super::{FileDone, FileReport};
use crate::accept;
use crate::city::City;
use crate::db::DbError;
use crate::exchange::{may_be_heard, turned_away, verify};
use crate::http::Refuse;
use crate::right::{self, Carrier};
use crate::{log, quarantine, seen};
use axum::http::StatusCode;
use replica::ChangeId;
use rusqlite::Connection;
use std::collections::BTreeMap;
use wire::file::Purpose;
use wire::{Presented, REVOKED, RequestHead};

/// Changes, with the one before each in its chain.
type Prevs = BTreeMap<ChangeId, Option<ChangeId>>;

pub fn import(city: &City, bytes: &[u8]) -> Result<FileDone, Refuse> {
    let addressed = city.db.read::<_, Refuse>(|c| addressed(city, c, bytes))?;
    let Brought { head, mut request, damaged } = brought(addressed)?;
    let asks = RequestHead { device: head.sender, nonce: head.nonce, at: head.at, signature: [0; 64] };
    if !city.db.read::<_, Refuse>(|c| may_be_heard(c, &request, &asks))? {
        return Err(Refuse::new(StatusCode::FORBIDDEN, "not_enrolled"));
    }
    let (changes, bad) = verify(std::mem::take(&mut request.changes));
    let presented: Vec<_> =
        std::mem::take(&mut request.presented).into_iter().filter(Presented::is_sound).collect();
    let prevs: Prevs = changes.iter().map(|change| (change.id, change.header.prev)).collect();
    city.db.write::<Result<FileDone, Refuse>, Refuse>(|t| {
        let now = city.world.now();
        let before = held(t, &prevs)?;
        let taken = accept::take_in(city, t, changes, &presented, now)?;
        seen::note(t, &head.sender, now)?;
        match right::carrier(t, &head.sender)? {
            Carrier::LetIn => {}
            Carrier::Revoked => {
                // What it hands in stays aside for review; it is given nothing but the refusal.
                quarantine::answer(t, &asks, &request, Vec::new())?;
                return Ok(Err(Refuse::new(StatusCode::FORBIDDEN, REVOKED)));
            }
            // What it carried was judged by its signers and stays.
            Carrier::Stranger => return Ok(Err(Refuse::new(StatusCode::FORBIDDEN, "not_enrolled"))),
        }
        let linked = if taken.new > 0 { link_kept(city, t, now)? } else { 0 };
        let unlinked: Prevs =
            taken.unlinked.iter().map(|id| (*id, prevs.get(id).copied().flatten())).collect();
        let mut report = FileReport {
            made_at: head.at,
            since: head.since,
            new: held(t, &prevs)? - before,
            known: before,
            waiting: taken.unlinked.len(),
            linked,
            damaged: damaged.map(|place| (place.section, place.of)),
            ..answer::whose(t, &head.sender)?
        };
        let mut refused = bad;
        refused.extend(turned_away(&taken));
        report.refused = refused.iter().map(words).collect();
        let asker = Asker { head: &asks, label: Purpose::Answer, enrolment: None, asked: true };
        let answer = answer::to(city, t, asker, &request, refused, taken.new > 0)?;
        let missing = kept::missing(t, &unlinked)?;
        report.kept = !missing.is_empty() && kept::has_room(t, bytes.len())?;
        let waits = report.kept.then_some(Waits { file: bytes, missing });
        let id = kept::put(t, &asks, &report, &answer, waits.as_ref(), now)?;
        Ok(Ok(FileDone { id, report, answer }))
    })?
}

fn held(t: &Connection, changes: &Prevs) -> Result<usize, DbError> {
    let mut count = 0;
    for id in changes.keys() {
        count += usize::from(log::holds(t, id)?);
    }
    Ok(count)
}

fn words(part: &wire::RefusedPart) -> String {
    match part {
        wire::RefusedPart::Stream { stream, code } => format!("stream {stream} {code}"),
        wire::RefusedPart::Device { device, code } => format!("device {device} {code}"),
        wire::RefusedPart::Change { change, code } => format!("change {change} {code}"),
    }
}
