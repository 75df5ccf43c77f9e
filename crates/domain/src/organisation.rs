//! The typed reading of an organisation record.

use crate::fields::{Fields, interval_of, number_of, part};
use crate::time::Interval;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What sort of Party organisation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationKind {
    Branch,
    Joint,
    Temporary,
    Functional,
    Mobile,
    Project,
    General,
    Committee,
}

/// A term in which the branch has a 支部委员会.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitteeTerm {
    pub interval: Interval,
    pub seats: Option<u32>,
}

/// A 党小组 with its dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub id: String,
    pub name: String,
    pub interval: Interval,
}

/// A Party organisation as its record tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Organisation {
    pub id: String,
    pub name: String,
    pub kind: Option<OrganisationKind>,
    pub founded: Option<NaiveDate>,
    /// Duties of earlier days are 未记录, never overdue.
    pub records_since: Option<NaiveDate>,
    pub term_began: Option<NaiveDate>,
    pub term_years: Option<u32>,
    pub committee: Vec<CommitteeTerm>,
    pub groups: Vec<Group>,
}

impl Organisation {
    /// Reads the live fields of a record of kind `organisation`.
    pub fn from_fields(id: &str, fields: &BTreeMap<String, Value>) -> Self {
        let fields = Fields(fields);
        Self {
            id: id.to_owned(),
            name: fields.text("name").unwrap_or_default(),
            kind: fields.code("type"),
            founded: fields.date("founded"),
            records_since: fields.date("records_since"),
            term_began: fields.date("term_began"),
            term_years: fields.number("term_years"),
            committee: fields
                .items("committee")
                .into_iter()
                .map(|item| {
                    let value = fields.value(&format!("committee/{item}"));
                    CommitteeTerm {
                        interval: interval_of(value),
                        seats: part(value, "seats").and_then(number_of),
                    }
                })
                .collect(),
            groups: fields
                .items("groups")
                .into_iter()
                .map(|item| Group {
                    id: item.to_owned(),
                    name: fields.text(&format!("groups/{item}/name")).unwrap_or_default(),
                    interval: Interval {
                        from: fields.date(&format!("groups/{item}/from")),
                        to: fields.date(&format!("groups/{item}/to")),
                    },
                })
                .collect(),
        }
    }

    /// The committee's term on a day, if the branch had one.
    pub fn committee_on(&self, date: NaiveDate) -> Option<&CommitteeTerm> {
        self.committee.iter().find(|term| term.interval.holds(date))
    }

    /// The groups that existed on a day.
    pub fn groups_on(&self, date: NaiveDate) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(move |group| group.interval.holds(date))
    }
}
