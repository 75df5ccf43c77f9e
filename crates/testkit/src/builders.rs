//! What a person enters, written as it is said: `a_meeting("theme_day").on("2026-10-13").at("公司二楼")`.

use anyhow::{Context, Result, bail};
use app::App;
use app::contract::{
    ActionForm, AgendaForm, AttendanceForm, CreateBranch, GuestForm, MeetingForm, SpeechForm,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::shell::{Caller, Shell};

/// Somebody who answers the calls of the contract: the program in this process, or a shell in another.
pub trait Calls {
    fn ask(&self, name: &str, payload: Value) -> Result<Value>;
}

impl Calls for App {
    fn ask(&self, name: &str, payload: Value) -> Result<Value> {
        match self.call(name, payload) {
            Ok(answer) => Ok(answer),
            Err(error) => bail!("{name}: {}", json!(error)),
        }
    }
}

impl Calls for Shell {
    fn ask(&self, name: &str, payload: Value) -> Result<Value> {
        self.call(name, payload)
    }
}

impl Calls for Caller {
    fn ask(&self, name: &str, payload: Value) -> Result<Value> {
        self.call(name, payload)
    }
}

/// The password of every branch that a test makes.
pub const PASSWORD: &str = "泰山脚下的石榴树";

/// A new branch with a committee and two groups.
pub fn a_branch() -> BranchBuilder {
    BranchBuilder(CreateBranch {
        name: "中国共产党泰安速达物流有限公司支部委员会".to_owned(),
        short: "速达物流党支部".to_owned(),
        r#type: "branch".to_owned(),
        superior: "中国共产党岱岳区非公有制经济组织委员会".to_owned(),
        records_since: "2026-09-01".to_owned(),
        committee_seats: Some(3),
        groups: vec!["第1党小组".to_owned(), "第2党小组".to_owned()],
        author: "周海东".to_owned(),
        password: PASSWORD.to_owned(),
    })
}

/// What set-up is told.
#[derive(Debug, Clone)]
pub struct BranchBuilder(CreateBranch);

impl BranchBuilder {
    pub fn named(mut self, full: &str, short: &str) -> Self {
        self.0.name = full.to_owned();
        self.0.short = short.to_owned();
        self
    }

    pub fn by(mut self, author: &str) -> Self {
        self.0.author = author.to_owned();
        self
    }

    /// Sets the branch up and returns its folder's name.
    pub fn set_up(self, program: &impl Calls) -> Result<String> {
        let made = program.ask("create_branch", payload(&self.0)?)?;
        program.ask("confirm_recovery", json!({"code": word(&made, "recovery_code")?}))?;
        word(&made, "folder")
    }
}

/// A meeting of one type; nobody is there yet.
pub fn a_meeting(r#type: &str) -> MeetingBuilder {
    let form = MeetingForm {
        types: vec![r#type.to_owned()],
        form: "onsite".to_owned(),
        start: "14:00".to_owned(),
        end: "15:30".to_owned(),
        place: "公司二楼党员活动室".to_owned(),
        chair_capacity: "secretary".to_owned(),
        ..MeetingForm::default()
    };
    MeetingBuilder(form)
}

/// What the editor holds.
#[derive(Debug, Clone)]
pub struct MeetingBuilder(MeetingForm);

impl MeetingBuilder {
    pub fn on(mut self, date: &str) -> Self {
        self.0.date = date.to_owned();
        self
    }

    /// What it is called and about.
    pub fn titled(mut self, title: &str) -> Self {
        self.0.title = title.to_owned();
        self.0.theme = title.to_owned();
        self
    }

    pub fn chaired_by(mut self, chair: &str, recorder: &str) -> Self {
        self.0.chair = chair.to_owned();
        self.0.recorder = recorder.to_owned();
        self
    }

    pub fn present(mut self, persons: &[String]) -> Self {
        self.0.attendance.extend(persons.iter().map(|person| AttendanceForm {
            person: person.clone(),
            status: "present".to_owned(),
            ..AttendanceForm::default()
        }));
        self
    }

    pub fn on_leave(mut self, person: &str, reason: &str, approver: &str) -> Self {
        self.0.attendance.push(AttendanceForm {
            person: person.to_owned(),
            status: "leave".to_owned(),
            leave: "work".to_owned(),
            reason: reason.to_owned(),
            approver: approver.to_owned(),
        });
        self
    }

    pub fn with_guest(mut self, name: &str) -> Self {
        self.0.guests.push(GuestForm { name: name.to_owned(), ..GuestForm::default() });
        self
    }

    /// An agenda item with what was said and what was resolved.
    pub fn about(mut self, topic: &str, speeches: &[(&str, &str)], resolution: &str) -> Self {
        let speech = |(speaker, text): &(&str, &str)| SpeechForm {
            speaker: (*speaker).to_owned(),
            text: (*text).to_owned(),
            ..SpeechForm::default()
        };
        self.0.agenda.push(AgendaForm {
            kind: "discussion".to_owned(),
            topic: topic.to_owned(),
            resolution: resolution.to_owned(),
            speeches: speeches.iter().map(speech).collect(),
            ..AgendaForm::default()
        });
        self
    }

    pub fn to_do(mut self, task: &str, owner: &str, due: &str) -> Self {
        self.0.actions.push(ActionForm {
            task: task.to_owned(),
            owner: owner.to_owned(),
            due: due.to_owned(),
            ..ActionForm::default()
        });
        self
    }

    pub fn summed_up(mut self, summary: &str) -> Self {
        self.0.summary = summary.to_owned();
        self
    }

    pub fn form(self) -> MeetingForm {
        self.0
    }

    /// Starts a draft, saves it and returns its id.
    pub fn drafted(self, program: &impl Calls) -> Result<String> {
        let new = json!({"types": self.0.types, "date": self.0.date, "group": null, "copy_of": null});
        let draft = word(&program.ask("new_meeting", new)?, "draft")?;
        program.ask("save_draft", json!({"draft": draft, "form": payload(&self.0)?}))?;
        Ok(draft)
    }

    /// Puts it on record and returns the record's id.
    pub fn recorded(self, program: &impl Calls) -> Result<String> {
        let draft = self.drafted(program)?;
        word(&program.ask("commit_draft", json!({"draft": draft}))?, "id")
    }
}

fn payload(form: &impl Serialize) -> Result<Value> {
    serde_json::to_value(form).context("a form is plain data")
}

fn word(answer: &Value, field: &str) -> Result<String> {
    let found = answer[field].as_str();
    Ok(found.with_context(|| format!("the answer has no {field}: {answer}"))?.to_owned())
}
