//! 党员 and the other persons of the branch.

mod form;
mod import;
mod page;

use crate::app::App;
use crate::base::{required_base, save};
use crate::branch::{Branch, Fields, fields};
use crate::contract::*;
use crate::error::CallError;
use crate::reading::Reading;
use crate::returned::{is_unborn, resent};
use crate::values::{kind, problems, required};
use domain::Person;
use domain::person::Standing;
use form::{from_fields, writes};
use serde_json::json;
use store::{Order, Query};

/// The kind that all of this is about.
const KIND: &str = "person";

impl App {
    pub(crate) fn list_people(&self, request: PeopleQuery) -> Result<PeopleList, CallError> {
        let branch = self.branch()?;
        let today = self.world.today();
        let text = Some(request.text.trim().to_owned()).filter(|text| !text.is_empty());
        let query = Query { order: Order::Title, ..Query::of(KIND) };
        let all: Vec<Line> =
            branch.store.records(&query)?.iter().map(|state| Line::of(state, today)).collect();
        let count = |wanted: Option<Standing>| {
            let counted = all.iter().filter(|line| line.left.is_none() && line.standing == wanted);
            u32::try_from(counted.count()).unwrap_or(u32::MAX)
        };
        let found = match text {
            Some(_) => Some(branch.store.records(&Query { text, ..query })?),
            None => None,
        };
        let listed = |line: &&Line| {
            let in_search =
                found.as_ref().is_none_or(|found| found.iter().any(|state| state.id == line.row.id));
            let here = request.include_left || line.left.is_none();
            in_search && here && (!request.members_only || line.row.category == "member")
        };
        Ok(PeopleList {
            rows: all.iter().filter(listed).map(|line| line.row.clone()).collect(),
            full: count(Some(Standing::Full)),
            probationary: count(Some(Standing::Probationary)),
            others: count(None),
        })
    }

    pub(crate) fn save_person(&self, request: SavePerson) -> Result<Saved, CallError> {
        let branch = self.branch()?;
        let new_id = || self.world.item_id();
        if let Some(id) = request.id.as_deref().filter(|_| request.resend) {
            return resend(&branch, id, &request.form, &new_id);
        }
        if let Some(id) = &request.id {
            let base = required_base(request.base.as_ref())?;
            let changes = writes(&base.values, &request.form, &new_id);
            check(&request.form, &changes)?;
            return save(&branch, "save_person", (KIND, id), &changes, base);
        }
        let fields = writes(&Fields::new(), &request.form, &new_id);
        check(&request.form, &fields)?;
        let id = self.world.id();
        branch.write("save_person", |write| write.create(KIND, &id, &fields))?;
        Ok(Saved { id, conflict: false })
    }

    pub(crate) fn delete_person(&self, request: RecordRef) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        branch.live(KIND, &request.id)?;
        branch.write("delete_person", |write| {
            write.remove(KIND, &request.id, json!({ "reason": "deleted" }))
        })?;
        Ok(Nothing {})
    }

    pub(crate) fn undelete_person(&self, request: RecordRef) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        branch.record(KIND, &request.id)?;
        branch.write("undelete_person", |write| write.restore(KIND, &request.id))?;
        Ok(Nothing {})
    }
}

fn check(form: &PersonForm, changes: &Fields) -> Result<(), CallError> {
    let mut found = problems(kind(KIND), changes);
    if form.name.trim().is_empty() {
        found.push(required("name"));
    }
    if form.category.is_empty() {
        found.push(required("category"));
    }
    if !form.id_number.trim().is_empty()
        && changes.contains_key("id_number")
        && let Err(code) = reports::roster::check_identity(&form.id_number)
    {
        found.push(FieldProblem { path: "id_number".to_owned(), code: code.to_owned() });
    }
    if found.is_empty() { Ok(()) } else { Err(CallError::refused(found)) }
}

/// A person of the list, with what the counts above it need.
struct Line {
    row: PersonRow,
    standing: Option<Standing>,
    left: Option<String>,
}

impl Line {
    fn of(state: &replica::RecordState, today: chrono::NaiveDate) -> Self {
        let fields = fields(state);
        let read = Reading(&fields);
        let person = Person::from_fields(&state.id, &fields);
        let standing = person.standing(today).ok();
        let left = match person.standing(today) {
            Err(domain::person::Outside::After(left)) => {
                Some(left.map_or_else(String::new, |left| left.to_string()))
            }
            Ok(_) | Err(_) => None,
        };
        let some = |path: &str| Some(read.text(path)).filter(|text| !text.is_empty());
        let row = PersonRow {
            id: state.id.clone(),
            letter: store::letter(&person.name).to_string(),
            keys: store::search_keys(&person.name),
            category: read.text("category"),
            standing: standing.as_ref().map(crate::findings::code),
            posts: person.posts_on(today).iter().map(crate::findings::code).collect(),
            group: person.group_on(today).map(str::to_owned),
            joined: some("joined"),
            confirmed: some("confirmed"),
            phone_masked: some("phone").map(|phone| mask_phone(&phone)),
            left: left.clone(),
            undecided: crate::conflicts::undecided(state) > 0,
            name: person.name,
        };
        Self { row, standing, left }
    }
}

/// `139****3959`
fn mask_phone(phone: &str) -> String {
    mask(phone, 3, 4)
}

/// `379999********0890`
fn mask_id(number: &str) -> String {
    mask(number, 6, 4)
}

/// Keeps the ends; of what is too short for that, nothing.
pub fn mask(text: &str, first: usize, last: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    let hidden = letters.len().saturating_sub(first + last);
    if hidden < 3 {
        return "*".repeat(letters.len());
    }
    let (start, end): (String, String) =
        (letters[..first].iter().collect(), letters[letters.len() - last..].iter().collect());
    format!("{start}{}{end}", "*".repeat(hidden))
}

/// A form of fields that stand in no record.
pub fn form_of_fields(fields: &Fields) -> PersonForm {
    from_fields(fields)
}

/// What the city refused of a person, as its author put it right.
fn resend(
    branch: &Branch,
    id: &str,
    form: &PersonForm,
    new_id: &dyn Fn() -> String,
) -> Result<Saved, CallError> {
    let returned = resent(branch, KIND, Some(id))?;
    let unborn = is_unborn(branch, &returned)?;
    let shown = match unborn {
        true => branch.store.record(KIND, id)?.as_ref().map(fields).unwrap_or_default(),
        false => fields(&branch.open_record(KIND, id)?),
    };
    let changes = writes(&shown, form, new_id);
    check(form, &changes)?;
    branch.write("save_person", |write| {
        write.resend(&returned)?;
        if unborn { write.create(KIND, id, &changes) } else { write.put(KIND, id, &changes) }
    })?;
    Ok(Saved { id: id.to_owned(), conflict: false })
}

#[cfg(test)]
mod tests {
    use super::{mask_id, mask_phone};

    #[test]
    fn masks_keep_the_ends_only() {
        assert_eq!(mask_id("379999196305240890"), "379999********0890");
        assert_eq!(mask_phone("13900983959"), "139****3959");
        assert_eq!(mask_phone("6991234"), "*******");
        assert_eq!(mask_id(""), "");
    }
}
