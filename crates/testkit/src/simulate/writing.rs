//! What people do at a laptop: small writes to a few records that everybody has, so that they meet.

use std::collections::BTreeMap;

use replica::{ChangeId, Closing, DeviceId, Field, Life, RawChange, StreamId, signature_input};
use serde_json::{Value, json};
use store::{Author, Issue, IssueWrite, Store, StoreError, Touched};

use super::story::What;
use super::texts;
use super::versions::{NEW_FIELD, NEW_KIND};
use crate::random::Random;

const MEETINGS: [&str; 4] = ["m1", "m2", "m3", "m4"];
const PROMISES: [&str; 3] = ["p1", "p2", "p3"];
const TEXTS: [&str; 5] =
    ["三楼会议室。", "学习全会精神。交流体会。", "结对帮扶两户。", "改到周五。", "补充一条。"];

/// What an act came to: in words, and what the person was told is saved.
pub struct Act {
    pub words: String,
    pub saved: Vec<ChangeId>,
    /// What is not as the person made it.
    pub wrong: Option<String>,
}

/// Plays one act of a person. None: there was nothing to do it to, or the program said no in so many words.
pub fn act(
    store: &Store,
    what: What,
    dice: &mut Random,
    die: impl FnOnce(),
) -> Result<Option<Act>, StoreError> {
    let done = match what {
        What::BadValue => bad_value(store, dice),
        What::Newer => newer(store, dice),
        _ => daily(store, what, dice, die),
    };
    match done {
        Err(StoreError::Closed { .. } | StoreError::NoRecord { .. } | StoreError::RecordExists { .. }) => {
            Ok(None)
        }
        // A field that last year's program does not know.
        Err(StoreError::BadValue { code, .. }) if code == "unknown_field" => Ok(None),
        done => done,
    }
}

/// A record, and what a person can do with it now.
struct Target {
    kind: &'static str,
    id: &'static str,
    verb: &'static str,
}

/// Looks for a record that suits the act, as a person does.
fn target(store: &Store, what: What, dice: &mut Random) -> Result<Option<Target>, StoreError> {
    for _ in 0..12 {
        let (kind, id) = record(dice);
        let state = store.record(kind, id)?;
        let life = state.as_ref().map(|state| &state.life);
        let live = life.is_some_and(|life| matches!(life, Life::Live | Life::Contested { .. }));
        let open = state.as_ref().is_none_or(|state| matches!(state.closing, Closing::Open));
        let exists = life.is_some_and(|life| !matches!(life, Life::Waiting));
        let verb = match what {
            What::Remove if live => "removes",
            What::Restore if exists && !live => "restores",
            What::Finalise if live && open => "closes",
            What::Correct if live && !open => "corrects",
            What::Edit if live && open => "edits",
            // A record of which only the closing came is nothing that a person would make again.
            What::Edit if !exists && open => "makes",
            _ => continue,
        };
        return Ok(Some(Target { kind, id, verb }));
    }
    Ok(None)
}

/// A meeting that a person can still write to, if there is one.
pub fn editable_meeting(store: &Store, dice: &mut Random) -> Result<Option<&'static str>, StoreError> {
    let found = target(store, What::Edit, dice)?;
    Ok(found.filter(|found| found.kind == "meeting" && found.verb == "edits").map(|found| found.id))
}

fn daily(
    store: &Store,
    what: What,
    dice: &mut Random,
    die: impl FnOnce(),
) -> Result<Option<Act>, StoreError> {
    let Some(Target { kind, id, verb }) = target(store, what, dice)? else { return Ok(None) };
    let fields = fields(store, kind, id, dice)?;
    let beside = dice.chance(20).then(|| PROMISES[dice.below(PROMISES.len())]).filter(|other| *other != id);
    let touched = store.write(&Author::new("secretary"), verb, |w| {
        match verb {
            "removes" => w.remove(kind, id, json!({ "reason": "mistake" }))?,
            "restores" => w.restore(kind, id)?,
            "closes" => w.finalise(kind, id, json!({ "number": id }))?,
            "corrects" => w.correct(kind, id, &fields, json!({ "number": id }))?,
            "edits" => w.put(kind, id, &fields)?,
            _ => w.create(kind, id, &fields)?,
        }
        // A change over two records is there in both or in neither.
        if let Some(other) = beside
            && store.record("promise", other)?.is_none()
        {
            w.create("promise", other, &BTreeMap::from([("text".to_owned(), json!("顺带记下的"))]))?;
        }
        if store.kinds().get(NEW_KIND).is_some() && dice.chance(20) && w.record(NEW_KIND, "h1")?.is_none() {
            w.create(NEW_KIND, "h1", &BTreeMap::from([("name".to_owned(), json!("全息一号"))]))?;
        }
        die();
        Ok(())
    })?;
    let wrong = wrong(store, verb, (kind, id), &fields, &touched)?;
    Ok(told(format!("{verb} {kind} {id}"), &touched).map(|act| Act { wrong, ..act }))
}

/// What is not as the person made it. A device that has no rights writes what does not count.
fn wrong(
    store: &Store,
    verb: &str,
    (kind, id): (&str, &str),
    fields: &BTreeMap<String, Value>,
    touched: &Touched,
) -> Result<Option<String>, StoreError> {
    let Some(state) = store.record(kind, id)? else { return Ok(None) };
    if touched.changes.iter().any(|change| state.ignored.contains(change)) {
        return Ok(None);
    }
    let says = |(path, value): (&String, &Value)| match state.fields.get(path) {
        Some(Field::One { value: shown, .. }) => shown == value,
        Some(Field::Conflict { .. } | Field::Withheld { .. }) => false,
        None => value.is_null() || path.contains('/'),
    };
    // A removal that was contested before stays a question until somebody answers it.
    let live = matches!(state.life, Life::Live | Life::Contested { .. });
    let closed = matches!(state.closing, Closing::Final { .. });
    let right = match verb {
        "removes" => matches!(state.life, Life::Gone { .. }),
        "restores" => state.life == Life::Live,
        "closes" => closed && live,
        "corrects" => closed && live && fields.iter().all(says),
        _ => live && fields.iter().all(says),
    };
    Ok((!right).then(|| format!("{verb} {kind} {id}, which is then {:?}, {:?}", state.life, state.closing)))
}

fn told(words: String, touched: &Touched) -> Option<Act> {
    (!touched.changes.is_empty()).then(|| Act { words, saved: touched.changes.clone(), wrong: None })
}

pub fn record(dice: &mut Random) -> (&'static str, &'static str) {
    match dice.chance(70) {
        true => ("meeting", MEETINGS[dice.below(MEETINGS.len())]),
        false => ("promise", PROMISES[dice.below(PROMISES.len())]),
    }
}

fn fields(
    store: &Store,
    kind: &str,
    id: &str,
    dice: &mut Random,
) -> Result<BTreeMap<String, Value>, StoreError> {
    let short = format!("{}{}", dice.pick(&TEXTS), dice.below(1000));
    let status = *dice.pick(&[&"present", &"leave", &"absent"]);
    let long = if kind == "meeting" { "summary" } else { "evidence" };
    let before = store.record(kind, id)?;
    let text = match before.as_ref().and_then(|state| state.value(long)?.as_str()) {
        Some(text) => texts::rework(text, dice),
        None => texts::compose(dice),
    };
    let mut pool = match kind {
        "meeting" => vec![
            ("summary".to_owned(), json!(text)),
            ("title".to_owned(), json!(short)),
            ("place".to_owned(), json!(short)),
            ("time".to_owned(), json!({ "start": "2026-10-13T14:00", "end": "2026-10-13T17:30" })),
            (format!("attendance/p-{}/status", dice.below(4)), json!(status)),
            (format!("agenda/a{}/topic", dice.below(3)), json!(short)),
            (format!("agenda/a{}/~gone", dice.below(3)), json!({ "reason": "mistake" })),
        ],
        _ => vec![
            ("evidence".to_owned(), json!(text)),
            ("text".to_owned(), json!(short)),
            ("promised_on".to_owned(), json!("2026-10-13")),
            ("note".to_owned(), Value::Null),
        ],
    };
    if store.kinds().get(NEW_KIND).is_some() {
        pool.extend([(NEW_FIELD.to_owned(), json!(short)), (NEW_FIELD.to_owned(), json!("明年再看"))]);
    }
    let count = dice.between(1, 3);
    Ok((0..count).map(|_| pool[dice.below(pool.len())].clone()).collect())
}

/// A value that the city refuses, beside one that is good: all of the change is voided, and stays with its author.
fn bad_value(store: &Store, dice: &mut Random) -> Result<Option<Act>, StoreError> {
    let Some(stream) = store.own_stream()? else { return Ok(None) };
    let id = PROMISES[dice.below(PROMISES.len())];
    let over = |path: &str| {
        let state = store.record("promise", id);
        state.map(|state| state.map(|state| state.heads(path)).unwrap_or_default())
    };
    let write = |path: &str, value: Value| {
        let (record, kind, path) = (id.to_owned(), "promise".to_owned(), path.to_owned());
        Ok::<_, StoreError>(IssueWrite { over: over(&path)?, record, kind, path, value })
    };
    let writes = vec![
        write("state", json!(format!("nonsense-{}", dice.below(1000))))?,
        write("text", json!("与不合要求的内容一起写的"))?,
    ];
    let issue = Issue {
        at: 1,
        author: "secretary".to_owned(),
        action: "edits".to_owned(),
        batch: None,
        origin: None,
        writes,
    };
    let saved = store.issue(&stream, &[issue])?;
    Ok(Some(Act {
        words: format!("writes a value into promise {id} that the city refuses"),
        saved,
        wrong: None,
    }))
}

/// A change as a newer program of this laptop would write it: fields, kinds, or a whole version that nobody knows yet.
fn newer(store: &Store, dice: &mut Random) -> Result<Option<Act>, StoreError> {
    let Some(stream) = store.own_stream()? else { return Ok(None) };
    let device = store.device()?;
    let raw = newer_change(store, &stream, &device, dice)?;
    let applied = store.apply(&[raw])?;
    let words = "writes with a newer program what nobody can read yet".to_owned();
    Ok((!applied.new.is_empty()).then_some(Act { words, saved: applied.new, wrong: None }))
}

fn newer_change(
    store: &Store,
    stream: &StreamId,
    device: &DeviceId,
    dice: &mut Random,
) -> Result<RawChange, StoreError> {
    let end = store.frontier(stream)?.last(device);
    let payload = json!(["明年的字段", { "深": { "更深": dice.below(1000) } }]).to_string().into_bytes();
    // The id of bytes is their BLAKE3 hash, which is what a header says of its payload.
    let hash = RawChange { header: payload.clone(), signature: [0; 64], payload: None }.id();
    let mut header = json!({
        "v": 1, "stream": stream.to_string(), "device": device.to_string(),
        "n": end.map_or(0, |(n, _)| n) + 1, "lamport": 7, "at": 1, "author": "secretary",
        "action": "tomorrow", "payload": hash.to_string(), "len": payload.len(),
        "writes": [
            { "record": MEETINGS[dice.below(4)], "kind": "meeting", "path": "of_tomorrow" },
            { "record": "x1", "kind": "hologram", "path": "depth" },
        ],
        "of_tomorrow": { "unread": [1, 2, dice.below(1000)] },
    });
    if let Some((_, id)) = end {
        header["prev"] = json!(id.to_string());
    }
    if dice.chance(30) {
        header["v"] = json!(9);
    }
    let header = header.to_string().into_bytes();
    let signature = store.sign(&signature_input(&header))?;
    Ok(RawChange { header, signature, payload: Some(payload) })
}
