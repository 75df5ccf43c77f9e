//! What must hold after every step, and at the end.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::Result;
use replica::ChangeId;

use super::mirror::Mirror;

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
pub const SIGNED: &str = "what is held is as its author signed it";
pub const REDACTED: &str = "what was redacted is gone for ever";
pub const SAVED: &str = "what a person was told is saved is somewhere";
pub const FOLDED: &str = "the state is a function of the set of changes";
pub const MEANS: &str = "a record says what its changes plainly say";
pub const DONE: &str = "what a person did is what they see";
pub const REPORTED: &str = "已上报 is what the city holds";
pub const ACCEPTED: &str = "what the city gave a receipt for it does not refuse later";
pub const RIGHTS: &str = "nobody gets or does what they have no right to";
pub const RULED: &str = "what is done once is done once";
pub const HEALS: &str = "after the faults stop everything drains and agrees";
pub const ENDS: &str = "an exchange ends";
pub const ERROR: &str = "nothing fails that has no reason to";

/// Everything that people were told is saved, minus what went with storage that the story destroyed.
#[derive(Default)]
pub struct Promises {
    saved: BTreeSet<ChangeId>,
    /// Not yet looked for.
    fresh: BTreeSet<ChangeId>,
}

impl Promises {
    pub fn told(&mut self, changes: impl IntoIterator<Item = ChangeId>) {
        self.fresh.extend(changes);
    }

    /// Its author took it back.
    pub fn forget(&mut self, change: &ChangeId) {
        self.fresh.remove(change);
        self.saved.remove(change);
    }

    /// Storage is gone: what stood nowhere else is nobody's fault.
    pub fn destroyed(&mut self, gone: &Mirror, left: &[&Mirror]) {
        self.saved.append(&mut self.fresh);
        self.saved.retain(|id| !gone.has_whole(id) || left.iter().any(|mirror| mirror.has_whole(id)));
    }

    /// Looks for what was promised since the last look: mirrors see to it that nothing goes after that.
    pub fn check_fresh(&mut self, live: &[&Mirror]) -> Result<()> {
        look_for(&self.fresh, live)?;
        self.saved.append(&mut self.fresh);
        Ok(())
    }

    pub fn check_all(&mut self, live: &[&Mirror]) -> Result<()> {
        self.check_fresh(live)?;
        look_for(&self.saved, live)
    }
}

fn look_for(promised: &BTreeSet<ChangeId>, live: &[&Mirror]) -> Result<()> {
    match promised.iter().find(|id| !live.iter().any(|mirror| mirror.has_whole(id))) {
        Some(id) => broken(SAVED, format!("{id} is on no replica")),
        None => Ok(()),
    }
}
