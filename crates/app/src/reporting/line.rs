//! The line to the city: one exchange at a time. Who has it, what passed over it, and the wish to stop.

use crate::app::App;
use crate::contract::{ExchangeProgress, FilesProgress};
use crate::error::{CallError, Code};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use sync::{BlobProgress, Watcher};

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
    stopping: bool,
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
            stopping: going.stopping,
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

    /// What runs ends before its next request; what went through stays.
    pub fn stop(&self) {
        let told = self.state().going.as_mut().map(|going| std::mem::replace(&mut going.stopping, true));
        if told == Some(false) {
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

    fn take(&self, by: By) -> bool {
        let mut state = self.state();
        if by == By::Person {
            state.people += 1;
            state
                .going
                .iter_mut()
                .filter(|going| going.is_by_itself())
                .for_each(|going| going.stopping = true);
            let by_itself = |state: &mut State| state.going.as_ref().is_some_and(Going::is_by_itself);
            state = self.freed.wait_while(state, by_itself).unwrap_or_else(PoisonError::into_inner);
            state.people -= 1;
        } else if state.people > 0 {
            return false;
        }
        if state.going.is_some() {
            return false;
        }
        state.going = Some(Going { by, stopping: false, out: 0, back: 0, files: BlobProgress::default() });
        true
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
    fn goes_on(&self) -> bool {
        self.state().going.as_ref().is_none_or(|going| !going.stopping)
    }

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
        if !self.line.take(by) {
            return Err(CallError::new(Code::Busy));
        }
        self.tell(&["sync", "progress"]);
        Ok(Hold(self))
    }
}

/// The line while it is used; let go of also by a panic.
pub struct Hold<'a>(&'a App);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.line.free();
        self.0.tell(&["sync", "progress"]);
        if self.0.branch().is_err() {
            // It was locked meanwhile: its files are free only now.
            self.0.tell(&["session"]);
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
        assert!(line.take(By::Itself) && !line.take(By::Itself), "one at a time");
        let person = std::thread::spawn({
            let line = line.clone();
            move || line.take(By::Person)
        });
        while line.goes_on() {
            std::thread::yield_now();
        }
        assert!(!person.is_finished(), "nothing is cut off in the middle");
        line.free();
        assert!(person.join().expect("it ends"));
        assert!(!line.take(By::Person) && !line.take(By::Itself), "a person is not pushed aside");
        assert!(line.goes_on(), "and not told to stop");
    }

    #[test]
    fn progress_is_of_what_runs() {
        let line = Line::new(|| ());
        assert!(line.progress().is_none());
        assert!(line.take(By::Person));
        line.passed(100, 20);
        line.passed(1, 2);
        let progress = line.progress().expect("it runs");
        assert_eq!((progress.bytes_out, progress.bytes_in, progress.stopping), (101, 22, false));
        line.stop();
        assert!(line.progress().is_some_and(|progress| progress.stopping) && !line.goes_on());
        line.free();
        line.wait();
        assert!(line.progress().is_none() && line.goes_on());
    }
}
