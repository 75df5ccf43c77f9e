//! What an exchange does next, decided before anything is sent. Pure.

use replica::{DeviceId, Frontier, StreamId};
use std::collections::{BTreeMap, BTreeSet};
use wire::{Chain, Have, Span, StreamState, difference};

/// One stream before a request: what is held here, and what the city was last heard to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sides {
    pub stream: StreamId,
    pub mine: Frontier,
    pub theirs: Frontier,
    /// Places of the city's chains that it gave because it was told an end that it does not know.
    pub traces: BTreeMap<DeviceId, Vec<(u64, replica::ChangeId)>>,
}

impl Sides {
    /// A digest is enough while nothing is expected from the city; only who says its frontier is sent what it lacks.
    pub fn have(&self, wants: bool) -> Have {
        match wants {
            true => Have::Full(self.mine.clone()),
            false => Have::Digest(wire::digest_of(&self.mine)),
        }
    }

    /// What the city lacks, without devices that it turned away.
    pub fn to_send(&self, refused: &BTreeSet<DeviceId>, chain: &dyn Chain) -> BTreeMap<DeviceId, Span> {
        let mut lacks = difference(&self.mine, &self.theirs, &self.traces, chain).send;
        lacks.retain(|device, _| !refused.contains(device));
        lacks
    }
}

/// What is open in one stream after an answer was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// The city has something that is not here.
    pub wants: bool,
    /// The city lacks something that it did not turn away.
    pub lacks: bool,
}

/// Says whether the city named an end that is not held here.
pub fn wants(theirs: &Frontier, chain: &dyn Chain) -> bool {
    theirs.0.keys().any(|device| theirs.ends(device).any(|end| !chain.holds(device, end)))
}

/// What to do after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Done,
    /// Ask again; `wants`: the city has something that is not here.
    Again {
        wants: bool,
    },
}

/// Both sides of every stream are as equal as they can be, or another round would change something.
pub fn next(open: &[Open], more: bool) -> Next {
    let wants = more || open.iter().any(|open| open.wants);
    match wants || open.iter().any(|open| open.lacks) {
        true => Next::Again { wants },
        false => Next::Done,
    }
}

/// Rounds in a row that changed nothing.
const MOST_IDLE: u32 = 2;
/// Rounds in a row in which the city said that it holds something else than before, and nothing came or went.
const MOST_ADRIFT: u32 = 8;

/// Counts the rounds that get nowhere, so that an exchange ends though the city keeps saying that it lacks something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stall {
    idle: u32,
    adrift: u32,
    /// Digests of what the city said that it holds.
    heard: BTreeSet<[u8; 32]>,
}

impl Stall {
    /// Notes a round and says whether it is time to end. `got_on`: something came, or something that was sent arrived;
    /// `moved`: the city holds something else than before.
    pub fn after(&mut self, got_on: bool, moved: bool) -> bool {
        (self.idle, self.adrift) = match (got_on, moved) {
            (true, _) => (0, 0),
            (false, true) => (0, self.adrift + 1),
            (false, false) => (self.idle + 1, self.adrift),
        };
        self.idle > MOST_IDLE || self.adrift > MOST_ADRIFT
    }

    /// Whether the city says for the first time that it holds what has this digest. What it said before is no progress,
    /// though it differs from what is noted here.
    pub fn is_news(&mut self, digest: [u8; 32]) -> bool {
        self.heard.insert(digest)
    }
}

/// What the city holds of a stream after its answer.
pub fn answered(state: &StreamState, sent: &Frontier) -> Option<Frontier> {
    match state {
        StreamState::Same => Some(sent.clone()),
        StreamState::Differs { frontier, .. } => Some(frontier.clone()),
        StreamState::Refused => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Next, Open, Stall, next, wants};
    use replica::{ChangeId, DeviceId, Frontier};
    use wire::Chain;

    const DEVICE: DeviceId = DeviceId([1; 32]);

    #[test]
    fn an_exchange_that_gets_nowhere_ends() {
        let rounds = |rounds: &[(bool, bool)]| {
            let mut stall = Stall::default();
            rounds.iter().position(|(got_on, moved)| stall.after(*got_on, *moved)).map(|at| at + 1)
        };
        assert_eq!(rounds(&[(false, false); 99]), Some(3));
        assert_eq!(rounds(&[(false, true); 99]), Some(9), "a city that never says the same twice");
        assert_eq!(rounds(&[[(false, true), (false, false)]; 9].concat()), Some(17), "nor every other time");
        assert_eq!(rounds(&[(true, true); 999]), None);
        assert_eq!(rounds(&[[(false, true), (false, false), (true, false)]; 99].concat()), None);
    }

    #[test]
    fn a_city_that_says_what_it_said_before_took_nothing() {
        let mut stall = Stall::default();
        let mut words = [1, 2, 1, 2, 1].into_iter().chain(std::iter::repeat(2));
        let took: Vec<bool> = words.by_ref().take(6).map(|word| stall.is_news([word; 32])).collect();
        assert_eq!(took, [true, true, false, false, false, false]);
        let ends = words.position(|word| {
            let took = stall.is_news([word; 32]);
            stall.after(took, true)
        });
        assert_eq!(ends, Some(8), "though all of them differ from what is noted");
    }

    fn end(n: u64, branch: u8) -> (u64, ChangeId) {
        (n, ChangeId([branch; 32]))
    }

    /// Holds five changes of one branch of one device.
    struct Five;

    impl Chain for Five {
        fn holds(&self, device: &DeviceId, (n, id): (u64, ChangeId)) -> bool {
            *device == DEVICE && n <= 5 && id == ChangeId([7; 32])
        }
        fn prev(&self, _: &DeviceId, _: (u64, ChangeId)) -> Option<ChangeId> {
            None
        }
    }

    #[test]
    fn an_end_that_is_not_held_is_wanted_whatever_its_number() {
        let table = [
            ("the same", DEVICE, end(5, 7), false),
            ("older", DEVICE, end(3, 7), false),
            ("newer", DEVICE, end(6, 7), true),
            ("a copy of this computer", DEVICE, end(4, 8), true),
            ("another device", DeviceId([2; 32]), end(1, 7), true),
        ];
        for (name, device, end, expected) in table {
            let mut theirs = Frontier::default();
            theirs.0.entry(device).or_default().insert(end);
            assert_eq!(wants(&theirs, &Five), expected, "{name}");
        }
    }

    #[test]
    fn another_round_only_while_it_would_change_something() {
        let table = [
            (Open { wants: false, lacks: false }, false, Next::Done),
            (Open { wants: false, lacks: true }, false, Next::Again { wants: false }),
            (Open { wants: true, lacks: false }, false, Next::Again { wants: true }),
            (Open { wants: false, lacks: false }, true, Next::Again { wants: true }),
        ];
        for (open, more, expected) in table {
            assert_eq!(next(&[open], more), expected, "{open:?} {more}");
        }
    }
}
