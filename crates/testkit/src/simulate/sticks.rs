//! Files on sticks between a laptop and the city: written, carried, left lying, brought twice, late, damaged, or to
//! the wrong place.

use anyhow::Result;
use replica::{StreamId, Verdicts};
use sync::SyncError;
use sync::file::{Scope, Terms, export, exported, import};
use wire::file::{Label, Purpose};

use super::base::{ORGANISATION, OTHER_ORGANISATION};
use super::oracle::{ERROR, HEALS, RIGHTS, broken};
use super::stage::{Stage, Who};
use super::story::What;
use crate::random::Random;

/// Bytes of photos in a file.
const ROOM: u64 = 1024 * 1024;
/// Files that lie around at most.
const MOST: usize = 10;
/// Files there and back after which nothing may be left to carry.
const TRIPS: usize = 2;

/// A file that lies around.
#[derive(Clone)]
pub struct Stick {
    bytes: Vec<u8>,
    label: Label,
    branch: StreamId,
    /// What the city had refused when the file was made.
    verdicts: Verdicts,
    /// How often the city had been set back by then.
    set_back: u32,
}

impl Stage {
    /// A laptop writes a file for the city, or the city writes one for each computer of an organisation.
    pub fn file_out(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        if dice.chance(20) {
            return self.city_writes(dice);
        }
        let at = self.any(dice);
        let scope = if dice.chance(30) { Scope::Everything } else { Scope::SinceReceipt };
        Ok(self.laptop_writes(at, scope)?.into_iter().collect())
    }

    /// One of the files reaches whom it is for. It may be kept and come again.
    pub fn file_in(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let Some(stick) = self.stick(dice)? else { return Ok(Vec::new()) };
        let commits = if dice.chance(15) { dice.between(1, 3) as i64 } else { 0 };
        self.deliver(&stick, Harm::None, commits, dice)
    }

    /// One of the files arrives with a wrong bit, or only its beginning does.
    pub fn file_bad(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let Some(mut stick) = self.stick(dice)? else { return Ok(Vec::new()) };
        // How long the sealing makes a file is not the same twice: only its label and its end lie at fixed places.
        let (len, label) = (stick.bytes.len(), Label::LEN);
        let at = if dice.chance(30) { dice.below(label) } else { len - 1 - len * dice.below(40) / 100 };
        match dice.chance(50) {
            true => stick.bytes[at] ^= 1 << dice.below(8),
            false => stick.bytes.truncate(at),
        }
        self.deliver(&stick, Harm::Damaged, 0, dice)
    }

    /// Somebody brings a file to a computer that it is not for: it is turned away, and nothing changes.
    pub fn file_astray(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let Some(stick) = self.stick(dice)? else { return Ok(Vec::new()) };
        let mut others = Vec::new();
        for (at, laptop) in self.laptops.iter().enumerate() {
            if laptop.store().opening_key(&stick.label.recipient)?.is_none() {
                others.push(at);
            }
        }
        if stick.label.purpose == Purpose::Answer && (others.is_empty() || dice.chance(20)) {
            self.note("an answer is brought to the city".to_owned());
            return match self.site.city().import_file(&stick.bytes) {
                Err(_) => Ok(vec![Who::City]),
                Ok(_) => broken(RIGHTS, "the city took in its own answer"),
            };
        }
        let at = others[dice.below(others.len())];
        let laptop = &self.laptops[at];
        let (name, before) = (laptop.name, laptop.mirror.count());
        let done = import(laptop.store(), &stick.bytes[..], u64::MAX);
        self.note(format!("{name} is brought a file that is not for it"));
        self.look(Who::Laptop(at))?;
        match done.is_err() && self.laptops[at].mirror.count() == before {
            true => Ok(vec![Who::Laptop(at)]),
            false => broken(RIGHTS, format!("{name} took in a file that was not for it")),
        }
    }

    /// Takes one of the files; it often stays where it was, too. If none lies around, one is written first.
    fn stick(&mut self, dice: &mut Random) -> Result<Option<Stick>> {
        if self.sticks.is_empty() {
            let at = self.any(dice);
            self.laptop_writes(at, Scope::SinceReceipt)?;
        }
        if self.sticks.is_empty() {
            return Ok(None);
        }
        let at = dice.below(self.sticks.len());
        Ok(Some(if dice.chance(55) { self.sticks.remove(at) } else { self.sticks[at].clone() }))
    }

    fn lay_down(&mut self, bytes: Vec<u8>, branch: StreamId) -> Result<()> {
        let label = Label::read(&mut &bytes[..])?;
        let (verdicts, set_back) = (self.site.mirror.verdicts(&branch), self.times_set_back());
        self.sticks.push(Stick { bytes, label, branch, verdicts, set_back });
        if self.sticks.len() > MOST {
            self.sticks.remove(0);
        }
        Ok(())
    }

    pub(super) fn times_set_back(&self) -> u32 {
        self.counts.get(&What::RestoreCity).copied().unwrap_or(0)
    }

    /// None: it is not enrolled.
    fn laptop_writes(&mut self, at: usize, scope: Scope) -> Result<Option<Who>> {
        let laptop = &self.laptops[at];
        let (mut bytes, branch, name) = (Vec::new(), laptop.branch, laptop.name);
        let terms = Terms { scope, room: ROOM, most_lost: u64::MAX };
        let made = export(laptop.store(), &*laptop.world, terms, &mut bytes).and_then(|made| {
            exported(laptop.store(), &made)?;
            Ok(made.note.changes)
        });
        match made {
            Ok(changes) => {
                self.note(format!("{name} writes a file of {changes} changes"));
                self.lay_down(bytes, branch)?;
                Ok(Some(Who::Laptop(at)))
            }
            Err(SyncError::NotEnrolled) => Ok(None),
            Err(error) => broken(ERROR, format!("{name} cannot write a file: {error}")),
        }
    }

    fn city_writes(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let branch = if dice.chance(85) { self.stream } else { self.outside };
        let mut files = self.site.city().export_files(self.organisation(&branch))?;
        self.note(format!("the city writes {} files that nobody asked for", files.len()));
        while files.len() > 3 {
            files.remove(dice.below(files.len()));
        }
        files.into_iter().try_for_each(|file| self.lay_down(file.bytes, branch))?;
        Ok(vec![Who::City])
    }

    fn deliver(&mut self, stick: &Stick, harm: Harm, commits: i64, dice: &mut Random) -> Result<Vec<Who>> {
        if stick.label.purpose == Purpose::Request {
            return self.city_takes(stick, harm);
        }
        let mut own = Vec::new();
        for (at, laptop) in self.laptops.iter().enumerate() {
            if laptop.store().opening_key(&stick.label.recipient)?.is_some() {
                own.push(at);
            }
        }
        match own.is_empty() {
            true => Ok(Vec::new()),
            false => self.laptop_takes(own[dice.below(own.len())], stick, harm, commits),
        }
    }

    fn city_takes(&mut self, stick: &Stick, harm: Harm) -> Result<Vec<Who>> {
        let done = self.site.city().import_file(&stick.bytes);
        let known = ["revoked", "not_enrolled"];
        match done {
            Ok(done) => {
                self.note(format!(
                    "the city takes in a file: {} new, {} waiting",
                    done.report.new, done.report.waiting
                ));
                self.look(Who::City)?;
                self.lay_down(done.answer.bytes, stick.branch)?;
                Ok(vec![Who::City])
            }
            Err(refusal) => {
                self.note(format!("the city turns a file away: {}", refusal.code));
                let lost_key = refusal.code == "not_for_us" && self.times_set_back() > 0;
                match refusal.code != "city_fault"
                    && (harm == Harm::Damaged || known.contains(&refusal.code.as_str()) || lost_key)
                {
                    true => Ok(vec![Who::City]),
                    false => broken(ERROR, format!("the city turned a good file away: {}", refusal.code)),
                }
            }
        }
    }

    fn laptop_takes(&mut self, at: usize, stick: &Stick, harm: Harm, commits: i64) -> Result<Vec<Who>> {
        let done =
            self.laptops[at].run(commits, |laptop| import(laptop.store(), &stick.bytes[..], u64::MAX))?;
        let laptop = &mut self.laptops[at];
        // It says what the city held before it was set back, which nobody can know.
        laptop.stale |= stick.set_back < self.counts.get(&What::RestoreCity).copied().unwrap_or(0);
        let name = laptop.name;
        let words = match &done {
            None => "and dies in the middle".to_owned(),
            Some(Ok(it)) => format!("{} new, {} waiting, stale: {}", it.new, it.waiting, it.stale),
            Some(Err(error)) => error.to_string(),
        };
        self.note(format!("{name} takes in a file: {words}"));
        match done {
            Some(Err(SyncError::Store(error))) => {
                return broken(ERROR, format!("{name}'s store failed: {error}"));
            }
            // It was set back to before it was let in.
            Some(Err(SyncError::NotEnrolled)) | Some(Ok(_)) | None => {}
            Some(Err(_)) if harm == Harm::Damaged => {}
            Some(Err(error)) => return broken(ERROR, format!("{name} cannot read a good file: {error}")),
        }
        self.look_at_what_came(at, &[stick.label.recipient], &stick.verdicts)?;
        Ok(vec![Who::Laptop(at)])
    }

    /// Once the faults stopped, files alone bring a branch together as the line does.
    pub fn heal_by_files(&mut self) -> Result<()> {
        let photos = self.photos_there()?;
        for _ in 0..TRIPS {
            for at in self.standing()? {
                self.trip(at)?;
            }
        }
        for at in self.standing()? {
            let (lacks, waiting) = self.not_reported(at)?;
            if lacks > 0 || waiting > 0 {
                let name = self.laptops[at].name;
                return broken(
                    HEALS,
                    format!("files leave {name} with {waiting} to report, and the city lacks {lacks}"),
                );
            }
            self.check_photos(at, &photos)?;
        }
        Ok(())
    }

    /// A file to the city, and the answer back. If the city has forgotten the key that the laptop knows, it writes first.
    fn trip(&mut self, at: usize) -> Result<()> {
        for _ in 0..2 {
            self.sticks.clear();
            self.laptop_writes(at, Scope::Everything)?;
            let Some(there) = self.sticks.pop() else { return Ok(()) };
            self.city_takes(&there, Harm::None)?;
            if let Some(back) = self.sticks.pop() {
                return self.laptop_takes(at, &back, Harm::None, 0).map(|_| ());
            }
            self.city_tells(at)?;
        }
        Ok(())
    }

    /// The city writes for a laptop, which takes that in. A city that was set back may know it under an earlier identity
    /// only.
    fn city_tells(&mut self, at: usize) -> Result<()> {
        let branch = self.laptops[at].branch;
        for file in self.site.city().export_files(self.organisation(&branch))? {
            self.lay_down(file.bytes, branch)?;
        }
        for stick in std::mem::take(&mut self.sticks) {
            if self.laptops[at].store().opening_key(&stick.label.recipient)?.is_some() {
                self.laptop_takes(at, &stick, Harm::None, 0)?;
            }
        }
        Ok(())
    }

    fn organisation(&self, branch: &StreamId) -> &'static str {
        if *branch == self.stream { ORGANISATION } else { OTHER_ORGANISATION }
    }
}

/// What happened to a file on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    None,
    Damaged,
}
