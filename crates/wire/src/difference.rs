//! Who lacks what: because changes are chained, the ends say it.

use std::collections::{BTreeMap, BTreeSet};

use replica::{ChangeId, DeviceId, Frontier, planted};

/// A place in a device's chain.
pub type Place = (u64, ChangeId);

/// Some places of the own chain of a device, from its end backwards.
pub type Traces = BTreeMap<DeviceId, Vec<Place>>;

/// The chains that one side holds of a stream.
pub trait Chain {
    /// Says whether this change is held.
    fn holds(&self, device: &DeviceId, place: Place) -> bool;
    /// The change before a held one.
    fn prev(&self, device: &DeviceId, place: Place) -> Option<ChangeId>;
}

/// What the other side lacks, and what it named that this side does not know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacks {
    pub send: BTreeMap<DeviceId, Span>,
    /// Devices of which the other side named an end that is not held here.
    pub unknown: BTreeSet<DeviceId>,
}

/// Changes of one device to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// Every change of the device with a higher number, in order of the number.
    After(u64),
    /// Exactly these, in order of the number: the device has two ends.
    Only(Vec<Place>),
}

impl Lacks {
    pub fn is_empty(&self) -> bool {
        self.send.is_empty()
    }
}

/// Works out what a side with frontier `theirs` lacks of what is held here. `shared` are traces that it gave
/// before; a place in them that is held here counts as an end of theirs. A device of whose chain no shared place is
/// known is not sent but listed as unknown, until their trace reaches the first change: nothing is guessed.
pub fn difference(mine: &Frontier, theirs: &Frontier, shared: &Traces, chain: &dyn Chain) -> Lacks {
    let mut lacks = Lacks::default();
    for device in theirs.0.keys() {
        if theirs.ends(device).any(|end| !chain.holds(device, end)) {
            lacks.unknown.insert(*device);
        }
    }
    for device in mine.0.keys() {
        if let Some(span) = span(device, mine, theirs, shared, chain) {
            lacks.send.insert(*device, span);
        }
    }
    lacks
}

fn span(
    device: &DeviceId,
    mine: &Frontier,
    theirs: &Frontier,
    shared: &Traces,
    chain: &dyn Chain,
) -> Option<Span> {
    let named: BTreeSet<Place> = theirs.ends(device).collect();
    let left: BTreeSet<Place> = mine.ends(device).filter(|end| !named.contains(end)).collect();
    if left.is_empty() {
        return None;
    }
    let traced = shared.get(device).into_iter().flatten().copied();
    let told: BTreeSet<Place> = named.into_iter().chain(traced).collect();
    let known: BTreeSet<Place> = told
        .iter()
        .copied()
        .filter(|place| planted!(UnknownEndHeld) || chain.holds(device, *place))
        .collect();
    match (known.last(), mine.ends(device).count()) {
        // Their chain is known down to its first change, and that is another one: nothing is shared.
        (None, _) if told.first().is_none_or(|(n, _)| *n == 1) => Some(Span::After(0)),
        (None, _) => None,
        (Some((n, _)), count) if count == 1 || planted!(SecondEndForgotten) => Some(Span::After(*n)),
        (Some(_), _) => Some(walk(device, left, known, chain)).filter(|span| *span != Span::Only(Vec::new())),
    }
}

/// Goes back from ends that they did not name until a place below one that they know.
fn walk(device: &DeviceId, mut left: BTreeSet<Place>, mut known: BTreeSet<Place>, chain: &dyn Chain) -> Span {
    let back = |places: &mut BTreeSet<Place>, place: Place| {
        if let Some(prev) = chain.prev(device, place) {
            places.insert((place.0 - 1, prev));
        }
    };
    let mut only = Vec::new();
    while let Some(place) = left.pop_last() {
        while let Some(above) = known.last().copied().filter(|above| above.0 > place.0) {
            known.remove(&above);
            back(&mut known, above);
        }
        if !known.contains(&place) {
            only.push(place);
            back(&mut left, place);
        }
    }
    only.reverse();
    Span::Only(only)
}

/// Places of the own chain at n, n-1, n-2, n-4 … down to 1, for a side that named an end not held here.
pub fn trace(device: &DeviceId, end: Place, chain: &dyn Chain) -> Vec<Place> {
    let mut trace = vec![end];
    let (mut place, mut back, mut next) = (end, 0, 1);
    while let Some(prev) = chain.prev(device, place) {
        place = (place.0 - 1, prev);
        back += 1;
        if back == next || place.0 == 1 {
            trace.push(place);
            next *= 2;
        }
    }
    trace
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: DeviceId = DeviceId([1; 32]);

    /// A chain whose branches are told by a letter; numbers up to `fork` are shared.
    struct Branches {
        fork: u64,
        ends: Vec<(u64, u8)>,
    }

    fn id(branch: u8, n: u64) -> ChangeId {
        let mut bytes = [branch; 32];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        ChangeId(bytes)
    }

    impl Branches {
        fn place(&self, branch: u8, n: u64) -> Place {
            (n, id(if n <= self.fork { 0 } else { branch }, n))
        }
        fn frontier(&self) -> Frontier {
            let mut frontier = Frontier::default();
            for (n, branch) in &self.ends {
                frontier.0.entry(DEVICE).or_default().insert(self.place(*branch, *n));
            }
            frontier
        }
    }

    impl Chain for Branches {
        fn holds(&self, _: &DeviceId, place: Place) -> bool {
            self.ends.iter().any(|(n, branch)| place.0 <= *n && self.place(*branch, place.0) == place)
        }
        fn prev(&self, _: &DeviceId, place: Place) -> Option<ChangeId> {
            let branch = place.1.0[31];
            (place.0 > 1).then(|| self.place(branch, place.0 - 1).1)
        }
    }

    fn check(mine: &Branches, theirs: &[Place], shared: &[Place], expected: Option<Span>, unknown: bool) {
        let mut frontier = Frontier::default();
        if !theirs.is_empty() {
            frontier.0.insert(DEVICE, theirs.iter().copied().collect());
        }
        let shared = Traces::from([(DEVICE, shared.to_vec())]);
        let lacks = difference(&mine.frontier(), &frontier, &shared, mine);
        assert_eq!(lacks.send.get(&DEVICE).cloned(), expected, "{theirs:?}");
        assert_eq!(lacks.unknown.contains(&DEVICE), unknown, "{theirs:?}");
    }

    #[test]
    fn one_chain() {
        let mine = Branches { fork: 0, ends: vec![(9, 1)] };
        check(&mine, &[], &[], Some(Span::After(0)), false);
        check(&mine, &[mine.place(1, 4)], &[], Some(Span::After(4)), false);
        check(&mine, &[mine.place(1, 9)], &[], None, false);
        check(&mine, &[(12, id(1, 12))], &[], None, true);
        check(&mine, &[(7, id(2, 7))], &[], None, true);
        check(&mine, &[(7, id(2, 7))], &[mine.place(1, 5), (6, id(2, 6))], Some(Span::After(5)), true);
        // A computer was copied before it wrote anything: the two chains share nothing.
        check(&mine, &[(1, id(2, 1))], &[], Some(Span::After(0)), true);
        check(&mine, &[(7, id(2, 7))], &[(1, id(2, 1)), (4, id(2, 4))], Some(Span::After(0)), true);
    }

    #[test]
    fn a_copied_computer_has_two_ends_and_only_what_lacks_is_sent() {
        let mine = Branches { fork: 5, ends: vec![(9, 1), (7, 2)] };
        let branch =
            |branch, from, to| Some(Span::Only((from..=to).map(|n| mine.place(branch, n)).collect()));
        check(&mine, &[], &[], Some(Span::After(0)), false);
        check(&mine, &[mine.place(1, 9)], &[], branch(2, 6, 7), false);
        check(&mine, &[mine.place(2, 7)], &[], branch(1, 6, 9), false);
        check(&mine, &[mine.place(1, 9), mine.place(2, 7)], &[], None, false);
        check(&mine, &[mine.place(1, 8), mine.place(2, 7)], &[], branch(1, 9, 9), false);
        let below = Span::Only(vec![
            mine.place(1, 4),
            mine.place(1, 5),
            mine.place(1, 6),
            mine.place(2, 6),
            mine.place(1, 7),
            mine.place(2, 7),
            mine.place(1, 8),
            mine.place(1, 9),
        ]);
        check(&mine, &[mine.place(1, 3)], &[], Some(below), false);
    }

    #[test]
    fn a_trace_thins_out_and_ends_at_the_first() {
        let mine = Branches { fork: 0, ends: vec![(20, 1)] };
        let numbers =
            |n| trace(&DEVICE, mine.place(1, n), &mine).into_iter().map(|(n, _)| n).collect::<Vec<_>>();
        assert_eq!(numbers(20), [20, 19, 18, 16, 12, 4, 1]);
        assert_eq!(numbers(1), [1]);
    }
}
