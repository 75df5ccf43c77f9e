//! 上报 by itself: while a branch is open and enrolled, one thread of the shell exchanges when the rhythm says so. It
//! never asks and never interrupts anybody: what went wrong is on the page.

use super::can_reach_city;
use super::exchange::Files;
use super::line::By;
use super::rhythm::{Outcome, Rhythm};
use crate::app::App;
use crate::error::CallError;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The longest time between two looks at the clocks.
const NAP: Duration = Duration::from_secs(60);
/// A wall clock that gained more than this on the steady one since the last look: the computer slept.
const SLEPT_MS: i64 = 2 * 60 * 1000;

/// What makes another plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// A branch was opened or enrolled, or what stood in the way was mended.
    Changed,
    Recorded,
    Online,
    Ended(Ended),
}

/// What an exchange came to, a person's own included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    pub outcome: Outcome,
    /// How long the city wants to be left alone.
    pub asked: Option<Duration>,
    /// Changes that still wait.
    pub left: u64,
}

/// Between the courier and those who know something: news one way, the plan the other way.
#[derive(Default)]
pub struct Signals {
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Default)]
struct State {
    heard: Heard,
    /// When the next exchange is planned, in Unix milliseconds.
    next: Option<i64>,
}

/// What came since the last turn: ten thousand commits of one import are one piece of news.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    ended: Option<Ended>,
    changed: bool,
    online: bool,
    recorded: bool,
}

impl Signals {
    pub fn tell(&self, news: News) {
        let heard = &mut self.state().heard;
        match news {
            News::Changed => heard.changed = true,
            News::Recorded => heard.recorded = true,
            News::Online => heard.online = true,
            News::Ended(ended) => heard.ended = Some(ended),
        }
        self.came.notify_all();
    }

    pub fn next(&self) -> Option<i64> {
        self.state().next
    }

    fn plan(&self, next: Option<i64>) {
        self.state().next = next;
    }

    fn take(&self) -> Heard {
        std::mem::take(&mut self.state().heard)
    }

    fn wait(&self, at_most: Duration) {
        let nothing = |state: &mut State| state.heard == Heard::default();
        drop(self.came.wait_timeout_while(self.state(), at_most, nothing));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reports by itself.
#[derive(Debug, Default)]
pub struct Courier {
    rhythm: Rhythm,
    /// Changes that waited when they were last counted.
    waiting: u64,
    /// The plan as it was last shown.
    shown: Option<Duration>,
    /// The wall clock less the steady one, at the last look.
    apart: Option<i64>,
}

impl Courier {
    /// Starts the thread. It ends with the program that it reports for.
    pub fn start(app: &Arc<App>) {
        let (signals, app) = (app.signals.clone(), Arc::downgrade(app));
        let (start, mut courier) = (Instant::now(), Self::default());
        std::thread::spawn(move || {
            while let Some(app) = app.upgrade() {
                let nap = courier.turn(&app, start.elapsed());
                drop(app);
                signals.wait(nap);
            }
        });
    }

    /// One turn at a moment of a steady clock: hears what is new, exchanges if it is time. Answers how long to wait for
    /// news before the next turn.
    pub fn turn(&mut self, app: &App, now: Duration) -> Duration {
        self.hear(app, now);
        self.look_at_clocks(app, now);
        if self.rhythm.is_due(now) {
            self.rhythm.began();
            if let Err(error) = report(app) {
                tracing::info!(%error, "not reported");
            }
            return Duration::ZERO;
        }
        self.show(app, now);
        self.rhythm.next().map_or(NAP, |next| next.saturating_sub(now).min(NAP))
    }

    fn hear(&mut self, app: &App, now: Duration) {
        let heard = app.signals.take();
        if let Some(Ended { outcome, asked, left }) = heard.ended {
            self.waiting = left;
            self.rhythm.ended(now, outcome, asked, chance(app));
        }
        if heard.changed {
            self.rhythm.changed(now, chance(app));
        }
        if heard.online {
            self.rhythm.online(now, chance(app));
        }
        if heard.recorded {
            self.count(app, now);
        }
    }

    /// What an exchange brought is committed too, and is no reason for another one.
    fn count(&mut self, app: &App, now: Duration) {
        let waiting = match app.branch().and_then(|branch| Ok(branch.store.outbox()?.changes)) {
            Ok(waiting) => waiting,
            // Locked meanwhile; a store that cannot be read is said by what reads it for the person.
            Err(_) => return,
        };
        if waiting > self.waiting {
            self.rhythm.recorded(now);
        }
        self.waiting = waiting;
    }

    /// A steady clock may stand still while the computer sleeps; the wall clock then jumps. One that is set forward by
    /// hand costs one exchange, one that is set back nothing.
    fn look_at_clocks(&mut self, app: &App, now: Duration) {
        let apart = app.world.now().saturating_sub(i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
        let before = self.apart.replace(apart);
        if before.is_some_and(|before| apart.saturating_sub(before) > SLEPT_MS) {
            self.rhythm.online(now, chance(app));
        }
    }

    /// The plan by the wall clock, for the page.
    fn show(&mut self, app: &App, now: Duration) {
        let next = self.rhythm.next();
        if self.shown == next {
            return;
        }
        self.shown = next;
        let left = next.map(|next| i64::try_from(next.saturating_sub(now).as_millis()).unwrap_or(i64::MAX));
        app.signals.plan(left.map(|left| app.world.now().saturating_add(left)));
        app.tell(&["sync"]);
    }
}

/// One exchange, if there is a branch and a city to reach. A person's own goes first.
fn report(app: &App) -> Result<(), CallError> {
    let branch = app.branch()?;
    let reachable = can_reach_city(&branch)?;
    drop(branch);
    if reachable {
        app.report(By::Itself, Files::AsSet)?;
    }
    Ok(())
}

fn chance(app: &App) -> u64 {
    let mut bytes = [0; 8];
    app.world.sources().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
