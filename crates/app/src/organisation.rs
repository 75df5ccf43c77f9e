//! The branch's own facts.

use crate::app::App;
use crate::base::{base_of, save};
use crate::conflicts::undecided;
use crate::contract::{
    Base, CommitteeTerm, CreateBranch, GroupForm, Nothing, OrganisationForm, OrganisationPage,
    SaveOrganisation, Saved,
};
use crate::error::CallError;
use crate::reading::Reading;
use crate::values::{kind, problems, required};
use crate::world::World;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The kind that all of this is about.
const KIND: &str = "organisation";

type Fields = BTreeMap<String, Value>;

impl App {
    pub(crate) fn get_organisation(&self, _: Nothing) -> Result<OrganisationPage, CallError> {
        let branch = self.branch()?;
        let (id, _) = branch.organisation()?;
        let Some(state) = branch.store.record(KIND, &id)? else {
            let (form, base) = (from_fields(&Fields::new()), Base::default());
            return Ok(OrganisationPage { id, form, base, undecided: 0 });
        };
        let base = base_of(&state);
        Ok(OrganisationPage { id, form: from_fields(&base.values), undecided: undecided(&state), base })
    }

    pub(crate) fn save_organisation(&self, request: SaveOrganisation) -> Result<Saved, CallError> {
        let branch = self.branch()?;
        let SaveOrganisation { mut form, base } = request;
        name_items(&mut form, &self.world);
        let wanted = to_fields(&form);
        check(&wanted)?;
        let (id, _) = branch.organisation()?;
        if id.is_empty() {
            return Err(CallError::not_found(KIND, &id));
        }
        let writes = writes(&to_fields(&from_fields(&base.values)), &wanted);
        let saved = save(&branch, "save_organisation", (KIND, &id), &writes, &base)?;
        crate::session::save_label(&self.root, &branch.folder, &form.name)?;
        Ok(saved)
    }
}

/// The organisation of a new branch.
pub fn founded(request: &CreateBranch, world: &World) -> Result<Fields, CallError> {
    let since = &request.records_since;
    let committee = request.committee_seats.map(|seats| CommitteeTerm {
        id: world.item_id(),
        from: since.clone(),
        to: None,
        seats: Some(seats),
    });
    let groups = request.groups.iter().filter(|name| !name.trim().is_empty());
    let form = OrganisationForm {
        name: request.name.trim().to_owned(),
        short: request.short.trim().to_owned(),
        r#type: request.r#type.clone(),
        superior: request.superior.trim().to_owned(),
        founded: None,
        records_since: since.clone(),
        units: String::new(),
        term_began: None,
        term_years: None,
        committees: committee.into_iter().collect(),
        groups: groups
            .map(|name| GroupForm {
                id: world.item_id(),
                name: name.trim().to_owned(),
                from: since.clone(),
                to: None,
            })
            .collect(),
    };
    let fields = to_fields(&form);
    check(&fields)?;
    Ok(fields)
}

fn check(fields: &Fields) -> Result<(), CallError> {
    let mut found = problems(kind(KIND), fields);
    let missing = ["name", "type", "records_since"].into_iter().filter(|path| !fields.contains_key(*path));
    found.extend(missing.map(required));
    if found.is_empty() { Ok(()) } else { Err(CallError::refused(found)) }
}

fn name_items(form: &mut OrganisationForm, world: &World) {
    let committees = form.committees.iter_mut().map(|term| &mut term.id);
    let groups = form.groups.iter_mut().map(|group| &mut group.id);
    committees.chain(groups).filter(|id| id.is_empty()).for_each(|id| *id = world.item_id());
}

fn to_fields(form: &OrganisationForm) -> Fields {
    let mut fields = Fields::new();
    let mut text = |path: String, value: &str| {
        if !value.trim().is_empty() {
            fields.insert(path, value.trim().into());
        }
    };
    let of = |value: &Option<String>| value.clone().unwrap_or_default();
    for (path, value) in [
        ("name", form.name.clone()),
        ("short", form.short.clone()),
        ("type", form.r#type.clone()),
        ("superior", form.superior.clone()),
        ("founded", of(&form.founded)),
        ("records_since", form.records_since.clone()),
        ("units", form.units.clone()),
        ("term_began", of(&form.term_began)),
    ] {
        text(path.to_owned(), &value);
    }
    for group in &form.groups {
        text(format!("groups/{}/name", group.id), &group.name);
        text(format!("groups/{}/from", group.id), &group.from);
        text(format!("groups/{}/to", group.id), &of(&group.to));
    }
    fields.extend(form.term_years.map(|years| ("term_years".to_owned(), years.into())));
    fields.extend(form.committees.iter().map(|term| (format!("committee/{}", term.id), committee(term))));
    fields
}

fn committee(term: &CommitteeTerm) -> Value {
    let mut parts = Map::new();
    let dates = [("from", Some(&term.from)), ("to", term.to.as_ref())];
    let filled =
        dates.into_iter().filter_map(|(name, value)| Some((name, value.filter(|text| !text.is_empty())?)));
    parts.extend(filled.map(|(name, value)| (name.to_owned(), value.as_str().into())));
    parts.extend(term.seats.map(|seats| ("seats".to_owned(), seats.into())));
    Value::Object(parts)
}

fn from_fields(fields: &Fields) -> OrganisationForm {
    let read = Reading(fields);
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    OrganisationForm {
        name: read.text("name"),
        short: read.text("short"),
        r#type: read.text("type"),
        superior: read.text("superior"),
        founded: some(read.text("founded")),
        records_since: read.text("records_since"),
        units: read.text("units"),
        term_began: some(read.text("term_began")),
        term_years: read.number("term_years"),
        committees: read
            .items("committee")
            .map(|id| {
                let path = format!("committee/{id}");
                CommitteeTerm {
                    id: id.to_owned(),
                    from: read.part(&path, "from"),
                    to: some(read.part(&path, "to")),
                    seats: read.number_part(&path, "seats"),
                }
            })
            .collect(),
        groups: read
            .items("groups")
            .map(|id| {
                let of = |name: &str| read.text(&format!("groups/{id}/{name}"));
                GroupForm { id: id.to_owned(), name: of("name"), from: of("from"), to: some(of("to")) }
            })
            .collect(),
    }
}

/// Differences; a committee or group that was taken out is removed as a whole.
fn writes(shown: &Fields, wanted: &Fields) -> Fields {
    let item = |path: &str| {
        let mut steps = path.splitn(3, '/');
        match (steps.next(), steps.next()) {
            (Some(prefix), Some(id)) => Some(format!("{prefix}/{id}")),
            (_, _) => None,
        }
    };
    let kept: BTreeSet<String> = wanted.keys().filter_map(|path| item(path)).collect();
    let changed = wanted.iter().filter(|(path, value)| shown.get(*path) != Some(value));
    let mut writes: Fields = changed.map(|(path, value)| (path.clone(), value.clone())).collect();
    for path in shown.keys().filter(|path| !wanted.contains_key(*path)) {
        // A committee is one value and is cleared; a group is an item with fields.
        match item(path).filter(|item| item != path && !kept.contains(item)) {
            Some(item) => writes.insert(format!("{item}/~gone"), json!({})),
            None => writes.insert(path.clone(), Value::Null),
        };
    }
    writes
}
