//! The writes that touch one record, and what they are over.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde_json::Value;

use crate::change::Change;
use crate::header::WriteHead;
use crate::id::ChangeId;
use crate::planted;
use crate::verdict::{Standing, Verdicts};

/// One write of a change that touches the record.
pub(crate) struct Write<'a> {
    pub change: &'a Change,
    pub head: &'a WriteHead,
    /// None: the payload is not held.
    pub value: Option<&'a Value>,
    /// False: voided or otherwise ignored. It keeps its place in causality and has no say in the value.
    pub counts: bool,
}

impl Write<'_> {
    fn over(&self) -> impl Iterator<Item = ChangeId> + '_ {
        self.change.header.over(self.head)
    }
}

pub(crate) struct Graph<'a> {
    pub writes: Vec<Write<'a>>,
    /// Indexes of writes, ordered by path and then as they were given.
    ordered: Vec<usize>,
    /// Where the writes of each change lie: they were added one after another.
    by_change: HashMap<ChangeId, Range<usize>>,
}

impl<'a> Graph<'a> {
    /// Takes each change once, whatever the order and however often it is given.
    pub fn gather(kind: &str, id: &str, changes: &[&'a Change], verdicts: &Verdicts) -> Self {
        let by_change = HashMap::with_capacity(changes.len());
        let mut graph = Self { writes: Vec::new(), ordered: Vec::new(), by_change };
        for change in changes {
            if !graph.by_change.contains_key(&change.id) {
                graph.add(kind, id, change, verdicts);
            }
        }
        graph.ordered = (0..graph.writes.len()).collect();
        graph.ordered.sort_by_key(|index| &graph.writes[*index].head.path);
        graph
    }

    /// Each path and its writes, in order of the path.
    pub fn by_path(&self) -> impl Iterator<Item = (&'a str, &[usize])> {
        let path = |index: usize| -> &'a str { &self.writes[index].head.path };
        let groups = self.ordered.chunk_by(move |left, right| path(*left) == path(*right));
        groups.map(move |group| (path(group[0]), group))
    }

    fn add(&mut self, kind: &str, id: &str, change: &'a Change, verdicts: &Verdicts) {
        let counts = verdicts.standing(change) == Standing::Counts;
        let values = change.values.as_ref().filter(|_| !verdicts.drops(change));
        let start = self.writes.len();
        self.writes.reserve(change.header.writes.len());
        for (index, head) in change.header.writes.iter().enumerate() {
            if head.record == id && head.kind == kind {
                let value = values.map(|values| &values[index]);
                self.writes.push(Write { change, head, value, counts });
            }
        }
        self.by_change.insert(change.id, start..self.writes.len());
    }

    /// Changes in display order: first by (lamport, id).
    pub fn display_order(&self, left: usize, right: usize) -> Ordering {
        let key = |index: usize| (self.writes[index].change.lamport, self.writes[index].change.id);
        key(left).cmp(&key(right))
    }

    /// The writes at one path that `live` lets count and that no other such write is over, in display order.
    pub fn heads(&self, at_path: &[usize], live: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut heads: Vec<usize> = at_path.iter().copied().filter(|index| live(*index)).collect();
        if heads.len() > 1 {
            let superseded = self.superseded(at_path, &heads, &live);
            heads.retain(|index| !superseded.contains(index));
            heads.sort_by(|left, right| self.display_order(*left, *right));
        }
        heads
    }

    /// A write over one that does not count is over what that one was over.
    fn superseded(
        &self,
        at_path: &[usize],
        heads: &[usize],
        live: &impl Fn(usize) -> bool,
    ) -> HashSet<usize> {
        let at: HashMap<ChangeId, usize> =
            at_path.iter().map(|index| (self.writes[*index].change.id, *index)).collect();
        let mut superseded = HashSet::new();
        let mut passed = HashSet::new();
        let mut todo: Vec<ChangeId> = heads.iter().flat_map(|index| self.writes[*index].over()).collect();
        while let Some(id) = todo.pop() {
            let Some(&index) = at.get(&id) else { continue };
            if live(index) {
                superseded.insert(index);
            } else if !planted!(OverNotInherited) && passed.insert(index) {
                todo.extend(self.writes[index].over());
            }
        }
        superseded
    }

    /// Everything that the changes name in `over` within the scope, along any way, and they themselves.
    pub fn closure(&self, starts: impl IntoIterator<Item = ChangeId>, scope: &str) -> HashSet<ChangeId> {
        let mut closure = HashSet::new();
        let mut todo: Vec<ChangeId> = starts.into_iter().collect();
        while let Some(id) = todo.pop() {
            if !closure.insert(id) {
                continue;
            }
            for write in self.by_change.get(&id).map(|own| &self.writes[own.clone()]).into_iter().flatten() {
                if within(&write.head.path, scope) {
                    todo.extend(write.over());
                }
            }
        }
        closure
    }

    /// The value of the single nearest write that all heads supersede. None: there is none, or more than one.
    pub fn base(&self, at_path: &[usize], heads: &[usize]) -> Option<Value> {
        let at: HashMap<ChangeId, usize> =
            at_path.iter().map(|index| (self.writes[*index].change.id, *index)).collect();
        let mut common: Option<HashSet<usize>> = None;
        for head in heads {
            let below = self.below(*head, &at);
            common = Some(match common {
                None => below,
                Some(common) => common.intersection(&below).copied().collect(),
            });
        }
        let common: Vec<usize> = common?.into_iter().filter(|index| self.writes[*index].counts).collect();
        match self.heads(&common, |_| true)[..] {
            [nearest] => self.writes[nearest].value.cloned(),
            _ => None,
        }
    }

    fn below(&self, head: usize, at: &HashMap<ChangeId, usize>) -> HashSet<usize> {
        let mut below = HashSet::new();
        let mut todo: Vec<ChangeId> = self.writes[head].over().collect();
        while let Some(id) = todo.pop() {
            if let Some(&index) = at.get(&id)
                && below.insert(index)
            {
                todo.extend(self.writes[index].over());
            }
        }
        below
    }
}

/// Says whether a path lies in a scope: the record ("") or an item (`agenda/<item>`). The item's own path is in it, for
/// an item may be one value (`posts/<item>`).
pub(crate) fn within(path: &str, scope: &str) -> bool {
    scope.is_empty() || path.strip_prefix(scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
