//! What the programs said is saved, written down beside them; and where each of it is in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use replica::ChangeId;
use serde_json::Value;

/// The path under which a record's birth, deletion and return are kept here: each is over what stood before.
pub const LIFE: &str = "~life";

/// One value of one record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub kind: String,
    pub record: String,
    pub path: String,
}

impl Place {
    pub fn new(kind: &str, record: &str, path: &str) -> Self {
        Self { kind: kind.to_owned(), record: record.to_owned(), path: path.to_owned() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.record, self.path)
    }
}

/// A save that a program acknowledged.
#[derive(Debug, Clone)]
pub struct Save {
    pub place: Place,
    pub value: Value,
}

/// All that was sent, and what came of it.
#[derive(Default)]
pub struct Book(Mutex<Pages>);

#[derive(Default)]
pub struct Pages {
    pub acknowledged: Vec<Save>,
    /// Every text that anybody ever typed: nothing else may be found.
    pub sent: BTreeSet<String>,
    /// Texts of saves that were refused for good: none of them may be found.
    pub refused: BTreeSet<String>,
}

impl Book {
    /// A text that nobody has typed before, and that somebody is about to.
    pub fn fresh(&self) -> String {
        let mut pages = self.pages();
        let word = format!("第 {} 次保存", pages.sent.len() + 1);
        pages.sent.insert(word.clone());
        word
    }

    pub fn acknowledge(&self, place: Place, value: impl Into<Value>) {
        self.pages().acknowledged.push(Save { place, value: value.into() });
    }

    pub fn refuse(&self, word: &str) {
        self.pages().refused.insert(word.to_owned());
    }

    pub fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One write of a log.
#[derive(Debug, Clone)]
pub struct Written {
    pub change: ChangeId,
    pub value: Value,
    /// What it supersedes.
    pub over: Vec<ChangeId>,
    /// The city did not refuse it.
    pub counts: bool,
}

/// What one computer holds in the end.
#[derive(Default)]
pub struct Held {
    pub writes: BTreeMap<Place, Vec<Written>>,
    /// What stands at a place; several: they are in conflict.
    pub heads: BTreeMap<Place, Vec<ChangeId>>,
}

/// Where an acknowledged save is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Stands,
    InConflict,
    /// By something that somebody typed over it.
    Overwritten,
    Lost(&'static str),
}

impl Held {
    pub fn fate(&self, save: &Save, sent: &BTreeSet<String>) -> Fate {
        let all = self.writes.get(&save.place).map(Vec::as_slice).unwrap_or_default();
        let own: Vec<&Written> = all.iter().filter(|write| write.value == save.value).collect();
        if own.is_empty() {
            return Fate::Lost("it is not in the log");
        }
        if own.iter().all(|write| !write.counts) {
            return Fate::Lost("it does not count");
        }
        let heads = self.heads.get(&save.place).map(Vec::as_slice).unwrap_or_default();
        let is_own = |head: &ChangeId| own.iter().any(|write| write.change == *head);
        if heads.iter().any(is_own) {
            return if heads.iter().all(is_own) { Fate::Stands } else { Fate::InConflict };
        }
        let is_over =
            |write: &&Written| write.counts && own.iter().any(|own| write.over.contains(&own.change));
        match all.iter().find(is_over) {
            None => Fate::Lost("it does not stand, and nothing is over it"),
            Some(over) if save.place.path == LIFE || is_of(&over.value, sent) => Fate::Overwritten,
            Some(_) => Fate::Lost("what is over it was never typed"),
        }
    }

    /// Refused texts that are there all the same.
    pub fn smuggled<'a>(&'a self, refused: &'a BTreeSet<String>) -> impl Iterator<Item = &'a Place> {
        let has = |writes: &[Written]| writes.iter().any(|write| is_of(&write.value, refused));
        self.writes.iter().filter(move |(_, writes)| has(writes)).map(|(place, _)| place)
    }
}

fn is_of(value: &Value, texts: &BTreeSet<String>) -> bool {
    value.as_str().is_some_and(|text| texts.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn id(number: u8) -> ChangeId {
        ChangeId([number; 32])
    }

    fn written(change: u8, value: &str, over: &[u8]) -> Written {
        let over = over.iter().map(|number| id(*number)).collect();
        Written { change: id(change), value: json!(value), over, counts: true }
    }

    fn place() -> Place {
        Place::new("promise", "p1", "text")
    }

    fn held(writes: Vec<Written>, heads: &[u8]) -> Held {
        let heads = heads.iter().map(|number| id(*number)).collect();
        Held { writes: [(place(), writes)].into(), heads: [(place(), heads)].into() }
    }

    /// The fate of a save of "a" where "a", "b" and "c" were typed.
    fn fate(held: &Held) -> Fate {
        let sent = ["a", "b", "c"].map(str::to_owned).into();
        held.fate(&Save { place: place(), value: json!("a") }, &sent)
    }

    #[test]
    fn a_save_stands_or_is_in_conflict_or_was_typed_over() {
        assert_eq!(fate(&held(vec![written(1, "a", &[])], &[1])), Fate::Stands);
        let two = vec![written(1, "a", &[]), written(2, "b", &[])];
        assert_eq!(fate(&held(two, &[1, 2])), Fate::InConflict);
        let chain = vec![written(1, "a", &[]), written(2, "b", &[1]), written(3, "c", &[2])];
        assert_eq!(fate(&held(chain, &[3])), Fate::Overwritten);
        let settled = vec![written(1, "a", &[]), written(2, "b", &[]), written(3, "a", &[1, 2])];
        assert_eq!(fate(&held(settled, &[3])), Fate::Stands, "a person took it in a conflict");
    }

    #[test]
    fn a_save_that_is_nowhere_is_lost() {
        let lost = |held: Held| matches!(fate(&held), Fate::Lost(_));
        assert!(lost(Held::default()), "an empty computer");
        assert!(lost(held(vec![written(2, "b", &[])], &[2])), "only another value is there");
        let beside = vec![written(1, "a", &[]), written(2, "b", &[])];
        assert!(lost(held(beside, &[2])), "the other value does not know of it and stands alone");
        let stranger = vec![written(1, "a", &[]), written(2, "z", &[1])];
        assert!(lost(held(stranger, &[2])), "nobody typed what is over it");
        let refused = Written { counts: false, ..written(1, "a", &[]) };
        assert!(lost(held(vec![refused], &[1])), "the city refused it");
        let void = vec![written(1, "a", &[]), Written { counts: false, ..written(2, "b", &[1]) }];
        assert!(lost(held(void, &[2])), "what is over it does not count");
        let elsewhere =
            Held { writes: [(Place::new("promise", "p2", "text"), vec![])].into(), ..held(vec![], &[]) };
        assert!(lost(elsewhere));
    }

    #[test]
    fn a_deletion_that_was_taken_back_is_not_lost() {
        let life = Place::new("promise", "p1", LIFE);
        let save = Save { place: life.clone(), value: json!({"reason": "deleted"}) };
        let gone = Written { value: save.value.clone(), ..written(2, "", &[1]) };
        let back = Written { value: json!(true), ..written(3, "", &[2]) };
        let born = Written { value: json!(true), ..written(1, "", &[]) };
        let of = |writes: Vec<Written>, heads: Vec<ChangeId>| {
            let held =
                Held { writes: [(life.clone(), writes)].into(), heads: [(life.clone(), heads)].into() };
            held.fate(&save, &BTreeSet::new())
        };
        assert_eq!(of(vec![born.clone(), gone.clone()], vec![id(2)]), Fate::Stands);
        assert_eq!(of(vec![born.clone(), gone.clone(), back], vec![]), Fate::Overwritten);
        assert!(matches!(of(vec![born, gone], vec![]), Fate::Lost(_)), "it lives and nobody brought it back");
    }

    #[test]
    fn what_was_refused_must_not_be_there() {
        let book = Book::default();
        let (kept, refused) = (book.fresh(), book.fresh());
        assert_ne!(kept, refused, "each save must be told from all others");
        book.refuse(&refused);
        let pages = book.pages();
        assert_eq!(held(vec![written(1, &kept, &[])], &[1]).smuggled(&pages.refused).count(), 0);
        assert_eq!(held(vec![written(1, &refused, &[])], &[1]).smuggled(&pages.refused).count(), 1);
    }
}
