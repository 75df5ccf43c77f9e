//! 议定事项: what was decided and has not been reported as done.

use crate::meeting::{Action, Meeting};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// How a 议定事项 stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionState {
    Done,
    /// 未到期: the last day has not passed.
    NotDue,
    Overdue,
    /// Without a date.
    Open,
}

impl ActionState {
    pub fn of(action: &Action, date: NaiveDate) -> Self {
        match (action.done_on, action.due) {
            (Some(done), _) if done <= date => ActionState::Done,
            (_, Some(due)) if due >= date => ActionState::NotDue,
            (_, Some(_)) => ActionState::Overdue,
            (_, None) => ActionState::Open,
        }
    }
}

/// A 议定事项 that is not done on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenAction {
    pub record: String,
    pub item: String,
    pub task: String,
    pub owner: Option<String>,
    pub due: Option<NaiveDate>,
    pub state: ActionState,
}

/// What the meetings up to a day decided and is not done on it, soonest due first, undated last.
pub fn open_actions(meetings: &[Meeting], date: NaiveDate) -> Vec<OpenAction> {
    let held = meetings.iter().filter(|meeting| meeting.date().is_some_and(|day| day <= date));
    let mut open: Vec<OpenAction> = held
        .flat_map(|meeting| meeting.actions.iter().map(move |action| (meeting, action)))
        .map(|(meeting, action)| OpenAction {
            record: meeting.id.clone(),
            item: action.id.clone(),
            task: action.task.clone(),
            owner: action.owner.clone(),
            due: action.due,
            state: ActionState::of(action, date),
        })
        .filter(|open| open.state != ActionState::Done)
        .collect();
    open.sort_by_key(|action| (action.due.is_none(), action.due));
    open
}
