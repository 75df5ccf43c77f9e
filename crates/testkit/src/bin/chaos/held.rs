//! What a closed folder holds: the digest of its records, and its log as the book looks at it.

use std::path::Path;

use anyhow::{Context, Result};
use replica::{Change, ChangeId, Life, RecordState, StreamId};
use store::Store;
use testkit::{PASSWORD, World};

use crate::book::{Held, LIFE, Place, Written};

/// A branch folder that nobody has open.
pub struct Computer {
    pub name: String,
    pub stream: StreamId,
    pub digest: String,
    pub held: Held,
}

impl Computer {
    pub fn read(name: &str, folder: &Path) -> Result<Self> {
        let store = Store::open(folder, PASSWORD, World::new(0))?;
        let stream = store.own_stream()?.context("the branch has no stream")?;
        let mut held = Held::default();
        store.changes(&stream)?.iter().for_each(|change| note(&mut held, change));
        stand(&mut held, &store)?;
        Ok(Self { name: name.to_owned(), stream, digest: store.digest(&stream)?, held })
    }
}

fn note(held: &mut Held, change: &Change) {
    let values = change.values.iter().flatten();
    for (write, value) in change.header.writes.iter().zip(values) {
        let path = if matches!(write.path.as_str(), "~born" | "~gone") { LIFE } else { &write.path };
        let written = Written {
            change: change.id,
            value: value.clone(),
            over: change.header.over(write).collect(),
            counts: true,
        };
        held.writes.entry(Place::new(&write.kind, &write.record, path)).or_default().push(written);
    }
}

/// What stands of what was written.
fn stand(held: &mut Held, store: &Store) -> Result<()> {
    for (place, writes) in &mut held.writes {
        let Some(state) = store.record(&place.kind, &place.record)? else { continue };
        for write in writes {
            write.counts = !state.ignored.contains(&write.change);
        }
        held.heads.insert(place.clone(), heads(&state, &place.path));
    }
    Ok(())
}

fn heads(state: &RecordState, path: &str) -> Vec<ChangeId> {
    if path != LIFE {
        return state.heads(path);
    }
    match &state.life {
        Life::Gone { by, .. } => by.clone(),
        Life::Contested { gone, against } => gone.iter().chain(against).copied().collect(),
        Life::Waiting | Life::Live => Vec::new(),
    }
}
