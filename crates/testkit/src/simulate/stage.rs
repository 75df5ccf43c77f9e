//! The stage: laptops, a city, copies of their folders, and messages on their way. One event at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Result;
use replica::{ChangeId, Ruling, StreamId};
use tempfile::TempDir;
use wire::enrol::EnrolCode;

use super::base::{self, Base, copy};
use super::known::Known;
use super::laptop::{Laptop, NAMES};
use super::line::Delayed;
use super::mirror::Mirror;
use super::oracle::{Promises, REPORTED, RIGHTS, broken};
use super::photos::Photos;
use super::site::Site;
use super::sticks::Stick;
use super::story::{Event, Story, What};
use super::versions::Versions;
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
    pub mirror: Mirror,
}

pub struct Stage {
    pub laptops: Vec<Laptop>,
    pub site: Site,
    /// The branch's stream, and that of another branch.
    pub stream: StreamId,
    pub outside: StreamId,
    pub versions: Versions,
    pub diary: Vec<String>,
    pub counts: BTreeMap<What, u32>,
    pub spares: Vec<Spare>,
    pub delayed: Delayed,
    pub promises: Promises,
    /// What the city refused at some time, also if it forgot that since.
    pub refused: BTreeSet<ChangeId>,
    pub known: Known,
    /// Files on sticks that lie around.
    pub sticks: Vec<Stick>,
    /// Everything that was photographed.
    pub photos: Photos,
    /// Codes that nobody has used yet.
    pub enrolment: Vec<EnrolCode>,
    /// A laptop was copied, or set back, to before its records were issued again: that is done by each for itself.
    pub copied_outside: bool,
    place: TempDir,
    made: usize,
    pub seed: u64,
}

impl Stage {
    pub fn set(base: &Base, story: &Story) -> Result<Stage> {
        let place = base::place()?;
        copy(&base.city(), &place.path().join("city"))?;
        let city = World::at(EVENING, story.seed ^ 0xc17f);
        let ground = city::Ground { disk: None, plain: base.plain };
        let site = Site::open(place.path().join("city"), city, ground, base.of_city.clone())?;
        let mut laptops = Vec::new();
        let chosen =
            (0..story.laptops - 1).chain([base::LATE]).chain(story.outsider.then_some(base::OUTSIDER));
        for (at, from) in chosen.enumerate() {
            let folder = place.path().join(format!("laptop-{at}"));
            copy(&base.laptop(from), &folder)?;
            let world = World::at(EVENING, story.seed ^ (0x1a97 + at as u64));
            let mut laptop = base.open(from, NAMES[at], folder, world, base.of_laptops[from].clone())?;
            laptop.narrow = story.narrow;
            laptops.push(laptop);
        }
        let made = laptops.len();
        let stage = Stage {
            laptops,
            site,
            stream: base.stream,
            outside: base.outside,
            versions: base.versions.clone(),
            diary: Vec::new(),
            counts: BTreeMap::new(),
            spares: Vec::new(),
            delayed: Delayed::default(),
            promises: Promises::default(),
            refused: BTreeSet::new(),
            known: base.known.clone(),
            sticks: Vec::new(),
            photos: Photos::new(),
            enrolment: base.enrolment.clone(),
            copied_outside: false,
            place,
            made,
            seed: story.seed,
        };
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
        touched.iter().try_for_each(|who| self.look(*who))?;
        touched.iter().try_for_each(|who| self.check_sight(*who))?;
        self.check_fresh()
    }

    /// A laptop holds nothing of another organisation's, and calls nothing reported that the city does not hold.
    fn check_sight(&self, who: Who) -> Result<()> {
        let Who::Laptop(at) = who else { return Ok(()) };
        let laptop = &self.laptops[at];
        let foreign = if laptop.branch == self.stream { self.outside } else { self.stream };
        if laptop.mirror.replica(&foreign).is_some() {
            return broken(RIGHTS, format!("{} holds what another organisation wrote", laptop.name));
        }
        let (lacks, waiting) = self.not_reported(at)?;
        if !laptop.stale && waiting < lacks {
            let words = format!("{} calls reported what the city lacks: {lacks}, not {waiting}", laptop.name);
            return broken(REPORTED, words);
        }
        Ok(())
    }

    /// Looks at one of them: it lost nothing, and what it stored is what its changes come to.
    pub fn look(&mut self, who: Who) -> Result<()> {
        let new = match who {
            Who::Laptop(at) => self.laptops[at].look(&mut self.known)?,
            Who::City => self.site.look(&mut self.known)?,
        };
        self.note_refused(who, &new);
        self.look_at_photos(who)
    }

    pub fn note_refused(&mut self, who: Who, new: &[ChangeId]) {
        let mirror = match who {
            Who::Laptop(at) => &self.laptops[at].mirror,
            Who::City => &self.site.mirror,
        };
        let said = new.iter().filter_map(|id| mirror.change(id)).flat_map(|it| it.values.iter().flatten());
        self.refused.extend(said.filter_map(|value| match Ruling::from_value(value) {
            Some(Ruling::Void { change, .. }) => Some(change),
            Some(_) | None => None,
        }));
    }

    fn check_fresh(&mut self) -> Result<()> {
        let live: Vec<&Mirror> = live(&self.laptops, &self.site);
        self.promises.check_fresh(&live)
    }

    pub fn check_promises(&mut self) -> Result<()> {
        let live: Vec<&Mirror> = live(&self.laptops, &self.site);
        self.promises.check_all(&live)
    }

    /// Storage went: what stood only there is nobody's fault.
    pub fn destroyed(&mut self, gone: &Mirror) {
        let live: Vec<&Mirror> = live(&self.laptops, &self.site);
        self.promises.destroyed(gone, &live);
    }

    /// A line of the diary. Where the story's folders lie is not part of it.
    pub fn note(&mut self, words: String) {
        let place = format!("{}/", self.place.path().display());
        self.diary.push(words.replace(&place, ""));
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

/// What everybody holds who still runs.
fn live<'a>(laptops: &'a [Laptop], site: &'a Site) -> Vec<&'a Mirror> {
    laptops.iter().map(|laptop| &laptop.mirror).chain([&site.mirror]).collect()
}
