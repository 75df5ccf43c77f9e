//! The branch and its people.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Entry;
use crate::random::Random;
use crate::town::{TownOrganisation, TownPerson};

/// A person of the branch, for the records that name them.
#[derive(Debug, Clone)]
pub struct Member {
    pub id: String,
    pub name: String,
    pub entry: Entry,
}

pub fn organisation(organisation: &TownOrganisation, random: &mut Random, at: i64) -> Entry {
    let mut fields = BTreeMap::from([
        ("name".to_owned(), json!(organisation.name)),
        ("type".to_owned(), json!("branch")),
        ("founded".to_owned(), json!(organisation.founded)),
        ("records_since".to_owned(), json!("2016-11-01")),
        ("term_began".to_owned(), json!("2025-03-01")),
        ("term_years".to_owned(), json!(3)),
    ]);
    fields.insert(format!("committee/{}", random.token()), json!({"from": organisation.founded, "seats": 3}));
    for (id, name) in GROUPS {
        fields.insert(format!("groups/{id}/name"), json!(name));
        fields.insert(format!("groups/{id}/from"), json!(organisation.founded));
    }
    Entry { kind: "organisation", id: "branch".to_owned(), fields, at }
}

pub fn members<'a>(
    people: impl Iterator<Item = &'a TownPerson>,
    random: &mut Random,
    at: i64,
) -> Vec<Member> {
    people.map(|person| member(person, random, at)).collect()
}

const GROUPS: [(&str, &str); 2] = [("group1", "第1党小组"), ("group2", "第2党小组")];
const POSTS: &[(&str, &str)] =
    &[("书记", "secretary"), ("组织委员", "organisation"), ("宣传委员", "publicity")];

fn member(person: &TownPerson, random: &mut Random, at: i64) -> Member {
    let id = random.id(at);
    let text = |path: &str, value: &str| (path.to_owned(), Value::from(value));
    let mut fields = BTreeMap::from([
        text("name", &person.name),
        text("category", "member"),
        text("sex", if person.sex == "男" { "m" } else { "f" }),
        text("born", &person.born),
        text("id_number", &person.id_number),
        text("phone", &person.phone),
        text("joined", &person.joined),
        text("membership", "normal"),
    ]);
    if !person.confirmed.is_empty() {
        fields.extend([text("confirmed", &person.confirmed)]);
    }
    fields.insert(format!("memberships/{}", random.token()), json!({"from": person.joined}));
    if let Some((_, post)) = POSTS.iter().find(|(label, _)| *label == person.post) {
        fields.insert(format!("posts/{}", random.token()), json!({"post": post, "from": "2016-11-01"}));
    }
    if let Some((group, _)) = GROUPS.iter().find(|(_, label)| *label == person.group) {
        fields.insert(format!("groups/{}", random.token()), json!({"group": group, "from": person.joined}));
    }
    let entry = Entry { kind: "person", id: id.clone(), fields, at };
    Member { id, name: person.name.clone(), entry }
}
