//! The branch as its records tell it: the organisation, its people in the branch's order, their search keys.

use domain::person::Post;
use domain::{Branch, Organisation, Person};
use serde_json::Value;
use std::collections::BTreeMap;

/// Organisation and persons, read once for one question.
#[derive(Debug, Clone)]
pub struct Facts {
    pub org: Organisation,
    /// In the branch's order: the committee, 正式党员, 预备党员, others; within these as they were entered.
    pub persons: Vec<Person>,
    keys: BTreeMap<String, String>,
}

impl Facts {
    /// `records` are the live fields of the persons, by record id.
    pub fn new(org: Organisation, records: &[(String, BTreeMap<String, Value>)]) -> Self {
        let mut persons: Vec<Person> =
            records.iter().map(|(id, fields)| Person::from_fields(id, fields)).collect();
        persons.sort_by(|a, b| (rank(a), &a.id).cmp(&(rank(b), &b.id)));
        let keys =
            persons.iter().map(|person| (person.id.clone(), store::search_keys(&person.name))).collect();
        Self { org, persons, keys }
    }

    pub fn branch(&self) -> Branch<'_> {
        Branch { org: &self.org, persons: &self.persons }
    }

    /// What a person's name can be typed as.
    pub fn keys(&self, person: &str) -> String {
        self.keys.get(person).cloned().unwrap_or_default()
    }

    pub fn name(&self, person: &str) -> Option<&str> {
        self.branch().person(person).map(|person| person.name.as_str())
    }

    /// Names by id, for pages that show ids of persons.
    pub fn names(&self) -> BTreeMap<String, String> {
        self.persons.iter().map(|person| (person.id.clone(), person.name.clone())).collect()
    }
}

/// The place in the branch's lists, by the highest post ever held: lists should not jump from day to day.
fn rank(person: &Person) -> (u8, u8) {
    let post = person.posts.iter().map(|(post, _)| post_rank(*post)).min().unwrap_or(u8::MAX);
    let member = match (person.category.as_deref() == Some("member"), person.confirmed) {
        (true, Some(_)) => 0,
        (true, None) => 1,
        (false, _) => 2,
    };
    (post, member)
}

fn post_rank(post: Post) -> u8 {
    match post {
        Post::Secretary => 0,
        Post::Deputy => 1,
        Post::Organisation => 2,
        Post::Publicity => 3,
        Post::Discipline => 4,
        Post::Member => 5,
        // A 组长 stands among the members.
        Post::GroupLeader => u8::MAX,
    }
}
