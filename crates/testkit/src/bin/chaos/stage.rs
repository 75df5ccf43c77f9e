//! What everybody in the story shares: the book, the figures, the records that all know, the end.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use testkit::Random;

use crate::book::Book;
use crate::figures::Figures;

/// Among how many of the latest records somebody picks one to edit.
const LATEST: usize = 30;

/// A record that somebody put on file.
#[derive(Debug, Clone)]
pub struct Record {
    pub kind: &'static str,
    pub id: String,
    /// All laptops edit it all the time; nobody deletes it.
    pub shared: bool,
    /// Somebody tried to delete it. One try is enough: the book tells deletions by their record.
    pub doomed: bool,
}

pub struct Stage {
    pub book: Book,
    pub figures: Figures,
    records: Mutex<Vec<Record>>,
    over: AtomicBool,
    begin: Instant,
    diary: Mutex<File>,
}

impl Stage {
    pub fn new(diary: &Path) -> Result<Self> {
        let diary = File::create(diary).with_context(|| format!("cannot write {}", diary.display()))?;
        Ok(Self {
            book: Book::default(),
            figures: Figures::default(),
            records: Mutex::default(),
            over: AtomicBool::new(false),
            begin: Instant::now(),
            diary: Mutex::new(diary),
        })
    }

    /// A line of the diary, which is there for whoever looks for a cause.
    pub fn note(&self, who: &str, words: &str) {
        let mut diary = self.diary.lock().unwrap_or_else(PoisonError::into_inner);
        // A diary that cannot be written is not worth the story.
        let _ = writeln!(diary, "{:8.3} {who}: {words}", self.begin.elapsed().as_secs_f64());
    }

    pub fn add(&self, record: Record) {
        self.records().push(record);
    }

    /// A record to edit: often one that everybody edits, else one of the latest, which may be deleted.
    pub fn pick(&self, kind: &str, random: &mut Random) -> Option<Record> {
        let wanted = random.chance(60);
        let records = self.records();
        let latest = records.iter().rev().filter(|record| record.kind == kind && record.shared == wanted);
        let latest: Vec<&Record> = latest.take(LATEST).collect();
        (!latest.is_empty()).then(|| latest[random.below(latest.len())].clone())
    }

    /// A record that nobody has tried to delete yet; now somebody does.
    pub fn doom(&self, random: &mut Random) -> Option<Record> {
        let mut records = self.records();
        let free = records.iter_mut().filter(|record| !record.shared && !record.doomed);
        let mut free: Vec<&mut Record> = free.collect();
        if free.is_empty() {
            return None;
        }
        let record = free.swap_remove(random.below(free.len()));
        record.doomed = true;
        Some(record.clone())
    }

    pub fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Waits so long, or until the end.
    pub fn rest(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.is_over() && Instant::now() < until {
            thread::sleep(Duration::from_millis(20).min(time));
        }
    }

    fn records(&self) -> MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
