//! One user action: what it writes is collected against the records as they are inside the transaction, becomes one
//! signed change, and ends in the fold.

use std::collections::BTreeMap;

use replica::{
    CannotBuild, Change, ChangeBuilder, ChangeId, Kind, Kinds, Life, RecordState, StreamId, Verdicts,
    fold_record, planted,
};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::Touched;
use crate::aside;
use crate::error::{Fault, StoreError};
use crate::identity::{self, Identity};
use crate::log::{self, StreamRow};
use crate::records::{self, Name};
use crate::store::Store;

/// Who acts: an account or person id, never a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author(pub String);

impl Author {
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }
}

/// The writes of one action. They become one change when the closure of `Store::write` returns.
pub struct Write<'a> {
    db: &'a Connection,
    kinds: &'a Kinds,
    stream: StreamRow,
    at: i64,
    planned: Vec<Planned>,
    batch: Option<String>,
    beside: Vec<(String, String)>,
    /// Refused writes that the planned ones at the same place are over as well.
    refused: Vec<Refused>,
}

struct Refused {
    kind: String,
    id: String,
    path: String,
    change: ChangeId,
}

struct Planned {
    kind: String,
    id: String,
    path: String,
    value: Value,
    over: Vec<ChangeId>,
}

impl Store {
    /// Runs one action of the user: all of it is durable when this returns, or nothing is.
    pub fn write(
        &self,
        author: &Author,
        action: &str,
        body: impl FnOnce(&mut Write) -> Result<(), StoreError>,
    ) -> Result<Touched, StoreError> {
        let touched = self.commit(|db, batch| {
            let stream = log::own_stream(db)?.ok_or(StoreError::NoStream)?;
            let mut write = Write::new(db, self.kinds(), stream, self.sources.now());
            body(&mut write)?;
            write.settle_refused();
            let Write { planned, batch: joined, beside, at, .. } = write;
            if !planned.is_empty() {
                let identity = identity::current(db)?;
                let builder = start(db, Some(stream), &identity, at, author, action)?;
                let change = sign(fill(builder, &planned, joined.as_deref()), &identity)?;
                batch.add(stream, change)?;
            }
            Ok(beside)
        })?;
        self.tell(&touched);
        Ok(touched)
    }

    /// Founds the stream of this branch: its first change names the stream and this computer.
    pub fn found(&self, author: &Author, computer: &str) -> Result<StreamId, StoreError> {
        let touched = self.commit(|db, batch| {
            if log::own_stream(db)?.is_some() {
                return Err(StoreError::HasStream.into());
            }
            let identity = identity::current(db)?;
            let device = format!("~device/{}", identity.device());
            let mut builder = start(db, None, &identity, self.sources.now(), author, "found")?;
            builder.add(replica::STREAM_RECORD, replica::STREAM_KIND, "~born", &json!(true), &[]);
            builder.add(
                replica::STREAM_RECORD,
                replica::STREAM_KIND,
                &device,
                &json!({ "name": computer }),
                &[],
            );
            let change = sign(builder, &identity)?;
            let stream = log::add_stream(db, &change.stream)?;
            log::set_own(db, stream.seq)?;
            batch.add(stream, change)?;
            Ok(Vec::new())
        })?;
        self.tell(&touched);
        let first = touched.changes.first().expect("founding makes a change");
        Ok(StreamId::from(*first))
    }
}

/// Begins a change at the end of this computer's chain. Runs inside the transaction, so the end cannot move.
pub(crate) fn start(
    db: &Connection,
    stream: Option<StreamRow>,
    identity: &Identity,
    at: i64,
    author: &Author,
    action: &str,
) -> Result<ChangeBuilder, Fault> {
    let device = identity.device();
    let (end, lamport) = match stream {
        Some(stream) => (log::chain_end(db, stream.seq, &device)?, log::highest_lamport(db, stream.seq)? + 1),
        None => (None, 1),
    };
    Ok(ChangeBuilder::new(stream.map(|row| row.id), end, device, lamport, at, &author.0, action))
}

fn fill(mut builder: ChangeBuilder, planned: &[Planned], batch: Option<&str>) -> ChangeBuilder {
    for one in planned {
        builder.add(&one.id, &one.kind, &one.path, &one.value, &one.over);
    }
    match batch {
        Some(batch) => builder.batch(batch),
        None => builder,
    }
}

pub(crate) fn sign(builder: ChangeBuilder, identity: &Identity) -> Result<Change, StoreError> {
    builder.sign(identity.key()).map_err(|error| match error {
        CannotBuild::TooBig => StoreError::TooLarge { what: error.to_string() },
        CannotBuild::Unreadable(reason) => StoreError::BadValue {
            kind: "change".to_owned(),
            id: String::new(),
            path: String::new(),
            code: reason.to_string(),
        },
        CannotBuild::WrongKey => unreachable!("the device is that of the signing key"),
    })
}

impl<'a> Write<'a> {
    pub(crate) fn new(db: &'a Connection, kinds: &'a Kinds, stream: StreamRow, at: i64) -> Self {
        Self {
            db,
            kinds,
            stream,
            at,
            planned: Vec::new(),
            batch: None,
            beside: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// The time that the change will carry.
    pub fn at(&self) -> i64 {
        self.at
    }

    /// A record as it was before this action.
    pub fn record(&self, kind: &str, id: &str) -> Result<Option<RecordState>, StoreError> {
        let state = self.state(kind, id).map_err(|fault| fault.at(self.file()))?;
        Ok(state.last.is_some().then_some(state))
    }

    /// Makes a record with its first values.
    pub fn create(
        &mut self,
        kind: &str,
        id: &str,
        fields: &BTreeMap<String, Value>,
    ) -> Result<(), StoreError> {
        let state = self.read(kind, id)?;
        if !matches!(state.life, Life::Waiting) {
            return Err(StoreError::RecordExists { kind: kind.to_owned(), id: id.to_owned() });
        }
        self.plan(kind, id, "~born", json!(true), state.all_heads())?;
        self.put_over(&state, fields)
    }

    /// Writes the values that differ, each over the heads that are held; `Null` clears. Writing over a conflict
    /// settles it. `agenda/<item>/~gone` removes an item. Fields that stay on this computer go beside the log.
    pub fn put(&mut self, kind: &str, id: &str, fields: &BTreeMap<String, Value>) -> Result<(), StoreError> {
        let state = self.existing(kind, id)?;
        if !matches!(state.closing, replica::Closing::Open) && self.would_change(&state, fields)? {
            return Err(StoreError::Closed { kind: kind.to_owned(), id: id.to_owned() });
        }
        self.put_over(&state, fields)
    }

    /// The same for a page that showed the record earlier: over what stood there then (`RecordState::seen`), so that
    /// what arrived meanwhile stands beside it as a conflict.
    pub fn put_over_seen(
        &mut self,
        kind: &str,
        id: &str,
        fields: &BTreeMap<String, Value>,
        seen: &BTreeMap<String, Vec<ChangeId>>,
    ) -> Result<(), StoreError> {
        let from = self.planned.len();
        self.put(kind, id, fields)?;
        for at in from..self.planned.len() {
            let over = seen_at(seen, &self.planned[at].path);
            self.planned[at].over = self.held(over)?;
        }
        Ok(())
    }

    /// Ids that this computer holds: a page may name nothing else.
    fn held(&self, ids: Vec<ChangeId>) -> Result<Vec<ChangeId>, StoreError> {
        let mut held = Vec::new();
        for id in ids {
            if log::held(self.db, &id).map_err(|fault| fault.at(self.file()))?.is_some() {
                held.push(id);
            }
        }
        Ok(held)
    }

    /// 定稿: closes the record over everything that is held of it and this action's writes.
    pub fn finalise(&mut self, kind: &str, id: &str, value: Value) -> Result<(), StoreError> {
        let state = self.existing(kind, id)?;
        self.plan(kind, id, "~final", value, settled(&state))
    }

    /// 更正: writes values of a closed record and closes it again. A late write at one of these paths is adopted or
    /// given up by it; the others stay on their cards.
    pub fn correct(
        &mut self,
        kind: &str,
        id: &str,
        fields: &BTreeMap<String, Value>,
        value: Value,
    ) -> Result<(), StoreError> {
        let state = self.existing(kind, id)?;
        self.put_over(&state, fields)?;
        self.plan(kind, id, "~final", value, settled(&state))
    }

    /// Removes a record; of a closed one this is 作废.
    pub fn remove(&mut self, kind: &str, id: &str, value: Value) -> Result<(), StoreError> {
        let state = self.existing(kind, id)?;
        let known = match &state.born {
            Some(born) if planted!(GoneNamesOneHead) => vec![born.change],
            Some(_) | None => state.all_heads(),
        };
        self.plan(kind, id, "~gone", value, known)
    }

    /// Brings a removed record back, or settles a removal against an edit in favour of the record.
    pub fn restore(&mut self, kind: &str, id: &str) -> Result<(), StoreError> {
        let state = self.read(kind, id)?;
        if matches!(state.life, Life::Waiting) {
            return Err(StoreError::NoRecord { kind: kind.to_owned(), id: id.to_owned() });
        }
        self.plan(kind, id, "~born", json!(true), state.all_heads())
    }

    /// Writes a path of the stream's own record: a computer, a ruling, a key.
    pub fn put_stream(&mut self, path: &str, value: Value) -> Result<(), StoreError> {
        let state = self.read(replica::STREAM_KIND, replica::STREAM_RECORD)?;
        self.plan(replica::STREAM_KIND, replica::STREAM_RECORD, path, value, state.heads(path))
    }

    /// Joins this change to the others of one import.
    pub fn batch(&mut self, batch: &str) {
        self.batch = Some(batch.to_owned());
    }

    /// How many writes were collected; a change holds `replica::limits::MAX_WRITES`.
    pub fn len(&self) -> usize {
        self.planned.len()
    }

    pub fn is_empty(&self) -> bool {
        self.planned.is_empty()
    }

    /// Saves a draft in the same transaction.
    pub fn set_draft(&mut self, kind: &str, id: &str, content: &Value) -> Result<(), StoreError> {
        let at = self.at;
        self.beside(kind, id, |db| aside::set_draft(db, kind, id, content, at))
    }

    /// Drops a draft in the same transaction.
    pub fn drop_draft(&mut self, kind: &str, id: &str) -> Result<(), StoreError> {
        self.beside(kind, id, |db| aside::drop_draft(db, kind, id))
    }

    pub fn set_meta(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        aside::set_meta(self.db, key, value).map_err(|fault| fault.at(self.file()))
    }

    /// Does something to what is kept beside the log, in the same transaction.
    pub(crate) fn beside(
        &mut self,
        kind: &str,
        id: &str,
        work: impl FnOnce(&Connection) -> Result<(), Fault>,
    ) -> Result<(), StoreError> {
        work(self.db).map_err(|fault| fault.at(self.file()))?;
        self.beside.push((kind.to_owned(), id.to_owned()));
        Ok(())
    }

    /// What this action writes at a place is also over this refused change.
    pub(crate) fn also_over(&mut self, kind: &str, id: &str, path: &str, change: ChangeId) {
        let (kind, id, path) = (kind.to_owned(), id.to_owned(), path.to_owned());
        self.refused.push(Refused { kind, id, path, change });
    }

    fn settle_refused(&mut self) {
        for planned in &mut self.planned {
            let same =
                |one: &&Refused| one.kind == planned.kind && one.id == planned.id && one.path == planned.path;
            let over = self.refused.iter().filter(same).map(|one| one.change);
            let over: Vec<ChangeId> = over.filter(|id| !planned.over.contains(id)).collect();
            planned.over.extend(over);
        }
    }

    fn put_over(&mut self, state: &RecordState, fields: &BTreeMap<String, Value>) -> Result<(), StoreError> {
        let kind = self.kind(&state.kind)?;
        for (path, value) in fields {
            let checked = kind.check(path, value);
            checked.map_err(|bad| bad_value(state, &bad.path, bad.code))?;
            let field = kind.field_for(path);
            if field.is_some_and(|field| field.kept.is_some()) {
                let name = (state.kind.as_str(), state.id.as_str(), path.as_str());
                let at = self.at;
                self.beside(&state.kind, &state.id, |db| aside::set_device_field(db, name, value, at))?;
            } else if field.is_none() && !is_reserved(path) {
                return Err(bad_value(state, path, "unknown_field"));
            } else if differs(state, path, value) {
                self.plan(&state.kind, &state.id, path, value.clone(), heads(state, path))?;
            }
        }
        Ok(())
    }

    fn would_change(
        &self,
        state: &RecordState,
        fields: &BTreeMap<String, Value>,
    ) -> Result<bool, StoreError> {
        let kind = self.kind(&state.kind)?;
        let logged = |path: &str| kind.field_for(path).is_none_or(|field| field.kept.is_none());
        Ok(fields.iter().any(|(path, value)| logged(path) && differs(state, path, value)))
    }

    /// A second write to a path within one action takes the place of the first.
    fn plan(
        &mut self,
        kind: &str,
        id: &str,
        path: &str,
        value: Value,
        over: Vec<ChangeId>,
    ) -> Result<(), StoreError> {
        self.kind(kind)?;
        let same = |one: &&mut Planned| one.kind == kind && one.id == id && one.path == path;
        match self.planned.iter_mut().find(same) {
            Some(planned) => planned.value = value,
            None => {
                let (kind, id, path) = (kind.to_owned(), id.to_owned(), path.to_owned());
                self.planned.push(Planned { kind, id, path, value, over });
            }
        }
        Ok(())
    }

    fn kind(&self, kind: &str) -> Result<&'a Kind, StoreError> {
        self.kinds.get(kind).ok_or_else(|| StoreError::UnknownKind { kind: kind.to_owned() })
    }

    /// A record that is there, or was made earlier in this action.
    fn existing(&self, kind: &str, id: &str) -> Result<RecordState, StoreError> {
        let state = self.read(kind, id)?;
        let made_here =
            self.planned.iter().any(|one| one.kind == kind && one.id == id && one.path == "~born");
        let there = matches!(state.life, Life::Live | Life::Contested { .. });
        if !there && !made_here {
            return Err(StoreError::NoRecord { kind: kind.to_owned(), id: id.to_owned() });
        }
        Ok(state)
    }

    fn read(&self, kind: &str, id: &str) -> Result<RecordState, StoreError> {
        self.state(kind, id).map_err(|fault| fault.at(self.file()))
    }

    /// The stored state is the fold of what is held before this action.
    fn state(&self, kind: &str, id: &str) -> Result<RecordState, Fault> {
        let name = Name { stream: self.stream.seq, kind: kind.to_owned(), id: id.to_owned() };
        let stored = records::state(self.db, &name)?;
        Ok(stored.unwrap_or_else(|| fold_record(kind, id, &[], &Verdicts::default())))
    }

    fn file(&self) -> &'a std::path::Path {
        std::path::Path::new(self.db.path().unwrap_or("branch.db"))
    }
}

/// Every head but the late ones: closing again must not let in what nobody decided on.
fn settled(state: &RecordState) -> Vec<ChangeId> {
    let late = |id: &ChangeId| state.late.iter().any(|late| late.meta.change == *id);
    state.all_heads().into_iter().filter(|id| !late(id)).collect()
}

/// Heads that a page showed at a path; for an item's own life, everything that it showed of the item.
fn seen_at(seen: &BTreeMap<String, Vec<ChangeId>>, path: &str) -> Vec<ChangeId> {
    let item = path.rsplit_once('/').map(|(item, _)| item).filter(|_| is_reserved(path));
    let within = |shown: &str| match item {
        Some(item) => shown.strip_prefix(item).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        None => shown == path,
    };
    let mut ids: Vec<ChangeId> =
        seen.iter().filter(|(shown, _)| within(shown)).flat_map(|(_, ids)| ids.iter().copied()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn is_reserved(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("~born" | "~gone" | "~final"))
}

fn differs(state: &RecordState, path: &str, value: &Value) -> bool {
    if is_reserved(path) {
        return true;
    }
    match state.fields.get(path) {
        Some(replica::Field::One { value: held, .. }) => {
            held != value || state.late.iter().any(|late| late.path == path)
        }
        Some(replica::Field::Conflict { .. } | replica::Field::Withheld { .. }) => true,
        None => !value.is_null() || !state.heads(path).is_empty(),
    }
}

fn heads(state: &RecordState, path: &str) -> Vec<ChangeId> {
    match path.rsplit_once('/') {
        Some((item, _)) if is_reserved(path) => state.item_heads(item),
        None if is_reserved(path) => state.all_heads(),
        Some(_) | None => state.heads(path),
    }
}

fn bad_value(state: &RecordState, path: &str, code: &str) -> StoreError {
    StoreError::BadValue {
        kind: state.kind.clone(),
        id: state.id.clone(),
        path: path.to_owned(),
        code: code.to_owned(),
    }
}
