//! `simulate --seeds N --from S`: plays stories of laptops and a city under faults, and says which rule broke.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use testkit::simulate::{Base, Figures, Story, run, shrink};

#[derive(Parser)]
#[command(about = "Plays seeded stories of laptops and a city under faults")]
struct Cli {
    /// How many seeds to play.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Print the diary of every story, not only of one that breaks a rule.
    #[arg(long)]
    diary: bool,
    /// Go on after a broken rule.
    #[arg(long)]
    go_on: bool,
    /// Do not look for a shorter story.
    #[arg(long)]
    no_shrink: bool,
}

fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    std::panic::set_hook(Box::new(|panic| println!("{panic}")));
    let base = Base::make()?;
    let mut figures = Figures::default();
    let mut failed = 0;
    for seed in cli.from..cli.from + cli.seeds {
        let story = Story::of(seed);
        let outcome = run(&base, &story)?;
        figures.add(&outcome.counts);
        if cli.diary {
            print(seed, &outcome.diary);
        }
        if let Some(broken) = outcome.broken {
            failed += 1;
            println!("seed {seed}: {broken}");
            if !cli.no_shrink {
                let shorter = run(&base, &shrink(&base, &story, broken.rule)?)?;
                print(seed, &shorter.diary);
                println!(
                    "{}",
                    shorter.broken.map_or_else(|| "it holds when shortened".to_owned(), |it| it.to_string())
                );
            }
            if !cli.go_on {
                break;
            }
        }
    }
    print!("{figures}");
    figures.never().iter().for_each(|what| println!("never: {what}"));
    println!("{failed} broke a rule");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(seed: u64, diary: &[String]) {
    println!("seed {seed}, as it went:");
    for (at, line) in diary.iter().enumerate() {
        println!("{:>4}  {line}", at + 1);
    }
}
