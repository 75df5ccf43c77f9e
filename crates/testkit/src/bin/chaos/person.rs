//! What somebody at a laptop does; every save that the program acknowledges is written into the book.

use anyhow::Result;
use app::contract::{ConflictCard, ConflictList, LedgerEntry, MatterKind, MeetingForm};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use testkit::{Caller, Random, Refusal, Secretary, a_meeting, phrases};

use crate::book::{LIFE, Place};
use crate::figures::What;
use crate::stage::{Record, Stage};

/// How often somebody insists where the program stopped once to show what arrived meanwhile.
const INSISTS: usize = 3;
/// Months in which the town's branch has people; days that every month has.
const MONTHS: &[&str] = &["2026-05", "2026-06", "2026-07", "2026-08", "2026-09", "2026-10"];
const DAYS: usize = 28;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Records,
    Edits,
    Types,
    EditsMeeting,
    Deletes,
    Settles,
}

/// An answer, or the code of a refusal. The outer error: there was no answer at all.
type Said<T> = Result<std::result::Result<T, String>>;

pub struct Person<'a> {
    pub name: &'static str,
    pub desk: Secretary<Caller>,
    /// The disk may be full.
    pub full: bool,
    stage: &'a Stage,
    random: Random,
    /// The town's person that all promises are of.
    promiser: String,
    typed: Option<Typed>,
}

/// A new meeting that is being typed.
struct Typed {
    draft: String,
    /// The summary as it was last acknowledged, and as it was last sent.
    saved: String,
    sent: String,
    committing: bool,
}

impl<'a> Person<'a> {
    pub fn at(
        stage: &'a Stage,
        name: &'static str,
        desk: Secretary<Caller>,
        promiser: String,
        seed: u64,
    ) -> Self {
        Self { name, desk, full: false, stage, random: Random::seeded(seed), promiser, typed: None }
    }

    pub fn act(&mut self, deed: Deed) -> Result<()> {
        match deed {
            Deed::Records => self.records(false).map(drop),
            Deed::Edits => self.edits(),
            Deed::Types => self.types(false),
            Deed::EditsMeeting => self.edits_meeting(),
            Deed::Deletes => self.deletes(),
            Deed::Settles => self.settles(),
        }
    }

    /// Puts a promise on record. Says whether the program took it.
    pub fn records(&mut self, shared: bool) -> Result<bool> {
        let word = self.stage.book.fresh();
        let values = json!({
            "person": self.promiser, "text": word, "promised_on": "2026-11-05", "due": "2026-12-05",
            "state": "promised",
        });
        let saved =
            self.ask("save_ledger_entry", json!({"kind": "promise", "id": null, "values": values}))?;
        match saved {
            Ok(saved) => {
                let id = saved["id"].as_str().unwrap_or_default();
                self.keep("promise", id, "text", &word);
                self.stage.add(Record { kind: "promise", id: id.to_owned(), shared, doomed: false });
                Ok(true)
            }
            Err(code) => {
                self.declined("save_ledger_entry", &code, Some(&word));
                Ok(false)
            }
        }
    }

    fn edits(&mut self) -> Result<()> {
        let Some(record) = self.stage.pick("promise", &mut self.random) else { return Ok(()) };
        let path = self.random.pick(&["text", "published_how"]).to_owned();
        let name = json!({"kind": "promise", "id": record.id});
        let entry = match self.asks::<LedgerEntry>("ledger_entry", name)? {
            Ok(entry) => entry,
            Err(code) => return self.turned_away("ledger_entry", &code),
        };
        let word = self.stage.book.fresh();
        let mut values = entry.values;
        values.insert(path.clone(), json!(word));
        let save = json!({"kind": "promise", "id": record.id, "values": values, "base": entry.base});
        match self.ask("save_ledger_entry", save)? {
            Ok(_) => self.keep("promise", &record.id, &path, &word),
            Err(code) => self.declined("save_ledger_entry", &code, Some(&word)),
        }
        Ok(())
    }

    /// Types a new meeting, saving at every pause, and puts it on record.
    pub fn types(&mut self, shared: bool) -> Result<()> {
        let date = format!("{}-{:02}", self.random.pick(MONTHS), self.random.between(1, DAYS));
        let draft = match said(self.desk.begins("theme_day", &date))? {
            Ok(draft) => draft,
            Err(code) => return self.turned_away("new_meeting", &code),
        };
        let word = self.stage.book.fresh();
        let (saved, sent) = (String::new(), String::new());
        let typed = self.typed.insert(Typed { draft: draft.clone(), saved, sent, committing: false });
        let mut form = self.desk.fills_in(&draft, a_meeting("theme_day").titled(&word).on(&date))?;
        for _ in 0..self.random.between(2, 5) {
            let length = self.random.between(20, 120);
            form.summary += &phrases::text(&mut self.random, length);
            typed.sent.clone_from(&form.summary);
            if let Err(code) = said(self.desk.saves(&draft, &form))? {
                return self.turned_away("save_draft", &code);
            }
            typed.saved.clone_from(&typed.sent);
            self.stage.figures.count(What::DraftSaved);
        }
        self.puts_on_record(shared, &form)
    }

    /// The last step of typing.
    fn puts_on_record(&mut self, shared: bool, form: &MeetingForm) -> Result<()> {
        let Some(typed) = self.typed.as_mut() else { return Ok(()) };
        typed.committing = true;
        match said(self.desk.commits(&typed.draft))? {
            Ok(id) => {
                self.typed = None;
                self.keep("meeting", &id, "title", &form.title);
                self.stage.add(Record { kind: "meeting", id, shared, doomed: false });
            }
            Err(code) => {
                typed.committing = false;
                self.declined("commit_draft", &code, None);
            }
        }
        Ok(())
    }

    /// After a restart: what was being typed must be there as it was last acknowledged, or newer.
    pub fn finds_draft(&mut self) -> Result<()> {
        let Some(typed) = &self.typed else { return Ok(()) };
        match said(self.desk.draft(&typed.draft))? {
            Ok(form) if form.summary == typed.saved || form.summary == typed.sent => {
                self.stage.figures.count(What::DraftFound);
                if form.summary.is_empty() {
                    self.typed = None;
                    return Ok(());
                }
                self.puts_on_record(false, &form)
            }
            Ok(form) => self.misses_draft(&format!("it says {:?}", form.summary)),
            // It was put on record, though nobody was told so any more.
            Err(code) if code == "not_found" && typed.committing => {
                self.typed = None;
                Ok(())
            }
            Err(code) => self.misses_draft(&code),
        }
    }

    fn misses_draft(&mut self, found: &str) -> Result<()> {
        let Some(Typed { draft, saved, .. }) = self.typed.take() else { return Ok(()) };
        self.stage.figures.count(What::DraftLost);
        self.stage.figures.wrong(format!("{}: draft {draft}, saved as {saved:?}: {found}", self.name));
        Ok(())
    }

    fn edits_meeting(&mut self) -> Result<()> {
        let Some(record) = self.stage.pick("meeting", &mut self.random) else { return Ok(()) };
        if let Err(code) = self.ask("edit_meeting", json!({"id": record.id}))? {
            return self.turned_away("edit_meeting", &code);
        }
        let word = self.stage.book.fresh();
        let mut form = self.desk.draft(&record.id)?;
        form.title.clone_from(&word);
        if let Err(code) = said(self.desk.saves(&record.id, &form))? {
            return self.turned_away("save_draft", &code);
        }
        let mut refused = String::new();
        for _ in 0..INSISTS {
            match said(self.desk.commits(&record.id))? {
                Ok(_) => {
                    self.keep("meeting", &record.id, "title", &word);
                    return Ok(());
                }
                Err(code) => refused = code,
            }
            if refused != "in_conflict" {
                break;
            }
        }
        self.declined("commit_draft", &refused, Some(&word));
        match self.ask("discard_draft", json!({"draft": record.id}))? {
            Ok(_) => Ok(()),
            Err(code) => self.turned_away("discard_draft", &code),
        }
    }

    fn deletes(&mut self) -> Result<()> {
        let Some(record) = self.stage.doom(&mut self.random) else { return Ok(()) };
        let (name, payload) = match record.kind {
            "meeting" => ("delete_meeting", json!({"id": record.id})),
            kind => ("delete_ledger_entry", json!({"kind": kind, "id": record.id})),
        };
        match self.ask(name, payload)? {
            Ok(_) => {
                self.stage.note(self.name, &format!("deleted {} {}", record.kind, record.id));
                let place = Place::new(record.kind, &record.id, LIFE);
                self.stage.book.acknowledge(place, json!({"reason": "deleted"}));
                Ok(())
            }
            Err(code) => self.turned_away(name, &code),
        }
    }

    /// Decides the first conflict of the list by taking a side of each matter.
    fn settles(&mut self) -> Result<()> {
        let list = match self.asks::<ConflictList>("list_conflicts", json!({}))? {
            Ok(list) => list,
            Err(code) => return self.turned_away("list_conflicts", &code),
        };
        let Some(row) = list.rows.into_iter().find(|row| row.other.is_none()) else { return Ok(()) };
        let name = json!({"kind": row.kind, "id": row.id});
        let card = match self.asks::<ConflictCard>("conflict_card", name)? {
            Ok(card) => card,
            Err(code) => return self.turned_away("conflict_card", &code),
        };
        let decisions: Vec<Value> = card
            .matters
            .iter()
            .filter(|matter| matches!(matter.about, MatterKind::Field | MatterKind::Deleted))
            .map(|matter| {
                let side = &matter.sides[self.random.below(matter.sides.len())];
                json!({"key": matter.key, "takes": [side.take]})
            })
            .collect();
        let settle =
            json!({"kind": row.kind, "id": row.id, "seen": card.seen, "decisions": decisions, "reason": ""});
        match self.ask("settle_conflict", settle)? {
            Ok(_) => {
                self.stage.note(self.name, &format!("settled {} {}", row.kind, row.id));
                self.stage.figures.count(What::Settled);
                Ok(())
            }
            Err(code) => self.turned_away("settle_conflict", &code),
        }
    }

    fn keep(&self, kind: &str, id: &str, path: &str, word: &str) {
        self.stage.note(self.name, &format!("saved {kind} {id} {path} {word}"));
        self.stage.book.acknowledge(Place::new(kind, id, path), word);
    }

    fn turned_away(&self, call: &str, code: &str) -> Result<()> {
        self.declined(call, code, None);
        Ok(())
    }

    /// The program said no, which must have been for a plain reason. A text that was refused for good is noted.
    fn declined(&self, call: &str, code: &str, word: Option<&str>) {
        self.stage.note(self.name, &format!("{call} declined: {code}"));
        word.into_iter().for_each(|word| self.stage.book.refuse(word));
        match code {
            "not_found" | "in_conflict" | "changed" => self.stage.figures.count(What::Declined),
            "disk_full" if self.full => self.stage.figures.count(What::RefusedFull),
            _ => self.stage.figures.wrong(format!("{}: {call} answers {code:?}", self.name)),
        }
    }

    fn ask(&self, name: &str, payload: Value) -> Said<Value> {
        said(self.desk.program.call(name, payload))
    }

    fn asks<T: DeserializeOwned>(&self, name: &str, payload: Value) -> Said<T> {
        Ok(match self.ask(name, payload)? {
            Ok(answer) => Ok(serde_json::from_value(answer)?),
            Err(code) => Err(code),
        })
    }
}

/// Parts what the program said from a program that says nothing any more.
pub fn said<T>(answer: Result<T>) -> Said<T> {
    match answer {
        Ok(answer) => Ok(Ok(answer)),
        Err(error) => error.downcast::<Refusal>().map(|refusal| Err(refusal.code)),
    }
}
