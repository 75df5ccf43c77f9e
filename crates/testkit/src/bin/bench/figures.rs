//! Figures and whether they are within reach.

use std::fmt::Display;
use std::time::Duration;

#[derive(Default)]
pub struct Figures {
    short: usize,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    Milliseconds,
    Seconds,
    Bytes,
    Requests,
    TimesFloor,
    TimesZstd,
    TimesLine,
    Mebibytes,
}

impl Unit {
    fn text(self, value: f64) -> String {
        match self {
            Self::Milliseconds => format!("{value:.1} ms"),
            Self::Seconds => format!("{value:.2} s"),
            Self::Bytes => format!("{value:.0} B"),
            Self::Requests => format!("{value:.0} requests"),
            Self::TimesFloor => format!("{value:.2} × floor"),
            Self::TimesZstd => format!("{value:.2} × zstd -3"),
            Self::TimesLine => format!("{value:.2} × the line alone"),
            Self::Mebibytes => format!("{value:.0} MiB"),
        }
    }
}

impl Figures {
    /// Prints a figure that must not be more than its reach.
    pub fn at_most(&mut self, name: &str, value: f64, reach: f64, unit: Unit) {
        let verdict = if value <= reach { "ok" } else { "short" };
        self.short += usize::from(value > reach);
        println!("{name}: {} (reach ≤ {}) {verdict}", unit.text(value), unit.text(reach));
    }

    /// Prints what a figure was made of.
    pub fn detail(&self, detail: impl Display) {
        println!("  {detail}");
    }

    pub fn all_reached(&self) -> bool {
        self.short == 0
    }
}

pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The value below which `percent` of the times lie.
pub fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    assert!(!times.is_empty(), "a percentile of nothing was asked for");
    times.sort_unstable();
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

/// The one in the middle; of an even number the lower.
pub fn middle(values: &mut [f64]) -> f64 {
    assert!(!values.is_empty(), "the middle of nothing was asked for");
    values.sort_unstable_by(f64::total_cmp);
    values[(values.len() - 1) / 2]
}

pub fn median(times: &mut [Duration]) -> Duration {
    percentile(times, 50)
}
