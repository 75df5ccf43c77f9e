//! Enrolment: what the city says of itself, and the one exchange in which a code turns a laptop into a known device.

use crate::accept;
use crate::attempts;
use crate::audit;
use crate::city::{City, by_id};
use crate::codes::{self, Kept};
use crate::db::DbError;
use crate::http::{Refuse, blocking};
use crate::pen::{PenError, Write};
use crate::{announce, fold, log};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use replica::{Change, STREAM_KIND, STREAM_RECORD, StreamId};
use rusqlite::{Connection, OptionalExtension};
use serde_json::json;
use std::sync::Arc;
use wire::REVOKED;
use wire::enrol::{ChangeText, EnrolAsk, EnrolYes, Hello, Keys, PLACE, Sealed, Way};

/// Tries of one code in an hour.
const TRIES: i64 = 5;

/// `GET /v1/city`
pub async fn hello(State(city): State<Arc<City>>) -> Response {
    blocking(city, |city| greeting(city).map(Json)).await
}

/// What the city says of itself.
pub fn greeting(city: &City) -> Result<Hello, Refuse> {
    Ok(Hello {
        what: Hello::WHAT.to_owned(),
        version: 1,
        root: city.root.to_string(),
        operating: city.operating()?.device(),
        time: city.world.now(),
    })
}

/// `POST /v1/enrol`
pub async fn enrol(State(city): State<Arc<City>>, Json(sealed): Json<Sealed>) -> Response {
    blocking(city, move |city| answer(city, &sealed, Knows::Root).map(Json)).await
}

/// What a laptop knows of the city when it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knows {
    /// Its root key, from the greeting.
    Root,
    /// Nothing: it asks by file, and is told the root key in the answer, under the code's seal.
    Nothing,
}

/// Every refusal leaves the code, the register and the streams as they were.
pub fn answer(city: &City, sealed: &Sealed, knows: Knows) -> Result<Sealed, Refuse> {
    let ask: EnrolAsk = sealed.read().ok_or(Refuse::bad("malformed"))?;
    let (named, root) = match knows {
        Knows::Root => (city.root.to_string(), city.root.0),
        Knows::Nothing => (String::new(), [0; 32]),
    };
    if ask.root != named {
        return Err(Refuse::new(StatusCode::CONFLICT, "other_city"));
    }
    let now = city.world.now();
    let place = sealed.place.as_str();
    if place.len() != PLACE {
        return Err(Refuse::bad("malformed"));
    }
    let unknown = || Refuse::new(StatusCode::NOT_FOUND, "code_unknown");
    let kept = city.db.write::<_, Refuse>(|t| match attempts::take(t, place, TRIES, now)? {
        true => Ok(Ok(codes::find(t, place)?)),
        false => Ok(Err(Refuse::new(StatusCode::TOO_MANY_REQUESTS, "code_too_many_tries"))),
    })??;
    let kept = kept.ok_or_else(unknown)?;
    if !sealed.fits(&kept.key, Way::ToCity, Keys { device: &ask.device, root: &root }) {
        return Err(unknown());
    }
    let founding = founding(&ask)?;
    let keys = Keys { device: &ask.device, root: &city.root.0 };
    city.db.write(|t| {
        let kept = codes::find(t, place)?.ok_or_else(unknown)?;
        if let Some(answered) = answered(&kept, &ask, now)? {
            attempts::forget(t, place)?;
            return Ok(answered);
        }
        let yes = admit(city, t, &kept, &ask, founding, now)?;
        let answer = Sealed::new(&kept.key, place, Way::ToLaptop, keys, &yes);
        codes::spend(
            t,
            place,
            now,
            &ask.device.0,
            &serde_json::to_string(&answer).map_err(|e| Refuse::inner(&e))?,
        )?;
        attempts::forget(t, place)?;
        Ok(answer)
    })
}

/// A device whose answer was cut asks again with the same code and stream and gets the same answer.
fn answered(kept: &Kept, ask: &EnrolAsk, now: i64) -> Result<Option<Sealed>, Refuse> {
    match &kept.used {
        Some((device, answer)) if device.as_slice() == ask.device.0 => {
            serde_json::from_str(answer).map(Some).map_err(|e| Refuse::inner(&e))
        }
        Some(_) => Err(Refuse::new(StatusCode::CONFLICT, "code_used")),
        None if kept.ends_at <= now => Err(Refuse::new(StatusCode::GONE, "code_expired")),
        None => Ok(None),
    }
}

/// The stream's id is the hash of its first change, so showing that change shows that the stream is real.
fn founding(ask: &EnrolAsk) -> Result<Change, Refuse> {
    let raw = ask.founding.raw().ok_or(Refuse::bad("malformed"))?;
    let change = raw.verify().map_err(|why| Refuse::bad("founding_change").with(why.to_string()))?;
    match change.header.stream.is_none() && change.stream == ask.stream {
        true => Ok(change),
        false => Err(Refuse::bad("founding_change")),
    }
}

fn admit(
    city: &City,
    t: &Connection,
    kept: &Kept,
    ask: &EnrolAsk,
    founding: Change,
    now: i64,
) -> Result<EnrolYes, Refuse> {
    let organisation =
        by_id(t, &kept.organisation)?.ok_or_else(|| Refuse::inner(&"a code for no organisation"))?;
    let stream = match stream_of(t, &organisation.id)? {
        Some(stream) => stream,
        None => adopt(city, t, &organisation.id, founding, now)?,
    };
    may_come(city, t, &stream, ask)?;
    let change = introduce(city, t, &stream, ask, now)?;
    audit::note(t, now, &format!("device {}", ask.device), "enrolled", &organisation.id)?;
    Ok(EnrolYes {
        nonce: ask.nonce.clone(),
        organisation: organisation.id,
        organisation_name: organisation.name,
        stream,
        adopted: stream == ask.stream,
        operating: change.header.device,
        change: ChangeText::from(&change.raw),
        time: now,
    })
}

pub fn stream_of(connection: &Connection, organisation: &str) -> Result<Option<StreamId>, DbError> {
    let statement = "SELECT stream FROM organisation WHERE id = ?1";
    let stream: Option<Vec<u8>> =
        connection.query_row(statement, [organisation], |row| row.get(0)).optional()?.flatten();
    Ok(stream.map(|bytes| log::bytes32(bytes, "organisation")).transpose()?.map(StreamId))
}

/// Takes the laptop's own stream as the organisation's, unless it is another organisation's already.
fn adopt(
    city: &City,
    t: &Connection,
    organisation: &str,
    founding: Change,
    now: i64,
) -> Result<StreamId, Refuse> {
    let stream = founding.stream;
    let taken = "SELECT 1 FROM organisation WHERE stream = ?1";
    if t.prepare_cached(taken)?.exists([stream.0.as_slice()])? {
        return Err(Refuse::new(StatusCode::CONFLICT, "stream_taken"));
    }
    t.execute("UPDATE organisation SET stream = ?2 WHERE id = ?1", (organisation, stream.0.as_slice()))?;
    fold::admit(t, &stream, &founding.header.device)?;
    accept::take_in(city, t, vec![founding], &[], now)?;
    Ok(stream)
}

/// A code is for a new computer: one whose right was taken is given it back by a person, not by a code.
fn may_come(city: &City, t: &Connection, stream: &StreamId, ask: &EnrolAsk) -> Result<(), Refuse> {
    let verdicts = fold::founder(t, stream)?
        .map(|founder| fold::verdicts(t, &city.root, stream, founder, None))
        .transpose()?;
    match verdicts.is_some_and(|verdicts| verdicts.revoked.contains_key(&ask.device)) {
        true => Err(Refuse::new(StatusCode::FORBIDDEN, REVOKED)),
        false => Ok(()),
    }
}

/// The city's change in the stream that names the device.
fn introduce(
    city: &City,
    t: &Connection,
    stream: &StreamId,
    ask: &EnrolAsk,
    now: i64,
) -> Result<Change, Refuse> {
    let record = fold::state(t, &city.root, stream, STREAM_KIND, STREAM_RECORD)?;
    let path = format!("~device/{}", ask.device);
    let over = record.map(|record| record.heads(&path)).unwrap_or_default();
    let name: String = ask.name.chars().take(60).collect();
    let mut writes = vec![Write::to_stream(path, json!({ "name": name, "from": now }), over)];
    writes.extend(announce::pending(t, &city.root, stream)?);
    Ok(accept::write(city, t, stream, "enrol", &writes, now)?)
}

impl From<PenError> for Refuse {
    fn from(error: PenError) -> Refuse {
        Refuse::inner(&error)
    }
}
