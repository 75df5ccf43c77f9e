//! `POST /v1/exchange`: one stateless request. What it says is checked, taken in and answered in one transaction; the
//! answer leaves only after the commit.

use crate::accept::{self, Taken};
use crate::chain::Held;
use crate::city::City;
use crate::db::DbError;
use crate::file;
use crate::http::{Refuse, blocking};
use crate::right::{self, Carrier};
use crate::{blobs, fold, keys, lacking, log, quarantine, receipts, seen};
use axum::body::Bytes;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use replica::{
    Change, ChangeId, DeviceId, Frontier, RawChange, StreamId, Verdicts, Verifier, planted, threads,
};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::enrol::{EXCHANGE_PATH, EXCHANGE_TYPE};
use wire::{
    Answer, Bodies, Budgeted, ChangeWriter, Have, Lacks, Outgoing, Presented, RefusedPart, Request,
    RequestHead, Span, StreamAnswer, StreamState, Target,
};

/// A request is believed this far from the city's clock, on either side. Nonces are kept for twice as long.
const CLOCK_MS: i64 = 5 * 60 * 1000;
const NONCE_MS: i64 = 2 * CLOCK_MS;
/// No answer is larger, whatever the laptop says that it can take.
const MOST_ANSWER: u32 = 4 * 1024 * 1024;

pub async fn exchange(
    State(city): State<Arc<City>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let encoding = encoding.unwrap_or_default().to_owned();
    blocking(city, move |city| {
        let answer = respond(city, uri.query().unwrap_or_default(), &encoding, &body)?;
        Ok(([(header::CONTENT_TYPE, EXCHANGE_TYPE)], answer).into_response())
    })
    .await
}

/// The answer to the bytes of one request, however they came.
pub fn respond(city: &City, query: &str, encoding: &str, body: &[u8]) -> Result<Vec<u8>, Refuse> {
    let target = Target { method: "POST", path: EXCHANGE_PATH, query, encoding, city: city.root };
    let (head, request) = read(city, &target, body)?;
    answer(city, &head, request)
}

/// Who asks, when, and what, after the signature proved it.
fn read(city: &City, target: &Target<'_>, framed: &[u8]) -> Result<(RequestHead, Request), Refuse> {
    let malformed = |_| Refuse::bad("malformed");
    let (head, body) = RequestHead::split(framed).map_err(malformed)?;
    believe(city, target, &head, body)?;
    let (request, _) = Request::decode(body).map_err(malformed)?;
    Ok((head, request))
}

/// Believes that the device that the head names sent this body here just now.
pub fn believe(city: &City, target: &Target<'_>, head: &RequestHead, body: &[u8]) -> Result<(), Refuse> {
    if !head.is_signed(target, body) {
        return Err(Refuse::new(StatusCode::UNAUTHORIZED, "bad_signature"));
    }
    match head.at.abs_diff(city.world.now()) > CLOCK_MS.unsigned_abs() {
        true => Err(Refuse::new(StatusCode::CONFLICT, "clock")),
        false => Ok(()),
    }
}

fn answer(city: &City, head: &RequestHead, mut request: Request) -> Result<Vec<u8>, Refuse> {
    let now = city.world.now();
    if !city.db.read::<_, Refuse>(|c| may_be_heard(c, &request, head))? {
        // Said before a stranger has made the city check thousands of signatures.
        return Err(Refuse::new(StatusCode::FORBIDDEN, "not_enrolled"));
    }
    let (changes, bad) = verify(std::mem::take(&mut request.changes));
    let presented: Vec<_> =
        std::mem::take(&mut request.presented).into_iter().filter(Presented::is_sound).collect();
    let answer = city.db.write(|t| {
        spend_nonce(t, head, now)?;
        let taken = accept::take_in(city, t, changes, &presented, now)?;
        if taken.new > 0 {
            file::link_kept(city, t, now)?;
        }
        let mut refused: Vec<RefusedPart> = bad;
        refused.extend(turned_away(&taken));
        match right::carrier(t, &head.device)? {
            Carrier::LetIn => {
                seen::note(t, &head.device, now)?;
                let mut exchange = Exchange { city, t, head, request: &request, form: Form::Line, refused };
                exchange.answer(taken.new > 0, now).map(Ok)
            }
            Carrier::Revoked => {
                seen::note(t, &head.device, now)?;
                quarantine::answer(city, t, head, &request, refused).map(Ok)
            }
            // What it carried was judged by its signers and stays: a long history comes in several requests.
            Carrier::Stranger => Ok(Err(Refuse::new(StatusCode::FORBIDDEN, "not_enrolled"))),
        }
    })?;
    if let Err(refuse) = blobs::sweep(city) {
        tracing::error!(code = refuse.code, "attachments that were redacted are not erased yet");
    }
    answer
}

/// A device that is let in; one whose own introduction is among what it carries; one that carries what a device that is let
/// in wrote; or one that carries on a chain that is held. Nobody can who never held the stream. A chain of introductions
/// comes in several requests, the last of them maybe first.
pub fn may_be_heard(connection: &Connection, request: &Request, head: &RequestHead) -> Result<bool, Refuse> {
    if right::is_let_in(connection, &head.device)? || introduces(request, head) {
        return Ok(true);
    }
    for raw in &request.changes {
        let Ok(change) = raw.clone().read() else { continue };
        let known = change.header.prev.map_or(Ok(false), |prev| log::holds(connection, &prev))?;
        if known
            || log::holds(connection, &change.id)?
            || right::is_let_in(connection, &change.header.device)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Says whether the change that lets the carrier in is among those that it carries.
fn introduces(request: &Request, head: &RequestHead) -> bool {
    let path = format!("~device/{}", head.device);
    let writes = |raw: &RawChange| {
        raw.clone().read().is_ok_and(|change| change.header.writes.iter().any(|write| write.path == path))
    };
    request.changes.iter().any(writes)
}

/// A request is good once: the same one again, by whomever it was recorded, is refused.
pub fn spend_nonce(t: &Connection, head: &RequestHead, now: i64) -> Result<(), Refuse> {
    t.prepare_cached("DELETE FROM nonce WHERE at < ?1")?.execute([now - NONCE_MS])?;
    let mut statement = t.prepare_cached("INSERT OR IGNORE INTO nonce (nonce, at) VALUES (?1, ?2)")?;
    match statement.execute((head.nonce.as_slice(), now))? {
        0 if !planted!(AnsweredTwice) => Err(Refuse::new(StatusCode::CONFLICT, "replayed")),
        _ => Ok(()),
    }
}

/// Signatures are checked before the transaction begins, on two threads when there are many.
pub fn verify(raw: Vec<RawChange>) -> (Vec<Change>, Vec<RefusedPart>) {
    let judged = threads::map(raw, |verifier: &mut Verifier, raw: RawChange| {
        let change = raw.id();
        verifier.verify(raw).map_err(|_| RefusedPart::Change { change, code: "bad_change".to_owned() })
    });
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for one in judged {
        match one {
            Ok(change) => good.push(change),
            Err(part) => bad.push(part),
        }
    }
    (good, bad)
}

/// What the door turned away. A change whose chain has a gap is not here: the frontier says what is missing.
pub fn turned_away(taken: &Taken) -> impl Iterator<Item = RefusedPart> + '_ {
    let device = |(_, device): &(StreamId, DeviceId)| RefusedPart::Device {
        device: *device,
        code: "not_permitted".to_owned(),
    };
    let change = |change: &ChangeId| RefusedPart::Change { change: *change, code: "bad_change".to_owned() };
    let stream = |stream: &StreamId| RefusedPart::Stream { stream: *stream, code: "no_stream".to_owned() };
    let chains = taken.misplaced.iter().map(change);
    chains.chain(taken.not_permitted.iter().map(device)).chain(taken.no_stream.iter().map(stream))
}

/// How an answer travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Within the laptop's budget; what is open is settled by the next request.
    Line,
    /// All at once, and to be understood without the request: another one may take weeks.
    File,
}

/// One request on the way to its answer, after what it brought was taken in.
pub struct Exchange<'a> {
    pub city: &'a City,
    pub t: &'a Connection,
    pub head: &'a RequestHead,
    pub request: &'a Request,
    pub form: Form,
    pub refused: Vec<RefusedPart>,
}

/// What is said of a stream, and what is to be sent of it. A digest that differs is answered with the frontier alone: what
/// to send is known once the laptop says its own.
pub fn stream_state(
    t: &Connection,
    stream: &StreamId,
    have: &Have,
    frontier: &Frontier,
) -> Result<(StreamState, BTreeMap<DeviceId, Span>), DbError> {
    if have.is(frontier) {
        return Ok((StreamState::Same, BTreeMap::new()));
    }
    let held = Held::new(t, stream);
    let (traces, send) = match have {
        Have::Digest(_) => (BTreeMap::new(), BTreeMap::new()),
        Have::Full(theirs) => {
            let lacks = wire::difference(frontier, theirs, &BTreeMap::new(), &held);
            let traces = lacks.unknown.iter().map(|device| Ok((*device, held.trace(device, frontier)?)));
            (traces.collect::<Result<_, DbError>>()?, lacks.send)
        }
    };
    held.done()?;
    Ok((StreamState::Differs { frontier: frontier.clone(), traces }, send))
}

/// In a file, always the city's own frontier. A device of which the laptop named an end that is not here would get a
/// trace and be asked about; a file cannot wait for that and brings the whole chain.
fn whole_state(
    t: &Connection,
    stream: &StreamId,
    have: &Have,
    frontier: &Frontier,
) -> Result<(StreamState, BTreeMap<DeviceId, Span>), DbError> {
    let held = Held::new(t, stream);
    let nothing = Frontier::default();
    let theirs = match have {
        Have::Digest(_) => &nothing,
        Have::Full(theirs) => theirs,
    };
    let Lacks { mut send, unknown } = wire::difference(frontier, theirs, &BTreeMap::new(), &held);
    held.done()?;
    for device in unknown.iter().filter(|device| frontier.0.contains_key(device)) {
        send.entry(*device).or_insert(Span::After(0));
    }
    Ok((StreamState::Differs { frontier: frontier.clone(), traces: BTreeMap::new() }, send))
}

/// What is to be sent of one stream.
type ToSend = (StreamId, BTreeMap<DeviceId, Span>);

impl Exchange<'_> {
    fn answer(&mut self, new: bool, now: i64) -> Result<Vec<u8>, Refuse> {
        let (answer, mut to_send) = self.front(new, now)?;
        let mut writer = answer.begin();
        if let Some(receipt) = &answer.receipt {
            self.vouch(&answer, &receipt.key, &mut to_send, &mut writer)?;
        }
        let budget = self.request.budget.min(MOST_ANSWER);
        let more = self.send(&to_send, &mut Budgeted { writer: &mut writer, budget })?;
        Ok(writer.finish(more))
    }

    /// The answer in as many bodies as it takes: the first has the front, the others only carry.
    pub fn answer_in_parts(&mut self, new: bool, now: i64, part: u32) -> Result<Vec<Vec<u8>>, Refuse> {
        let (front, to_send) = self.front(new, now)?;
        let mut rest = front.clone();
        (rest.streams, rest.refused, rest.receipt, rest.wanted) = (Vec::new(), Vec::new(), None, Vec::new());
        let mut out = Bodies::new(front.begin(), || rest.begin(), part);
        self.send(&to_send, &mut out)?;
        Ok(out.finish())
    }

    /// What is said before the changes, and which changes are to follow.
    fn front(&mut self, new: bool, now: i64) -> Result<(Answer, Vec<ToSend>), Refuse> {
        let (mut streams, mut frontiers, mut to_send) = (Vec::new(), Vec::new(), Vec::new());
        let mut wanted = Vec::new();
        for ask in &self.request.streams {
            let stream = ask.stream;
            if !right::may_read(self.t, &stream, &self.head.device)? {
                self.refused.push(RefusedPart::Stream { stream, code: "not_permitted".to_owned() });
                streams.push(StreamAnswer { stream, state: StreamState::Refused });
                continue;
            }
            keys::tell(self.city, self.t, &stream, now)?;
            wanted.extend(lacking::wanted(self.city, self.t, &stream, &self.head.device)?);
            let frontier = log::frontier(self.t, &stream)?;
            let (state, send) = match self.form {
                Form::Line => stream_state(self.t, &stream, &ask.have, &frontier)?,
                Form::File => whole_state(self.t, &stream, &ask.have, &frontier)?,
            };
            streams.push(StreamAnswer { stream, state });
            frontiers.push((stream, frontier));
            to_send.push((stream, send));
        }
        let operating = keys::signing(self.t)?;
        let receipt = receipts::sign(&operating, self.head, &frontiers, now);
        if new {
            receipts::keep(self.t, &receipt)?;
        }
        let answer = Answer {
            streams,
            refused: std::mem::take(&mut self.refused),
            retry_after: None,
            receipt: Some(receipt),
            wanted,
            more: false,
            changes: Vec::new(),
        };
        Ok((answer, to_send))
    }

    /// A laptop believes a receipt once it holds the certificate of its key, which that key's first change in a stream
    /// carries. So that one goes first, to everyone who did not say that they have it.
    fn vouch(
        &self,
        answer: &Answer,
        key: &DeviceId,
        to_send: &mut [ToSend],
        writer: &mut ChangeWriter,
    ) -> Result<(), DbError> {
        for (ask, answer) in self.request.streams.iter().zip(&answer.streams) {
            let knows = matches!(&ask.have, Have::Full(theirs) if theirs.ends(key).next().is_some());
            if knows || !matches!(answer.state, StreamState::Differs { .. }) {
                continue;
            }
            for id in log::chain_at(self.t, &ask.stream, key, 1)? {
                if let Some(change) = log::get(self.t, &id)? {
                    writer.add(&change.raw);
                }
            }
            for (_, spans) in to_send.iter_mut().filter(|(stream, _)| *stream == ask.stream) {
                spans.entry(*key).and_modify(|span| {
                    if *span == Span::After(0) {
                        *span = Span::After(1);
                    }
                });
            }
        }
        Ok(())
    }

    /// Writes changes while there is room. Gives whether any are left.
    fn send(&self, to_send: &[ToSend], out: &mut dyn Outgoing) -> Result<bool, DbError> {
        for (stream, spans) in to_send.iter().filter(|(_, spans)| !spans.is_empty()) {
            let Some(founder) = fold::founder(self.t, stream)? else { continue };
            let verdicts = fold::verdicts(self.t, &self.city.root, stream, founder, None)?;
            let mut chains = Vec::with_capacity(spans.len());
            for (device, span) in spans {
                chains.push((log::begun(self.t, stream, device)?, device, span));
            }
            // A ruling goes before the change that it voids, whose values may be withheld: an answer that is cut shows
            // nobody a blank without its reason. What lets a device in came before what that device wrote, so in
            // this order the other side folds once.
            chains.sort_unstable_by_key(|(begun, device, _)| (!verdicts.city.contains(device), *begun));
            for (_, device, span) in chains {
                let room = match span {
                    Span::After(n) => self.send_after(stream, device, *n, &verdicts, out)?,
                    Span::Only(places) => {
                        let ids = places.iter().map(|(_, id)| *id);
                        self.send_only(ids, &verdicts, out)?
                    }
                };
                if !room {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn send_after(
        &self,
        stream: &StreamId,
        device: &DeviceId,
        n: u64,
        verdicts: &Verdicts,
        out: &mut dyn Outgoing,
    ) -> Result<bool, DbError> {
        let mut statement = self.t.prepare_cached(
            "SELECT header, signature, payload, lamport FROM change
             WHERE stream = ?1 AND device = ?2 AND n > ?3 ORDER BY n, id",
        )?;
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        let mut rows = statement.query((stream.0.as_slice(), device.0.as_slice(), n))?;
        while let Some(row) = rows.next()? {
            if !out.has_room() {
                return Ok(false);
            }
            out.add(&self.shown(log::raw(row)?, verdicts)?);
        }
        Ok(true)
    }

    fn send_only(
        &self,
        ids: impl Iterator<Item = ChangeId>,
        verdicts: &Verdicts,
        out: &mut dyn Outgoing,
    ) -> Result<bool, DbError> {
        for id in ids {
            if !out.has_room() {
                return Ok(false);
            }
            if let Some(change) = log::get(self.t, &id)? {
                out.add(&self.shown(change.raw, verdicts)?);
            }
        }
        Ok(true)
    }

    /// The values of a change that the city refused go to its author's devices only.
    fn shown(&self, mut raw: RawChange, verdicts: &Verdicts) -> Result<RawChange, DbError> {
        if !planted!(RefusedShown) && verdicts.voided.contains_key(&raw.id()) {
            let author = log::get(self.t, &raw.id())?.map(|change| change.header.device);
            if !author.is_some_and(|author| verdicts.succeeds(self.head.device, author)) {
                raw.payload = None;
            }
        }
        Ok(raw)
    }
}
