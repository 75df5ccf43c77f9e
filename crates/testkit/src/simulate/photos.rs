//! Attachments: a photo is kept and a record names it, it travels in pieces, and in the end everybody has it who shows it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use anyhow::Result;
use replica::{BlobHash, BlobRef};
use serde_json::json;
use store::{Author, BlobHere, StoreError};
use sync::{BlobPlan, BlobReport, Engine, Enrolment, Reach, SyncError};

use super::exchanging::{Course, judge};
use super::laptop::Laptop;
use super::line::{Fault, Line};
use super::oracle::{ERROR, HEALS, KEPT, broken};
use super::stage::{Stage, Who};
use super::writing::editable_meeting;
use crate::random::Random;

/// Rounds of everybody with the city after which every photo is where it should be.
const ROUNDS: usize = 3;
/// After this long a laptop asks the city again what it holds.
const LATER_MS: i64 = 8 * 24 * 60 * 60 * 1000;
const SMALL: (usize, usize) = (200, 4_000);
/// More than a piece, so that it can be cut in its middle.
const LARGE: (usize, usize) = (66_000, 100_000);

/// Everything that has been photographed, by name.
pub type Photos = BTreeMap<BlobHash, Vec<u8>>;

impl Stage {
    /// Somebody attaches a photo to the record of a meeting.
    pub fn photo(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let at = self.any(dice);
        let name = self.laptops[at].name;
        match self.attach(at, dice) {
            Ok(Some(meeting)) => {
                self.note(format!("{name} attaches a photo to meeting {}", meeting));
                Ok(vec![Who::Laptop(at)])
            }
            Ok(None) => Ok(Vec::new()),
            Err(error) => broken(ERROR, format!("{name} cannot attach: {error}")),
        }
    }

    /// Gives the meeting. What was kept stays kept, also if the record was not saved any more.
    pub fn attach(&mut self, at: usize, dice: &mut Random) -> Result<Option<&'static str>, StoreError> {
        let (least, most) = if dice.chance(50) { SMALL } else { LARGE };
        let mut bytes = vec![0; dice.between(least, most)];
        dice.fill(&mut bytes);
        let laptop = &mut self.laptops[at];
        let Some(meeting) = editable_meeting(laptop.store(), dice)? else { return Ok(None) };
        let hash = laptop.store().add_blob(&bytes)?;
        laptop.mirror.blobs.insert(hash);
        let named = BlobRef { hash, len: bytes.len() as u64, media: "image/jpeg".to_owned() };
        self.photos.insert(hash, bytes);
        let item = format!("attachments/f{}", dice.below(4));
        let fields = BTreeMap::from([
            (format!("{item}/order"), json!(1)),
            (format!("{item}/file"), json!({ "blob": named.to_value(), "name": "合影.jpg" })),
        ]);
        let touched = laptop
            .store()
            .write(&Author::new("secretary"), "attaches", |w| w.put("meeting", meeting, &fields))?;
        self.promises.told(touched.changes);
        Ok(Some(meeting))
    }

    /// Photos travel, as far as the course lets them.
    pub fn carry(
        &mut self,
        dice: &mut Random,
        course: impl FnOnce(&mut Random) -> Course,
    ) -> Result<Vec<Who>> {
        let at = self.any(dice);
        let plan = if dice.chance(70) { everything() } else { BlobPlan::usual() };
        let course = course(dice);
        Ok(match self.carry_at(at, &plan, &course)? {
            true => vec![Who::Laptop(at), Who::City],
            false => Vec::new(),
        })
    }

    /// Something goes wrong while photos travel or are kept.
    pub fn carry_badly(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        match dice.chance(20) {
            true => self.power_loss_at_photos(dice),
            false => self.carry(dice, cut),
        }
    }

    /// Says whether what the course wants to happen happened.
    pub fn carry_at(&mut self, at: usize, plan: &BlobPlan, course: &Course) -> Result<bool> {
        if Enrolment::of(self.laptops[at].store())?.is_none() {
            return Ok(false);
        }
        let city = self.site.city().clone();
        let line = Line::faulty(&city, &self.delayed, course.faults.clone());
        let (hits, twice) = (line.hits(), line.twice());
        let done = self.laptops[at].run(course.commits, |laptop| carry(laptop, line, plan))?;
        drop(city);
        let name = self.laptops[at].name;
        let words = match &done {
            None => "dies in the middle".to_owned(),
            Some(Ok(report)) => format!("{} up, {} down", report.sent, report.fetched),
            Some(Err(error)) => error.to_string(),
        };
        self.note(format!("{name} moves photos ({:?}): {words}", course.faults));
        judge(name, done.as_ref(), course)?;
        match twice.get() {
            0 => Ok(course.is_clean() || done.is_none() || hits.get() > 0),
            _ => broken(super::oracle::RIGHTS, format!("a request of {name} for a photo was answered twice")),
        }
    }

    /// Photos that one of them held are still there; those that came count from now on.
    pub fn look_at_photos(&mut self, who: Who) -> Result<()> {
        match who {
            _ if self.photos.is_empty() => Ok(()),
            Who::Laptop(at) => {
                let laptop = &mut self.laptops[at];
                for hash in self.photos.keys() {
                    let whole = matches!(laptop.store().blob_state(hash)?.here, BlobHere::Whole { .. });
                    if whole {
                        laptop.mirror.blobs.insert(*hash);
                    } else if laptop.mirror.blobs.contains(hash) {
                        return broken(KEPT, format!("{} lost a photo", laptop.name));
                    }
                }
                Ok(())
            }
            Who::City => {
                let shown = self.site.mirror.shown_blobs();
                for (hash, bytes) in &self.photos {
                    let held = self.site.city().blob(hash).map_err(|it| anyhow::anyhow!(it.code))?;
                    if held.as_ref().is_some_and(|held| held != bytes) {
                        return broken(KEPT, "the city holds a photo that is not what was photographed");
                    }
                    match held {
                        Some(_) => drop(self.site.mirror.blobs.insert(*hash)),
                        None if self.site.mirror.blobs.contains(hash) && shown.contains(hash) => {
                            return broken(KEPT, "the city lost a photo");
                        }
                        None => drop(self.site.mirror.blobs.remove(hash)),
                    }
                }
                Ok(())
            }
        }
    }

    /// After the faults stopped every photo that a record shows, and that anybody still has, is with everybody.
    pub fn heal_photos(&mut self) -> Result<()> {
        if self.photos.is_empty() {
            return Ok(());
        }
        let (standing, there) = (self.standing()?, self.photos_there()?);
        self.laptops.iter().for_each(|laptop| laptop.world.pass(LATER_MS));
        self.site.world.pass(LATER_MS);
        for _ in 0..ROUNDS {
            for at in &standing {
                self.carry_at(*at, &everything(), &Course::clean())?;
            }
        }
        for at in standing {
            self.check_photos(at, &there)?;
        }
        Ok(())
    }

    /// The photos that the city or a laptop with rights has.
    pub fn photos_there(&self) -> Result<BTreeSet<BlobHash>> {
        let mut there = self.site.mirror.blobs.clone();
        self.standing()?.iter().for_each(|at| there.extend(&self.laptops[*at].mirror.blobs));
        Ok(there)
    }

    /// Whether a laptop and the city have every one of these that the laptop's records show.
    pub fn check_photos(&self, at: usize, there: &BTreeSet<BlobHash>) -> Result<()> {
        let laptop = &self.laptops[at];
        let shown = laptop.store().blobs_shown()?;
        for named in shown.iter().filter(|named| named.stream == laptop.branch && there.contains(&named.hash))
        {
            let taken = self.photos.get(&named.hash);
            if laptop.store().blob(&named.hash)?.as_ref() != taken {
                return broken(HEALS, format!("{} lacks a photo that it shows", laptop.name));
            }
            let citys = self.site.city().blob(&named.hash).map_err(|it| anyhow::anyhow!(it.code))?;
            if citys.as_ref() != taken {
                return broken(HEALS, format!("the city lacks a photo that {} shows", laptop.name));
            }
        }
        match laptop.store().blob_outbox()?.blobs {
            0 => Ok(()),
            left => broken(HEALS, format!("{} still has {left} photos to send", laptop.name)),
        }
    }
}

/// All of it, both ways.
pub fn everything() -> BlobPlan {
    BlobPlan { send: Reach::All, fetch: Reach::All, ..BlobPlan::usual() }
}

fn carry(laptop: &Laptop, line: Line, plan: &BlobPlan) -> Result<BlobReport, SyncError> {
    let mut engine = Engine::over(laptop.store(), Box::new(line), laptop.world.clone())?;
    engine.blobs(laptop.store(), plan, &mut |_| ControlFlow::Continue(()))
}

/// What may go wrong while photos travel: at one of the first requests, once or twice.
fn cut(dice: &mut Random) -> Course {
    if dice.chance(20) {
        return Course::deadly(dice);
    }
    let one = |dice: &mut Random| {
        let at = dice.below(6);
        let fault = match dice.below(7) {
            0 => Fault::DropRequest,
            1 | 2 => Fault::DropAnswer,
            3 => Fault::Duplicate { second: dice.chance(30) },
            4 => Fault::CorruptAnswer(dice.draw()),
            _ => Fault::Cut(dice.draw()),
        };
        (at, fault)
    };
    let first = one(dice);
    let mut faults = vec![first];
    if dice.chance(50) {
        faults.push(one(dice));
    }
    Course::of(faults)
}
