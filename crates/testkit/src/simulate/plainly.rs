//! What a record must say, worked out once more in the slowest and plainest way: a bug in the fold is in the laptops,
//! in the city and in the mirrors alike, and would show nowhere else.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;
use replica::{Change, ChangeId, Closing, Field, Life, RecordState, Replica, Standing, StreamId, Verdicts};
use serde_json::Value;

use super::mirror::touches;
use super::oracle::{MEANS, broken};
use super::texts;

/// One write to the record.
struct Line<'a> {
    id: ChangeId,
    path: &'a str,
    over: Vec<ChangeId>,
    /// None: not held.
    value: Option<&'a Value>,
    counts: bool,
}

/// All writes to one record.
struct Lines<'a>(Vec<Line<'a>>);

/// Compares every record of a stream with what its changes plainly say.
pub fn check(who: &str, replica: &Replica, stream: &StreamId) -> Result<()> {
    let verdicts = replica.verdicts(stream);
    let mut lines: BTreeMap<(String, String), Lines> = BTreeMap::new();
    for change in replica.changes(stream) {
        for name in touches(change) {
            let own = lines.entry(name.clone()).or_insert_with(|| Lines(Vec::new()));
            own.add(change, &name, &verdicts);
        }
    }
    for ((kind, id), lines) in &lines {
        let Some(state) = replica.record(stream, kind, id) else {
            return broken(MEANS, format!("{who} does not show {kind} {id}"));
        };
        if let Some(wrong) = lines.wrong(state) {
            return broken(MEANS, format!("{who}, {kind} {id}: {wrong}"));
        }
    }
    Ok(())
}

impl<'a> Lines<'a> {
    fn add(&mut self, change: &'a Change, (kind, id): &(String, String), verdicts: &Verdicts) {
        let counts = verdicts.standing(change) == Standing::Counts;
        for (at, head) in change.header.writes.iter().enumerate() {
            if head.kind == *kind && head.record == *id {
                let value = change.values.as_ref().map(|values| &values[at]);
                let over = change.header.over(head).collect();
                self.0.push(Line { id: change.id, path: &head.path, over, value, counts });
            }
        }
    }

    fn wrong(&self, state: &RecordState) -> Option<String> {
        let fields = state.fields.iter().find_map(|(path, field)| self.wrong_field(path, field));
        fields
            .or_else(|| self.wrong_heads(state))
            .or_else(|| self.wrong_life(state))
            .or_else(|| self.wrong_close(state))
    }

    fn at<'b>(&'b self, path: &'b str) -> impl Iterator<Item = &'b Line<'a>> {
        self.0.iter().filter(move |line| line.path == path)
    }

    /// The writes at a path that count and that no other such write is over. A write over one that does not count is
    /// over what that one was over.
    fn heads(&self, path: &str) -> BTreeSet<ChangeId> {
        let at: HashMap<ChangeId, &Line> = self.at(path).map(|line| (line.id, line)).collect();
        let mut beaten = BTreeSet::new();
        for line in at.values().filter(|line| line.counts) {
            let (mut todo, mut seen) = (line.over.clone(), BTreeSet::new());
            while let Some(id) = todo.pop() {
                let Some(other) = at.get(&id).filter(|_| seen.insert(id)) else { continue };
                if other.counts {
                    beaten.insert(id);
                } else {
                    todo.extend(&other.over);
                }
            }
        }
        at.values().filter(|line| line.counts && !beaten.contains(&line.id)).map(|line| line.id).collect()
    }

    /// Everything that a change knew of in this record, at once or over others.
    fn known_to(&self, starts: impl IntoIterator<Item = ChangeId>) -> BTreeSet<ChangeId> {
        let (mut todo, mut known): (Vec<ChangeId>, _) = (starts.into_iter().collect(), BTreeSet::new());
        while let Some(id) = todo.pop() {
            if known.insert(id) {
                todo.extend(self.0.iter().filter(|line| line.id == id).flat_map(|line| &line.over));
            }
        }
        known
    }

    /// Each of several people's values is shown, nobody's is chosen.
    fn wrong_field(&self, path: &str, field: &Field) -> Option<String> {
        let heads = field.heads();
        let values: Vec<Option<&Value>> =
            self.at(path).filter(|line| heads.contains(&line.id)).map(|line| line.value).collect();
        let same = values.windows(2).all(|pair| pair[0] == pair[1]);
        match field {
            Field::One { value, .. } if values.iter().all(|said| *said == Some(value)) => None,
            Field::Conflict { heads, base } if !same => {
                let shown = heads.iter().all(|head| values.contains(&head.value.as_ref()));
                let merged = base.as_ref().and_then(|_| texts::wrong_merge(field));
                (!shown).then(|| format!("a side of {path} is not shown")).or(merged)
            }
            Field::Withheld { .. } if values.iter().all(Option::is_none) => None,
            Field::One { .. } | Field::Conflict { .. } | Field::Withheld { .. } => {
                Some(format!("{path} does not say what was written"))
            }
        }
    }

    fn wrong_heads(&self, state: &RecordState) -> Option<String> {
        let paths: BTreeSet<&str> =
            self.0.iter().map(|line| line.path).filter(|path| !is_reserved(path)).collect();
        let closed = self.0.iter().any(|line| line.counts && line.path.ends_with("~final"));
        for path in paths {
            let (plain, shown) = (self.heads(path), BTreeSet::from_iter(state.heads(path)));
            if !plain.is_subset(&shown) {
                return Some(format!("a write to {path} is neither shown nor superseded"));
            }
            if !closed && plain != shown {
                return Some(format!("{path} shows a write that another is over"));
            }
        }
        None
    }

    /// A record exists while a birth stands; a removal that did not know of something is a question, not a removal.
    fn wrong_life(&self, state: &RecordState) -> Option<String> {
        let lives = |line: &&Line| line.counts && ["~born", "~gone"].contains(&line.path);
        let known: BTreeMap<ChangeId, BTreeSet<ChangeId>> =
            self.0.iter().filter(lives).map(|line| (line.id, self.known_to([line.id]))).collect();
        let stands = |id: &ChangeId| !known.iter().any(|(other, knows)| other != id && knows.contains(id));
        let of = |path: &str| -> Vec<ChangeId> {
            let at = self.0.iter().filter(lives).filter(|line| line.path == path);
            at.map(|line| line.id).filter(stands).collect()
        };
        let (born, gone) = (of("~born"), of("~gone"));
        let known = self.known_to(gone.iter().copied());
        let open = self.0.iter().all(|line| !line.counts || !line.path.ends_with("~final"));
        let unseen = self.0.iter().map(|line| line.path).filter(|path| !is_reserved(path));
        let unseen = unseen.flat_map(|path| self.heads(path)).any(|id| !known.contains(&id));
        let right = match (&state.life, born.is_empty(), gone.is_empty()) {
            (Life::Waiting, true, true)
            | (Life::Live, false, true)
            | (Life::Contested { .. }, false, false) => true,
            (Life::Gone { .. }, true, false) => !unseen || !open,
            (Life::Contested { .. }, true, false) => true,
            _ => false,
        };
        (!right).then(|| {
            format!("it is {:?} with {} births and {} removals standing", state.life, born.len(), gone.len())
        })
    }

    /// 定稿 covers what its author knew of, and nothing else.
    fn wrong_close(&self, state: &RecordState) -> Option<String> {
        let finals: Vec<ChangeId> = match &state.closing {
            Closing::Open => return None,
            Closing::Final { change, .. } => vec![change.change],
            Closing::FinalConflict { changes } => changes.clone(),
        };
        let covered = self.known_to(finals);
        let says =
            |path: &str, id: &ChangeId| self.at(path).find(|line| line.id == *id).and_then(|line| line.value);
        for (path, field) in &state.fields {
            let heads = field.heads();
            let inside: Vec<_> =
                heads.iter().filter(|id| covered.contains(id)).map(|id| says(path, id)).collect();
            if heads.iter().any(|id| !covered.contains(id) && !inside.contains(&says(path, id))) {
                return Some(format!("{path} of a closed record is what 定稿 did not cover"));
            }
        }
        None
    }
}

fn is_reserved(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("~born" | "~gone" | "~final"))
}
