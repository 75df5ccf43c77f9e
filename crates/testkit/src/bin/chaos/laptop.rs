//! A laptop: a folder, the program on it as a process of its own, its line to the city, and somebody at it.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use testkit::{Proxy, Random, Refusal, Secretary, Shell, faketime};

use crate::exchange::exchange;
use crate::figures::What;
use crate::person::{Deed, Person, said};
use crate::small_disk::SmallDisk;
use crate::stage::Stage;

/// Of a hundred deeds and exchanges, so many are cut short by the end of the program.
const KILLS: usize = 6;
const KILLS_EXCHANGING: usize = 25;
/// After so many saves a full disk must have refused one.
const MOST_SAVES: usize = 400;
/// How often an exchange is tried after the clock was set, while the line is as it is.
const TRIES: usize = 4;
const HOUR: i64 = 3600;
const MONTH: i64 = 30 * 24 * HOUR;
const YEAR: i64 = 365 * 24 * HOUR;
const CLOCKS: &[i64] =
    &[3 * HOUR, -3 * HOUR, 2 * MONTH, -2 * MONTH, 3 * YEAR, -3 * YEAR, 10 * YEAR, -10 * YEAR];

pub struct Laptop<'a> {
    pub line: Arc<Proxy>,
    stage: &'a Stage,
    data: PathBuf,
    disk: Option<SmallDisk>,
    shell: Option<Shell>,
    person: Person<'a>,
    random: Random,
    /// How many seconds the clock is fast.
    clock: i64,
    /// The day by a clock that is right.
    today: String,
}

impl<'a> Laptop<'a> {
    /// Somebody begins at a program that runs and is enrolled.
    pub fn new(
        stage: &'a Stage,
        (data, shell, disk): (PathBuf, Shell, Option<SmallDisk>),
        line: Arc<Proxy>,
        person: Person<'a>,
        seed: u64,
    ) -> Result<Self> {
        let (random, today) = (Random::seeded(seed), person.desk.days_ago(0)?);
        Ok(Self { line, stage, data, disk, shell: Some(shell), person, random, clock: 0, today })
    }

    /// Works until the story is over.
    pub fn live(&mut self) -> Result<()> {
        while !self.stage.is_over() {
            match self.random.below(100) {
                0..26 => self.does(Deed::Records)?,
                26..52 => self.does(Deed::Edits)?,
                52..62 => self.does(Deed::Types)?,
                62..72 => self.does(Deed::EditsMeeting)?,
                72..76 => self.does(Deed::Deletes)?,
                76..82 => self.does(Deed::Settles)?,
                82..96 => self.exchanges()?,
                96..98 => self.sets_clock()?,
                _ => self.fills_disk()?,
            }
            self.stage.rest(Duration::from_millis(self.random.between(10, 100) as u64));
        }
        Ok(())
    }

    /// One deed; of some the middle is the end of the program.
    fn does(&mut self, deed: Deed) -> Result<()> {
        if !self.random.chance(KILLS) {
            return self.person.act(deed);
        }
        let after = Duration::from_micros(self.random.below(60_000) as u64);
        let (person, shell) = (&mut self.person, self.shell.take().context("the program runs")?);
        let acted = thread::scope(|scope| {
            let acting = scope.spawn(move || person.act(deed));
            thread::sleep(after);
            shell.kill()?;
            acting.join().map_err(|_| anyhow!("the person panicked"))
        })?;
        self.was_killed(&format!("{deed:?}"), acted)
    }

    /// An exchange, during which people go on working; of some the middle is the end of the program.
    fn exchanges(&mut self) -> Result<()> {
        let (stage, name, full) = (self.stage, self.person.name, self.person.full);
        let desk = Secretary::at(self.person.desk.program.clone());
        let saves = self.random.below(4);
        let killed = self.random.chance(KILLS_EXCHANGING);
        let after = Duration::from_millis(self.random.below(800) as u64);
        let ended = thread::scope(|scope| -> Result<_> {
            let exchanging = scope.spawn(move || exchange(stage, name, &desk, full));
            for _ in 0..saves {
                self.person.act(Deed::Records)?;
                self.person.act(Deed::Edits)?;
            }
            if let Some(shell) = self.shell.take_if(|_| killed) {
                thread::sleep(after);
                shell.kill()?;
            }
            exchanging.join().map_err(|_| anyhow!("the exchange panicked"))
        })?;
        if killed { self.was_killed("an exchange", ended.map(drop)) } else { ended.map(drop) }
    }

    /// The program is gone; what was asked of it may have broken off. It is started again.
    fn was_killed(&mut self, in_the_middle_of: &str, asked: Result<()>) -> Result<()> {
        self.stage.figures.count(What::LaptopKilled);
        self.stage.note(self.person.name, &format!("killed in the middle of {in_the_middle_of}"));
        if let Err(error) = asked {
            self.stage.note(self.person.name, &format!("broke off: {error:#}"));
            ensure!(!error.is::<Refusal>(), "{in_the_middle_of}: {error:#}");
        }
        self.starts()
    }

    /// Starts the program and unlocks the branch; what was being typed must be there.
    fn starts(&mut self) -> Result<()> {
        let shell = match self.clock {
            0 => Shell::start(&self.data)?,
            seconds => Shell::start_with_clock_off(&self.data, seconds)?,
        };
        self.person.desk = Secretary::at(shell.caller());
        self.shell = Some(shell);
        match said(self.person.desk.opens())? {
            Ok(()) => {}
            Err(code) if code == "disk_full" && self.person.full => {
                self.stage.figures.count(What::RefusedFull);
                self.makes_room()?;
                self.person.desk.opens()?;
            }
            Err(code) => bail!("{}: the branch does not open: {code}", self.person.name),
        }
        self.person.finds_draft()
    }

    fn restarts(&mut self) -> Result<()> {
        if let Some(shell) = self.shell.take() {
            shell.kill()?;
            self.stage.figures.count(What::LaptopKilled);
        }
        self.starts()
    }

    /// The power goes, and when it is back the clock is another. The city's clock puts an exchange right.
    fn sets_clock(&mut self) -> Result<()> {
        if faketime::library().is_none() {
            return Ok(());
        }
        self.clock = match self.random.chance(30) {
            true => 0,
            false => CLOCKS[self.random.below(CLOCKS.len())],
        };
        self.stage.note(self.person.name, &format!("the clock is {} s off", self.clock));
        self.restarts()?;
        if self.clock == 0 {
            return Ok(());
        }
        let today = self.person.desk.days_ago(0)?;
        ensure!(
            self.clock.abs() < MONTH || today != self.today,
            "the clock is to be {} s off and is not",
            self.clock
        );
        self.stage.figures.count(What::ClockWrong);
        for _ in 0..TRIES {
            self.person.act(Deed::Records)?;
            let done = exchange(self.stage, self.person.name, &self.person.desk, self.person.full)?;
            if done.is_some() {
                self.stage.figures.count(What::ClockPutRight);
                return Ok(());
            }
        }
        Ok(())
    }

    /// The disk is full: saves are refused in clear words, and taken again when there is room.
    fn fills_disk(&mut self) -> Result<()> {
        let Some(disk) = &self.disk else { return Ok(()) };
        self.stage.note(self.person.name, "the disk is full");
        disk.fill()?;
        self.person.full = true;
        let before = self.stage.figures.of(What::RefusedFull);
        let mut saves = 0;
        while self.person.records(false)? {
            saves += 1;
            ensure!(saves < MOST_SAVES, "a full disk took {MOST_SAVES} saves");
        }
        if self.stage.figures.of(What::RefusedFull) > before {
            self.stage.figures.count(What::DiskFull);
        }
        self.person.act(Deed::Types)?;
        exchange(self.stage, self.person.name, &self.person.desk, true)?;
        if self.random.chance(30) {
            self.restarts()?;
        }
        self.makes_room()?;
        if !self.person.records(false)? {
            self.stage.figures.wrong(format!("{}: there is room, and no save is taken", self.person.name));
        }
        Ok(())
    }

    fn makes_room(&mut self) -> Result<()> {
        if let Some(disk) = self.disk.as_ref().filter(|_| self.person.full) {
            disk.clear()?;
            self.stage.note(self.person.name, "there is room again");
        }
        self.person.full = false;
        Ok(())
    }

    /// The faults are over: a right clock, a fresh start.
    pub fn calms_down(&mut self) -> Result<()> {
        self.clock = 0;
        self.restarts()
    }

    /// Whether nothing was left to say on either side.
    pub fn is_done(&self) -> Result<bool> {
        let done = exchange(self.stage, self.person.name, &self.person.desk, false)?;
        Ok(done.is_some_and(|done| done.waiting + done.sent + done.received == 0))
    }

    /// Closes the branch, ends the program and says where the branch lies.
    pub fn closes(&mut self) -> Result<(&'static str, PathBuf)> {
        let folder = self.data.join(self.person.desk.folder()?);
        self.person.desk.closes()?;
        if let Some(shell) = self.shell.take() {
            shell.kill()?;
        }
        Ok((self.person.name, folder))
    }

    pub fn has_small_disk(&self) -> bool {
        self.disk.is_some()
    }

    /// Leaves the small disk mounted, for whoever looks for a cause.
    pub fn keeps_disk(&mut self) {
        self.disk.take().into_iter().for_each(std::mem::forget);
    }
}
