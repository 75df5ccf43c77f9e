//! The end: what every computer stored, side by side, and where each acknowledged save is.

use std::collections::BTreeMap;

use testkit::{CityProcess, Felt, faketime};

use crate::book::{Fate, Pages};
use crate::figures::{Figures, What};
use crate::held::Computer;
use crate::laptop::Laptop;
use crate::stage::Stage;

/// How many lost saves are told of, one by one.
const TOLD: usize = 20;

/// Whether every digest is the same, the city's own check among it.
pub fn agree(stage: &Stage, computers: &[Computer], city: &CityProcess) -> bool {
    let mut digests = BTreeMap::new();
    for computer in computers {
        println!("digest {}  {}", computer.digest, computer.name);
        digests.entry(computer.digest.clone()).or_insert(&computer.name);
    }
    match (city.check(), city.digest(&computers[0].stream.to_string())) {
        (Ok(report), Ok(digest)) => {
            println!("digest {digest}  city");
            println!("city check: {}", report.lines().last().unwrap_or_default());
            digests.len() == 1 && digests.contains_key(&digest)
        }
        (checked, digest) => {
            let errors = checked.err().into_iter().chain(digest.err());
            errors.for_each(|error| stage.figures.wrong(format!("city: {error:#}")));
            false
        }
    }
}

/// Looks for every acknowledged save on every computer. Says how many one of them lacks.
pub fn look_for(stage: &Stage, computers: &[Computer]) -> usize {
    let pages = stage.book.pages();
    let mut fates: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lost = 0;
    for save in &pages.acknowledged {
        let of = |computer: &Computer| computer.held.fate(save, &pages.sent);
        let missed = computers.iter().find_map(|computer| match of(computer) {
            Fate::Lost(why) => Some((&computer.name, why)),
            Fate::Stands | Fate::InConflict | Fate::Overwritten => None,
        });
        if let Some((name, why)) = missed {
            lost += 1;
            if lost <= TOLD {
                println!("lost on {name}: {} = {}: {why}", save.place, save.value);
            }
        }
        let fate = missed.map_or_else(|| of(&computers[0]), |(_, why)| Fate::Lost(why));
        *fates.entry(word(fate)).or_default() += 1;
    }
    smuggled(stage, &pages, computers);
    println!(
        "saves acknowledged: {} and {} of drafts",
        pages.acknowledged.len(),
        stage.figures.of(What::DraftSaved)
    );
    let each = fates.iter().map(|(fate, count)| format!("{fate} {count}"));
    println!("  of the former {}", each.collect::<Vec<_>>().join(", "));
    lost + usize::try_from(stage.figures.of(What::DraftLost)).unwrap_or(usize::MAX)
}

/// A save that was refused must not be found.
fn smuggled(stage: &Stage, pages: &Pages, computers: &[Computer]) {
    for computer in computers {
        for place in computer.held.smuggled(&pages.refused) {
            stage.figures.wrong(format!("{}: {place} was refused and is there", computer.name));
        }
    }
}

fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Stands => "stand",
        Fate::InConflict => "are in conflict",
        Fate::Overwritten => "were typed over",
        Fate::Lost(_) => "are lost",
    }
}

/// How things stand in the middle.
pub fn glance(stage: &Stage) -> String {
    let of = |what| stage.figures.of(what);
    let saves = stage.book.pages().acknowledged.len();
    let kills = of(What::LaptopKilled) + of(What::CityKilled);
    format!("  {saves} saves, {} exchanges, {kills} kills", of(What::Exchanged))
}

/// One line a figure.
pub fn print(figures: &Figures, laptops: &[Laptop]) {
    let of = |what| figures.of(what);
    let felt: Vec<Felt> = laptops.iter().map(|laptop| laptop.line.felt()).collect();
    println!("kills of laptops: {}", of(What::LaptopKilled));
    println!("kills of the city: {}", of(What::CityKilled));
    println!("cuts of lines: {}", felt.iter().map(|felt| felt.cuts).sum::<u64>());
    println!("refused connections: {}", felt.iter().map(|felt| felt.refused).sum::<u64>());
    match faketime::library() {
        Some(_) => {
            println!("wrong clocks: {}, {} exchanged at once", of(What::ClockWrong), of(What::ClockPutRight))
        }
        None => println!("wrong clocks: left out, faketime is not installed"),
    }
    match laptops.iter().any(Laptop::has_small_disk) {
        true => {
            println!("full disks: {}, {} refusals in clear words", of(What::DiskFull), of(What::RefusedFull))
        }
        false => println!("full disks: left out, mounting a file system needs root"),
    }
    println!(
        "exchanges: {} whole, {} not ({})",
        of(What::Exchanged),
        of(What::ExchangeFailed),
        figures.failures()
    );
    println!("drafts found after a kill: {}", of(What::DraftFound));
    println!("conflicts settled: {}", of(What::Settled));
    println!("saves declined: {}", of(What::Declined));
}
