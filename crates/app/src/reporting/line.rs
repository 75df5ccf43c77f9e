//! The line to the city: one exchange at a time. Who has it, what passed over it, and the wish to stop.

use crate::app::App;
use crate::contract::{ExchangeProgress, FilesProgress};
use crate::error::{CallError, Code};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use sync::{BlobProgress, Stop, Watcher};

/// Who wants to exchange. A person comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Person,
    Itself,
}

/// What an exchange may have under way, for whoever asks from another thread.
pub struct Line {
    state: Mutex<State>,
    freed: Condvar,
    /// Run after something passed.
    tell: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct State {
    going: Option<Going>,
    /// People for whom the program stops what it does by itself.
    people: u32,
}

struct Going {
    by: By,
    stop: Stop,
    out: u64,
    back: u64,
    files: BlobProgress,
}

impl Going {
    fn is_by_itself(&self) -> bool {
        self.by == By::Itself
    }
}

impl Line {
    pub fn new(tell: impl Fn() + Send + Sync + 'static) -> Self {
        Self { state: Mutex::default(), freed: Condvar::new(), tell: Box::new(tell) }
    }

    pub fn is_held(&self) -> bool {
        self.state().going.is_some()
    }

    /// What the exchange that runs has done so far.
    pub fn progress(&self) -> Option<ExchangeProgress> {
        let state = self.state();
        let going = state.going.as_ref()?;
        let files = &going.files;
        Some(ExchangeProgress {
            by_itself: going.is_by_itself(),
            stopping: going.stop.is_told(),
            bytes_out: super::number(going.out),
            bytes_in: super::number(going.back),
            files: (files.of_files > 0).then(|| FilesProgress {
                done: files.files,
                of: files.of_files,
                bytes: super::number(files.done),
                of_bytes: super::number(files.of),
            }),
        })
    }

    /// What runs ends, in the middle of a request if need be; what went through stays.
    pub fn stop(&self) {
        let stop = self.state().going.as_ref().map(|going| going.stop.clone());
        if let Some(stop) = stop.filter(|stop| !stop.is_told()) {
            stop.tell();
            (self.tell)();
        }
    }

    /// Waits until nothing runs.
    pub fn wait(&self) {
        drop(self.freed.wait_while(self.state(), |state| state.going.is_some()));
    }

    /// How far the photos and scans are.
    pub fn files(&self, progress: BlobProgress) {
        if let Some(going) = &mut self.state().going {
            going.files = progress;
        }
        (self.tell)();
    }

    /// The wish to stop that whoever takes it listens to; none if somebody has it.
    fn take(&self, by: By) -> Option<Stop> {
        let mut state = self.state();
        if by == By::Person {
            state.people += 1;
            state.going.iter().filter(|going| going.is_by_itself()).for_each(|going| going.stop.tell());
            let by_itself = |state: &mut State| state.going.as_ref().is_some_and(Going::is_by_itself);
            state = self.freed.wait_while(state, by_itself).unwrap_or_else(PoisonError::into_inner);
            state.people -= 1;
        } else if state.people > 0 {
            return None;
        }
        if state.going.is_some() {
            return None;
        }
        let stop = Stop::default();
        let files = BlobProgress::default();
        state.going = Some(Going { by, stop: stop.clone(), out: 0, back: 0, files });
        Some(stop)
    }

    fn free(&self) {
        self.state().going = None;
        self.freed.notify_all();
    }

    /// A panic of another thread left no half-done state behind: its parts are replaced whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher for Line {
    fn passed(&self, out: usize, back: usize) {
        if let Some(going) = &mut self.state().going {
            going.out += out as u64;
            going.back += back as u64;
        }
        (self.tell)();
    }
}

impl App {
    /// Takes the line. What the program does by itself ends for a person; a second wish of a person is refused.
    pub(crate) fn hold(&self, by: By) -> Result<Hold<'_>, CallError> {
        let stop = self.line.take(by).ok_or_else(|| CallError::new(Code::Busy))?;
        self.tell(&["sync", "progress"]);
        Ok(Hold { app: self, stop })
    }
}

/// The line while it is used; let go of also by a panic.
pub struct Hold<'a> {
    app: &'a App,
    /// What it is used for ends when this is told.
    pub stop: Stop,
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.app.line.free();
        self.app.tell(&["sync", "progress"]);
        if self.app.branch().is_err() {
            // It was locked meanwhile: its files are free only now.
            self.app.tell(&["session"]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{By, Line};
    use std::sync::Arc;
    use sync::Watcher;

    #[test]
    fn a_person_comes_first() {
        let line = Arc::new(Line::new(|| ()));
        let stop = line.take(By::Itself).expect("it is free");
        assert!(line.take(By::Itself).is_none(), "one at a time");
        let person = std::thread::spawn({
            let line = line.clone();
            move || line.take(By::Person)
        });
        while !stop.is_told() {
            std::thread::yield_now();
        }
        assert!(!person.is_finished(), "what ends is waited for");
        line.free();
        let stop = person.join().expect("it ends").expect("it is theirs");
        assert!(line.take(By::Person).is_none() && line.take(By::Itself).is_none(), "and not taken away");
        assert!(!stop.is_told(), "nor told to stop");
    }

    #[test]
    fn progress_is_of_what_runs() {
        let line = Line::new(|| ());
        assert!(line.progress().is_none());
        let stop = line.take(By::Person).expect("it is free");
        line.passed(100, 20);
        line.passed(1, 2);
        let progress = line.progress().expect("it runs");
        assert_eq!((progress.bytes_out, progress.bytes_in, progress.stopping), (101, 22, false));
        line.stop();
        assert!(line.progress().is_some_and(|progress| progress.stopping) && stop.is_told());
        line.free();
        line.wait();
        assert!(line.progress().is_none());
        assert!(line.take(By::Itself).is_some_and(|stop| !stop.is_told()), "the next one is not told");
    }
}
