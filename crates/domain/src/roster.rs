//! The roster of a branch on a day, derived from dated intervals, never typed.

use crate::organisation::Organisation;
use crate::person::{Limit, Person, Post, Standing};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// A branch: its organisation and the people it keeps.
#[derive(Debug, Clone, Copy)]
pub struct Branch<'a> {
    pub org: &'a Organisation,
    pub persons: &'a [Person],
}

/// One member on a day. Its JSON is the frozen form kept by 定稿.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterLine {
    pub person: String,
    pub name: String,
    pub standing: Standing,
    /// 表决权.
    #[serde(rename = "vote")]
    pub may_vote: bool,
    /// 选举权、被选举权.
    #[serde(rename = "elect")]
    pub may_elect: bool,
    #[serde(default, rename = "post")]
    pub posts: Vec<Post>,
    #[serde(default)]
    pub group: Option<String>,
}

impl RosterLine {
    fn of(person: &Person, standing: Standing, org: &Organisation, date: NaiveDate) -> Self {
        let votes = standing == Standing::Full && !person.limited(Limit::Probation, date);
        let group = person.group_on(date).filter(|group| org.groups_on(date).any(|known| known.id == *group));
        Self {
            person: person.id.clone(),
            name: person.name.clone(),
            standing,
            may_vote: votes,
            may_elect: votes,
            posts: person.posts_on(date),
            group: group.map(str::to_owned),
        }
    }

    /// Whether a post puts the member into the 支部委员会.
    pub fn in_committee(&self) -> bool {
        self.posts.iter().any(|post| post.in_committee())
    }
}

/// The members who belong to the branch's life on a day, in the order of the persons given.
pub fn roster(branch: Branch, date: NaiveDate) -> Vec<RosterLine> {
    branch
        .persons
        .iter()
        .filter_map(|person| {
            let standing = person.standing(date).ok()?;
            Some(RosterLine::of(person, standing, branch.org, date))
        })
        .collect()
}

impl<'a> Branch<'a> {
    pub fn person(&self, id: &str) -> Option<&'a Person> {
        self.persons.iter().find(|person| person.id == id)
    }

    /// A person's name, or the id where the person is unknown.
    pub fn name(&self, id: &str) -> String {
        self.person(id).map_or_else(|| id.to_owned(), |person| person.name.clone())
    }

    /// The number of 正式党员 on a day: the measure of §20 of the regulations.
    pub fn full_members(&self, date: NaiveDate) -> usize {
        self.persons.iter().filter(|person| person.standing(date) == Ok(Standing::Full)).count()
    }
}
