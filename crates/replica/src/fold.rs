//! The fold: from the changes that touch a record to its state.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use crate::change::Change;
use crate::graph::{Graph, Write, within};
use crate::id::ChangeId;
use crate::planted;
use crate::state::{ChangeMeta, Closing, Field, Head, Item, LateWrite, Life, RecordState, unique};
use crate::verdict::Verdicts;

/// Folds the changes that touch a record, given in any order and any number of times.
/// `Change::lamport` of each must be the display value (see `display_lamport`).
pub fn fold_record(kind: &str, id: &str, changes: &[&Change], verdicts: &Verdicts) -> RecordState {
    let mut fold = Fold::new(Graph::gather(kind, id, changes, verdicts));
    let (life, life_heads, closing, final_heads) = fold.root();
    let items = fold.items();
    let mut state = RecordState {
        kind: kind.into(),
        id: id.into(),
        life,
        closing,
        fields: BTreeMap::new(),
        items,
        late: Vec::new(),
        born: fold.born(),
        last: fold.last(),
        ignored: unique(fold.graph.writes.iter().filter(|write| !write.counts).map(|write| write.change.id)),
        life_heads,
        final_heads,
        hidden: BTreeMap::new(),
    };
    fold.fill(&mut state);
    state
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reserved {
    Born,
    Gone,
    Final,
}

/// Splits a reserved path into the scope that it speaks of and what it says.
fn reserved(path: &str) -> Option<(&str, Reserved)> {
    let (scope, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "~born" => Some((scope, Reserved::Born)),
        "~gone" => Some((scope, Reserved::Gone)),
        "~final" => Some((scope, Reserved::Final)),
        _ => None,
    }
}

/// Reserved writes of one scope, by index.
#[derive(Default)]
struct Scope {
    born: Vec<usize>,
    gone: Vec<usize>,
    finals: Vec<usize>,
}

struct Fold<'a> {
    graph: Graph<'a>,
    scopes: BTreeMap<&'a str, Scope>,
    /// What 定稿 covers, for each scope that has one. A write outside is late.
    closed: BTreeMap<&'a str, HashSet<ChangeId>>,
}

impl<'a> Fold<'a> {
    fn new(graph: Graph<'a>) -> Self {
        let mut scopes: BTreeMap<&str, Scope> = BTreeMap::new();
        for (path, writes) in graph.by_path() {
            if let Some((scope, says)) = reserved(path) {
                let scope = scopes.entry(scope).or_default();
                match says {
                    Reserved::Born => scope.born = writes.to_vec(),
                    Reserved::Gone => scope.gone = writes.to_vec(),
                    Reserved::Final => scope.finals = writes.to_vec(),
                }
            }
        }
        scopes.entry("").or_default();
        Self { graph, scopes, closed: BTreeMap::new() }
    }

    fn root(&mut self) -> (Life, Vec<ChangeId>, Closing, Vec<ChangeId>) {
        let (life, life_heads) = self.life("");
        let (closing, final_heads) = self.closing("");
        (life.unwrap_or(Life::Waiting), life_heads, closing, final_heads)
    }

    /// Outer items come before the items in them, so that a closed outer one decides first.
    fn items(&mut self) -> BTreeMap<String, Item> {
        let scopes: Vec<&str> = self.scopes.keys().copied().filter(|scope| !scope.is_empty()).collect();
        let mut items = BTreeMap::new();
        for scope in scopes {
            let (life, mut heads) = self.life(scope);
            let (closing, finals) = self.closing(scope);
            heads.extend(finals);
            items.insert(scope.to_string(), Item { life, closing, heads: unique(heads) });
        }
        items
    }

    fn write(&self, index: usize) -> &Write<'a> {
        &self.graph.writes[index]
    }

    fn id(&self, index: usize) -> ChangeId {
        self.write(index).change.id
    }

    /// Says whether every closed scope around the write covers it. A reserved write of an item is judged by
    /// the scopes around the item, one of the record by none.
    fn covered(&self, index: usize) -> bool {
        if self.closed.is_empty() || planted!(FinalCoversLater) {
            return true;
        }
        let path = self.write(index).head.path.as_str();
        let own = reserved(path).map(|(scope, _)| scope);
        let judges = |scope: &str| own != Some(scope) && within(own.unwrap_or(path), scope);
        let id = self.id(index);
        self.closed.iter().all(|(scope, covers)| !judges(scope) || covers.contains(&id))
    }

    fn counts(&self, index: usize) -> bool {
        self.write(index).counts && self.covered(index)
    }

    /// Writes of a register that spans several paths which no other of them has in its closure.
    fn register_heads(&self, writes: &[usize], scope: &str) -> Vec<usize> {
        let mut heads: Vec<usize> = writes.iter().copied().filter(|index| self.counts(*index)).collect();
        if heads.len() > 1 {
            let mut superseded = HashSet::new();
            for index in &heads {
                let own = self.id(*index);
                superseded.extend(self.graph.closure([own], scope).into_iter().filter(|id| *id != own));
            }
            heads.retain(|index| !superseded.contains(&self.id(*index)));
            heads.sort_by(|left, right| self.graph.display_order(*left, *right));
        }
        heads
    }

    /// None: the scope has no life writes at all.
    fn life(&self, scope: &str) -> (Option<Life>, Vec<ChangeId>) {
        let Scope { born, gone, .. } = &self.scopes[scope];
        if born.is_empty() && gone.is_empty() {
            return (None, Vec::new());
        }
        let writes: Vec<usize> = born.iter().chain(gone).copied().collect();
        let heads = self.register_heads(&writes, scope);
        let (gone, born): (Vec<usize>, Vec<usize>) = heads.iter().partition(|index| gone.contains(index));
        let ids = unique(heads.iter().map(|index| self.id(*index)));
        let life = match (gone.first(), born.is_empty()) {
            (None, true) => Life::Waiting,
            (None, false) => Life::Live,
            (Some(_), false) => Life::Contested { gone: self.ids(&gone), against: self.ids(&born) },
            (Some(first), true) => {
                let against = self.unseen(&gone, scope);
                if planted!(TombstoneForgotten) && !against.is_empty() {
                    Life::Live
                } else if against.is_empty() || planted!(GoneWins) {
                    Life::Gone { value: self.write(*first).value.cloned(), by: self.ids(&gone) }
                } else {
                    Life::Contested { gone: self.ids(&gone), against }
                }
            }
        };
        (Some(life), ids)
    }

    fn ids(&self, writes: &[usize]) -> Vec<ChangeId> {
        unique(writes.iter().map(|index| self.id(*index)))
    }

    /// Heads in the scope that none of the `~gone` writes knew of.
    fn unseen(&self, gone: &[usize], scope: &str) -> Vec<ChangeId> {
        let seen = self.graph.closure(gone.iter().map(|index| self.id(*index)), scope);
        let own_life =
            |path: &str| reserved(path).is_some_and(|(of, says)| of == scope && says != Reserved::Final);
        let inside = self.graph.by_path().filter(|(path, _)| within(path, scope) && !own_life(path));
        let heads = inside.flat_map(|(_, writes)| self.graph.heads(writes, |index| self.counts(index)));
        unique(heads.map(|index| self.id(index)).filter(|id| !seen.contains(id)))
    }

    fn closing(&mut self, scope: &'a str) -> (Closing, Vec<ChangeId>) {
        let heads = self.register_heads(&self.scopes[scope].finals, scope);
        let ids = self.ids(&heads);
        let closing = match heads[..] {
            [] => return (Closing::Open, ids),
            [one] => {
                let write = self.write(one);
                Closing::Final { change: ChangeMeta::of(write.change), value: write.value.cloned() }
            }
            _ => Closing::FinalConflict { changes: ids.clone() },
        };
        let covers = self.graph.closure(ids.iter().copied(), scope);
        self.closed.insert(scope, covers);
        (closing, ids)
    }

    fn born(&self) -> Option<ChangeMeta> {
        let born = self.scopes[""].born.iter().copied().filter(|index| self.write(*index).counts);
        born.min_by(|left, right| self.graph.display_order(*left, *right))
            .map(|i| ChangeMeta::of(self.write(i).change))
    }

    fn last(&self) -> Option<ChangeMeta> {
        let all = (0..self.graph.writes.len()).filter(|index| self.write(*index).counts);
        all.max_by(|left, right| self.graph.display_order(*left, *right))
            .map(|i| ChangeMeta::of(self.write(i).change))
    }

    /// Fields, hidden heads and late writes, path by path.
    fn fill(&self, state: &mut RecordState) {
        for (path, writes) in self.graph.by_path() {
            let says = reserved(path);
            if says.is_some_and(|(scope, _)| scope.is_empty()) {
                continue;
            }
            let heads = self.graph.heads(writes, |index| self.counts(index));
            let late = self.late(writes);
            let field = self.field(writes, &heads).filter(|_| says.is_none());
            let (same, late): (Vec<usize>, Vec<usize>) =
                late.into_iter().partition(|i| self.repeats(*i, field.as_ref()));
            state.late.extend(late.iter().map(|index| self.late_write(*index)));
            let Some(mut field) = field else { continue };
            if let (Field::One { by, .. }, false) = (&mut field, same.is_empty()) {
                *by = unique(by.iter().copied().chain(self.ids(&same)));
            }
            if hides(&state.items, path) {
                state.hidden.insert(path.to_string(), field.heads());
            } else {
                state.fields.insert(path.to_string(), field);
            }
        }
    }

    fn field(&self, writes: &[usize], heads: &[usize]) -> Option<Field> {
        let (first, rest) = heads.split_first()?;
        let value = self.write(*first).value;
        if planted!(ClockWins) {
            let last = heads.iter().max_by_key(|index| self.write(**index).change.header.at);
            let value = self.write(*last.unwrap_or(first)).value?.clone();
            return Some(Field::One { value, by: self.ids(heads) });
        }
        if rest.iter().any(|index| self.write(*index).value != value) {
            let sides = heads.iter().map(|index| {
                let write = self.write(*index);
                Head { meta: ChangeMeta::of(write.change), value: write.value.cloned() }
            });
            return Some(Field::Conflict { heads: sides.collect(), base: self.graph.base(writes, heads) });
        }
        let by = self.ids(heads);
        Some(match value {
            Some(value) => Field::One { value: value.clone(), by },
            None => Field::Withheld { by },
        })
    }

    /// Heads that count but that 定稿 does not cover.
    fn late(&self, writes: &[usize]) -> Vec<usize> {
        if self.closed.is_empty() || planted!(LateDropped) {
            return Vec::new();
        }
        let mut late = self.graph.heads(writes, |index| self.write(index).counts);
        late.retain(|index| !self.covered(*index));
        late
    }

    /// A late write of the value that stands asks nobody for a decision.
    fn repeats(&self, index: usize, field: Option<&Field>) -> bool {
        let value: Option<&Value> = self.write(index).value;
        matches!(field, Some(Field::One { value: closed, .. }) if Some(closed) == value)
    }

    fn late_write(&self, index: usize) -> LateWrite {
        let write = self.write(index);
        LateWrite {
            path: write.head.path.clone(),
            meta: ChangeMeta::of(write.change),
            value: write.value.cloned(),
        }
    }
}

/// Says whether an item around the path is gone, or is still waiting for its `~born`.
fn hides(items: &BTreeMap<String, Item>, path: &str) -> bool {
    let unborn = |item: &Item| matches!(item.life, Some(Life::Waiting | Life::Gone { .. }));
    items.iter().any(|(scope, item)| within(path, scope) && unborn(item))
}
