//! What goes into a file: all that the city lacks, without a budget.

use crate::error::SyncError;
use crate::plan::Sides;
use replica::{DeviceId, Frontier, RawChange, RootKey, StreamId};
use std::collections::BTreeMap;
use store::Store;
use wire::{Outgoing, Receipt, Span};

/// Bytes of changes that are read from the store at a time.
const PAGE: usize = 512 * 1024;

/// The streams that the city with this root vouches for.
pub fn vouched(store: &Store, root: &RootKey) -> Result<Vec<Sides>, SyncError> {
    let mut sides = Vec::new();
    for info in store.streams()?.iter().filter(|info| info.root.as_ref() == Some(root)) {
        sides.push(Sides {
            stream: info.id,
            mine: store.frontier(&info.id)?,
            theirs: store.city_frontier(&info.id)?,
            traces: BTreeMap::new(),
        });
    }
    Ok(sides)
}

/// Writes these changes, the city's own first: they let devices in.
pub fn send(
    store: &Store,
    stream: &StreamId,
    spans: &BTreeMap<DeviceId, Span>,
    out: &mut dyn Outgoing,
) -> Result<(), SyncError> {
    let keys = store.city_keys(stream)?;
    let (citys, others): (Vec<_>, Vec<_>) = spans.iter().partition(|(device, _)| keys.contains(device));
    for (device, span) in citys.into_iter().chain(others) {
        match span {
            Span::Only(places) => {
                for (_, id) in places {
                    store.change(id)?.iter().for_each(|change| out.add(&change.raw));
                }
            }
            Span::After(n) => send_after(store, stream, device, *n, out)?,
        }
    }
    Ok(())
}

fn send_after(
    store: &Store,
    stream: &StreamId,
    device: &DeviceId,
    mut after: u64,
    out: &mut dyn Outgoing,
) -> Result<(), SyncError> {
    loop {
        let page = store.changes_after(stream, &BTreeMap::from([(*device, after)]), PAGE)?;
        page.changes.iter().for_each(|change| out.add(change));
        match page.changes.last().filter(|_| page.more) {
            Some(last) => after = number(last),
            None => return Ok(()),
        }
    }
}

/// The number of a change in its chain; 0 for one that cannot be read, which the store does not hold.
fn number(change: &RawChange) -> u64 {
    change.clone().read().map_or(0, |change| change.header.n)
}

/// Says whether the receipt's key signed for just these frontiers.
pub fn covers(receipt: &Receipt, covered: &BTreeMap<StreamId, Frontier>) -> bool {
    let digest = wire::frontiers_digest(covered.iter().map(|(stream, frontier)| (*stream, frontier)));
    receipt.frontiers == digest && receipt.is_signed()
}
