//! The open branch: its store, who is at the keyboard, and the few shapes in which use cases read records.

use crate::attachments::{Originals, Uploads};
use crate::error::{CallError, Code};
use crate::facts::Facts;
use crate::meetings::DraftContent;
use crate::values::kinds;
use chrono::{Days, NaiveDate};
use domain::{Meeting, Organisation};
use replica::{Closing, Group, Life, RecordState};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use store::{Author, LifeCode, Query, Store, StoreError, Touched, Write};

/// The live fields of a record, by path.
pub type Fields = BTreeMap<String, Value>;

/// One open branch.
pub struct Branch {
    /// The name of its folder under the data folder.
    pub folder: String,
    pub store: Store,
    pub author: Author,
    /// Who is at the keyboard, as given at set-up.
    pub author_name: String,
    /// Drafts that were thrown away in this session, to bring one back.
    pub discarded: Mutex<BTreeMap<String, DraftContent>>,
    /// Files on their way into a draft.
    pub uploads: Uploads,
    /// Which meetings hold which file.
    pub originals: Originals,
    /// Counts the commits that touched people or the organisation.
    touched: Arc<AtomicU64>,
    /// The facts as they were read, with the count of that moment.
    facts: Mutex<Option<(u64, Arc<Facts>)>>,
}

/// Names of settings in the store.
pub mod setting {
    pub const AUTHOR: &str = "author";
    pub const AUTHOR_NAME: &str = "author_name";
}

impl Branch {
    pub fn new(folder: String, store: Store) -> Result<Self, CallError> {
        let of = |name: &str| store.meta(name).map(Option::unwrap_or_default);
        let author = Author::new(of(setting::AUTHOR)?);
        let author_name = of(setting::AUTHOR_NAME)?;
        let touched = Arc::new(AtomicU64::new(0));
        let counted = touched.clone();
        store.on_changed(Arc::new(move |commit| {
            if commit.records.iter().any(|record| matches!(record.kind.as_str(), "person" | "organisation")) {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        }));
        let (uploads, originals) = (Uploads::default(), Originals::default());
        let stale = originals.stale();
        store.on_changed(Arc::new(move |commit| {
            if commit.records.iter().any(|record| record.kind == "meeting") {
                stale();
            }
        }));
        let (discarded, facts) = (Mutex::default(), Mutex::default());
        Ok(Self { folder, store, author, author_name, discarded, uploads, originals, touched, facts })
    }

    /// One user action; all or nothing.
    pub fn write(
        &self,
        action: &str,
        body: impl FnOnce(&mut Write) -> Result<(), StoreError>,
    ) -> Result<Touched, CallError> {
        Ok(self.store.write(&self.author, action, body)?)
    }

    /// The same for a decision that was made over a record as it was read: if it changed since, nothing is written.
    pub fn write_over(
        &self,
        state: &RecordState,
        action: &str,
        body: impl FnOnce(&mut Write) -> Result<(), StoreError>,
    ) -> Result<Touched, CallError> {
        self.write_over_all(&[state], action, body)
    }

    /// The same for a decision over several records.
    pub fn write_over_all(
        &self,
        states: &[&RecordState],
        action: &str,
        body: impl FnOnce(&mut Write) -> Result<(), StoreError>,
    ) -> Result<Touched, CallError> {
        let mut changed = false;
        let written = self.write(action, |write| {
            for state in states {
                changed |= write.record(&state.kind, &state.id)?.as_ref() != Some(*state);
            }
            if changed {
                return Err(StoreError::Abandoned("a record changed".to_owned()));
            }
            body(write)
        });
        if changed { Err(CallError::new(Code::Changed)) } else { written }
    }

    /// A record that is there or was.
    pub fn record(&self, kind: &str, id: &str) -> Result<RecordState, CallError> {
        let found = self.store.record(kind, id)?.filter(|state| state.life != Life::Waiting);
        found.ok_or_else(|| CallError::not_found(kind, id))
    }

    /// A record that is there: not removed.
    pub fn live(&self, kind: &str, id: &str) -> Result<RecordState, CallError> {
        let state = self.record(kind, id)?;
        match state.life {
            Life::Live | Life::Contested { .. } => Ok(state),
            Life::Waiting | Life::Gone { .. } => Err(CallError::not_found(kind, id)),
        }
    }

    /// A record that may be edited: there, open and undisputed.
    pub fn open_record(&self, kind: &str, id: &str) -> Result<RecordState, CallError> {
        let state = self.live(kind, id)?;
        match state.closing {
            Closing::Open if state.life == Life::Live => Ok(state),
            Closing::Final { .. } => Err(CallError::new(Code::Closed)),
            Closing::Open | Closing::FinalConflict { .. } => Err(CallError::new(Code::InConflict)),
        }
    }

    /// Id and fields of the branch's own organisation: the first that was recorded. Both are empty on a computer that
    /// joined the city's records and does not hold them yet.
    pub fn organisation(&self) -> Result<(String, Fields), CallError> {
        let states = self.store.records(&Query::of("organisation"))?;
        let made = |state: &RecordState| state.born.as_ref().map(|born| (born.lamport, born.change));
        let first = states.into_iter().min_by_key(made);
        Ok(first.map_or_else(Default::default, |state| (state.id.clone(), fields(&state))))
    }

    /// The organisation and all its people; read again after a commit that touched them.
    pub fn facts(&self) -> Result<Arc<Facts>, CallError> {
        // Counted before reading: a commit in between makes what was read stale at once.
        let count = self.touched.load(Ordering::SeqCst);
        let mut kept = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, facts)) = kept.as_ref().filter(|(at, _)| *at == count) {
            return Ok(facts.clone());
        }
        let (id, organisation) = self.organisation()?;
        let persons = self.store.records(&Query::of("person"))?;
        let persons: Vec<(String, Fields)> =
            persons.iter().map(|state| (state.id.clone(), fields(state))).collect();
        let facts = Arc::new(Facts::new(Organisation::from_fields(&id, &organisation), &persons));
        *kept = Some((count, facts.clone()));
        Ok(facts)
    }

    /// Reads the facts anew next time: the records are now those of another stream.
    pub fn forget_facts(&self) {
        self.touched.fetch_add(1, Ordering::SeqCst);
    }

    /// The live meetings of a stretch of days, both ends included.
    pub fn meetings(&self, from: NaiveDate, until: NaiveDate) -> Result<Vec<Meeting>, CallError> {
        let query =
            Query { from: Some(from.to_string()), until: Some(until.to_string()), ..Query::of("meeting") };
        self.typed_meetings(&query)
    }

    /// What a meeting of that day is judged against: a quarter before, a month after, the yearly ones of two years,
    /// and what it links to.
    pub fn meetings_around(
        &self,
        date: NaiveDate,
        yearly: bool,
        linked: &BTreeSet<String>,
    ) -> Result<Vec<Meeting>, CallError> {
        let days = |days| Days::new(days);
        let from = date.checked_sub_days(days(100)).unwrap_or(date);
        let until = date.checked_add_days(days(35)).unwrap_or(date);
        let mut meetings = self.meetings(from, until)?;
        if yearly {
            let since = date.checked_sub_days(days(800)).unwrap_or(date);
            let types = vec!["life".to_owned(), "review".to_owned()];
            let query = Query {
                from: Some(since.to_string()),
                facets: vec![("types".to_owned(), types)],
                ..Query::of("meeting")
            };
            let known: BTreeSet<String> = meetings.iter().map(|meeting| meeting.id.clone()).collect();
            meetings.extend(
                self.typed_meetings(&query)?.into_iter().filter(|meeting| !known.contains(&meeting.id)),
            );
        }
        for id in
            linked.iter().filter(|id| meetings.iter().all(|meeting| meeting.id != **id)).collect::<Vec<_>>()
        {
            if let Some(state) = self.store.record("meeting", id)?.filter(RecordState::is_live) {
                meetings.push(Meeting::from_fields(id, &fields(&state)));
            }
        }
        Ok(meetings)
    }

    pub fn typed_meetings(&self, query: &Query) -> Result<Vec<Meeting>, CallError> {
        let states = self.store.records(query)?;
        Ok(states.iter().map(|state| Meeting::from_fields(&state.id, &fields(state))).collect())
    }

    /// The name of whoever made a change: this computer's user, or the name under which the other computer stands.
    pub fn author_of(&self, meta: &replica::ChangeMeta) -> Result<String, CallError> {
        if meta.author == self.author.0 {
            return Ok(self.author_name.clone());
        }
        let stream = self.store.record(replica::STREAM_KIND, replica::STREAM_RECORD)?;
        let path = format!("~device/{}", meta.device);
        let value = stream.as_ref().and_then(|state| state.value(&path));
        let name = value.and_then(|value| value.get("name")).and_then(Value::as_str);
        Ok(name.unwrap_or_default().to_owned())
    }
}

/// The values to show, by path: of texts that crossed the merge. Reserved paths are left out.
pub fn fields(state: &RecordState) -> Fields {
    let mut shown = state.all_shown(kinds().get(&state.kind));
    shown.retain(|path, _| !path.split('/').any(|step| step.starts_with('~')));
    shown
}

/// Lives in which a record is listed, with those that were removed.
pub const ALL_LIVES: [LifeCode; 3] = [LifeCode::Live, LifeCode::Contested, LifeCode::Gone];

/// The kinds, and words for what is no kind, whose answers a commit makes stale.
pub fn kinds_of(touched: &Touched) -> Vec<String> {
    let mut found = BTreeSet::new();
    for record in &touched.records {
        let ledger = kinds().get(&record.kind).is_some_and(|kind| kind.group == Group::Ledger);
        found.extend(ledger.then(|| "ledger".to_owned()));
        found.insert(record.kind.clone());
    }
    for (kind, _) in &touched.drafts {
        found.insert(if kind == "sync" { "sync".to_owned() } else { "draft".to_owned() });
    }
    if !touched.changes.is_empty() {
        found.insert("sync".to_owned());
    }
    found.into_iter().collect()
}
