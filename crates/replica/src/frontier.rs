//! What is held of a stream, said by the ends of its chains.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{ChangeId, DeviceId};

/// For each device the ends (number and id) of its chain that are held. Two ends are legal: a copied computer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier(pub BTreeMap<DeviceId, BTreeSet<(u64, ChangeId)>>);

impl Frontier {
    /// Takes a change in; `prev` is what it follows. Order of calls does not matter as long as a change
    /// comes after the one it follows.
    pub fn advance(&mut self, device: DeviceId, n: u64, id: ChangeId, prev: Option<ChangeId>) {
        let ends = self.0.entry(device).or_default();
        if let Some(prev) = prev {
            ends.remove(&(n - 1, prev));
        }
        ends.insert((n, id));
    }

    pub fn ends(&self, device: &DeviceId) -> impl Iterator<Item = (u64, ChangeId)> + '_ {
        self.0.get(device).into_iter().flatten().copied()
    }

    /// The end with the highest number, which the device's next change follows.
    pub fn last(&self, device: &DeviceId) -> Option<(u64, ChangeId)> {
        self.0.get(device).and_then(|ends| ends.last().copied())
    }

    pub fn is_empty(&self) -> bool {
        self.0.values().all(BTreeSet::is_empty)
    }

    /// Devices with more than one end: copied computers and restored backups.
    pub fn forked(&self) -> impl Iterator<Item = DeviceId> + '_ {
        self.0.iter().filter(|(_, ends)| ends.len() > 1).map(|(device, _)| *device)
    }

    /// BLAKE3 over all ends in order.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for (device, ends) in &self.0 {
            for (n, id) in ends {
                hasher.update(&device.0).update(&n.to_be_bytes()).update(&id.0);
            }
        }
        *hasher.finalize().as_bytes()
    }
}
