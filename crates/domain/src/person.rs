//! The typed reading of a person record, and what a person was on a day.

use crate::fields::{Fields, code_of, interval_of, part, text_of};
use crate::time::Interval;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A post in the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Post {
    Secretary,
    Deputy,
    Organisation,
    Publicity,
    Discipline,
    Member,
    GroupLeader,
}

impl Post {
    /// Whether the post makes its holder one of the 支部委员会.
    pub fn in_committee(self) -> bool {
        match self {
            Post::Secretary
            | Post::Deputy
            | Post::Organisation
            | Post::Publicity
            | Post::Discipline
            | Post::Member => true,
            Post::GroupLeader => false,
        }
    }
}

/// A limit on a member's rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// 留党察看: attends, has no vote.
    Probation,
    /// 留置、逮捕: rights suspended, not due.
    Detained,
}

/// The direction of a 流动.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Out,
    In,
}

/// What a person was in this branch on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// 正式党员.
    Full,
    /// 预备党员.
    Probationary,
    /// 流入党员: takes part here, the formal membership is elsewhere.
    Inflow,
}

/// Why a person is not on the roster on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    NotMember,
    /// Becomes a member of this branch only on a later day.
    Before(Option<NaiveDate>),
    /// Transferred out, or membership ended.
    After(Option<NaiveDate>),
    Detained,
}

/// A person as the record tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    pub id: String,
    pub name: String,
    /// `member` or a category of people without membership.
    pub category: Option<String>,
    pub joined: Option<NaiveDate>,
    pub confirmed: Option<NaiveDate>,
    /// 停止 or 开除, with its date when known.
    pub ended: Option<Option<NaiveDate>>,
    pub memberships: Vec<Interval>,
    pub posts: Vec<(Post, Interval)>,
    pub groups: Vec<(String, Interval)>,
    pub limits: Vec<(Limit, Interval)>,
    pub moves: Vec<(Direction, Interval)>,
}

impl Person {
    /// Reads the live fields of a record of kind `person`.
    pub fn from_fields(id: &str, fields: &BTreeMap<String, Value>) -> Self {
        let fields = Fields(fields);
        let membership = fields.text("membership");
        let ended = matches!(membership.as_deref(), Some("stopped" | "expelled"));
        Self {
            id: id.to_owned(),
            name: fields.text("name").unwrap_or_default(),
            category: fields.text("category"),
            joined: fields.date("joined"),
            confirmed: fields.date("confirmed"),
            ended: ended.then(|| fields.date("stopped_on")),
            memberships: dated(fields, "memberships", |_| Some(()))
                .into_iter()
                .map(|((), interval)| interval)
                .collect(),
            posts: dated(fields, "posts", |value| part(Some(value), "post").and_then(code_of)),
            groups: dated(fields, "groups", |value| part(Some(value), "group").and_then(text_of)),
            limits: dated(fields, "limits", |value| part(Some(value), "kind").and_then(code_of)),
            moves: dated(fields, "moves", |value| part(Some(value), "direction").and_then(code_of)),
        }
    }

    /// What the person was in the branch on a day.
    ///
    /// Admission and confirmation take effect on the day after the assembly that decided them, so that
    /// the assembly itself counts the person as it had to.
    pub fn standing(&self, date: NaiveDate) -> Result<Standing, Outside> {
        if self.category.as_deref() != Some("member") {
            return Err(Outside::NotMember);
        }
        if let Some(on) = self.ended
            && on.is_none_or(|on| on <= date)
        {
            return Err(Outside::After(on));
        }
        if self.limited(Limit::Detained, date) {
            return Err(Outside::Detained);
        }
        if self.joined.is_some_and(|joined| joined >= date) {
            return Err(Outside::Before(self.joined));
        }
        if !self.belongs(date) {
            return if self.moved(Direction::In, date) {
                Ok(Standing::Inflow)
            } else {
                Err(self.outside(date))
            };
        }
        match self.confirmed {
            Some(confirmed) if confirmed < date => Ok(Standing::Full),
            _ => Ok(Standing::Probationary),
        }
    }

    /// Whether the formal membership lies here on a day. Without dates of transfer it does, unless all that is known is a 流入.
    fn belongs(&self, date: NaiveDate) -> bool {
        if self.memberships.is_empty() {
            return !self.moves.iter().any(|(direction, _)| *direction == Direction::In);
        }
        self.memberships.iter().any(|interval| interval.holds(date))
    }

    fn outside(&self, date: NaiveDate) -> Outside {
        let intervals = || {
            let inflow = self.moves.iter().filter(|(direction, _)| *direction == Direction::In);
            self.memberships.iter().chain(inflow.map(|(_, interval)| interval))
        };
        match intervals().filter_map(|interval| interval.to).filter(|to| *to <= date).max() {
            Some(left) => Outside::After(Some(left)),
            None => Outside::Before(intervals().filter_map(|interval| interval.from).min()),
        }
    }

    /// Whether a limit of rights holds on a day.
    pub fn limited(&self, limit: Limit, date: NaiveDate) -> bool {
        self.limits.iter().any(|(kind, interval)| *kind == limit && interval.holds(date))
    }

    /// Whether a 流动 of that direction holds on a day.
    pub fn moved(&self, direction: Direction, date: NaiveDate) -> bool {
        self.moves.iter().any(|(kind, interval)| *kind == direction && interval.holds(date))
    }

    /// The posts held on a day.
    pub fn posts_on(&self, date: NaiveDate) -> Vec<Post> {
        let held = self.posts.iter().filter(|(_, interval)| interval.holds(date));
        let mut posts: Vec<Post> = held.map(|(post, _)| *post).collect();
        posts.sort();
        posts.dedup();
        posts
    }

    /// The group the person belonged to on a day.
    pub fn group_on(&self, date: NaiveDate) -> Option<&str> {
        self.groups.iter().find(|(_, interval)| interval.holds(date)).map(|(group, _)| group.as_str())
    }
}

fn dated<T>(fields: Fields, prefix: &str, read: impl Fn(&Value) -> Option<T>) -> Vec<(T, Interval)> {
    fields
        .items(prefix)
        .into_iter()
        .filter_map(|item| {
            let value = fields.value(&format!("{prefix}/{item}"))?;
            Some((read(value)?, interval_of(Some(value))))
        })
        .collect()
}
