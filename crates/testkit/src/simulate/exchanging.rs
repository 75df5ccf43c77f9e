//! Exchanges and late enrolments of the stage, over a line that does what the story says.

use anyhow::Result;
use replica::{ChangeId, DeviceId, Verdicts};
use sync::{Engine, Enrolment, Report, SyncError};
use wire::enrol::EnrolCode;

use super::base::address;
use super::laptop::Laptop;
use super::line::{Delayed, Fault, Line};
use super::oracle::{ACCEPTED, ENDS, ERROR, REPORTED, RIGHTS, broken};
use super::stage::{Stage, Who};
use crate::random::Random;

/// Bytes of the first body where lines are bad: a few changes.
const NARROW: u32 = 2 * 1024;

/// What goes wrong in one exchange.
pub struct Course {
    pub faults: Vec<(usize, Fault)>,
    /// The laptop's process dies at this commit; 0 never.
    pub commits: i64,
    /// A disk below one of the two fails or is full.
    pub bad_disk: bool,
}

/// How an exchange went.
struct Ran {
    /// None: the laptop's process died.
    done: Option<Result<Report, SyncError>>,
    /// How many faults occurred.
    hits: usize,
}

impl Course {
    pub fn clean() -> Course {
        Course { faults: Vec::new(), commits: 0, bad_disk: false }
    }

    pub fn on_bad_disk() -> Course {
        Course { bad_disk: true, ..Course::clean() }
    }

    pub fn of(faults: Vec<(usize, Fault)>) -> Course {
        Course { faults, ..Course::clean() }
    }

    /// Faults at the first requests, seldom at all of them.
    pub fn faulty(dice: &mut Random, mut fault: impl FnMut(&mut Random) -> Fault) -> Course {
        let count = dice.between(1, 3);
        let mut faults: Vec<_> = (0..count).map(|at| (at, fault(dice))).collect();
        if dice.chance(30) {
            faults = faults.into_iter().map(|(at, fault)| (at + 1, fault)).collect();
        }
        Course::of(faults)
    }

    pub fn deadly(dice: &mut Random) -> Course {
        Course { commits: i64::try_from(dice.between(1, 4)).expect("a small number"), ..Course::clean() }
    }

    /// The same in a longer piece of work, at its beginning or further on.
    fn deadly_late(dice: &mut Random) -> Course {
        let course = Course::deadly(dice);
        let later = if dice.chance(50) { 0 } else { 4 };
        Course { commits: course.commits + later, ..course }
    }

    pub fn is_clean(&self) -> bool {
        self.faults.is_empty() && self.commits == 0 && !self.bad_disk
    }
}

impl Stage {
    pub fn exchange(
        &mut self,
        dice: &mut Random,
        course: impl FnOnce(&mut Random) -> Course,
    ) -> Result<Vec<Who>> {
        let at = self.any(dice);
        self.exchange_at(at, &course(dice))
    }

    pub fn exchange_at(&mut self, at: usize, course: &Course) -> Result<Vec<Who>> {
        let before = self.site.mirror.verdicts(&self.laptops[at].branch);
        // One that finds that its folder was copied takes a new identity on the way.
        let asked = self.laptops[at].store().device()?;
        let accepted = self.accepted(at)?;
        let Some(Ran { done, hits }) = self.run_exchange(at, course)? else { return Ok(Vec::new()) };
        let asks = self.laptops[at].store().device()?;
        self.look_at_what_came(at, &[asked, asks], &before)?;
        self.check_accepted(at, &accepted)?;
        if course.is_clean() && matches!(done, Some(Ok(_))) {
            self.laptops[at].stale = false;
            self.check_reported(at)?;
            self.check_drained(at, &before)?;
            self.check_served(at, &before)?;
        }
        // One that went through without its fault is not that event, but an exchange all the same.
        let happened = course.is_clean() || done.is_none() || hits > 0;
        Ok(if happened { vec![Who::Laptop(at), Who::City] } else { Vec::new() })
    }

    /// The same, but nobody looks at what is there afterwards: it may yet be lost.
    pub fn try_exchange(&mut self, at: usize, course: &Course) -> Result<()> {
        self.run_exchange(at, course).map(|_| ())
    }

    fn run_exchange(&mut self, at: usize, course: &Course) -> Result<Option<Ran>> {
        let (city, delayed) = (self.site.city().clone(), self.delayed.clone());
        if Enrolment::of(self.laptops[at].store())?.is_none() {
            return Ok(None);
        }
        let line = Line::faulty(&city, &delayed, course.faults.clone());
        let (sent, hits, twice) = (line.sent(), line.hits(), line.twice());
        let heard = self.laptops[at].store().receipts(1)?;
        let done = self.laptops[at].run(course.commits, |laptop| exchange(laptop, line))?;
        drop(city);
        let laptop = &mut self.laptops[at];
        laptop.stale &= laptop.store().receipts(1)? == heard || laptop.lacks_an_end()?;
        let name = laptop.name;
        let words = match &done {
            None => "dies in the middle".to_owned(),
            Some(Ok(report)) => format!("{} sent, {} received", report.sent, report.received),
            Some(Err(error)) => error.to_string(),
        };
        self.note(format!("{name} exchanges ({:?}): {words}", course.faults));
        if sent.is_endless() {
            return broken(ENDS, format!("{name} has sent {} requests", sent.get()));
        }
        judge(name, done.as_ref(), course)?;
        match twice.get() {
            0 => Ok(Some(Ran { done, hits: hits.get() })),
            _ => broken(RIGHTS, format!("a request of {name} was answered twice")),
        }
    }

    /// Looks at both. Nobody is given what the city had refused of others. A device that was introduced by the author's is the author's,
    /// too. `devices` are the identities, maybe earlier ones, under which the laptop got what came.
    pub fn look_at_what_came(&mut self, at: usize, devices: &[DeviceId], before: &Verdicts) -> Result<()> {
        let laptop = &mut self.laptops[at];
        let new = laptop.look(&mut self.known)?;
        let refused = |id: &&ChangeId| before.voided.contains_key(*id) && laptop.mirror.has_whole(id);
        let given: Vec<(ChangeId, DeviceId)> = new
            .iter()
            .filter(refused)
            .filter_map(|id| Some((*id, laptop.mirror.change(id)?.header.device)))
            .collect();
        let (name, branch) = (laptop.name, laptop.branch);
        self.note_refused(Who::Laptop(at), &new);
        self.look(Who::City)?;
        let now = self.site.mirror.verdicts(&branch);
        let own = |author: &DeviceId| devices.iter().any(|device| now.succeeds(*device, *author));
        match given.iter().find(|(_, author)| !own(author)) {
            Some((id, _)) => broken(RIGHTS, format!("{name} was given {id}, which the city refused")),
            None => Ok(()),
        }
    }

    /// What a laptop has receipts for, and a city that was set back does not hold any more.
    fn accepted(&self, at: usize) -> Result<Vec<ChangeId>> {
        if self.times_set_back() == 0 {
            return Ok(Vec::new());
        }
        let laptop = &self.laptops[at];
        let gone = |id: &ChangeId| !self.site.mirror.holds(id) && !self.refused.contains(id);
        let mut accepted = Vec::new();
        for (id, _) in laptop.mirror.ids().filter(|(id, kept)| kept.stream == laptop.branch && gone(id)) {
            if !laptop.store().receipts_for(&[*id])?.is_empty() {
                accepted.push(*id);
            }
        }
        Ok(accepted)
    }

    /// Whoever brings the receipt with the change, the city does not judge it again, whatever it knows by now.
    fn check_accepted(&self, at: usize, accepted: &[ChangeId]) -> Result<()> {
        let voided = self.site.mirror.verdicts(&self.laptops[at].branch).voided;
        match accepted.iter().find(|id| voided.contains_key(*id)) {
            Some(id) => {
                let name = self.laptops[at].name;
                broken(ACCEPTED, format!("{name} had a receipt for {id}, which the city refused"))
            }
            None => Ok(()),
        }
    }

    /// After an exchange 待上报 is what the city lacks, neither more nor less.
    fn check_reported(&self, at: usize) -> Result<()> {
        let (lacks, waiting) = self.not_reported(at)?;
        match lacks == waiting {
            true => Ok(()),
            false => broken(
                REPORTED,
                format!("{} counts {waiting} as 待上报, and the city lacks {lacks}", self.laptops[at].name),
            ),
        }
    }

    /// Nothing of a device that the city had let in waits behind something that the city refused.
    fn check_drained(&self, at: usize, before: &Verdicts) -> Result<()> {
        let laptop = &self.laptops[at];
        let let_in =
            |device: &DeviceId| before.devices.as_ref().is_some_and(|devices| devices.contains(device));
        let mut left = laptop
            .mirror
            .ids()
            .filter(|(id, kept)| kept.stream == laptop.branch && !self.site.mirror.holds(id));
        let waits = left.find(|(id, _)| laptop.mirror.change(id).is_some_and(|it| let_in(&it.header.device)));
        match waits {
            None => Ok(()),
            Some((id, _)) => broken(REPORTED, format!("{} exchanged and still has {id}", laptop.name)),
        }
    }

    /// How many changes of a laptop the city lacks, and how many the laptop thinks that it lacks.
    pub fn not_reported(&self, at: usize) -> Result<(u64, u64)> {
        let laptop = &self.laptops[at];
        let Some(own) = laptop.store().own_stream()? else { return Ok((0, 0)) };
        let lacks =
            laptop.mirror.ids().filter(|(id, kept)| kept.stream == own && !self.site.mirror.holds(id));
        Ok((lacks.count() as u64, laptop.store().outbox()?.changes))
    }

    /// A device whose right to write was taken is turned away.
    fn check_served(&self, at: usize, before: &Verdicts) -> Result<()> {
        let device: DeviceId = self.laptops[at].store().device()?;
        match before.revoked.contains_key(&device) {
            true => {
                broken(RIGHTS, format!("{} was served though its device is revoked", self.laptops[at].name))
            }
            false => Ok(()),
        }
    }

    /// Says whether a laptop works by itself, or was let in but has not issued its records again.
    pub fn is_outside(&self, at: usize) -> Result<bool> {
        Ok(Enrolment::of(self.laptops[at].store())?.is_none_or(|it| it.reissue_from.is_some()))
    }

    /// A laptop that has worked by itself comes in, however often it is interrupted.
    pub fn late(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let mut outside = Vec::new();
        for at in 0..self.laptops.len() {
            let fresh = Enrolment::of(self.laptops[at].store())?.is_none();
            if self.is_outside(at)? && !(fresh && self.enrolment.is_empty()) {
                outside.push(at);
            }
        }
        if outside.is_empty() {
            return Ok(Vec::new());
        }
        let at = outside[dice.below(outside.len())];
        let course = match dice.below(3) {
            0 => Course::clean(),
            1 => Course::deadly_late(dice),
            _ => Course::faulty(dice, |dice| match dice.chance(50) {
                true => Fault::DropAnswer,
                false => Fault::Cut(dice.draw()),
            }),
        };
        self.come_in(at, &course)
    }

    pub fn come_in(&mut self, at: usize, course: &Course) -> Result<Vec<Who>> {
        let city = self.site.city().clone();
        let fresh = Enrolment::of(self.laptops[at].store())?.is_none();
        let code = if fresh { self.enrolment.pop() } else { None };
        let line = |faults| Line::faulty(&city, &Delayed::default(), faults);
        let done = self.laptops[at].run(course.commits, |laptop| {
            enrol(laptop, &line(course.faults.clone()), code.as_ref())?;
            exchange(laptop, line(Vec::new()))?;
            sync::reissue(laptop.store(), &sync::Same::new(), laptop.world.now(), "secretary")?;
            exchange(laptop, line(course.faults.clone()))
        })?;
        drop(city);
        let name = self.laptops[at].name;
        let words = match &done {
            None => "dies in the middle".to_owned(),
            Some(Ok(_)) => "is in".to_owned(),
            Some(Err(error)) => error.to_string(),
        };
        self.note(format!("{name} enrols late ({:?}): {words}", course.faults));
        judge(name, done.as_ref(), course)?;
        Ok(vec![Who::Laptop(at), Who::City])
    }
}

fn exchange(laptop: &Laptop, line: Line) -> Result<Report, SyncError> {
    let engine = Engine::over(laptop.store(), Box::new(line), laptop.world.clone())?;
    let mut engine = if laptop.narrow { engine.with_budget(NARROW) } else { engine };
    engine.exchange(laptop.store())
}

/// None: it is enrolled already.
fn enrol(laptop: &Laptop, line: &Line, code: Option<&EnrolCode>) -> Result<(), SyncError> {
    let Some(code) = code else { return Ok(()) };
    let address = address().map_err(|_| SyncError::NotEnrolled)?;
    sync::enrol_over(laptop.store(), line, &address, code, laptop.name, &*laptop.world).map(|_| ())
}

/// On a line without faults only a device without rights is turned away; a fault of a program is never right.
pub fn judge<T>(name: &str, done: Option<&Result<T, SyncError>>, course: &Course) -> Result<()> {
    match done {
        Some(Err(_)) if course.bad_disk => Ok(()),
        Some(Err(SyncError::Store(error))) => broken(ERROR, format!("{name}'s store failed: {error}")),
        Some(Err(SyncError::Refused { code, .. })) if code == "city_fault" => {
            broken(ERROR, format!("the city failed on what {name} sent"))
        }
        Some(Err(SyncError::Refused { code, .. }))
            if ["revoked", "not_enrolled", "code_expired"].contains(&code.as_str()) =>
        {
            Ok(())
        }
        Some(Err(error)) if course.is_clean() => {
            broken(ERROR, format!("{name} failed on a good line: {error}"))
        }
        Some(_) | None => Ok(()),
    }
}
