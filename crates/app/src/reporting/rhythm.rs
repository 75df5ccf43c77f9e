//! When to report next without being asked. Pure: the time is what a steady clock shows, which nobody can set, and
//! chance is a number that is handed in.

use std::time::Duration;

/// After a failure nothing is tried sooner, whatever happens.
pub const FLOOR: Duration = Duration::from_secs(30);
/// However often it failed, it is tried again after this at the latest.
pub const CAP: Duration = Duration::from_secs(30 * 60);
/// Between two exchanges while nothing is to be said.
pub const REST: Duration = Duration::from_secs(15 * 60);
/// Whoever puts something on record often does so again.
pub const SOON: Duration = Duration::from_secs(5);
/// And if they never stop, it goes out after this.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// A whole town whose network comes back does not ask in the same second.
pub const SPREAD: Duration = Duration::from_secs(15);
/// Nobody honest asks to be left alone for longer; a portal may say anything.
pub const MOST_ASKED: Duration = Duration::from_secs(24 * 60 * 60);

/// What an exchange came to, as far as the next one depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Both sides hold the same.
    Done,
    /// It went well, and something waits nevertheless.
    Left,
    /// The line or the city was not fit for it.
    Failed,
    /// A person is asked first. What is put on record meanwhile may go out.
    Asks,
    /// Nothing can go out until a person does something about it.
    Stuck,
    /// A person wanted it to end.
    Stopped,
}

/// The plan for the next exchange.
#[derive(Debug, Default)]
pub struct Rhythm {
    next: Option<Duration>,
    /// Exchanges in a row that did not get everything through.
    tries: u32,
    /// When the last one ended.
    ended: Duration,
    /// The city asked to be left alone until then.
    not_before: Duration,
    /// When the first record was put down that the next exchange is planned for.
    burst: Option<Duration>,
    stuck: bool,
}

impl Rhythm {
    /// When the next exchange is due; none: something has to happen first.
    pub fn next(&self) -> Option<Duration> {
        self.next
    }

    pub fn is_due(&self, now: Duration) -> bool {
        self.next.is_some_and(|next| next <= now)
    }

    /// An exchange begins. What it comes to makes the next plan.
    pub fn began(&mut self) {
        self.next = None;
    }

    /// A branch was opened or enrolled, or what stood in the way was mended.
    pub fn changed(&mut self, now: Duration, chance: u64) {
        (self.stuck, self.tries) = (false, 0);
        self.plan(now + SOON + part(SPREAD, chance));
    }

    /// Something was put on record.
    pub fn recorded(&mut self, now: Duration) {
        if self.stuck {
            return;
        }
        let calm = now + SOON;
        match self.burst {
            Some(first) => self.plan(calm.min(first + PATIENCE)),
            None => {
                self.burst = Some(now);
                self.plan(self.next.map_or(calm, |next| next.min(calm)));
            }
        }
    }

    /// The network came back, or the computer woke up: what was planned is brought forward.
    pub fn online(&mut self, now: Duration, chance: u64) {
        if let Some(next) = self.next {
            self.plan(next.min(now + SOON + part(SPREAD, chance)));
        }
    }

    /// An exchange ended, whoever began it. `asked` is how long the city wants to be left alone.
    pub fn ended(&mut self, now: Duration, outcome: Outcome, asked: Option<Duration>, chance: u64) {
        let asked = asked.map(|asked| asked.min(MOST_ASKED));
        (self.next, self.burst, self.ended) = (None, None, now);
        self.not_before = now + asked.unwrap_or_default();
        self.tries = match outcome {
            Outcome::Left | Outcome::Failed => self.tries.saturating_add(1),
            Outcome::Done | Outcome::Asks | Outcome::Stuck | Outcome::Stopped => 0,
        };
        // Those who were asked to come back at the same moment do not.
        let asked = asked.map(|asked| asked + part(FLOOR, chance));
        match outcome {
            Outcome::Done | Outcome::Stopped => {
                self.plan(now + asked.unwrap_or(REST * 4 / 5 + part(REST * 2 / 5, chance)));
            }
            Outcome::Left | Outcome::Failed => {
                self.plan(now + asked.unwrap_or_default().max(self.backoff(chance)));
            }
            Outcome::Asks => {}
            Outcome::Stuck => self.stuck = true,
        }
    }

    /// Exponential with full jitter, above the floor.
    fn backoff(&self, chance: u64) -> Duration {
        let doubled = 2_u32.saturating_pow(self.tries);
        let most = FLOOR.saturating_mul(doubled).min(CAP);
        FLOOR + part(most - FLOOR, chance)
    }

    fn plan(&mut self, at: Duration) {
        let calm = if self.tries > 0 { self.ended + FLOOR } else { Duration::ZERO };
        self.next = Some(at.max(calm).max(self.not_before));
    }
}

/// A part of a duration: nothing of it for a chance of 0, nearly all for the highest.
fn part(of: Duration, chance: u64) -> Duration {
    let nanos = (of.as_nanos() * u128::from(chance)) >> 64;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
