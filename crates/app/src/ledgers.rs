//! 台账: table, form and checks of a ledger come from its kind file.

use crate::app::App;
use crate::base::{base_of, required_base, save};
use crate::branch::{Branch, Fields, fields};
use crate::civil;
use crate::conflicts::undecided;
use crate::contract::*;
use crate::error::{CallError, Code};
use crate::facts::Facts;
use crate::returned::{is_unborn, resent};
use crate::standing::{report_of_row, reporting, state_of, state_of_row, undecided_row};
use crate::values::{kinds, problems, required};
use replica::{FieldDef, FieldType, Group, Kind};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::{Order, Query};

const PAGE: u32 = 50;

impl App {
    pub(crate) fn list_ledgers(&self, _: Nothing) -> Result<Vec<LedgerCard>, CallError> {
        let branch = self.branch()?;
        let ledgers = kinds().iter().filter(|kind| kind.group == Group::Ledger);
        ledgers
            .map(|kind| {
                let page = branch.store.list(&Query { limit: Some(0), ..Query::of(&kind.kind) })?;
                let count = u32::try_from(page.total).unwrap_or(u32::MAX);
                Ok(LedgerCard { kind: kind.kind.clone(), label: kind.label.clone(), count })
            })
            .collect()
    }

    pub(crate) fn ledger_page(&self, request: LedgerQuery) -> Result<LedgerPage, CallError> {
        let branch = self.branch()?;
        let kind = ledger(&request.kind)?;
        let text = Some(request.text.trim().to_owned()).filter(|text| !text.is_empty());
        let query = Query {
            text,
            order: Order::Title,
            offset: request.page * PAGE,
            limit: Some(PAGE),
            ..Query::of(&kind.kind)
        };
        let page = branch.store.list(&query)?;
        let states = branch.store.records(&query)?;
        let facts = branch.facts()?;
        let returned = crate::returned::ids_of(&branch, &kind.kind)?;
        let rows = page.rows.iter().map(|row| {
            let state = states.iter().find(|state| state.id == row.id);
            let shown = state.map(fields).unwrap_or_default();
            LedgerRow {
                id: row.id.clone(),
                cells: kind.list.iter().map(|path| cell(kind, path, &shown, &facts)).collect(),
                state: state_of_row(row),
                report: report_of_row(row),
                undecided: undecided_row(row),
                returned: returned.contains(&row.id),
            }
        });
        Ok(LedgerPage {
            definition: definition(kind),
            rows: rows.collect(),
            total: u32::try_from(page.total).unwrap_or(u32::MAX),
            page_size: PAGE,
        })
    }

    pub(crate) fn ledger_entry(&self, request: LedgerRef) -> Result<LedgerEntry, CallError> {
        let branch = self.branch()?;
        let kind = ledger(&request.kind)?;
        let state = branch.live(&kind.kind, &request.id)?;
        let history = branch.store.history(&kind.kind, &request.id)?;
        let (report, received_at) = reporting(&history);
        let values = fields(&state);
        Ok(LedgerEntry {
            problems: missing(kind, &values),
            undecided: undecided(&state),
            base: base_of(&state),
            state: state_of(&state),
            report,
            times: Times {
                recorded_at: state.born.as_ref().map(|born| civil::stamp(born.at)),
                received_at: received_at.map(civil::stamp),
                doubtful: history.iter().any(|entry| entry.doubtful),
                ..Times::default()
            },
            kind: request.kind,
            id: request.id,
            values,
        })
    }

    pub(crate) fn save_ledger_entry(&self, request: SaveLedgerEntry) -> Result<Saved, CallError> {
        let branch = self.branch()?;
        let kind = ledger(&request.kind)?;
        let wanted = tidy(request.values);
        check(kind, &wanted)?;
        if let Some(id) = request.id.as_deref().filter(|_| request.resend) {
            return resend(&branch, kind, id, &wanted);
        }
        if let Some(id) = &request.id {
            let base = required_base(request.base.as_ref())?;
            let changes = changes(kind, &base.values, &wanted);
            return save(&branch, "save_ledger_entry", (&kind.kind, id), &changes, base);
        }
        let id = self.world.id();
        branch.write("save_ledger_entry", |write| write.create(&kind.kind, &id, &wanted))?;
        Ok(Saved { id, conflict: false })
    }

    pub(crate) fn delete_ledger_entry(&self, request: LedgerRef) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        let kind = ledger(&request.kind)?;
        branch.live(&kind.kind, &request.id)?;
        branch.write("delete_ledger_entry", |write| {
            write.remove(&kind.kind, &request.id, json!({ "reason": "deleted" }))
        })?;
        Ok(Nothing {})
    }

    pub(crate) fn undelete_ledger_entry(&self, request: LedgerRef) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        let kind = ledger(&request.kind)?;
        branch.record(&kind.kind, &request.id)?;
        branch.write("undelete_ledger_entry", |write| write.restore(&kind.kind, &request.id))?;
        Ok(Nothing {})
    }
}

/// What the city refused of an entry, as its author put it right.
fn resend(branch: &Branch, kind: &Kind, id: &str, wanted: &Fields) -> Result<Saved, CallError> {
    let returned = resent(branch, &kind.kind, Some(id))?;
    let unborn = is_unborn(branch, &returned)?;
    let shown = match unborn {
        true => branch.store.record(&kind.kind, id)?.as_ref().map(fields).unwrap_or_default(),
        false => fields(&branch.open_record(&kind.kind, id)?),
    };
    let changes = changes(kind, &shown, wanted);
    branch.write("save_ledger_entry", |write| {
        write.resend(&returned)?;
        if unborn { write.create(&kind.kind, id, &changes) } else { write.put(&kind.kind, id, &changes) }
    })?;
    Ok(Saved { id: id.to_owned(), conflict: false })
}

/// A kind of ledger; the core kinds have use cases of their own and are not written through this one.
fn ledger(name: &str) -> Result<&'static Kind, CallError> {
    let kind = kinds().get(name).filter(|kind| kind.group == Group::Ledger);
    kind.ok_or_else(|| CallError::new(Code::NotFound).with("kind", name))
}

/// Empty texts and lists stand for what is not filled in.
fn tidy(values: BTreeMap<String, Value>) -> Fields {
    let filled = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(parts) => !parts.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    };
    let trimmed = |value: Value| match value {
        Value::String(text) => Value::String(text.trim().to_owned()),
        other => other,
    };
    values
        .into_iter()
        .filter(|(_, value)| filled(value))
        .map(|(path, value)| (path, trimmed(value)))
        .collect()
}

fn check(kind: &Kind, wanted: &Fields) -> Result<(), CallError> {
    let mut found = problems(kind, wanted);
    found.extend(missing(kind, wanted));
    let unknown = wanted.keys().filter(|path| kind.field_for(path).is_none());
    found.extend(unknown.map(|path| FieldProblem { path: path.clone(), code: "unknown_field".to_owned() }));
    if found.is_empty() { Ok(()) } else { Err(CallError::refused(found)) }
}

fn missing(kind: &Kind, values: &Fields) -> Vec<FieldProblem> {
    let paths = kind.missing(values.iter().map(|(path, value)| (path.as_str(), value)));
    paths.iter().map(|path| required(path)).collect()
}

/// What differs; fields of a newer program are not the form's to clear.
fn changes(kind: &Kind, shown: &Fields, wanted: &Fields) -> Fields {
    let known = |path: &&String| kind.field_for(path).is_some();
    let cleared = shown.keys().filter(|path| !wanted.contains_key(*path)).filter(known);
    let differs = wanted.iter().filter(|(path, value)| shown.get(*path) != Some(value));
    differs
        .map(|(path, value)| (path.clone(), value.clone()))
        .chain(cleared.map(|path| (path.clone(), Value::Null)))
        .collect()
}

fn definition(kind: &Kind) -> LedgerDefinition {
    LedgerDefinition {
        kind: kind.kind.clone(),
        label: kind.label.clone(),
        title: kind.title.clone(),
        list: kind.list.clone(),
        sections: kind
            .sections
            .iter()
            .map(|section| LedgerSection { label: section.label.clone(), fields: section.fields.clone() })
            .collect(),
        fields: kind.fields.iter().filter(|field| !field.derived).map(field_definition).collect(),
    }
}

fn field_definition(field: &FieldDef) -> LedgerField {
    LedgerField {
        path: field.path.clone(),
        label: field.label.clone(),
        r#type: crate::findings::code(&field.ty),
        required: field.required,
        secret: field.secret,
        choices: field
            .choices
            .iter()
            .map(|choice| Choice { code: choice.code.clone(), label: choice.label.clone() })
            .collect(),
        max: field.max.and_then(|max| u32::try_from(max).ok()),
        hint: field.hint.clone(),
        any_year: field.birthday,
    }
}

/// A value as the table shows it.
fn cell(kind: &Kind, path: &str, values: &Fields, facts: &Facts) -> String {
    let (Some(field), Some(value)) = (kind.field_for(path), values.get(path)) else { return String::new() };
    let label = |code: &str| {
        let choice = field.choices.iter().find(|choice| choice.code == code);
        choice.map_or_else(|| code.to_owned(), |choice| choice.label.clone())
    };
    match (field.ty, value) {
        _ if field.secret => "******".to_owned(),
        (FieldType::Choice, Value::String(code)) => label(code),
        (FieldType::Multi, Value::Array(codes)) => {
            codes.iter().filter_map(Value::as_str).map(label).collect::<Vec<_>>().join("、")
        }
        (FieldType::Person, Value::String(id)) => facts.name(id).unwrap_or_default().to_owned(),
        (_, Value::Bool(flag)) => if *flag { "是" } else { "否" }.to_owned(),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Number(number)) => number.to_string(),
        (_, Value::Null | Value::Array(_) | Value::Object(_)) => String::new(),
    }
}
