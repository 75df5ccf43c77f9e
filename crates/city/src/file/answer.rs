//! What goes back on the stick: the receipt, and what the laptop lacks, sealed to it.

use super::FileReport;
use super::attachments::{self, Has, Parcel};
use crate::city::{City, CityError, find};
use crate::db::DbError;
use crate::exchange::{Exchange, Form};
use crate::http::Refuse;
use crate::{audit, keys, right};
use chrono::DateTime;
use ed25519_dalek::Signer;
use replica::{DeviceId, Frontier, StreamId};
use rusqlite::{Connection, OptionalExtension};
use wire::file::{EXTENSION, FileError, Head, Label, PART, Purpose, SectionKind, seal_all};
use wire::{Have, RefusedPart, Request, RequestHead, StreamAsk};

const EIGHT_HOURS_MS: i64 = 8 * 60 * 60 * 1000;
/// Characters of an organisation's name in a file's name.
const NAME: usize = 24;

/// A file for a laptop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerFile {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Whom an answer is for.
pub struct Asker<'a> {
    pub head: &'a RequestHead,
    pub label: Purpose,
    /// A section that goes before the answer.
    pub enrolment: Option<Vec<u8>>,
    pub asked: bool,
    pub parcel: &'a Parcel,
}

/// Answers a request, sealed to the device that asks.
pub fn to(
    city: &City,
    t: &Connection,
    asker: Asker<'_>,
    request: &Request,
    refused: Vec<RefusedPart>,
    new: bool,
) -> Result<AnswerFile, Refuse> {
    let now = city.world.now();
    let operating = keys::signing(t)?;
    let mut exchange = Exchange { city, t, head: asker.head, request, form: Form::File, refused };
    let parts = exchange.answer_in_parts(new, now, PART)?;
    let enrolment = asker.enrolment.into_iter().map(|body| (SectionKind::Enrolment, body));
    let messages = parts.into_iter().map(|body| (SectionKind::Message, body));
    let held = std::iter::once((SectionKind::Held, asker.parcel.held.encode()));
    let blobs = asker.parcel.blobs.iter().map(|bytes| (SectionKind::Blob, bytes.clone()));
    let sections: Vec<_> = enrolment.chain(messages).chain(held).chain(blobs).collect();
    let label = Label { purpose: asker.label, city: city.root, recipient: asker.head.device };
    // An answer that nobody asked for has the nonce that its receipt names as its own.
    let (nonce, answers) = match asker.asked {
        true => (city.world.random(), Some(asker.head.nonce)),
        false => (asker.head.nonce, None),
    };
    let head = Head {
        sender: operating.device(),
        nonce,
        at: now,
        answers,
        since: 0,
        certificate: operating.certificate.to_string(),
        streams: request.streams.iter().map(|ask| ask.stream).collect(),
        sections: Vec::new(),
    };
    let sign = |input: &[u8]| Ok::<_, FileError>(operating.key.sign(input).to_bytes());
    let bytes = seal_all(&label, head, &sections, sign, Vec::new())?;
    let name = name(&whose(t, &asker.head.device)?.organisation_name, now);
    Ok(AnswerFile { name, bytes })
}

/// The organisation of a device.
pub fn whose(t: &Connection, device: &DeviceId) -> Result<FileReport, DbError> {
    let statement = "SELECT o.id, o.name FROM signer s JOIN organisation o ON o.stream = s.stream
                     WHERE s.device = ?1 ORDER BY o.position LIMIT 1";
    let found =
        t.query_row(statement, [device.0.as_slice()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (organisation, organisation_name) = found.unwrap_or_default();
    Ok(FileReport { organisation, organisation_name, device: device.to_string(), ..FileReport::default() })
}

/// A name that a person recognises and every file system takes.
fn name(organisation: &str, now: i64) -> String {
    let plain = |letter: &char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
    let organisation: String = organisation.chars().filter(plain).take(NAME).collect();
    let civil = DateTime::from_timestamp_millis(now.saturating_add(EIGHT_HOURS_MS)).unwrap_or_default();
    format!("支部纪实回执 {organisation} {}.{EXTENSION}", civil.format("%Y-%m-%d %H%M%S"))
}

/// Everything that an organisation's computers may read, for each of them.
pub fn unasked(city: &City, organisation: &str, room: u64) -> Result<Vec<AnswerFile>, CityError> {
    let (id, computers) = city.db.read::<_, CityError>(|c| {
        let id = find(c, organisation)?.id;
        let computers = computers(c, &id)?.into_iter().map(|device| Ok((device, streams(c, &device)?)));
        let computers = computers.collect::<Result<Vec<_>, DbError>>()?;
        Ok((id, computers))
    })?;
    let refused = |refuse: Refuse| CityError::File(refuse.code);
    let mut files = Vec::new();
    for (device, streams) in computers {
        let parcel = attachments::pack(city, &device, &streams, &Has::Own, room).map_err(refused)?;
        let nonce = city.world.random();
        let head = RequestHead { device, nonce, at: city.world.now(), signature: [0; 64] };
        let ask = |stream| StreamAsk { stream, have: Have::Full(Frontier::default()) };
        let request = Request {
            streams: streams.into_iter().map(ask).collect(),
            budget: u32::MAX,
            presented: Vec::new(),
            changes: Vec::new(),
        };
        let asker =
            Asker { head: &head, label: Purpose::Answer, enrolment: None, asked: false, parcel: &parcel };
        let file = city.db.write(|t| to(city, t, asker, &request, Vec::new(), false));
        files.push(file.map_err(refused)?);
    }
    city.db.write::<_, DbError>(|t| audit::note(t, city.world.now(), "operator", "usb files made", &id))?;
    Ok(files)
}

/// Devices that may sign in the organisation's stream; the city's own key is one, and gets no file.
fn computers(t: &Connection, organisation: &str) -> Result<Vec<DeviceId>, DbError> {
    let mut statement = t.prepare(
        "SELECT s.device FROM signer s JOIN organisation o ON o.stream = s.stream
         WHERE o.id = ?1 AND s.revoked = 0 AND s.device NOT IN (SELECT device FROM operating_key)
         ORDER BY s.device",
    )?;
    let rows = statement.query_map([organisation], |row| row.get::<_, [u8; 32]>(0))?;
    rows.map(|row| Ok(DeviceId(row?))).collect()
}

fn streams(t: &Connection, device: &DeviceId) -> Result<Vec<StreamId>, DbError> {
    let mut statement =
        t.prepare("SELECT stream FROM organisation WHERE stream IS NOT NULL ORDER BY position")?;
    let rows = statement.query_map([], |row| row.get::<_, [u8; 32]>(0))?;
    let mut streams = Vec::new();
    for stream in rows {
        let stream = StreamId(stream?);
        if right::may_read(t, &stream, device)? {
            streams.push(stream);
        }
    }
    Ok(streams)
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn names_of_files() {
        let at = 1_793_880_000_000;
        let table = [
            (
                "中共泰安某某有限公司支部委员会",
                "支部纪实回执 中共泰安某某有限公司支部委员会 2026-11-05 200000.jishi",
            ),
            ("a/b:c*", "支部纪实回执 abc 2026-11-05 200000.jishi"),
        ];
        for (organisation, expected) in table {
            assert_eq!(name(organisation, at), expected);
        }
        assert!(name(&"长".repeat(200), at).len() < 150, "file systems take 255 bytes");
    }
}
