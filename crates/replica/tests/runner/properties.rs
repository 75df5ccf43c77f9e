//! Any order, duplication and split of the same changes comes to the same state.

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use replica::{Change, ChangeId, Replica, RootKey, Ruling, StreamId, certify, device_of, ruling_path};
use serde_json::{Value, json};

use crate::world::{Device, W};

/// One thing that one of four computers does.
#[derive(Debug, Clone)]
enum Act {
    Put { path: usize, value: u8 },
    PutBlind { path: usize, value: u8 },
    Reserved { path: usize },
    Rule { what: usize, target: usize },
    Learn { from: usize },
    Copy,
}

const PATHS: [&str; 6] =
    ["place", "topic", "agenda/x/topic", "agenda/x/speeches/s/text", "agenda/y/topic", "summary"];
const RESERVED: [&str; 7] = [
    "~born",
    "~gone",
    "~final",
    "agenda/x/~born",
    "agenda/x/~gone",
    "agenda/x/~final",
    "agenda/x/speeches/s/~gone",
];

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..PATHS.len(), 0..4u8).prop_map(|(path, value)| Act::Put { path, value }),
        1 => (0..PATHS.len(), 0..4u8).prop_map(|(path, value)| Act::PutBlind { path, value }),
        3 => (0..RESERVED.len()).prop_map(|path| Act::Reserved { path }),
        2 => (0..6usize, any::<prop::sample::Index>()).prop_map(|(what, target)| Act::Rule { what, target: target.index(64) }),
        3 => (0..4usize).prop_map(|from| Act::Learn { from }),
        1 => Just(Act::Copy),
    ]
}

struct Computer {
    device: Device,
    copied: Option<Device>,
    held: Replica,
}

struct Town {
    stream: StreamId,
    computers: Vec<Computer>,
    all: Vec<Change>,
}

fn root() -> SigningKey {
    SigningKey::from_bytes(&[99; 32])
}

fn empty() -> Replica {
    Replica::new(Some(RootKey(device_of(&root()).0)))
}

impl Town {
    /// Computer 0 founds the stream, 1 is the city, 2 is let in, 3 is a stranger.
    fn new() -> Self {
        let mut founder = Device::new(1, None);
        let born = founder.m1(&[("~born", json!(true), &[])]);
        let stream = born.stream;
        let mut city = Device::new(2, Some(stream));
        let keyed = city.rule(&format!("~key/{}", city.id), certify(&root(), &city.id, "a", "b"), &[]);
        let (second, stranger) = (Device::new(3, Some(stream)), Device::new(4, Some(stream)));
        let enrolled = city.rule(&format!("~device/{}", second.id), json!({}), &[]);
        let all = vec![born, keyed, enrolled];
        let computers = [founder, city, second, stranger].map(|device| {
            let mut held = empty();
            held.insert(all.clone());
            Computer { device, copied: None, held }
        });
        Self { stream, computers: computers.into(), all }
    }

    fn play(&mut self, who: usize, act: &Act) {
        let place = |town: &Self, path: &str| {
            let state = town.computers[who].held.record(&town.stream, "meeting", "m1");
            state.map(|state| state.heads(path)).unwrap_or_default()
        };
        match act {
            Act::Put { path, value } => {
                let over = place(self, PATHS[*path]);
                self.write(who, "meeting", "m1", PATHS[*path], json!(format!("句{value}。")), &over);
            }
            Act::PutBlind { path, value } => {
                self.write(who, "meeting", "m1", PATHS[*path], json!(format!("句{value}。")), &[]);
            }
            Act::Reserved { path } => {
                let over = self.scope_heads(who, RESERVED[*path]);
                self.write(who, "meeting", "m1", RESERVED[*path], json!(true), &over);
            }
            Act::Rule { what, target } => self.rule(who, *what, *target),
            Act::Learn { from } => {
                let changes: Vec<Change> =
                    self.computers[*from].held.changes(&self.stream).into_iter().cloned().collect();
                self.computers[who].held.insert(changes);
            }
            Act::Copy => {
                let computer = &mut self.computers[who];
                computer.copied.get_or_insert_with(|| computer.device.copy());
                let copied = computer.copied.as_mut().unwrap();
                std::mem::swap(&mut computer.device, copied);
            }
        }
    }

    fn scope_heads(&self, who: usize, path: &str) -> Vec<ChangeId> {
        let Some(state) = self.computers[who].held.record(&self.stream, "meeting", "m1") else {
            return Vec::new();
        };
        match path.rsplit_once('/') {
            Some((scope, _)) => state.item_heads(scope),
            None => state.all_heads(),
        }
    }

    fn rule(&mut self, who: usize, what: usize, target: usize) {
        let target = &self.all[target % self.all.len()];
        let (change, device, n) = (target.id, target.header.device, target.header.n);
        let ruling = match what {
            0 => Ruling::Void { change, code: "x".into(), words: String::new(), at: None },
            1 => Ruling::Revoke { device, ends: vec![(n, change)] },
            2 => Ruling::Drop { change },
            3 => Ruling::Release { changes: vec![change] },
            4 => Ruling::Lift,
            _ => {
                self.write(who, "stream", "~stream", &format!("~device/{device}"), json!({}), &[]);
                return;
            }
        };
        let path = ruling_path(&format!("r{}", n % 3));
        let state = self.computers[who].held.record(&self.stream, "stream", "~stream");
        let over = state.map(|state| state.heads(&path)).unwrap_or_default();
        self.write(who, "stream", "~stream", &path, ruling.to_value(), &over);
    }

    fn write(&mut self, who: usize, kind: &str, record: &str, path: &str, value: Value, over: &[ChangeId]) {
        let computer = &mut self.computers[who];
        let write: W = (record, kind, path, value, over);
        let change = computer.device.commit(&[write]);
        computer.held.insert([change.clone()]);
        self.all.push(change);
    }
}

fn text(replica: &Replica) -> String {
    String::from_utf8(replica.state_bytes()).unwrap()
}

/// Another order of the same, by a small generator.
fn shuffled(changes: &[Change], mut seed: u64) -> Vec<Change> {
    let mut changes = changes.to_vec();
    for index in (1..changes.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        changes.swap(index, (seed >> 33) as usize % (index + 1));
    }
    changes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn state_is_a_function_of_the_set(
        acts in proptest::collection::vec((0..4usize, act()), 0..40),
        seed in any::<u64>(),
        size in 1..9usize,
    ) {
        let mut town = Town::new();
        for (who, act) in &acts {
            town.play(*who, act);
        }
        let mut whole = empty();
        whole.insert(town.all.clone());
        let expected = text(&whole);

        let mut pieces = empty();
        for (round, piece) in shuffled(&town.all, seed).chunks(size).enumerate() {
            pieces.insert(piece.iter().cloned());
            if round % 2 == 0 {
                pieces.insert(piece.iter().cloned());
            }
        }
        prop_assert_eq!(text(&pieces), expected.clone());
        prop_assert_eq!(pieces.frontier(&town.stream), whole.frontier(&town.stream));
        pieces.refold();
        prop_assert_eq!(text(&pieces), expected.clone(), "the incremental fold is the fold from scratch");

        for computer in &mut town.computers {
            computer.held.insert(shuffled(&town.all, seed ^ 1));
            prop_assert_eq!(text(&computer.held), expected.clone(), "whatever it held before");
        }
        let digest = town.computers[0].held.state_digest();
        prop_assert_eq!(digest, whole.state_digest());
    }

    #[test]
    fn every_state_reads_back(acts in proptest::collection::vec((0..4usize, act()), 0..30)) {
        let mut town = Town::new();
        for (who, act) in &acts {
            town.play(*who, act);
        }
        for computer in &town.computers {
            for state in computer.held.records(&town.stream) {
                let read = replica::RecordState::from_bytes(&state.to_bytes()).unwrap();
                prop_assert_eq!(&read, state);
            }
        }
    }
}
