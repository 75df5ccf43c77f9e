//! `simulate --seeds N --from S`: plays stories of laptops and a city under faults, and says which rule broke.

use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use testkit::simulate::{Bases, Figures, Outcome, Story, run, run_all, shrink};

#[derive(Parser)]
#[command(about = "Plays seeded stories of laptops and a city under faults")]
struct Cli {
    /// How many seeds to play.
    #[arg(long, default_value_t = 500)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many stories are played at the same time.
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, |count| count.get()))]
    threads: usize,
    /// Print the diary of every story, not only of one that breaks a rule.
    #[arg(long)]
    diary: bool,
    /// Leave out files, attachments and what the city's staff do.
    #[arg(long)]
    records: bool,
    /// Go on after a broken rule.
    #[arg(long)]
    go_on: bool,
    /// Do not look for a shorter story.
    #[arg(long)]
    no_shrink: bool,
    /// Plant bugs, one after another, and count the stories until each is found.
    #[arg(long)]
    zoo: bool,
}

impl Cli {
    fn story(&self) -> fn(u64) -> Story {
        if self.records { Story::of_records } else { Story::of }
    }
}

/// So many stories must meet every event and every pair of faults.
const MEETS_ALL: u64 = 500;

fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    let bases = Bases::make()?;
    if cli.zoo {
        return zoo(&cli, &bases);
    }
    std::panic::set_hook(Box::new(|panic| println!("{panic}")));
    play(&cli, &bases)
}

#[cfg(not(feature = "zoo"))]
fn zoo(_: &Cli, _: &Bases) -> Result<ExitCode> {
    anyhow::bail!("no bug is compiled into this program: cargo xtask simulate --zoo")
}

/// Each planted bug must be found by the stories that are played anyway.
#[cfg(feature = "zoo")]
fn zoo(cli: &Cli, bases: &Bases) -> Result<ExitCode> {
    use replica::zoo::{Bug, plant};
    std::panic::set_hook(Box::new(|_| {}));
    let mut missed = 0;
    println!("{:<20} {:>6}  {:<60} what it is", "bug", "seeds", "rule that it breaks");
    for (bug, words) in Bug::ALL {
        plant(Some(*bug));
        let found = Mutex::<Vec<(u64, String)>>::default();
        run_all(bases, cli.from..cli.from + cli.seeds, cli.threads, false, cli.story(), |seed, outcome| {
            if let Some(broken) = &outcome.broken {
                found.lock().expect("nothing panics while it is noted").push((seed, broken.rule.to_owned()));
            }
        })?;
        plant(None);
        let first = found.into_inner().expect("nothing panics while it is noted").into_iter().min();
        missed += u32::from(first.is_none());
        let (seeds, rule) = match first {
            Some((seed, rule)) => ((seed - cli.from + 1).to_string(), rule),
            None => ("-".to_owned(), format!("not found in {} stories", cli.seeds)),
        };
        println!("{:<20} {seeds:>6}  {rule:<60} {}", format!("{bug:?}"), words.trim());
    }
    println!("{} found, {missed} missed", Bug::ALL.len() - missed as usize);
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Default)]
struct Course {
    figures: Figures,
    passed: u64,
    failed: Vec<u64>,
}

fn play(cli: &Cli, bases: &Bases) -> Result<ExitCode> {
    let (course, begin) = (Mutex::<Course>::default(), Instant::now());
    run_all(bases, cli.from..cli.from + cli.seeds, cli.threads, cli.go_on, cli.story(), |seed, outcome| {
        let mut course = course.lock().expect("nothing panics while it is noted");
        course.figures.add(&outcome.counts);
        if cli.diary {
            print(seed, &outcome.diary);
        }
        match &outcome.broken {
            None => course.passed += 1,
            Some(broken) => {
                println!("seed {seed}: {broken}");
                course.failed.push(seed);
            }
        }
    })?;
    let course = course.into_inner().expect("nothing panics while it is noted");
    if let Some(seed) = course.failed.iter().min().filter(|_| !cli.no_shrink) {
        tell(bases, &(cli.story())(*seed))?;
    }
    print!("{}", course.figures);
    let never = course.figures.never();
    never.iter().for_each(|what| println!("never: {what}"));
    let seconds = begin.elapsed().as_secs_f64();
    println!("{:.1} stories a second on {} threads", (course.passed as f64) / seconds, cli.threads);
    println!("{} passed, {} failed", course.passed, course.failed.len());
    let whole = never.is_empty() || cli.seeds < MEETS_ALL || cli.records;
    Ok(if course.failed.is_empty() && whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The story again, without what it does not need.
fn tell(bases: &Bases, story: &Story) -> Result<()> {
    let seed = story.seed;
    let Outcome { broken: Some(broken), .. } = run(bases, story)? else {
        println!("seed {seed} holds when it is played again");
        return Ok(());
    };
    let shorter = run(bases, &shrink(bases, story, broken.rule)?)?;
    print(seed, &shorter.diary);
    println!("{}", shorter.broken.map_or_else(|| "it holds when shortened".to_owned(), |it| it.to_string()));
    Ok(())
}

fn print(seed: u64, diary: &[String]) {
    println!("seed {seed}, as it went:");
    for (at, line) in diary.iter().enumerate() {
        println!("{:>4}  {line}", at + 1);
    }
}
