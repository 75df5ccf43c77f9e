//! Ten years of one branch: the records that a secretary would have entered, made from the town's people.
//!
//! Seeded, so that a figure can be compared with last week's. The mix is one organisation, its people, then two
//! ledger entries of each sort for every meeting; every hundredth record carries long minutes.

mod ledgers;
mod meetings;
mod people;

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{Days, NaiveDate};
use replica::Kinds;
use serde_json::{Value, json};

use crate::random::Random;
use crate::town::{BRANCH, Town};

pub use people::Member;

/// One record as it was first entered.
#[derive(Debug, Clone)]
pub struct Entry {
    pub kind: &'static str,
    pub id: String,
    pub fields: BTreeMap<String, Value>,
    /// When it was entered, unix milliseconds.
    pub at: i64,
}

impl Entry {
    /// The record as one line of JSON: what "the same records" means where bytes are compared.
    pub fn json(&self) -> String {
        json!({"kind": self.kind, "id": self.id, "fields": self.fields}).to_string()
    }
}

/// The first and last day of the history.
const BEGIN: (i32, u32, u32) = (2016, 11, 1);
const DAYS: u64 = 3652;
/// In each hundred records this one carries long minutes.
const LONG_EVERY: usize = 100;
const LONG_BYTES: usize = 20 * 1024;

/// A whole history.
#[derive(Debug)]
pub struct History {
    pub members: Vec<Member>,
    pub entries: Vec<Entry>,
}

impl History {
    /// `records` records of the branch [`BRANCH`], in the order in which they were entered.
    pub fn of(town: &Town, seed: u64, records: usize) -> Result<Self> {
        let mut random = Random::seeded(seed);
        let kinds = Kinds::builtin();
        let begin = at(day(0), 9, 0);
        let mut entries = vec![people::organisation(town.organisation(BRANCH)?, &mut random, begin)];
        let members = people::members(town.people_of(BRANCH), &mut random, begin);
        entries.extend(members.iter().map(|member| member.entry.clone()));
        let first = entries.len();
        for index in first..records {
            let date = day((index - first) as u64 * DAYS / (records - first) as u64);
            entries.push(entry(index, date, &members, &mut random));
        }
        entries.truncate(records);
        entries.iter_mut().for_each(|entry| bear_items(&kinds, entry));
        Ok(Self { members, entries })
    }

    /// A meeting with exactly `writes` paths, entered after everything else.
    pub fn meeting_with(&self, writes: usize, random: &mut Random) -> Entry {
        let kinds = Kinds::builtin();
        let mut entry = meetings::whole_branch(day(DAYS + 1), &self.members, random);
        bear_items(&kinds, &mut entry);
        while entry.fields.len() + meetings::SPEECH < writes {
            meetings::another_speech(&mut entry.fields, &self.members, random);
            bear_items(&kinds, &mut entry);
        }
        meetings::fill_up(&mut entry.fields, writes);
        entry
    }
}

fn entry(index: usize, date: NaiveDate, members: &[Member], random: &mut Random) -> Entry {
    if index % LONG_EVERY == LONG_EVERY - 1 {
        return meetings::with_minutes(LONG_BYTES, date, members, random);
    }
    match index % 5 {
        0 => meetings::meeting(date, members, random),
        1 | 2 => ledgers::promise(date, members, random),
        3 => ledgers::enterprise(date, random),
        _ => ledgers::fulfilled(date, members, random),
    }
}

/// An item within a record exists because somebody made it.
fn bear_items(kinds: &Kinds, entry: &mut Entry) {
    let kind = kinds.get(entry.kind).expect("histories are made of known kinds");
    let items = |path: &String| {
        let items = kind.items_of(path).filter(|(item, _)| item.born);
        items.map(|(_, item)| format!("{item}/~born")).collect::<Vec<_>>()
    };
    let born: Vec<String> = entry.fields.keys().flat_map(items).collect();
    entry.fields.extend(born.into_iter().map(|path| (path, json!(true))));
}

fn day(number: u64) -> NaiveDate {
    let (year, month, day) = BEGIN;
    let begin = NaiveDate::from_ymd_opt(year, month, day).expect("the first day exists");
    begin.checked_add_days(Days::new(number)).expect("ten years do not leave the calendar")
}

/// The instant of a civil time at +08:00, unix milliseconds.
fn at(date: NaiveDate, hour: u32, minute: u32) -> i64 {
    let local = date.and_hms_opt(hour, minute, 0).expect("hours and minutes are small");
    local.and_utc().timestamp_millis() - 8 * 3_600_000
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn history(records: usize) -> History {
        History::of(&Town::read().unwrap(), 42, records).unwrap()
    }

    #[test]
    fn the_same_seed_gives_the_same_records() {
        let json = |records| history(records).entries.iter().map(Entry::json).collect::<Vec<_>>();
        assert_eq!(json(300), json(300));
    }

    #[test]
    fn sizes_are_those_that_the_measurements_are_about() {
        let entries = history(2000).entries;
        let mut sizes: Vec<usize> = entries.iter().map(|entry| entry.json().len()).collect();
        let long = sizes.iter().skip(99).step_by(100).all(|size| *size > LONG_BYTES);
        assert!(long, "every hundredth record has 20 KB of minutes");
        sizes.sort_unstable();
        let median = sizes[sizes.len() / 2];
        assert!((560..=640).contains(&median), "the median is {median} bytes, wanted about 600");
    }

    #[test]
    fn every_value_is_one_that_its_kind_takes() {
        let kinds = Kinds::builtin();
        for entry in history(2000).entries {
            let kind = kinds.get(entry.kind).unwrap();
            for (path, value) in &entry.fields {
                let checked = kind.check(path, value);
                assert!(checked.is_ok(), "{} {path} {value}: {checked:?}", entry.kind);
            }
        }
    }

    #[test]
    fn ids_do_not_repeat_and_time_goes_forward() {
        let entries = history(2000).entries;
        let ids: BTreeSet<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(ids.len(), entries.len());
        assert!(entries.is_sorted_by_key(|entry| entry.at), "a history is entered day by day");
    }

    #[test]
    fn a_meeting_has_exactly_the_wanted_writes() {
        let history = history(100);
        for seed in 0..20 {
            let entry = history.meeting_with(60, &mut Random::seeded(seed));
            assert_eq!(entry.fields.len(), 60, "seed {seed}");
        }
    }
}
