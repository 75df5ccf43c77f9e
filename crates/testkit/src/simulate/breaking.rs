//! Machines that lose power or run out of space: for one thing that happens, the program runs on a disk that does that.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use disk::Disk;
use store::StoreError;

use super::base::copy;
use super::exchanging::Course;
use super::laptop::Laptop;
use super::oracle::{ERROR, broken};
use super::photos::everything;
use super::stage::{Stage, Who};
use super::story::What;
use super::writing::{Act, act};
use crate::random::Random;

/// Storage operations of one thing that happens, about.
const OPERATIONS: usize = 60;
/// The files that SQLite writes, once it has opened them; the rest of a folder is as it was.
const WRITTEN: [&str; 3] = ["branch.db", "blobs.db", "city.sqlite"];

/// What a laptop is at when its power fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Saves,
    Exchanges,
    Attaches,
    MovesPhotos,
}

impl Stage {
    /// The power fails at some storage operation of a laptop or of the city, and the disk keeps what was synced and some
    /// of the rest.
    pub fn power_loss(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let disk = self.disk();
        match dice.below(3) {
            0 => self.city_loses_power(disk, dice),
            1 => self.laptop_loses_power(disk, dice, Doing::Exchanges),
            _ => self.laptop_loses_power(disk, dice, Doing::Saves),
        }
    }

    /// The same while a laptop keeps a photo, or moves some.
    pub fn power_loss_at_photos(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let doing = if dice.chance(50) { Doing::Attaches } else { Doing::MovesPhotos };
        self.laptop_loses_power(self.disk(), dice, doing)
    }

    fn laptop_loses_power(
        &mut self,
        disk: &'static Disk,
        dice: &mut Random,
        doing: Doing,
    ) -> Result<Vec<Who>> {
        let at = self.any(dice);
        let name = self.laptops[at].name;
        self.laptops[at].put_on(Some(disk))?;
        disk.stop_after(dice.below(OPERATIONS) as u64);
        self.note(format!("{name} loses power ({doing:?})"));
        match doing {
            Doing::Exchanges => self.try_exchange(at, &Course::on_bad_disk())?,
            // What it was told is kept is promised there.
            Doing::Attaches => drop(self.attach(at, dice)),
            Doing::MovesPhotos => drop(self.carry_at(at, &everything(), &Course::on_bad_disk())?),
            Doing::Saves => {
                let done = act(self.laptops[at].store(), What::Edit, dice, || ());
                self.promise(done);
            }
        }
        self.laptops[at].stop();
        let left = self.fresh_folder();
        surface(&self.laptops[at].folder, &left, "", disk, dice)?;
        self.laptops[at].off_disk();
        self.laptops[at].replace_by(left)?;
        Ok(vec![Who::Laptop(at), Who::City])
    }

    fn city_loses_power(&mut self, disk: &'static Disk, dice: &mut Random) -> Result<Vec<Who>> {
        let at = self.any(dice);
        self.note("the city loses power while somebody exchanges".to_owned());
        self.site.put_on(Some(disk))?;
        disk.stop_after(dice.below(OPERATIONS) as u64);
        self.try_exchange(at, &Course::on_bad_disk())?;
        self.site.stop();
        let left = self.fresh_folder();
        surface(&self.site.folder, &left, "db", disk, dice)?;
        self.site.off_disk();
        self.site.replace_by(left)?;
        Ok(vec![Who::Laptop(at), Who::City])
    }

    /// The disk of a laptop or of the city is full: it says so, loses nothing, and goes on when there is room again.
    pub fn disk_full(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let (disk, at) = (self.disk(), self.any(dice));
        let room = dice.below(40_000);
        if dice.chance(30) {
            self.note("the disk of the city fills up".to_owned());
            self.site.put_on(Some(disk))?;
            disk.set_room(Some(disk.used() + room));
            self.try_exchange(at, &Course::on_bad_disk())?;
            disk.set_room(None);
            self.site.put_on(None)?;
            return Ok(vec![Who::Laptop(at), Who::City]);
        }
        let name = self.laptops[at].name;
        self.note(format!("the disk of {name} fills up"));
        self.laptops[at].put_on(Some(disk))?;
        disk.set_room(Some(disk.used() + room));
        for _ in 0..3 {
            let done = act(self.laptops[at].store(), What::Edit, dice, || ());
            if let Err(error) = &done
                && !matches!(error, StoreError::DiskFull { .. })
            {
                return broken(ERROR, format!("{name} has no room, and says: {error}"));
            }
            self.promise(done);
        }
        self.try_exchange(at, &Course::on_bad_disk())?;
        disk.set_room(None);
        self.laptops[at].put_on(None)?;
        Ok(vec![Who::Laptop(at), Who::City])
    }

    fn promise(&mut self, done: Result<Option<Act>, StoreError>) {
        if let Ok(Some(act)) = done {
            self.note(format!("and it is saved: {}", act.words));
            self.promises.told(act.saved);
        }
    }
}

impl Stage {
    /// The disk of this thread, on which one machine of its story stands at a time.
    fn disk(&self) -> &'static Disk {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static DISK: &'static Disk = Disk::new(&format!("disk-{}", MADE.fetch_add(1, Ordering::SeqCst)));
        }
        DISK.with(|disk| *disk)
    }
}

impl Laptop {
    /// The program ends and is started again on another disk, the machine's own if None.
    pub fn put_on(&mut self, disk: Option<&'static Disk>) -> Result<()> {
        self.stop();
        disk.iter().for_each(|disk| disk.reset());
        self.ground.disk = disk.map(|disk| disk.name);
        self.start()
    }

    pub fn off_disk(&mut self) {
        self.ground.disk = None;
    }
}

/// What the next start finds in a folder: files that nobody writes to as they are, and what the disk kept of the others.
fn surface(folder: &Path, left: &Path, inner: &str, disk: &'static Disk, dice: &mut Random) -> Result<()> {
    copy(folder, left)?;
    let lies = |name: &str| left.join(inner).join(name);
    for name in WRITTEN.into_iter().filter(|name| disk.knows(&folder.join(inner).join(name))) {
        for file in [lies(name), lies(&format!("{name}-wal"))].iter().filter(|file| file.exists()) {
            std::fs::remove_file(file)?;
        }
    }
    disk.surface(&left.join(inner), || dice.chance(50));
    Ok(())
}
