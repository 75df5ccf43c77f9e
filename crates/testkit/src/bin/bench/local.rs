//! `bench local`: one laptop with ten years of records.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use app::App;
use serde_json::{Value, json};
use testkit::{Calls, Entry, History, PASSWORD, Random, Town};

use crate::branch::{Branch, create};
use crate::figures::{Figures, Unit, median, milliseconds, percentile};
use crate::floor::{Raw, copy, key_of};

const SEED: u64 = 20_161_101;
const COMMITS: usize = 31;
const WRITES: usize = 60;

pub fn measure(records: usize) -> Result<Figures> {
    let mut figures = Figures::default();
    let folder = tempfile::tempdir()?;
    let town = Town::read()?;
    let history = History::of(&town, SEED, records)?;
    let branch = Branch::set_up(folder.path(), SEED)?;
    let begin = Instant::now();
    branch.enter(&history)?;
    let taken = begin.elapsed().as_secs_f64();
    figures.detail(format!("{records} records entered one by one in {taken:.1} s"));
    commit(&branch, &history, &mut figures)?;
    rebuild(&branch, &mut figures)?;
    let program = branch.program()?;
    home(&branch, &program, &mut figures)?;
    pages(&program, &history, &mut figures)?;
    Ok(figures)
}

fn commit(branch: &Branch, history: &History, figures: &mut Figures) -> Result<()> {
    let base = branch.root.join("base.db");
    copy(&branch.file(), &base)?;
    let entries = meetings(history, branch.computer.world.now());
    let mut product = Vec::new();
    {
        let store = branch.store()?;
        for entry in &entries {
            let begin = Instant::now();
            create(&store, entry)?;
            product.push(begin.elapsed());
        }
    }
    let mut raw = written_raw(branch, &base)?;
    ensure!(raw.len() == COMMITS, "{} commits were found instead of {COMMITS}", raw.len());
    let (product, raw) = (median(&mut product), median(&mut raw));
    let ratio = product.as_secs_f64() / raw.as_secs_f64();
    figures.at_most(&format!("committing a meeting with {WRITES} writes"), ratio, 2.0, Unit::TimesFloor);
    figures.detail(format!(
        "median of {COMMITS}: commit {:.2} ms, the same rows raw {:.2} ms",
        milliseconds(product),
        milliseconds(raw)
    ));
    Ok(())
}

/// Meetings whose change has [`WRITES`] writes: the fields, and that the record is born.
fn meetings(history: &History, at: i64) -> Vec<Entry> {
    let mut random = Random::seeded(SEED);
    let meeting = |_| Entry { at, ..history.meeting_with(WRITES - 1, &mut random) };
    (0..COMMITS).map(meeting).collect()
}

/// Takes the rows that the commits left and writes them into a copy from before.
fn written_raw(branch: &Branch, base: &std::path::Path) -> Result<Vec<Duration>> {
    let key = key_of(&branch.file(), &branch.computer.drawn())?;
    let mut copy = Raw::open(base, &[key])?;
    let commits = {
        let after = Raw::open(&branch.file(), &[key])?;
        after.differs_only_where_expected(base, &key)?;
        after.commits_after(copy.last_change()?)?
    };
    commits.iter().map(|rows| copy.write(rows)).collect()
}

fn rebuild(branch: &Branch, figures: &mut Figures) -> Result<()> {
    let store = branch.store()?;
    let stream = store.own_stream()?.expect("set-up founded a stream");
    let before = store.digest(&stream)?;
    let mut times = Vec::new();
    for _ in 0..3 {
        let begin = Instant::now();
        store.rebuild()?;
        times.push(begin.elapsed());
    }
    ensure!(before == store.digest(&stream)?, "the rebuilt records are not those that were there");
    figures.at_most(
        "rebuilding all records from the log",
        median(&mut times).as_secs_f64(),
        3.0,
        Unit::Seconds,
    );
    let begin = Instant::now();
    store.index_words()?;
    figures
        .detail(format!("the search box had caught up after another {:.2} s", begin.elapsed().as_secs_f64()));
    Ok(())
}

/// From the unwrapped key to the answers that the home page is made of. What unwrapping takes is measured by a wrong
/// password, which derives the same key and opens nothing.
fn home(branch: &Branch, program: &App, figures: &mut Figures) -> Result<()> {
    let open = |password: &str| json!({"folder": branch.folder, "password": password});
    let (mut all, mut unwrapping) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        let begin = Instant::now();
        ensure!(
            program.ask("open_branch", open("不是这个口令的口令")).is_err(),
            "a wrong password opened the branch"
        );
        unwrapping.push(begin.elapsed());
        let begin = Instant::now();
        program.ask("open_branch", open(PASSWORD))?;
        for (call, payload) in
            [("session", json!({})), ("home", json!({"month": null})), ("sync_pill", json!({}))]
        {
            program.ask(call, payload)?;
        }
        all.push(begin.elapsed());
        program.ask("close_branch", json!({}))?;
    }
    program.ask("open_branch", open(PASSWORD))?;
    let (all, unwrapping) = (median(&mut all), median(&mut unwrapping));
    let ready = milliseconds(all.saturating_sub(unwrapping));
    figures.at_most("home page ready after the key is unwrapped", ready, 200.0, Unit::Milliseconds);
    figures.detail(format!(
        "medians: all {:.0} ms, unwrapping {:.0} ms",
        milliseconds(all),
        milliseconds(unwrapping)
    ));
    Ok(())
}

fn pages(program: &App, history: &History, figures: &mut Figures) -> Result<()> {
    let mut lists = Vec::new();
    for request in list_requests() {
        lists.push(timed(program, "list_meetings", &request)?.0);
    }
    figures.at_most(
        "first page of the list, p95",
        milliseconds(percentile(&mut lists, 95)),
        10.0,
        Unit::Milliseconds,
    );
    let (mut searches, mut hits) = (Vec::new(), 0);
    for text in typed(history) {
        let (time, answer) = timed(program, "search", &json!({"text": text}))?;
        searches.push(time);
        hits += answer["hits"].as_array().map_or(0, Vec::len);
    }
    ensure!(hits > 0, "the searches found nothing");
    let (median, p95) = (median(&mut searches), percentile(&mut searches, 95));
    figures.at_most("search, p95", milliseconds(p95), 10.0, Unit::Milliseconds);
    figures.detail(format!(
        "{} searches, median {:.1} ms, {hits} hits",
        searches.len(),
        milliseconds(median)
    ));
    Ok(())
}

fn timed(program: &App, call: &str, payload: &Value) -> Result<(Duration, Value)> {
    let payload = payload.clone();
    let begin = Instant::now();
    let answer = program.ask(call, payload)?;
    Ok((begin.elapsed(), answer))
}

/// The list as it opens, and by year and type.
fn list_requests() -> Vec<Value> {
    let all =
        |year: Option<u32>, kind: Option<&str>| json!({"year": year, "type": kind, "state": null, "page": 0});
    let mut requests = vec![all(None, None); 60];
    for year in 2017..=2026 {
        requests
            .extend(["assembly", "committee", "group", "theme_day"].map(|kind| all(Some(year), Some(kind))));
        requests.push(all(Some(year), None));
    }
    requests
}

/// What people type: single characters, words, names, initials, and things that are not there.
fn typed(history: &History) -> Vec<String> {
    let words = [
        "党",
        "会",
        "七号库",
        "责任区",
        "安全",
        "仓库",
        "值班",
        "公开栏",
        "学习",
        "检查",
        "灭火器",
        "志愿",
        "qqq",
        "食品",
        "不存在的词",
    ];
    let mut typed: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    for member in &history.members {
        typed.push(member.name.clone());
        typed.push(member.name.chars().take(1).collect());
    }
    typed.extend(["wh", "zh", "lj", "yxw", "dhh", "2024", "3"].map(str::to_owned));
    let twice = typed.clone();
    typed.extend(twice);
    typed
}
