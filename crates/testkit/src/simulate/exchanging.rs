//! Exchanges and late enrolments of the stage, over a line that does what the story says, and the healing at the end.

use std::collections::BTreeSet;

use anyhow::Result;
use replica::{DeviceId, Replica};
use sync::{Engine, Enrolment, Report, SyncError};

use super::base::{ORGANISATION, address};
use super::laptop::Laptop;
use super::line::{Delayed, Fault, Line};
use super::oracle::{ERROR, HEALS, broken};
use super::stage::{Stage, Who};
use crate::random::Random;

/// Rounds of everybody with the city after which nothing may be left to do.
const ROUNDS: usize = 8;

/// What goes wrong in one exchange.
pub struct Course {
    pub faults: Vec<(usize, Fault)>,
    /// The laptop's process dies at this commit; 0 never.
    pub commits: i64,
}

impl Course {
    pub fn clean() -> Course {
        Course { faults: Vec::new(), commits: 0 }
    }

    /// Faults at the first requests, seldom at all of them.
    pub fn faulty(dice: &mut Random, mut fault: impl FnMut(&mut Random) -> Fault) -> Course {
        let count = dice.between(1, 3);
        let mut faults: Vec<_> = (0..count).map(|at| (at, fault(dice))).collect();
        if dice.chance(30) {
            faults = faults.into_iter().map(|(at, fault)| (at + 1, fault)).collect();
        }
        Course { faults, commits: 0 }
    }

    pub fn deadly(dice: &mut Random) -> Course {
        Course { faults: Vec::new(), commits: i64::try_from(dice.between(1, 4)).expect("a small number") }
    }

    fn is_clean(&self) -> bool {
        self.faults.is_empty() && self.commits == 0
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

    fn exchange_at(&mut self, at: usize, course: &Course) -> Result<Vec<Who>> {
        let (city, delayed) = (self.site.city().clone(), self.delayed.clone());
        if Enrolment::of(self.laptops[at].store())?.is_none() {
            return Ok(Vec::new());
        }
        let line = Line::faulty(&city, &delayed, course.faults.clone());
        let hits = line.hits();
        let done = self.laptops[at].run(course.commits, |laptop| exchange(laptop, line))?;
        drop(city);
        let name = self.laptops[at].name;
        let words = match &done {
            None => "dies in the middle".to_owned(),
            Some(Ok(report)) => format!("{} sent, {} received", report.sent, report.received),
            Some(Err(error)) => error.to_string(),
        };
        self.note(format!("{name} exchanges ({:?}): {words}", course.faults));
        judge(name, done.as_ref(), course)?;
        let happened = course.is_clean() || done.is_none() || hits.get() > 0;
        if happened {
            return Ok(vec![Who::Laptop(at), Who::City]);
        }
        // It went through without its fault: not that event, but an exchange all the same.
        self.look(Who::Laptop(at))?;
        self.look(Who::City)?;
        Ok(Vec::new())
    }

    /// A laptop that has worked by itself comes in, however often it is interrupted.
    pub fn late(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let mut outside = Vec::new();
        for (at, laptop) in self.laptops.iter().enumerate() {
            if Enrolment::of(laptop.store())?.is_none_or(|it| it.reissue_from.is_some()) {
                outside.push(at);
            }
        }
        if outside.is_empty() {
            return Ok(Vec::new());
        }
        let at = outside[dice.below(outside.len())];
        let course = match dice.below(3) {
            0 => Course::clean(),
            1 => Course::deadly(dice),
            _ => Course::faulty(dice, |dice| match dice.chance(50) {
                true => Fault::DropAnswer,
                false => Fault::Cut(dice.draw()),
            }),
        };
        self.come_in(at, &course)
    }

    fn come_in(&mut self, at: usize, course: &Course) -> Result<Vec<Who>> {
        let city = self.site.city().clone();
        let (_, code) = city.enrolment_code(ORGANISATION, None)?;
        let line = |faults| Line::faulty(&city, &Delayed::default(), faults);
        let done = self.laptops[at].run(course.commits, |laptop| {
            enrol(laptop, &line(course.faults.clone()), &code.to_string())?;
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

    /// The laptops whose device may write, by everything that anybody holds.
    pub fn standing(&self) -> Result<Vec<usize>> {
        let root = self.site.city().root;
        let mut replica = Replica::new(Some(root));
        replica.insert(self.site.changes()?);
        for laptop in &self.laptops {
            replica.insert(laptop.changes()?);
        }
        let verdicts = replica.verdicts(&self.stream);
        let permitted: BTreeSet<DeviceId> = verdicts.devices.clone().unwrap_or_default();
        let mut standing = Vec::new();
        for (at, laptop) in self.laptops.iter().enumerate() {
            let device = laptop.store().device()?;
            let enrolled = Enrolment::of(laptop.store())?.is_some_and(|it| it.reissue_from.is_none());
            if enrolled && permitted.contains(&device) && !verdicts.revoked.contains_key(&device) {
                standing.push(at);
            }
        }
        Ok(standing)
    }

    /// The faults stop. Everybody exchanges until nothing is left to do, which must be soon.
    pub fn heal(&mut self) -> Result<()> {
        self.note("the faults stop".to_owned());
        for at in 0..self.laptops.len() {
            if Enrolment::of(self.laptops[at].store())?.is_some_and(|it| it.reissue_from.is_some()) {
                self.come_in(at, &Course::clean())?;
                self.look(Who::Laptop(at))?;
            }
        }
        let mut left = String::new();
        for _ in 0..ROUNDS {
            for at in 0..self.laptops.len() {
                self.exchange_at(at, &Course::clean())?;
                self.look(Who::Laptop(at))?;
            }
            self.look(Who::City)?;
            left = self.left()?;
            if left.is_empty() {
                break;
            }
        }
        self.promises.check(&self.live())?;
        match left.is_empty() {
            true => self.prove(),
            false => broken(HEALS, left),
        }
    }

    /// What still differs.
    fn left(&self) -> Result<String> {
        let (state, frontier) = (self.site.city().digest(&self.stream)?, self.city_frontier()?);
        let mut left = String::new();
        for at in self.standing()? {
            let laptop = &self.laptops[at];
            let outbox = laptop.store().outbox()?.changes;
            if outbox > 0 {
                left += &format!("{} still has {outbox} to send; ", laptop.name);
            }
            if laptop.store().frontier(&self.stream)? != frontier {
                left += &format!("{} and the city do not hold the same; ", laptop.name);
            }
            if laptop.store().digest(&self.stream)? != state {
                left += &format!("{} has another state than the city; ", laptop.name);
            }
        }
        Ok(left)
    }

    fn city_frontier(&self) -> Result<replica::Frontier> {
        let mut replica = Replica::new(None);
        replica.insert(self.site.changes()?);
        Ok(replica.frontier(&self.stream))
    }

    /// Every byte is as its author signed it, and the city's own check is clean.
    fn prove(&self) -> Result<()> {
        for laptop in &self.laptops {
            for change in laptop.changes()? {
                if let Err(refused) = change.raw.verify() {
                    return broken(
                        HEALS,
                        format!("{} holds a change that is not as signed: {refused}", laptop.name),
                    );
                }
            }
        }
        self.prove_whole()?;
        let report = self.site.city().check()?;
        match report.findings.is_empty() {
            true => Ok(()),
            false => broken(HEALS, format!("the city's check: {:?}", report.findings)),
        }
    }
}

impl Stage {
    /// Values are withheld only where the city voided them.
    fn prove_whole(&self) -> Result<()> {
        let mut replica = Replica::new(Some(self.site.city().root));
        replica.insert(self.site.changes()?);
        let verdicts = replica.verdicts(&self.stream);
        for at in self.standing()? {
            let laptop = &self.laptops[at];
            for change in laptop.store().changes(&self.stream)? {
                let id = change.id;
                let everywhere = change.raw.payload.is_some() && self.site.held.has_whole(&id);
                if !everywhere && !verdicts.voided.contains_key(&id) {
                    return broken(HEALS, format!("{} or the city lacks the values of {id}", laptop.name));
                }
            }
        }
        Ok(())
    }
}

fn exchange(laptop: &Laptop, line: Line) -> Result<Report, SyncError> {
    Engine::over(laptop.store(), Box::new(line), laptop.world.clone())?.exchange(laptop.store())
}

fn enrol(laptop: &Laptop, line: &Line, code: &str) -> Result<(), SyncError> {
    if Enrolment::of(laptop.store())?.is_some() {
        return Ok(());
    }
    let address = address().map_err(|_| SyncError::NotEnrolled)?;
    sync::enrol_over(laptop.store(), line, &address, code, laptop.name, &*laptop.world).map(|_| ())
}

/// On a line without faults only a device without rights is turned away; a fault of a program is never right.
fn judge<T>(name: &str, done: Option<&Result<T, SyncError>>, course: &Course) -> Result<()> {
    match done {
        Some(Err(SyncError::Store(error))) => broken(ERROR, format!("{name}'s store failed: {error}")),
        Some(Err(SyncError::Refused { code, .. })) if code == "city_fault" => {
            broken(ERROR, format!("the city failed on what {name} sent"))
        }
        Some(Err(SyncError::Refused { code, .. })) if code == "revoked" || code == "not_enrolled" => Ok(()),
        Some(Err(error)) if course.is_clean() => {
            broken(ERROR, format!("{name} failed on a good line: {error}"))
        }
        Some(_) | None => Ok(()),
    }
}
