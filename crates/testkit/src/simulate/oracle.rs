//! What must hold after every step, and at the end.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::Result;
use replica::{Change, ChangeId, Replica, RootKey, StreamId};

use super::held::Held;
use super::laptop::Laptop;
use super::site::Site;

/// A rule that a story broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub rule: &'static str,
    pub words: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.words)
    }
}

impl std::error::Error for Broken {}

pub fn broken<T>(rule: &'static str, words: impl Into<String>) -> Result<T> {
    Err(Broken { rule, words: words.into() }.into())
}

pub const KEPT: &str = "what was held stays held";
pub const SAVED: &str = "what a person was told is saved is somewhere";
pub const FOLDED: &str = "the state is a function of the set of changes";
pub const HEALS: &str = "after the faults stop everything drains and agrees";
pub const ERROR: &str = "nothing fails that has no reason to";

/// Looks at a laptop after a step: it lost nothing, and its stored state is what its changes come to.
pub fn look_at_laptop(laptop: &mut Laptop) -> Result<()> {
    let changes = laptop.changes()?;
    keep(laptop.name, &mut laptop.held, &changes)?;
    let mut changes = changes;
    for stream in laptop.store().streams()? {
        let of_stream: Vec<Change> = changes.extract_if(.., |change| change.stream == stream.id).collect();
        let stored = laptop.store().digest(&stream.id)?;
        folded(laptop.name, stream.root, of_stream, &stored)?;
    }
    Ok(())
}

/// Looks at the city after a step, likewise.
pub fn look_at_city(site: &mut Site, stream: &StreamId) -> Result<()> {
    let mut changes = site.changes()?;
    keep("city", &mut site.held, &changes)?;
    changes.retain(|change| change.stream == *stream);
    let stored = site.city().digest(stream)?;
    folded("city", Some(site.city().root), changes, &stored)
}

fn keep(who: &str, held: &mut Held, changes: &[Change]) -> Result<()> {
    let now = Held::of(changes);
    if let Some(id) = now.lost_since(held) {
        return broken(KEPT, format!("{who} lost {id}"));
    }
    *held = now;
    Ok(())
}

fn folded(who: &str, root: Option<RootKey>, changes: Vec<Change>, stored: &str) -> Result<()> {
    let mut replica = Replica::new(root);
    let count = changes.len();
    if replica.insert(changes).new.len() != count {
        return broken(FOLDED, format!("{who} holds a change without the one before it"));
    }
    match replica.state_digest() == stored {
        true => Ok(()),
        false => broken(FOLDED, format!("{who} stores another state than {count} changes come to")),
    }
}

/// Everything that people were told is saved, minus what went with storage that the story destroyed.
#[derive(Default)]
pub struct Promises {
    saved: BTreeSet<ChangeId>,
}

impl Promises {
    pub fn told(&mut self, changes: impl IntoIterator<Item = ChangeId>) {
        self.saved.extend(changes);
    }

    /// Storage is gone: what stood nowhere else is nobody's fault.
    pub fn destroyed(&mut self, gone: &Held, left: &[&Held]) {
        self.saved.retain(|id| !gone.has_whole(id) || left.iter().any(|held| held.has_whole(id)));
    }

    pub fn check(&self, live: &[&Held]) -> Result<()> {
        match self.saved.iter().find(|id| !live.iter().any(|held| held.has_whole(id))) {
            Some(id) => broken(SAVED, format!("{id} is on no replica")),
            None => Ok(()),
        }
    }
}
