//! Devices with keys and chains, for stories.

use ed25519_dalek::{Signer, SigningKey};
use replica::{
    Change, ChangeBuilder, ChangeId, DeviceId, End, RawChange, RecordState, STREAM_KIND, STREAM_RECORD,
    StreamId, Verdicts, device_of, fold_record, signature_input,
};
use serde_json::Value;

/// A device that writes one chain in one stream.
#[derive(Clone)]
pub struct Device {
    pub key: SigningKey,
    pub id: DeviceId,
    pub stream: Option<StreamId>,
    pub end: Option<End>,
    pub lamport: u64,
}

/// One write: record, kind, path, value, over.
pub type W<'a> = (&'a str, &'a str, &'a str, Value, &'a [ChangeId]);

impl Device {
    /// The device of number `seed`, which has not written anything; `stream` None: it will found one.
    pub fn new(seed: u8, stream: Option<StreamId>) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        Self { id: device_of(&key), key, stream, end: None, lamport: 0 }
    }

    pub fn commit(&mut self, writes: &[W]) -> Change {
        self.lamport += 1;
        let at = 1_790_000_000_000 + i64::try_from(self.end.map_or(1, |end| end.n + 1)).unwrap() * 1000;
        let mut builder =
            ChangeBuilder::new(self.stream, self.end, self.id, self.lamport, at, "张书记", "save");
        for (record, kind, path, value, over) in writes {
            builder.add(record, kind, path, value, over);
        }
        let change = builder.sign(&self.key).unwrap();
        self.took(&change);
        change
    }

    /// Writes paths of the meeting m1.
    pub fn m1(&mut self, writes: &[(&str, Value, &[ChangeId])]) -> Change {
        let writes: Vec<W> =
            writes.iter().map(|(path, value, over)| ("m1", "meeting", *path, value.clone(), *over)).collect();
        self.commit(&writes)
    }

    /// Writes one path of the stream's own record.
    pub fn rule(&mut self, path: &str, value: Value, over: &[ChangeId]) -> Change {
        self.commit(&[(STREAM_RECORD, STREAM_KIND, path, value, over)])
    }

    /// Signs header text as it is and holds it as the next of the chain.
    pub fn sign_raw(&self, header: Vec<u8>, payload: &[u8]) -> RawChange {
        let signature = self.key.sign(&signature_input(&header)).to_bytes();
        RawChange { header, signature, payload: Some(payload.to_vec()) }
    }

    pub fn took(&mut self, change: &Change) {
        self.stream = Some(change.stream);
        self.end = Some(End { n: change.header.n, id: change.id });
    }

    /// The same key on a copied computer.
    pub fn copy(&self) -> Self {
        self.clone()
    }
}

/// Folds the meeting m1 from these changes, in both orders, which must not matter.
pub fn m1(changes: &[&Change]) -> RecordState {
    let state = fold_record("meeting", "m1", changes, &Verdicts::default());
    let backwards: Vec<&Change> = changes.iter().rev().chain(changes).copied().collect();
    assert_eq!(
        state,
        fold_record("meeting", "m1", &backwards, &Verdicts::default()),
        "order does not matter"
    );
    assert_eq!(RecordState::from_bytes(&state.to_bytes()).unwrap(), state, "a stored state reads back");
    state
}
