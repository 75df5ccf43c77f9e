//! 说明: "一般" means normal, not absolute, so a duty that was not met can be explained.

use crate::app::App;
use crate::branch::{Branch, Fields, fields};
use crate::civil;
use crate::contract::{DutyLine, ExplainDuty, Nothing};
use crate::error::{CallError, Code};
use crate::reading::Reading;
use crate::values::{kind, problems};
use chrono::NaiveDate;
use domain::Pack;
use replica::Life;
use serde_json::json;
use std::collections::BTreeMap;
use store::Query;

const KIND: &str = "explanation";

impl App {
    /// One record for each duty, period and group, under the same id on every computer.
    pub(crate) fn explain_duty(&self, request: ExplainDuty) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        let fields = checked(&request)?;
        let id = id_of(&request.id, &request.from, request.group.as_deref());
        let known = branch.store.record(KIND, &id)?.map(|state| state.life);
        let empty = request.reason.trim().is_empty();
        branch.write("explain_duty", |write| match known {
            Some(Life::Live | Life::Contested { .. }) if empty => {
                write.remove(KIND, &id, json!({ "reason": "deleted" }))
            }
            Some(Life::Live) => write.put(KIND, &id, &fields),
            None | Some(Life::Waiting) if !empty => write.create(KIND, &id, &fields),
            Some(Life::Gone { .. } | Life::Contested { .. }) if !empty => {
                write.restore(KIND, &id)?;
                write.put(KIND, &id, &fields)
            }
            None | Some(_) => Ok(()),
        })?;
        Ok(Nothing {})
    }
}

/// The explanations of periods that begin on that day or later, by record id.
pub fn explanations(branch: &Branch, since: NaiveDate) -> Result<BTreeMap<String, String>, CallError> {
    let states = branch.store.records(&Query { from: Some(since.to_string()), ..Query::of(KIND) })?;
    Ok(states.iter().map(|state| (state.id.clone(), Reading(&fields(state)).text("reason"))).collect())
}

/// The id under which a duty's explanation is kept.
pub fn explanation_id(duty: &DutyLine) -> String {
    id_of(&duty.id, &duty.from, duty.group.as_deref())
}

fn id_of(duty: &str, from: &str, group: Option<&str>) -> String {
    let group = group.filter(|group| !group.is_empty());
    group.map_or_else(|| format!("{duty}.{from}"), |group| format!("{duty}.{from}.{group}"))
}

fn checked(request: &ExplainDuty) -> Result<Fields, CallError> {
    let (from, to) = civil::date(&request.from)
        .zip(civil::date(&request.to))
        .filter(|(from, to)| from <= to)
        .ok_or_else(|| CallError::new(Code::BadRequest).with("period", request.from.as_str()))?;
    let known = Pack::on(to).duties.iter().any(|rule| crate::findings::code(&rule.id) == request.id);
    if !known {
        return Err(CallError::not_found("duty", &request.id));
    }
    let group = request.group.clone().filter(|group| !group.is_empty());
    let mut fields: Fields = [
        ("duty".to_owned(), json!(request.id)),
        ("from".to_owned(), json!(from.to_string())),
        ("to".to_owned(), json!(to.to_string())),
        ("reason".to_owned(), json!(request.reason.trim())),
    ]
    .into();
    fields.extend(group.map(|group| ("group".to_owned(), json!(group))));
    let found = problems(kind(KIND), &fields);
    if found.is_empty() { Ok(fields) } else { Err(CallError::refused(found)) }
}
