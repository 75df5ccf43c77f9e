//! Somebody types, every pause is saved, and the power goes while the next save is on its way.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context, Result, ensure};
use app::contract::MeetingForm;
use testkit::{Caller, Random, a_meeting, phrases};

use crate::laptop::Laptop;

/// How many saves are acknowledged before the power goes.
const SAVES: usize = 40;
const SEED: u64 = 20_261_105;

/// Types into a new draft until the program is killed. Returns the draft and how many characters were acknowledged.
pub fn until_killed(laptop: Laptop) -> Result<(String, usize)> {
    let date = laptop.days_ago(1)?;
    let draft = laptop.begins("theme_day", &date)?;
    let meeting = a_meeting("theme_day").on(&date).titled("推动党建与业务融合");
    let meeting = meeting.about("讨论责任区牌怎么挂", &[], "先在七号库试行一个月。");
    let form = laptop.fills_in(&draft, meeting)?;
    let (saved, acknowledged) = channel();
    let typist = {
        let (caller, draft) = (laptop.caller(), draft.clone());
        thread::spawn(move || type_on(&caller, &draft, form, &saved))
    };
    nth(&acknowledged, SAVES)?;
    laptop.kill()?;
    typist.join().ok().context("the typist ended abnormally")?;
    let last = acknowledged.try_iter().last().unwrap_or(SAVES);
    Ok((draft, length(last)))
}

/// What was found after the restart must be a beginning of what was typed, and not less than was acknowledged.
pub fn is_whole(found: &str, acknowledged: usize) -> Result<()> {
    let characters = found.chars().count();
    ensure!(characters >= acknowledged, "{acknowledged} characters were saved, {characters} were found");
    let step = (1..).take_while(|step| length(*step) <= characters).last();
    ensure!(found == step.map(text).unwrap_or_default(), "the draft holds something that was never typed");
    Ok(())
}

fn type_on(caller: &Caller, draft: &str, mut form: MeetingForm, saved: &Sender<usize>) {
    for step in 1.. {
        form.summary = text(step);
        let payload = serde_json::json!({"draft": draft, "form": form});
        // The program was killed: what is on its way may or may not have arrived.
        if caller.call("save_draft", payload).is_err() || saved.send(step).is_err() {
            return;
        }
    }
}

fn nth(acknowledged: &Receiver<usize>, wanted: usize) -> Result<()> {
    loop {
        let step =
            acknowledged.recv_timeout(testkit::process::PATIENCE).context("nothing is saved any more")?;
        if step >= wanted {
            return Ok(());
        }
    }
}

/// The text after so many saves: a few characters more each time.
fn text(step: usize) -> String {
    whole().chars().take(length(step)).collect()
}

fn length(step: usize) -> usize {
    step * 5
}

fn whole() -> String {
    phrases::text(&mut Random::seeded(SEED), 15_000)
}
