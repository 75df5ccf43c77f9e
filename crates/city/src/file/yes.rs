//! An enrolment in a file: the code's seal is all that proves who asks, and who says yes.

use super::answer::{self, Asker};
use super::attachments::{self, Has};
use super::{FileDone, FileReport, kept};
use crate::city::City;
use crate::codes;
use crate::enrol::{self, Knows};
use crate::http::Refuse;
use axum::http::StatusCode;
use replica::Frontier;
use wire::enrol::{EnrolAsk, EnrolYes, Sealed};
use wire::file::{FileError, Label, Purpose, SectionKind, open};
use wire::{Have, Request, RequestHead, StreamAsk};

/// `behind` is what follows the label.
pub fn import(city: &City, label: &Label, behind: &[u8], room: u64) -> Result<FileDone, Refuse> {
    let unknown = || Refuse::new(StatusCode::NOT_FOUND, "code_unknown");
    let found = city.db.read::<_, Refuse>(|c| Ok(codes::sealed_to(c, &label.recipient)?))?;
    let (place, key) = found.ok_or_else(unknown)?;
    let mut file = open(label, behind, &key)?;
    let section = file.next()?.filter(|section| section.kind == SectionKind::Enrolment);
    let section = section.ok_or(FileError::Damaged(None))?;
    let sealed: Sealed = serde_json::from_slice(&section.bytes).map_err(|_| FileError::Damaged(None))?;
    let ask: EnrolAsk = sealed.read().ok_or(Refuse::bad("malformed"))?;
    if sealed.place != place || ask.device != file.head.sender {
        return Err(FileError::BadSignature.into());
    }
    let sealed = enrol::answer(city, &sealed, Knows::Nothing)?;
    let yes: EnrolYes = sealed.read().ok_or_else(|| Refuse::inner(&"an answer that cannot be read"))?;
    let enrolment = serde_json::to_vec(&sealed).map_err(|error| Refuse::inner(&error))?;
    let head =
        RequestHead { device: ask.device, nonce: file.head.nonce, at: file.head.at, signature: [0; 64] };
    let ask = StreamAsk { stream: yes.stream, have: Have::Full(Frontier::default()) };
    let wants = Request { streams: vec![ask], budget: u32::MAX, presented: Vec::new(), changes: Vec::new() };
    let parcel = attachments::pack(city, &head.device, &[yes.stream], &Has::Own, room)?;
    city.db.write(|t| {
        let asker = Asker {
            head: &head,
            label: Purpose::EnrolYes,
            enrolment: Some(enrolment),
            asked: true,
            parcel: &parcel,
        };
        let answer = answer::to(city, t, asker, &wants, Vec::new(), true)?;
        let whose = answer::whose(t, &head.device)?;
        let report = FileReport {
            enrolled: true,
            made_at: head.at,
            attachments_back: parcel.blobs.len(),
            attachments_left: parcel.left,
            ..whose
        };
        let id = kept::put(t, &head, &report, &answer, None, city.world.now())?;
        Ok(FileDone { id, report, answer })
    })
}
