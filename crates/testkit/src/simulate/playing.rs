//! What each event does to the stage.

use std::panic::resume_unwind;
use std::sync::PoisonError;

use anyhow::Result;
use store::{Author, StoreError};

use super::base::copy;
use super::exchanging::Course;
use super::laptop::{Crash, Laptop, NAMES};
use super::line::Fault;
use super::oracle::{DONE, ERROR, broken};
use super::stage::{Spare, Stage, Who};
use super::story::What;
use super::writing::act;
use crate::random::Random;
use crate::world::World;

const TEN_YEARS: i64 = 3653 * 24 * 60 * 60 * 1000;
const MOST_LAPTOPS: usize = 9;

impl Stage {
    /// Gives whom the event touched; nobody if it found nobody to happen to.
    pub fn play(&mut self, what: What, dice: &mut Random) -> Result<Vec<Who>> {
        match what {
            What::Edit
            | What::Remove
            | What::Restore
            | What::Finalise
            | What::Correct
            | What::BadValue
            | What::Newer => self.write(what, dice),
            What::Exchange => self.exchange(dice, |_| Course::clean()),
            What::DropRequest => self.hindered(dice, |_| Fault::DropRequest),
            What::DropAnswer => self.hindered(dice, |_| Fault::DropAnswer),
            What::Duplicate => self.hindered(dice, |dice| Fault::Duplicate { second: dice.chance(30) }),
            What::Reorder => self.reorder(dice),
            What::Corrupt => self.hindered(dice, |dice| match dice.chance(50) {
                true => Fault::CorruptRequest(dice.draw()),
                false => Fault::CorruptAnswer(dice.draw()),
            }),
            What::Cut => self.hindered(dice, |dice| Fault::Cut(dice.draw())),
            What::CrashLaptop => self.crash_laptop(dice),
            What::CrashCity => self.crash_city(dice),
            What::Backup => self.back_up(dice),
            What::Clone => self.clone_laptop(dice),
            What::RestoreLaptop => self.restore_laptop(dice),
            What::RestoreCity => self.restore_city(dice),
            What::Revoke => self.revoke(dice),
            What::Renew => self.renew(dice),
            What::Clock => self.clock(dice),
            What::Late => self.late(dice),
            What::Redact => self.redact(dice),
            What::Curious => self.curious(dice),
            What::Version => self.other_version(dice),
            What::PowerLoss => self.power_loss(dice),
            What::DiskFull => self.disk_full(dice),
            What::FileOut => self.file_out(dice),
            What::FileIn => self.file_in(dice),
            What::FileBad => self.file_bad(dice),
            What::FileAstray => self.file_astray(dice),
            What::Photo => self.photo(dice),
            What::Blobs => self.carry(dice, |_| Course::clean()),
            What::BlobCut => self.carry_badly(dice),
            What::Seal => self.seal(dice),
            What::Erase => self.erase(dice),
        }
    }

    fn write(&mut self, what: What, dice: &mut Random) -> Result<Vec<Who>> {
        let at = self.any(dice);
        self.write_at(at, what, dice)
    }

    fn write_at(&mut self, at: usize, what: What, dice: &mut Random) -> Result<Vec<Who>> {
        let laptop = &self.laptops[at];
        let name = laptop.name;
        match act(laptop.store(), what, dice, || ()) {
            Ok(Some(act)) => {
                self.note(format!("{name} {}", act.words));
                self.promises.told(act.saved);
                match act.wrong {
                    Some(wrong) => broken(DONE, format!("{name} {wrong}")),
                    None => Ok(vec![Who::Laptop(at)]),
                }
            }
            Ok(None) => Ok(Vec::new()),
            Err(error) => self.unexpected(name, &error),
        }
    }

    fn hindered(&mut self, dice: &mut Random, fault: fn(&mut Random) -> Fault) -> Result<Vec<Who>> {
        self.exchange(dice, |dice| Course::faulty(dice, fault))
    }

    fn unexpected(&mut self, name: &str, error: &StoreError) -> Result<Vec<Who>> {
        broken(ERROR, format!("{name} cannot write: {error}"))
    }

    /// A message that was held up arrives now, whatever arrived before it; or one is held up.
    fn reorder(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let mut waiting = self.delayed.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() || dice.chance(40) {
            drop(waiting);
            return self.hindered(dice, |_| Fault::Delay);
        }
        let at = dice.below(waiting.len());
        let late = waiting.remove(at);
        drop(waiting);
        self.note("a request that was held up reaches the city".to_owned());
        match self.site.city().exchange("", "", &late) {
            Err(refusal) if refusal.code == "city_fault" => {
                broken(ERROR, "the city failed on a late request")
            }
            Ok(_) | Err(_) => Ok(vec![Who::City]),
        }
    }

    /// The process of a laptop dies in the middle of saving, just after it, or at some commit of an exchange.
    fn crash_laptop(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let at = self.any(dice);
        let name = self.laptops[at].name;
        match dice.below(3) {
            0 => {
                self.note(format!("{name} dies while saving"));
                let before = self.laptops[at].mirror.count();
                let died = self.laptops[at].run(0, |laptop| {
                    act(laptop.store(), What::Edit, dice, || resume_unwind(Box::new(Crash)))
                })?;
                self.look(Who::Laptop(at))?;
                match self.laptops[at].mirror.count() == before {
                    true => Ok(died.map_or(vec![Who::Laptop(at)], |_| Vec::new())),
                    false => broken(ERROR, format!("{name} holds what it never committed")),
                }
            }
            1 => {
                self.note(format!("{name} dies just after saving"));
                self.laptops[at].told();
                let died = self.laptops[at].run(1, |laptop| act(laptop.store(), What::Edit, dice, || ()))?;
                self.promises.told(self.laptops[at].told());
                Ok(died.map_or(vec![Who::Laptop(at)], |_| Vec::new()))
            }
            _ => self.exchange(dice, Course::deadly),
        }
    }

    /// The city takes a request in and dies before it answers.
    fn crash_city(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let mut faults = vec![(0, Fault::DropAnswer)];
        faults.extend((1..16).map(|at| (at, Fault::DropRequest)));
        let mut touched = self.exchange(dice, |_| Course::of(faults))?;
        self.note("the city dies and is started again".to_owned());
        self.site.crash()?;
        touched.push(Who::City);
        Ok(touched)
    }

    fn back_up(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let folder = self.fresh_folder();
        let (of, from, mirror, name) = match dice.chance(35) {
            true => (Who::City, &self.site.folder, &self.site.mirror, "the city"),
            false => {
                let at = self.any(dice);
                let laptop = &self.laptops[at];
                (Who::Laptop(at), &laptop.folder, &laptop.mirror, laptop.name)
            }
        };
        copy(from, &folder)?;
        let (mirror, words) = (mirror.clone(), format!("a copy of {name} is put aside"));
        self.spares.push(Spare { of, folder, mirror });
        self.note(words);
        Ok(vec![of])
    }

    fn clone_laptop(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        if self.laptops.len() >= MOST_LAPTOPS {
            return Ok(Vec::new());
        }
        let (from, to) = (self.any(dice), self.laptops.len());
        let folder = self.fresh_folder();
        let original = &self.laptops[from];
        copy(&original.folder, &folder)?;
        let world = World::at(original.world.now(), self.seed ^ (0xc107e + to as u64));
        let (code, mirror) = (original.code.clone(), original.mirror.clone());
        let mut copied =
            Laptop::open(NAMES[to], folder, world, code, original.ground, mirror, original.branch)?;
        (copied.stale, copied.narrow) = (original.stale, original.narrow);
        self.copied_outside |= self.is_outside(from)?;
        let words = format!("{} is a copy of {}'s folder; both are used", copied.name, original.name);
        self.laptops.push(copied);
        self.note(words);
        Ok(vec![Who::Laptop(to)])
    }

    fn restore_laptop(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let of_laptops = |spare: &&Spare| matches!(spare.of, Who::Laptop(_));
        let count = self.spares.iter().filter(of_laptops).count();
        if count == 0 {
            return Ok(Vec::new());
        }
        let chosen = dice.below(count);
        let spare = self.spares.iter().filter(of_laptops).nth(chosen).expect("there are so many");
        let (Who::Laptop(at), folder, mirror) = (spare.of, spare.folder.clone(), spare.mirror.clone()) else {
            return Ok(Vec::new());
        };
        let work = self.fresh_folder();
        copy(&folder, &work)?;
        self.note(format!("{} is set back to its earlier copy", self.laptops[at].name));
        self.laptops[at].replace_by(work)?;
        self.laptops[at].stale = true;
        self.copied_outside |= self.is_outside(at)?;
        let gone = std::mem::replace(&mut self.laptops[at].mirror, mirror);
        self.destroyed(&gone);
        Ok(vec![Who::Laptop(at)])
    }

    fn restore_city(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let of_city: Vec<&Spare> = self.spares.iter().filter(|spare| spare.of == Who::City).collect();
        if of_city.is_empty() {
            return Ok(Vec::new());
        }
        let spare = of_city[dice.below(of_city.len())];
        let (folder, mirror) = (spare.folder.clone(), spare.mirror.clone());
        let work = self.fresh_folder();
        copy(&folder, &work)?;
        self.note("the city is set back to an earlier copy".to_owned());
        self.site.replace_by(work)?;
        self.laptops.iter_mut().for_each(|laptop| laptop.stale = true);
        let gone = std::mem::replace(&mut self.site.mirror, mirror);
        self.destroyed(&gone);
        Ok(vec![Who::City])
    }

    /// The city takes the right to write of a device that it serves; one device at least keeps its own.
    fn revoke(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let mut standing = self.standing()?;
        standing.retain(|at| self.laptops[*at].branch == self.stream);
        let mut devices: Vec<_> =
            standing.iter().map(|at| self.laptops[*at].store().device()).collect::<Result<_, _>>()?;
        devices.sort_unstable();
        devices.dedup();
        if devices.len() < 2 {
            return Ok(Vec::new());
        }
        // Of a new identity that has not come to it, the city knows nothing.
        let served = self.site.mirror.verdicts(&self.stream);
        devices.retain(|device| served.devices.as_ref().is_some_and(|devices| devices.contains(device)));
        if devices.is_empty() {
            return Ok(Vec::new());
        }
        let device = devices[dice.below(devices.len())];
        let mut named = Vec::new();
        for laptop in &self.laptops {
            if laptop.store().device()? == device {
                named.push(laptop.name);
            }
        }
        self.note(format!("the city revokes the device of {}", named.join(" and ")));
        let ruling = self.site.city().revoke(&self.stream, &device)?;
        self.promises.told([ruling]);
        Ok(vec![Who::City])
    }

    fn renew(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let at = self.any(dice);
        let laptop = &self.laptops[at];
        laptop.store().renew_identity(&Author::new("secretary"), laptop.name)?;
        let words = format!("{} takes a new identity", laptop.name);
        self.note(words);
        Ok(vec![Who::Laptop(at)])
    }

    fn clock(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let by = if dice.chance(50) { TEN_YEARS } else { -TEN_YEARS };
        let (who, world, name) = match dice.chance(20) {
            true => (Who::City, &self.site.world, "the city"),
            false => {
                let at = self.any(dice);
                (Who::Laptop(at), &self.laptops[at].world, self.laptops[at].name)
            }
        };
        world.pass(by);
        let words =
            format!("the clock of {name} jumps by ten years {}", if by > 0 { "ahead" } else { "back" });
        self.note(words);
        Ok(vec![who])
    }
}
