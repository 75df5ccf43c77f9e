//! The stage: laptops, a city, copies of their folders, and messages on their way. One event at a time.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use replica::StreamId;
use tempfile::TempDir;

use super::base::{self, Base, copy};
use super::held::Held;
use super::laptop::{Laptop, NAMES};
use super::line::Delayed;
use super::oracle::{self, Promises};
use super::site::Site;
use super::story::{Event, Story, What};
use crate::random::Random;
use crate::world::{EVENING, World};

/// Who something happened to, for the look afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Laptop(usize),
    City,
}

/// A copy of a folder, and what was in it.
pub struct Spare {
    pub of: Who,
    pub folder: PathBuf,
    pub held: Held,
}

pub struct Stage {
    pub laptops: Vec<Laptop>,
    pub site: Site,
    pub stream: StreamId,
    pub diary: Vec<String>,
    pub counts: BTreeMap<What, u32>,
    pub spares: Vec<Spare>,
    pub delayed: Delayed,
    pub promises: Promises,
    place: TempDir,
    made: usize,
    pub seed: u64,
}

impl Stage {
    pub fn set(base: &Base, story: &Story) -> Result<Stage> {
        let place = base::place()?;
        copy(&base.city(), &place.path().join("city"))?;
        let city = World::at(EVENING, story.seed ^ 0xc17f);
        let site = Site::open(place.path().join("city"), city)?;
        let mut laptops = Vec::new();
        // The last of the base has never seen the city.
        let chosen = (0..story.laptops - 1).chain([base::ENROLLED]);
        for (at, from) in chosen.enumerate() {
            let folder = place.path().join(format!("laptop-{at}"));
            copy(&base.laptop(from), &folder)?;
            let world = World::at(EVENING, story.seed ^ (0x1a97 + at as u64));
            laptops.push(Laptop::open(NAMES[at], folder, world, base.codes[from].clone())?);
        }
        let stream = laptops[0].store().own_stream()?.expect("an enrolled laptop has a stream");
        let made = laptops.len();
        let mut stage = Stage {
            laptops,
            site,
            stream,
            diary: Vec::new(),
            counts: BTreeMap::new(),
            spares: Vec::new(),
            delayed: Delayed::default(),
            promises: Promises::default(),
            place,
            made,
            seed: story.seed,
        };
        (0..stage.laptops.len()).try_for_each(|at| stage.look(Who::Laptop(at)))?;
        stage.look(Who::City)?;
        Ok(stage)
    }

    /// Plays one event and looks at everybody whom it touched. An event that finds nobody to happen to is passed over.
    pub fn step(&mut self, event: &Event) -> Result<()> {
        let mut dice = Random::seeded(event.dice);
        let minutes = i64::try_from(dice.below(120)).expect("a small number");
        self.laptops.iter().for_each(|laptop| laptop.world.pass(minutes * 1000));
        self.site.world.pass(minutes * 1000);
        let touched = self.play(event.what, &mut dice)?;
        if !touched.is_empty() {
            *self.counts.entry(event.what).or_default() += 1;
        }
        touched.into_iter().try_for_each(|who| self.look(who))?;
        self.promises.check(&self.live())
    }

    pub fn look(&mut self, who: Who) -> Result<()> {
        match who {
            Who::Laptop(at) => oracle::look_at_laptop(&mut self.laptops[at]),
            Who::City => oracle::look_at_city(&mut self.site, &self.stream),
        }
    }

    /// What everybody holds who still runs.
    pub fn live(&self) -> Vec<&Held> {
        self.laptops.iter().map(|laptop| &laptop.held).chain([&self.site.held]).collect()
    }

    pub fn note(&mut self, words: String) {
        self.diary.push(words);
    }

    pub fn any(&self, dice: &mut Random) -> usize {
        dice.below(self.laptops.len())
    }

    /// A folder that nobody has used yet.
    pub fn fresh_folder(&mut self) -> PathBuf {
        self.made += 1;
        self.place.path().join(format!("made-{}", self.made))
    }
}
