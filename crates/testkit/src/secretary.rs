//! What a secretary does with the program, in the calls of its pages; the program may be in this process or another.

use anyhow::{Context, Result, ensure};
use app::contract::{
    AttendanceForm, EnrolAnswer, ExchangeDone, MatchingPage, MeetingDraft, MeetingForm, PeopleList,
    RosterLine,
};
use chrono::{Days, NaiveDate};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::builders::{Calls, MeetingBuilder, PASSWORD, a_branch, a_meeting};
use crate::town::{BRANCH, Town};

/// Somebody at the keyboard of `P`.
pub struct Secretary<P: Calls> {
    pub program: P,
}

/// How much the pages show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdings {
    pub people: usize,
    pub meetings: u64,
    pub promises: u64,
}

/// How an enrolment went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enrolled {
    /// The records of this computer became the branch's.
    Adopted,
    /// The city had records already; what the program proposed was taken as the same.
    Matched,
}

impl<P: Calls> Secretary<P> {
    pub fn at(program: P) -> Self {
        Self { program }
    }

    /// Sets the town's branch up and returns its folder's name.
    pub fn sets_up(&self, author: &str) -> Result<String> {
        let town = Town::read()?;
        a_branch().named(&town.organisation(BRANCH)?.name, "岱庙物流支部").by(author).set_up(&self.program)
    }

    /// Opens the one branch that is on the computer.
    pub fn opens(&self) -> Result<()> {
        let folder = self.folder()?;
        self.program.ask("open_branch", json!({"folder": folder, "password": PASSWORD}))?;
        Ok(())
    }

    pub fn closes(&self) -> Result<()> {
        self.program.ask("close_branch", json!({}))?;
        Ok(())
    }

    /// The name of the folder of the one branch.
    pub fn folder(&self) -> Result<String> {
        let session = self.program.ask("session", json!({}))?;
        let folder = session["branches"][0]["folder"].as_str();
        Ok(folder.context("the computer holds no branch")?.to_owned())
    }

    /// The civil date so many days before the program's today.
    pub fn days_ago(&self, days: u64) -> Result<String> {
        let session = self.program.ask("session", json!({}))?;
        let today: NaiveDate = session["today"].as_str().context("the session has no day")?.parse()?;
        let day = today.checked_sub_days(Days::new(days)).context("the calendar has no such day")?;
        Ok(day.to_string())
    }

    /// Pastes the town's roster of the branch and says how many persons came in.
    pub fn pastes_people(&self) -> Result<u64> {
        let pasted = json!({"text": Town::read()?.pasted(BRANCH), "columns": null});
        let preview = self.program.ask("preview_roster", pasted.clone())?;
        let problem = preview["rows"].as_array().into_iter().flatten().find_map(|row| row["problems"].get(0));
        ensure!(preview["bad"] == 0, "{} rows of the roster are refused, first: {problem:?}", preview["bad"]);
        let imported = self.program.ask("import_roster", pasted)?;
        imported["added"].as_u64().context("the import does not say how many")
    }

    pub fn begins(&self, kind: &str, date: &str) -> Result<String> {
        let new = json!({"types": [kind], "date": date, "group": null, "copy_of": null});
        let draft = self.program.ask("new_meeting", new)?;
        Ok(draft["draft"].as_str().context("the draft has no id")?.to_owned())
    }

    /// What the editor of a draft holds once everybody on the day's roster is marked as there.
    pub fn fills_in(&self, draft: &str, meeting: MeetingBuilder) -> Result<MeetingForm> {
        let saved: MeetingDraft = self.asks("get_draft", json!({"draft": draft}))?;
        let roster: Vec<RosterLine> = saved.derived.roster;
        ensure!(roster.len() > 1, "the roster of {} is empty", saved.form.date);
        let mut form = meeting.form();
        form.chair.clone_from(&roster[0].person);
        form.recorder.clone_from(&roster[1].person);
        let present = |line: &RosterLine| AttendanceForm {
            person: line.person.clone(),
            status: "present".to_owned(),
            ..AttendanceForm::default()
        };
        form.attendance = roster.iter().map(present).collect();
        Ok(form)
    }

    pub fn saves(&self, draft: &str, form: &MeetingForm) -> Result<()> {
        self.program.ask("save_draft", json!({"draft": draft, "form": form}))?;
        Ok(())
    }

    pub fn draft(&self, draft: &str) -> Result<MeetingForm> {
        Ok(self.asks::<MeetingDraft>("get_draft", json!({"draft": draft}))?.form)
    }

    pub fn commits(&self, draft: &str) -> Result<String> {
        let record = self.program.ask("commit_draft", json!({"draft": draft}))?;
        Ok(record["id"].as_str().context("the record has no id")?.to_owned())
    }

    /// Records a meeting of a kind with everybody there.
    pub fn records(&self, kind: &str, date: &str, title: &str) -> Result<String> {
        let draft = self.begins(kind, date)?;
        let meeting = a_meeting(kind).titled(title).on(date).about(title, &[], "照议定的办。");
        self.saves(&draft, &self.fills_in(&draft, meeting)?)?;
        self.commits(&draft)
    }

    pub fn finalises(&self, record: &str) -> Result<()> {
        self.program.ask("finalise_meeting", json!({"id": record}))?;
        Ok(())
    }

    /// Puts a promise of the first person on record.
    pub fn promises(&self, text: &str) -> Result<String> {
        let people = self.people()?;
        let person = &people.rows.first().context("nobody is in the branch")?.id;
        let values = json!({
            "person": person, "text": text, "promised_on": "2026-11-05", "due": "2026-12-05", "state": "promised",
        });
        let saved = self
            .program
            .ask("save_ledger_entry", json!({"kind": "promise", "id": null, "values": values}))?;
        Ok(saved["id"].as_str().context("the entry has no id")?.to_owned())
    }

    /// Enrols with a code; where the city has records already, takes what the program proposes as the same.
    pub fn enrols(&self, address: &str, code: &str) -> Result<Enrolled> {
        match self.asks("enrol", json!({"address": address, "code": code}))? {
            EnrolAnswer::Adopted { .. } => Ok(Enrolled::Adopted),
            EnrolAnswer::Matching { page } => {
                self.program.ask("confirm_matching", json!({"same": proposed(&page)}))?;
                Ok(Enrolled::Matched)
            }
        }
    }

    pub fn exchanges(&self) -> Result<ExchangeDone> {
        self.asks("exchange", json!({}))
    }

    /// One exchange after which nothing waits and a receipt is there.
    pub fn reports(&self) -> Result<ExchangeDone> {
        let done = self.exchanges()?;
        ensure!(done.waiting == 0, "{} records still wait after the exchange", done.waiting);
        ensure!(done.receipt_at.is_some(), "the city gave no receipt");
        Ok(done)
    }

    pub fn holdings(&self) -> Result<Holdings> {
        let meetings = json!({"year": null, "type": null, "state": null, "page": 0});
        let meetings = self.program.ask("list_meetings", meetings)?;
        Ok(Holdings {
            people: self.people()?.rows.len(),
            meetings: total(&meetings)?,
            promises: self.promises_with("")?,
        })
    }

    /// How many promises of the ledger hold this text.
    pub fn promises_with(&self, text: &str) -> Result<u64> {
        total(&self.program.ask("ledger_page", json!({"kind": "promise", "text": text, "page": 0}))?)
    }

    fn people(&self) -> Result<PeopleList> {
        self.asks("list_people", json!({"text": "", "include_left": true, "members_only": false}))
    }

    fn asks<T: DeserializeOwned>(&self, name: &str, payload: Value) -> Result<T> {
        let answer = self.program.ask(name, payload)?;
        serde_json::from_value(answer).with_context(|| format!("{name} answered something else"))
    }
}

/// What the matching page proposes: record here, record of the city; what has no proposal is new to the city.
fn proposed(page: &MatchingPage) -> Value {
    let lines = page.persons.iter().chain(&page.meetings);
    let same = lines.filter_map(|line| Some((line.id.clone(), json!(line.proposed.as_ref()?))));
    Value::Object(same.collect::<Map<_, _>>())
}

/// How many entries a list has on all its pages.
fn total(page: &Value) -> Result<u64> {
    page["total"].as_u64().context("a page without a total")
}
