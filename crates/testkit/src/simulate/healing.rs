//! How a story ends: the faults stop, and everything must drain, agree, and be as its authors made it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use anyhow::Result;
use replica::{Change, DeviceId, Frontier, Replica, Ruling, StreamId};
use sync::Enrolment;

use super::exchanging::Course;
use super::oracle::{HEALS, RULED, broken};
use super::plainly;
use super::stage::{Stage, Who};
use super::story::What;

/// Rounds of everybody with the city after which nothing may be left to do.
const ROUNDS: usize = 8;
/// Every so many seeds there is no line at first, and everything must heal by files.
const BY_FILES_EVERY: u64 = 5;

impl Stage {
    /// The laptops whose device may write, by everything that anybody holds.
    pub fn standing(&self) -> Result<Vec<usize>> {
        let mut standing = Vec::new();
        for stream in [self.stream, self.outside] {
            let verdicts = self.union(&stream).verdicts(&stream);
            let permitted: BTreeSet<DeviceId> = verdicts.devices.clone().unwrap_or_default();
            for (at, laptop) in self.laptops.iter().enumerate().filter(|(_, laptop)| laptop.branch == stream)
            {
                let device = laptop.store().device()?;
                let enrolled = Enrolment::of(laptop.store())?.is_some_and(|it| it.reissue_from.is_none());
                if enrolled && permitted.contains(&device) && !verdicts.revoked.contains_key(&device) {
                    standing.push(at);
                }
            }
        }
        Ok(standing)
    }

    /// Everything that anybody holds of a branch's stream.
    fn union(&self, stream: &StreamId) -> Cow<'_, Replica> {
        let citys = self.site.mirror.replica(stream).expect("the city serves the stream of the branch");
        let lacks = |change: &&Change| !self.site.mirror.holds(&change.id);
        let held = self.laptops.iter().filter_map(|laptop| laptop.mirror.replica(stream));
        let others: Vec<Change> =
            held.flat_map(|replica| replica.changes(stream)).filter(lacks).cloned().collect();
        if others.is_empty() {
            return Cow::Borrowed(citys);
        }
        let mut union = citys.clone();
        union.insert(others);
        Cow::Owned(union)
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
        if self.seed.is_multiple_of(BY_FILES_EVERY) {
            self.heal_by_files()?;
        }
        let mut left = String::new();
        for _ in 0..ROUNDS {
            for at in 0..self.laptops.len() {
                self.exchange_at(at, &Course::clean())?;
            }
            left = self.left()?;
            if left.is_empty() {
                break;
            }
        }
        self.check_promises()?;
        if left.is_empty() {
            self.heal_photos()?;
        }
        match left.is_empty() {
            true => self.prove(),
            false => broken(HEALS, left),
        }
    }

    /// What still differs.
    fn left(&self) -> Result<String> {
        let mut left = String::new();
        for at in self.standing()? {
            let laptop = &self.laptops[at];
            let branch = &laptop.branch;
            let outbox = laptop.store().outbox()?.changes;
            if outbox > 0 {
                left += &format!("{} still has {outbox} to send; ", laptop.name);
            }
            if laptop.store().frontier(branch)? != self.city_frontier(branch) {
                left += &format!("{} and the city do not hold the same; ", laptop.name);
            }
            if laptop.store().digest(branch)? != self.site.city().digest(branch)? {
                left += &format!("{} has another state than the city; ", laptop.name);
            }
        }
        Ok(left)
    }

    fn city_frontier(&self, stream: &StreamId) -> Frontier {
        self.site.mirror.replica(stream).map(|replica| replica.frontier(stream)).unwrap_or_default()
    }

    /// Everything folds to the same from nothing, and the city's own check is clean.
    fn prove(&self) -> Result<()> {
        for laptop in &self.laptops {
            laptop.mirror.prove(laptop.name)?;
        }
        self.site.mirror.prove("the city")?;
        self.check_plainly()?;
        self.check_rulings()?;
        self.check_reissued()?;
        self.prove_whole()?;
        let report = self.site.city().check()?;
        match report.findings.is_empty() {
            true => Ok(()),
            false => broken(HEALS, format!("the city's check: {:?}", report.findings)),
        }
    }

    /// Records say what was written. Replicas that hold the same say the same, so that one of them is enough.
    pub fn check_plainly(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        let all = self.laptops.iter().map(|laptop| (laptop.name, &laptop.mirror));
        for (who, mirror) in all.chain([("the city", &self.site.mirror)]) {
            for stream in mirror.streams().filter(|stream| seen.insert(mirror.digest(stream))) {
                let replica = mirror.replica(stream).expect("the mirror has the stream");
                plainly::check(who, replica, stream)?;
            }
        }
        Ok(())
    }

    /// A change is ruled over once, unless the city was set back and knew no more that it was.
    fn check_rulings(&self) -> Result<()> {
        let Some(replica) = self.site.mirror.replica(&self.stream) else { return Ok(()) };
        let mut ruled = BTreeSet::new();
        for change in replica.changes(&self.stream) {
            for value in change.values.iter().flatten() {
                if let Some(Ruling::Void { change, .. }) = Ruling::from_value(value)
                    && !ruled.insert(change)
                    && !self.counts.contains_key(&What::RestoreCity)
                {
                    return broken(RULED, format!("the city ruled twice over {change}"));
                }
            }
        }
        Ok(())
    }

    /// What was issued again keeps its origin, and is issued once, however often that was interrupted.
    fn check_reissued(&self) -> Result<()> {
        let replica = self.site.mirror.replica(&self.stream).filter(|_| !self.copied_outside);
        let Some(replica) = replica else { return Ok(()) };
        let mut origins = BTreeSet::new();
        for change in replica.changes(&self.stream) {
            if change.header.origin.as_ref().is_some_and(|origin| !origins.insert(origin)) {
                return broken(RULED, format!("{} was issued a second time", change.id));
            }
        }
        Ok(())
    }

    /// Values are withheld only where the city voided them.
    fn prove_whole(&self) -> Result<()> {
        for at in self.standing()? {
            let laptop = &self.laptops[at];
            let verdicts = self.site.mirror.verdicts(&laptop.branch);
            for (id, kept) in laptop.mirror.ids().filter(|(_, kept)| kept.stream == laptop.branch) {
                let citys = self.site.mirror.has_whole(id);
                let redacted = laptop.mirror.change(id).is_some_and(|change| verdicts.drops(change));
                if !(kept.payload && citys || redacted || verdicts.voided.contains_key(id)) {
                    let has = (kept.payload, citys);
                    return broken(
                        HEALS,
                        format!("{} and the city have the values of {id}: {has:?}", laptop.name),
                    );
                }
            }
        }
        Ok(())
    }
}
