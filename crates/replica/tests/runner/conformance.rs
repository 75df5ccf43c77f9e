//! The conformance pack, as far as it is about what changes come to: run from the files, and made anew by `JISHI_BLESS=1`.

mod conflicts;
mod folds;
mod merges;
mod odd;
mod rulings;

use replica::{Change, RawChange, RecordState, Replica, RootKey, Standing, canonical, device_of, to_hex};
use serde_json::{Value, json};

use crate::pack::{bytes, cases, fresh, load, raw, spelled, word};

/// A case on its way into the pack.
pub struct Case {
    name: &'static str,
    about: &'static str,
    root: Option<RootKey>,
    pool: Vec<RawChange>,
    /// Orders that come to the same, in groups.
    given: Vec<Vec<String>>,
    shows: Shows,
}

/// Which records stand in results in full, and not only by their hashes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shows {
    All,
    /// All but the stream's own.
    Others,
    /// The same, and only in the last result. The others have the digest over them.
    OthersAtLast,
}

impl Case {
    pub fn new(name: &'static str, about: &'static str, pool: &[&Change]) -> Self {
        let pool = pool.iter().map(|change| change.raw.clone()).collect();
        Self { name, about, root: None, pool, given: Vec::new(), shows: Shows::OthersAtLast }
    }

    /// For a side that has pinned the root of the tests.
    pub fn pinned(mut self) -> Self {
        self.root = Some(RootKey(device_of(&rulings::root()).0));
        self
    }

    pub fn each(mut self) -> Self {
        self.shows = Shows::Others;
        self
    }

    pub fn whole(mut self) -> Self {
        self.shows = Shows::All;
        self
    }

    pub fn and(mut self, raw: RawChange) -> Self {
        self.pool.push(raw);
        self
    }

    /// Another result, which each of these orders comes to.
    pub fn given(mut self, orders: &[&str]) -> Self {
        self.given.push(orders.iter().map(|order| (*order).to_owned()).collect());
        self
    }

    /// All of the pool: as it is, backwards, and some twice.
    pub fn all(mut self) -> Value {
        let forwards: Vec<usize> = (0..self.pool.len()).collect();
        let backwards: Vec<usize> = forwards.iter().rev().copied().collect();
        let twice: Vec<usize> = backwards
            .iter()
            .copied()
            .step_by(2)
            .chain(forwards.iter().copied())
            .chain(backwards.clone())
            .collect();
        let spell = |order: Vec<usize>| order.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
        self.given.push([forwards, backwards, twice].map(spell).into());
        self.finish()
    }

    pub fn finish(self) -> Value {
        let last = self.given.len() - 1;
        let results = self.given.iter().enumerate().map(|(at, orders)| {
            let order = positions(&orders[0]);
            let mut found = comes_to(self.root, &self.pool, &order, Taking::AtOnce);
            match self.shows {
                Shows::OthersAtLast if at < last => drop(found.as_object_mut().unwrap().remove("streams")),
                Shows::Others | Shows::OthersAtLast => {
                    records(&mut found).filter(|record| is_the_streams(record)).for_each(shorten);
                }
                Shows::All => {}
            }
            json!({ "given": orders, "comes_to": found })
        });
        json!({
            "name": self.name,
            "about": self.about,
            "root": self.root.map(|root| root.to_string()),
            "results": results.collect::<Vec<_>>(),
            "changes": self.pool.iter().map(change).collect::<Vec<_>>(),
        })
    }
}

/// What the changes come to so far, for stories that go on from there.
pub fn state(root: Option<RootKey>, changes: &[&Change]) -> RecordState {
    let mut replica = Replica::new(root);
    replica.insert(changes.iter().map(|change| (*change).clone()));
    replica.record(&changes[0].stream, "meeting", "m1").unwrap().clone()
}

#[derive(Clone, Copy)]
enum Taking {
    AtOnce,
    OneByOne,
}

/// A change in the form in which the pack has it.
fn change(raw: &RawChange) -> Value {
    json!({
        "header": spelled(&raw.header),
        "signature": to_hex(&raw.signature),
        "payload": raw.payload.as_deref().map(spelled),
    })
}

fn positions(order: &str) -> Vec<usize> {
    order.split(' ').map(|at| at.parse().unwrap()).collect()
}

/// What must come out: of each stream the digest of its frontier and its records, which changes do not count and why,
/// whose payloads may not be held, and the digest of everything.
fn comes_to(root: Option<RootKey>, pool: &[RawChange], order: &[usize], taking: Taking) -> Value {
    let mut replica = Replica::new(root);
    let mut read: Vec<(usize, Result<Change, replica::Refused>)> =
        order.iter().map(|at| (*at, pool[*at].clone().verify())).collect();
    let good = read.iter().filter_map(|(_, change)| change.as_ref().ok()).cloned();
    match taking {
        Taking::AtOnce => drop(replica.insert(good)),
        Taking::OneByOne => good.for_each(|change| drop(replica.insert([change]))),
    }
    read.sort_by_key(|(at, _)| *at);
    let (mut aside, mut erased) = (serde_json::Map::new(), Vec::new());
    for (at, change) in &read {
        match change {
            Ok(change) => {
                if let Some(why) = stands(&replica, change) {
                    aside.insert(at.to_string(), json!(why));
                }
                let held = replica.change(&change.stream, &change.id);
                if change.raw.payload.is_some() && held.is_some_and(|held| held.raw.payload.is_none()) {
                    erased.push(*at);
                }
            }
            Err(refused) => drop(aside.insert(at.to_string(), json!(word(refused)))),
        }
    }
    erased.dedup();
    let streams = replica.streams().filter(|stream| !replica.frontier(stream).is_empty()).map(|stream| {
        // As text, since the order of its fields goes into the digest.
        let text = |state: &RecordState| String::from_utf8(state.to_bytes()).unwrap();
        let records: Vec<String> = replica.records(&stream).map(text).collect();
        let frontier = to_hex(&replica.frontier(&stream).digest());
        json!({ "stream": stream.to_string(), "frontier": frontier, "records": records })
    });
    json!({
        "streams": streams.collect::<Vec<_>>(),
        "aside": aside,
        "erased": erased,
        "digest": replica.state_digest(),
    })
}

fn records(found: &mut Value) -> impl Iterator<Item = &mut Value> {
    let streams = found["streams"].as_array_mut().unwrap().iter_mut();
    streams.flat_map(|stream| stream["records"].as_array_mut().unwrap())
}

fn is_the_streams(record: &Value) -> bool {
    record.as_str().is_some_and(|text| text.starts_with(r#"{"kind":"stream","id":"~stream","#))
}

fn shorten(record: &mut Value) {
    *record = json!({ "blake3": blake3::hash(record.as_str().unwrap().as_bytes()).to_hex().to_string() });
}

/// Says whether what was found is what the pack says, which may have only the hash of a record, or no records.
fn is_same(mut found: Value, mut said: Value) -> bool {
    if said.get("streams").is_none() {
        found.as_object_mut().unwrap().remove("streams");
        return canonical(&found) == canonical(&said);
    }
    let short = records(&mut said).map(|record| record.is_object()).collect::<Vec<_>>();
    records(&mut found).zip(short).filter(|(_, short)| *short).for_each(|(record, _)| shorten(record));
    canonical(&found) == canonical(&said)
}

/// Why a good change does not count; None: it does.
fn stands(replica: &Replica, change: &Change) -> Option<&'static str> {
    let Some(held) = replica.change(&change.stream, &change.id) else {
        let before = change.header.prev.and_then(|prev| replica.change(&change.stream, &prev));
        return Some(if before.is_some() { "no_place" } else { "waiting" });
    };
    match replica.verdicts(&change.stream).standing(held) {
        Standing::Counts => None,
        Standing::Voided(_) => Some("voided"),
        Standing::Quarantined => Some("quarantined"),
        Standing::NotEnrolled => Some("not_let_in"),
        Standing::Unreadable => Some("unreadable"),
    }
}

/// The changes of a case; one that several cases have stands once in the file, under the beginning of its id.
fn pool<'a>(file: &'a Value, case: &'a Value) -> impl Iterator<Item = &'a Value> {
    let changes = case["changes"].as_array().unwrap().iter();
    changes.map(|change| change.as_str().map_or(change, |name| &file["shared"][name]))
}

/// Puts changes that several cases have in one place.
fn share(mut cases: Vec<Value>) -> Value {
    let changes = |cases: &[Value]| -> Vec<Value> {
        cases.iter().flat_map(|case| case["changes"].as_array().unwrap().clone()).collect()
    };
    let (all, mut shared) = (changes(&cases), serde_json::Map::new());
    for change in cases.iter_mut().flat_map(|case| case["changes"].as_array_mut().unwrap()) {
        if all.iter().filter(|other| *other == change).count() > 1 {
            let name = raw(change).id().to_string()[..8].to_owned();
            let name = if change["payload"].is_null() { format!("{name} withheld") } else { name };
            let before = shared.insert(name.clone(), std::mem::replace(change, json!(name)));
            assert!(before.is_none_or(|before| before == shared[&name]), "two changes under one name");
        }
    }
    json!({ "about": "Changes in, state out.", "shared": shared, "cases": cases })
}

/// Runs a stored case of `changes.json`. The error says which order came to something else.
fn run_changes(file: &Value, case: &Value) -> Result<(), String> {
    let root = case["root"].as_str().map(|root| root.parse().unwrap());
    let pool: Vec<RawChange> = pool(file, case).map(raw).collect();
    for result in case["results"].as_array().unwrap() {
        for order in result["given"].as_array().unwrap() {
            for taking in [Taking::AtOnce, Taking::OneByOne] {
                let found = comes_to(root, &pool, &positions(order.as_str().unwrap()), taking);
                if !is_same(found.clone(), result["comes_to"].clone()) {
                    return Err(format!("{} given {order} comes to {found:#}", case["name"]));
                }
            }
        }
    }
    Ok(())
}

/// Runs a stored case of `merges.json`.
fn run_merge(case: &Value) -> Result<(), String> {
    let found = merges::pieces(merges::merge(case));
    match canonical(&found) == canonical(&case["pieces"]) {
        true => Ok(()),
        false => Err(format!("{} comes to {found:#}", case["name"])),
    }
}

#[test]
fn changes_come_to_what_the_pack_says() {
    let file = load("changes");
    let faults: Vec<String> = cases(&file).filter_map(|case| run_changes(&file, case).err()).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn merges_come_to_what_the_pack_says() {
    let faults: Vec<String> = cases(&load("merges")).filter_map(|case| run_merge(case).err()).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The control: a case that is damaged anywhere does not hold.
#[test]
fn a_damaged_case_is_noticed() {
    let file = load("changes");
    for case in cases(&file) {
        for (at, change) in pool(&file, case).enumerate() {
            let mut altered = case.clone();
            altered["changes"][at] = change.clone();
            flip(&mut altered["changes"][at]["signature"]);
            let was_bad = raw(change).verify().is_err();
            assert!(was_bad || run_changes(&file, &altered).is_err(), "{} with {at} forged", case["name"]);
        }
        for at in 0..case["results"].as_array().unwrap().len() {
            let mut altered = case.clone();
            flip(&mut altered["results"][at]["comes_to"]["digest"]);
            assert!(run_changes(&file, &altered).is_err(), "{} with result {at} altered", case["name"]);
        }
    }
    for case in cases(&load("merges")) {
        let mut altered = case.clone();
        altered["pieces"] = json!([{ "merged": "别的。" }]);
        assert!(run_merge(&altered).is_err(), "{}", case["name"]);
    }
}

/// Makes the first hex digit another one.
fn flip(hex: &mut Value) {
    let text = hex.as_str().unwrap();
    let first = if text.starts_with('0') { '1' } else { '0' };
    *hex = json!(format!("{first}{}", &text[1..]));
}

#[test]
fn the_changes_are_made_from_fixed_keys() {
    let all = [folds::cases(), conflicts::cases(), odd::cases(), rulings::cases()].concat();
    fresh("changes", &share(all));
}

#[test]
fn the_merges_are_made_by_this_program() {
    fresh("merges", &json!({ "about": "Merges of long texts.", "cases": merges::cases() }));
}
