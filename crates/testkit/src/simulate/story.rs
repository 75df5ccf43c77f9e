//! A story: what happens, in order, each with dice of its own, so that a story stays itself when events are left out.

use crate::random::Random;

/// What may happen. What it happens to is drawn from the event's dice when its turn comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    Edit,
    Remove,
    Restore,
    Finalise,
    Correct,
    Exchange,
    Backup,
    BadValue,
    Newer,
    DropRequest,
    DropAnswer,
    Duplicate,
    Reorder,
    Corrupt,
    Cut,
    CrashLaptop,
    CrashCity,
    Clone,
    RestoreLaptop,
    RestoreCity,
    Revoke,
    Renew,
    Clock,
    Late,
    Redact,
    Curious,
    Version,
    PowerLoss,
    DiskFull,
    FileOut,
    FileIn,
    FileBad,
    FileAstray,
    Photo,
    Blobs,
    BlobCut,
    Seal,
    Erase,
}

use What::*;

impl What {
    /// How often out of the sum each is drawn for the story's own events.
    const WEIGHTS: [(What, usize); 29] = [
        (Edit, 240),
        (Remove, 35),
        (Restore, 25),
        (Finalise, 35),
        (Correct, 30),
        (Exchange, 160),
        (Backup, 35),
        (BadValue, 20),
        (Newer, 20),
        (DropRequest, 25),
        (DropAnswer, 30),
        (Duplicate, 25),
        (Reorder, 30),
        (Corrupt, 30),
        (Cut, 40),
        (CrashLaptop, 40),
        (CrashCity, 25),
        (Clone, 22),
        (RestoreLaptop, 22),
        (RestoreCity, 18),
        (Revoke, 14),
        (Renew, 18),
        (Clock, 20),
        (Late, 12),
        (Redact, 16),
        (Curious, 8),
        (Version, 16),
        (PowerLoss, 22),
        (DiskFull, 18),
    ];
    /// The same for files on sticks and for attachments, which have dice of their own: what else is in a story stays as
    /// it is, so that a seed that is kept for its story keeps it.
    const CARRIED: [(What, usize); 7] = [
        (FileOut, 20),
        (FileIn, 30),
        (FileBad, 10),
        (FileAstray, 8),
        (Photo, 22),
        (Blobs, 18),
        (BlobCut, 20),
    ];

    /// The same for what the city's staff do.
    const RULED: [(What, usize); 2] = [(Seal, 60), (Erase, 40)];

    /// Everything, in order of the lists above.
    pub fn all() -> impl Iterator<Item = What> {
        Self::WEIGHTS.into_iter().chain(Self::CARRIED).chain(Self::RULED).map(|(what, _)| what)
    }

    /// What is not daily work. Every pair of these must meet in some story.
    pub fn faults() -> impl Iterator<Item = What> {
        Self::all().filter(|what| what.is_fault())
    }

    fn is_fault(self) -> bool {
        self >= BadValue && ![FileOut, Photo, Blobs].contains(&self)
    }

    fn draw(from: &[(What, usize)], dice: &mut Random) -> What {
        let sum: usize = from.iter().map(|(_, weight)| weight).sum();
        let mut at = dice.below(sum);
        for (what, weight) in from.iter().copied() {
            match at.checked_sub(weight) {
                Some(left) => at = left,
                None => return what,
            }
        }
        unreachable!("a number below the sum of the weights falls on one of them")
    }
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    pub what: What,
    pub dice: u64,
}

/// Everything that happens between so many laptops and their city.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    pub seed: u64,
    pub laptops: usize,
    /// A laptop of another organisation is in it.
    pub outsider: bool,
    /// All lines are bad, and laptops send little at a time.
    pub narrow: bool,
    pub events: Vec<Event>,
}

const EVENTS: usize = 60;
/// Events beside those, with files and attachments, and of the city's staff.
const CARRIED: usize = 14;
const RULED: usize = 5;
/// A story has its own few faults more often than others, so that faults meet.
const FAVOURITES: usize = 4;

impl Story {
    pub fn of(seed: u64) -> Story {
        let mut story = Story::of_records(seed);
        story.strew(&What::CARRIED, CARRIED, &mut Random::seeded(seed ^ 0x5117_a7e5_0000_0002));
        story.strew(&What::RULED, RULED, &mut Random::seeded(seed ^ 0x5117_a7e5_0000_0003));
        story
    }

    fn strew(&mut self, from: &[(What, usize)], count: usize, dice: &mut Random) {
        for _ in 0..count {
            let what = What::draw(from, dice);
            let at = dice.below(self.events.len() + 1);
            self.events.insert(at, Event { what, dice: dice.draw() });
        }
    }

    /// The same without files, attachments and what the city's staff do.
    pub fn of_records(seed: u64) -> Story {
        let mut dice = Random::seeded(seed ^ 0x5117_a7e5_0000_0001);
        let laptops = dice.between(2, 6);
        let faults: Vec<What> =
            What::WEIGHTS.map(|(what, _)| what).into_iter().filter(|it| it.is_fault()).collect();
        let favourites: Vec<What> = (0..FAVOURITES).map(|_| faults[dice.below(faults.len())]).collect();
        let outsider = favourites.contains(&Curious) || dice.chance(30);
        let events = (0..EVENTS)
            .map(|_| {
                let what = match dice.chance(20) {
                    true => favourites[dice.below(FAVOURITES)],
                    false => What::draw(&What::WEIGHTS, &mut dice),
                };
                Event { what, dice: dice.draw() }
            })
            .collect();
        Story { seed, laptops, outsider, narrow: !seed.is_multiple_of(2), events }
    }
}
