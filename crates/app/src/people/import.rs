//! A roster pasted from a spreadsheet: preview, import of the good rows, undo of the whole.

use super::KIND;
use super::form::from_fields;
use super::form::writes;
use crate::app::App;
use crate::branch::{Branch, Fields, fields};
use crate::contract::*;
use crate::error::CallError;
use crate::values::{kind, problems};
use replica::limits::{MAX_PAYLOAD, MAX_WRITES};
use reports::roster::{Field, Known, Preview, Row, preview};
use serde_json::json;
use store::Query;

/// The longest paste that is read: a branch has tens of members, a mistake may have millions of cells.
const LONGEST: usize = 2_000_000;

impl App {
    pub(crate) fn preview_roster(&self, request: PasteRoster) -> Result<RosterPreview, CallError> {
        let branch = self.branch()?;
        let (read, rows) = self.read_roster(&branch, &request)?;
        let good = read.rows.iter().zip(&rows).filter(|(row, shown)| is_good(row, shown)).count();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(RosterPreview {
            columns: read.columns.iter().map(|field| field.map_or("", Field::name).to_owned()).collect(),
            header: read.header,
            good: number(good),
            bad: number(rows.len() - good),
            rows,
            fields: Field::ALL
                .iter()
                .map(|field| Choice { code: field.name().to_owned(), label: field.label().to_owned() })
                .collect(),
        })
    }

    /// Imports the rows without problems, as changes that share one batch.
    pub(crate) fn import_roster(&self, request: PasteRoster) -> Result<RosterImported, CallError> {
        let branch = self.branch()?;
        let (read, rows) = self.read_roster(&branch, &request)?;
        let good: Vec<&PreviewRow> = read
            .rows
            .iter()
            .zip(&rows)
            .filter(|(row, shown)| is_good(row, shown))
            .map(|(_, shown)| shown)
            .collect();
        let batch = self.world.id();
        let new_id = || self.world.item_id();
        let persons: Vec<(String, Fields)> =
            good.iter().map(|row| (self.world.id(), writes(&Fields::new(), &row.form, &new_id))).collect();
        let ids: Vec<&str> = persons.iter().map(|(id, _)| id.as_str()).collect();
        let note = json!(ids).to_string();
        for part in parts(&persons) {
            branch.write("import_roster", |write| {
                write.batch(&batch);
                // Noted with the first part: an import that is cut short can be undone as well.
                write.set_meta(&imported(&batch), &note)?;
                part.iter().try_for_each(|(id, fields)| write.create(KIND, id, fields))
            })?;
        }
        let added = u32::try_from(persons.len()).unwrap_or(u32::MAX);
        Ok(RosterImported { batch, added, left_out: u32::try_from(rows.len()).unwrap_or(u32::MAX) - added })
    }

    /// Removes what an import brought in.
    pub(crate) fn undo_import(&self, request: BatchRef) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        let note = branch.store.meta(&imported(&request.batch))?;
        let note = note.ok_or_else(|| CallError::not_found("import", &request.batch))?;
        let ids: Vec<String> = serde_json::from_str(&note).map_err(|error| CallError::internal(&error))?;
        let mut there = Vec::new();
        for id in ids {
            if branch.store.record(KIND, &id)?.is_some_and(|state| state.is_live()) {
                there.push(id);
            }
        }
        for part in there.chunks(MAX_WRITES / 2) {
            branch.write("undo_import", |write| {
                write.batch(&request.batch);
                part.iter().try_for_each(|id| write.remove(KIND, id, json!({ "reason": "undo_import" })))
            })?;
        }
        branch.store.drop_meta(&imported(&request.batch))?;
        Ok(Nothing {})
    }

    fn read_roster(
        &self,
        branch: &Branch,
        request: &PasteRoster,
    ) -> Result<(Preview, Vec<PreviewRow>), CallError> {
        if request.text.len() > LONGEST {
            let problem = FieldProblem { path: "text".to_owned(), code: "too_long".to_owned() };
            return Err(CallError::refused(vec![problem]));
        }
        if let Some(marking) = crate::secrecy::marking(&request.text) {
            let problem = FieldProblem { path: "text".to_owned(), code: "secret_marking".to_owned() };
            return Err(CallError::refused(vec![problem]).with("marking", marking));
        }
        let facts = branch.facts()?;
        let today = self.world.today();
        let groups: Vec<(String, String)> =
            facts.org.groups_on(today).map(|group| (group.id.clone(), group.name.clone())).collect();
        let known = known(branch)?;
        let context = reports::roster::Branch { today, groups: &groups, known: &known };
        let read = preview(&request.text, request.columns.as_deref(), &context);
        let rows = read.rows.iter().map(|row| preview_row(row, &|| self.world.item_id())).collect();
        Ok((read, rows))
    }
}

fn known(branch: &Branch) -> Result<Vec<Known>, CallError> {
    let states = branch.store.records(&Query::of(KIND))?;
    let known = states.iter().map(|state| {
        let form = from_fields(&fields(state));
        Known { name: form.name, id_number: form.id_number }
    });
    Ok(known.collect())
}

fn is_good(row: &Row, shown: &PreviewRow) -> bool {
    row.is_good() && shown.problems.is_empty()
}

/// A row as the page shows it; what the kind itself refuses is among its problems.
fn preview_row(row: &Row, new_id: &dyn Fn() -> String) -> PreviewRow {
    let form = person(row, new_id);
    let problem = |field: &str, column: Option<u32>, code: &str, value: &str| RowProblem {
        column,
        field: field.to_owned(),
        code: code.to_owned(),
        value: value.to_owned(),
    };
    let mut found: Vec<RowProblem> = row
        .problems
        .iter()
        .map(|found| problem(found.field.name(), found.column, found.code, &found.value))
        .collect();
    let refused = problems(kind(KIND), &writes(&Fields::new(), &form, new_id));
    found.extend(refused.iter().map(|refused| problem(&refused.path, None, &refused.code, "")));
    PreviewRow {
        line: row.line,
        cells: row.cells.clone(),
        form,
        problems: found,
        repairs: row
            .repairs
            .iter()
            .map(|repair| RowRepair {
                column: repair.column,
                from: repair.from.clone(),
                to: repair.to.clone(),
            })
            .collect(),
        known: row.known,
    }
}

fn person(row: &Row, new_id: &dyn Fn() -> String) -> PersonForm {
    let of = |field: Field| row.values.get(&field).cloned().unwrap_or_default();
    let category = of(Field::Category);
    PersonForm {
        name: of(Field::Name),
        // A roster without the column is one of members.
        category: if category.is_empty() { "member".to_owned() } else { category },
        sex: of(Field::Sex),
        ethnic: of(Field::Ethnic),
        born: of(Field::Born),
        education: of(Field::Education),
        id_number: of(Field::IdNumber),
        phone: of(Field::Phone),
        address: of(Field::Address),
        unit: of(Field::Unit),
        job: of(Field::Job),
        joined: of(Field::Joined),
        confirmed: of(Field::Confirmed),
        membership: of(Field::Membership),
        member_from: of(Field::MemberFrom),
        posts: row
            .posts
            .iter()
            .map(|post| PostForm { id: new_id(), post: post.clone(), ..PostForm::default() })
            .collect(),
        group: of(Field::Group),
        note: of(Field::Note),
        ..PersonForm::default()
    }
}

/// Persons in parts that each fit one change.
fn parts(persons: &[(String, Fields)]) -> Vec<&[(String, Fields)]> {
    let mut parts = Vec::new();
    let (mut from, mut writes, mut bytes) = (0, 0, 0);
    for (at, (_, fields)) in persons.iter().enumerate() {
        let size: usize = fields.iter().map(|(path, value)| path.len() + value.to_string().len() + 100).sum();
        let count = fields.len() + 1;
        if at > from && (writes + count > MAX_WRITES / 2 || bytes + size > MAX_PAYLOAD / 4) {
            parts.push(&persons[from..at]);
            (from, writes, bytes) = (at, 0, 0);
        }
        writes += count;
        bytes += size;
    }
    if from < persons.len() {
        parts.push(&persons[from..]);
    }
    parts
}

fn imported(batch: &str) -> String {
    format!("import/{batch}")
}
