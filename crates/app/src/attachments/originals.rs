//! Which meetings hold the same file: a photo in two records is a question for a person.

use crate::branch::Branch;
use crate::contract::MeetingForm;
use crate::error::CallError;
use domain::Meeting;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use store::Query;

type ByOriginal = BTreeMap<String, BTreeSet<String>>;

/// The live meetings by the files that they hold; read again after a commit that touched a meeting.
#[derive(Default)]
pub struct Originals {
    touched: Arc<AtomicU64>,
    read: Mutex<Option<(u64, Arc<ByOriginal>)>>,
}

impl Originals {
    /// What a commit that touches a meeting calls.
    pub fn stale(&self) -> impl Fn() + Send + Sync + 'static {
        let touched = self.touched.clone();
        move || {
            touched.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Branch {
    /// The ids of the meetings that hold a file of the form, however long ago they were.
    pub fn meetings_with_files_of(&self, form: &MeetingForm) -> Result<BTreeSet<String>, CallError> {
        if form.attachments.is_empty() {
            return Ok(BTreeSet::new());
        }
        let held = self.by_original()?;
        let of = |file| held.get(file).into_iter().flatten().cloned();
        Ok(form.attachments.iter().flat_map(|file| of(&file.original)).collect())
    }

    fn by_original(&self) -> Result<Arc<ByOriginal>, CallError> {
        // Counted before reading: a commit in between makes what was read stale at once.
        let count = self.originals.touched.load(Ordering::SeqCst);
        let mut kept = self.originals.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, held)) = kept.as_ref().filter(|(at, _)| *at == count) {
            return Ok(held.clone());
        }
        let held = Arc::new(by_original(&self.typed_meetings(&Query::of("meeting"))?));
        *kept = Some((count, held.clone()));
        Ok(held)
    }
}

fn by_original(meetings: &[Meeting]) -> ByOriginal {
    let mut held = ByOriginal::new();
    for meeting in meetings {
        for original in meeting.attachments.iter().filter_map(|file| file.original.as_ref()) {
            held.entry(original.clone()).or_default().insert(meeting.id.clone());
        }
    }
    held
}
