//! The typed views and the kind files speak of the same codes.

use crate::fixture::pack;
use domain::meeting::{Activity, Capacity, Status, VoteMethod, VoteRule};
use domain::organisation::OrganisationKind;
use domain::person::{Direction, Limit, Post};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const MEETING: &str = include_str!("../../../../schemas/kinds/meeting.json");
const PERSON: &str = include_str!("../../../../schemas/kinds/person.json");
const ORGANISATION: &str = include_str!("../../../../schemas/kinds/organisation.json");

fn named<'a>(list: &'a Value, path: &str) -> &'a Value {
    let entries = list.as_array().expect("a list of fields or parts");
    entries.iter().find(|entry| entry["path"] == path).unwrap_or_else(|| panic!("{path} is in the kind file"))
}

/// The codes of a field's choices, or of one of its parts'.
fn choices(kind: &str, path: &str, part: Option<&str>) -> Vec<String> {
    let kind: Value = serde_json::from_str(kind).expect("a kind file is json");
    let field = named(&kind["fields"], path);
    let field = part.map_or(field, |part| named(&field["parts"], part));
    let choices = field["choices"].as_array().expect("a choice has choices");
    choices.iter().map(|choice| choice["code"].as_str().expect("a code").to_owned()).collect()
}

fn all_read<T: DeserializeOwned>(kind: &str, path: &str, part: Option<&str>) {
    for code in choices(kind, path, part) {
        assert!(serde_json::from_value::<T>(json!(code)).is_ok(), "{path} {part:?}: {code}");
    }
}

#[test]
fn every_choice_that_rules_depend_on_is_understood() {
    all_read::<Activity>(MEETING, "types", None);
    all_read::<Capacity>(MEETING, "chair", Some("capacity"));
    all_read::<Activity>(MEETING, "decided_by", Some("body"));
    all_read::<Status>(MEETING, "attendance/*/status", None);
    all_read::<VoteRule>(MEETING, "agenda/*/vote", Some("rule"));
    all_read::<VoteMethod>(MEETING, "agenda/*/vote", Some("method"));
    all_read::<OrganisationKind>(ORGANISATION, "type", None);
    all_read::<Post>(PERSON, "posts/*", Some("post"));
    all_read::<Limit>(PERSON, "limits/*", Some("kind"));
    all_read::<Direction>(PERSON, "moves/*", Some("direction"));
    let memberships = choices(PERSON, "membership", None);
    assert!(["stopped", "expelled"].iter().all(|code| memberships.iter().any(|known| known == code)));
    assert!(choices(PERSON, "category", None).iter().any(|code| code == "member"));
}

#[test]
fn the_grounds_of_an_exclusion_are_those_of_the_pack() {
    assert_eq!(choices(MEETING, "exclusions/*", Some("ground")), pack().exclusions.grounds);
}

#[test]
fn the_study_items_of_the_pack_are_agenda_kinds() {
    let kinds = choices(MEETING, "agenda/*/kind", None);
    assert!(pack().study.agenda_kinds.iter().all(|kind| kinds.contains(kind)));
}
