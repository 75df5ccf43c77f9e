//! How often each event, and each pair of faults, occurred.

use std::collections::BTreeMap;
use std::fmt;

use super::story::What;

#[derive(Debug, Clone, Default)]
pub struct Figures {
    stories: u64,
    events: BTreeMap<What, u64>,
    pairs: BTreeMap<(What, What), u64>,
}

impl Figures {
    /// Adds what occurred in one story.
    pub fn add(&mut self, counts: &BTreeMap<What, u32>) {
        self.stories += 1;
        for (what, count) in counts {
            *self.events.entry(*what).or_default() += u64::from(*count);
        }
        for pair in pairs().filter(|(one, other)| counts.contains_key(one) && counts.contains_key(other)) {
            *self.pairs.entry(pair).or_default() += 1;
        }
    }

    /// Events and pairs of faults that never occurred.
    pub fn never(&self) -> Vec<String> {
        let events =
            What::all().filter(|what| !self.events.contains_key(what)).map(|what| format!("{what:?}"));
        let pairs = pairs().filter(|pair| !self.pairs.contains_key(pair));
        events.chain(pairs.map(|(one, other)| format!("{one:?} with {other:?}"))).collect()
    }
}

fn pairs() -> impl Iterator<Item = (What, What)> {
    What::faults()
        .flat_map(|one| What::faults().filter(move |other| *other > one).map(move |other| (one, other)))
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: u64 = self.events.values().sum();
        writeln!(f, "{} stories, {total} events", self.stories)?;
        for what in What::all() {
            writeln!(f, "  {:<14} {:>8}", format!("{what:?}"), self.events.get(&what).unwrap_or(&0))?;
        }
        let count = |pair: &(What, What)| self.pairs.get(pair).copied().unwrap_or(0);
        let least = pairs().min_by_key(count);
        if let Some(least) = least {
            let (one, other) = least;
            writeln!(
                f,
                "{} pairs of faults; the rarest, {one:?} with {other:?}, in {} stories",
                pairs().count(),
                count(&least)
            )?;
        }
        Ok(())
    }
}
