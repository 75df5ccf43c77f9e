//! One pasted row, read into a person.

use super::columns::Field;
use super::table::Line;
use super::value::{Category, category, compact, group, half_width, is_blank, membership, phone, posts, sex};
use super::{Branch, date, identity};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// A row with what became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The line in the pasted text, from 1.
    pub line: u32,
    pub cells: Vec<String>,
    /// What was read, by field; codes for closed lists, ISO dates, the group's id.
    pub values: BTreeMap<Field, String>,
    /// Codes of the posts.
    pub posts: Vec<String>,
    pub problems: Vec<Problem>,
    pub repairs: Vec<Repair>,
    /// The branch has this person already.
    pub known: bool,
}

impl Row {
    /// Whether it is taken in when only the good rows are.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty() && !self.known
    }

    fn value(&self, field: Field) -> &str {
        self.values.get(&field).map_or("", String::as_str)
    }

    fn problem(&mut self, column: Option<usize>, field: Field, code: &'static str, value: &str) {
        let column = column.and_then(|at| u32::try_from(at).ok());
        self.problems.push(Problem { column, field, code, value: value.to_owned() });
    }
}

/// Why a row is not taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 0; absent for the whole row.
    pub column: Option<u32>,
    pub field: Field,
    pub code: &'static str,
    pub value: String,
}

/// A value that was brought into shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    pub column: u32,
    pub from: String,
    pub to: String,
}

/// The cells of a row that are read against each other.
#[derive(Default)]
struct Seen {
    category: Option<Category>,
    identity: Option<identity::Identity>,
    dates: BTreeMap<Field, NaiveDate>,
    /// Fields whose cell was not understood: what is missing there is not reported a second time.
    refused: Vec<Field>,
}

pub(super) fn read(line: &Line, columns: &[Option<Field>], branch: &Branch) -> Row {
    let mut row = Row { line: line.number, cells: line.cells.clone(), ..Row::default() };
    let mut seen = Seen::default();
    for (at, (cell, field)) in line.cells.iter().zip(columns).enumerate() {
        let Some(field) = *field else { continue };
        let text = half_width(cell).trim().to_owned();
        if !is_blank(&text) {
            read_cell(&mut row, &mut seen, (at, field), &text, branch);
        }
    }
    let at = |field| columns.iter().position(|column| *column == Some(field));
    check_row(&mut row, &seen, &at);
    if line.cells.iter().skip(columns.len()).any(|cell| !cell.is_empty()) {
        row.problem(None, Field::Name, "too_many_cells", "");
    }
    row.known = is_known(&row, branch);
    row
}

fn read_cell(row: &mut Row, seen: &mut Seen, (at, field): (usize, Field), text: &str, branch: &Branch) {
    let read: Result<String, &'static str> = match field {
        Field::Name => Ok(compact(text)),
        Field::Category => category(text).ok_or("category_unknown").map(|found| {
            seen.category = Some(found);
            found.code().to_owned()
        }),
        Field::Sex => sex(text).map(str::to_owned).ok_or("sex_unknown"),
        Field::Membership => membership(text).map(str::to_owned).ok_or("membership_unknown"),
        Field::Ethnic => Ok(if text.ends_with('族') { text.to_owned() } else { format!("{text}族") }),
        Field::IdNumber => identity::read(text).map(|found| {
            let number = found.number.clone();
            seen.identity = Some(found);
            number
        }),
        Field::Phone => phone(text),
        Field::Born | Field::Joined | Field::Confirmed | Field::MemberFrom => match date::read(text) {
            Ok(date) if date > branch.today => Err("date_in_future"),
            Ok(date) => {
                seen.dates.insert(field, date);
                Ok(date.to_string())
            }
            Err(bad) => Err(bad.code()),
        },
        Field::Group => group(text, branch.groups).map(str::to_owned).ok_or("group_unknown"),
        Field::Posts => match posts(text) {
            Ok(found) => {
                row.posts = found.into_iter().map(str::to_owned).collect();
                return;
            }
            Err(_) => Err("post_unknown"),
        },
        Field::Education | Field::Address | Field::Unit | Field::Job | Field::Note => Ok(text.to_owned()),
    };
    match read {
        Ok(value) => {
            if is_repair(field, &row.cells[at], &value) {
                let column = u32::try_from(at).unwrap_or(u32::MAX);
                row.repairs.push(Repair { column, from: row.cells[at].clone(), to: value.clone() });
            }
            row.values.insert(field, value);
        }
        Err(code) => {
            seen.refused.push(field);
            row.problem(Some(at), field, code, &row.cells[at].clone());
        }
    }
}

/// Codes and ids stand for the same word; they are not repairs.
fn is_repair(field: Field, from: &str, to: &str) -> bool {
    match field {
        Field::Category | Field::Sex | Field::Membership | Field::Group | Field::Posts => false,
        Field::Name
        | Field::Ethnic
        | Field::Born
        | Field::Education
        | Field::IdNumber
        | Field::Phone
        | Field::Address
        | Field::Unit
        | Field::Job
        | Field::Joined
        | Field::Confirmed
        | Field::MemberFrom
        | Field::Note => from != to,
    }
}

/// Where a field's column stands.
type ColumnOf<'a> = &'a dyn Fn(Field) -> Option<usize>;

fn check_row(row: &mut Row, seen: &Seen, at: ColumnOf) {
    if row.value(Field::Name).is_empty() {
        row.problem(at(Field::Name), Field::Name, "name_missing", "");
    }
    check_identity(row, seen, at);
    check_order(row, seen, at);
    check_standing(row, seen, at);
}

/// The number says when its holder was born and of which sex; the other cells must agree.
fn check_identity(row: &mut Row, seen: &Seen, at: ColumnOf) {
    let Some(identity) = &seen.identity else { return };
    let sex = row.value(Field::Sex).to_owned();
    if !sex.is_empty() && sex != identity.sex {
        row.problem(at(Field::IdNumber), Field::IdNumber, "id_sex", &identity.number);
    }
    if let Some(born) = seen.dates.get(&Field::Born) {
        // A cell that names only year and month cannot contradict the day.
        let month = |date: &NaiveDate| date.to_string()[..7].to_owned();
        let whole = row.cells[at(Field::Born).unwrap_or(0)].chars().filter(char::is_ascii_digit).count() > 6;
        if month(born) != month(&identity.born) || (whole && *born != identity.born) {
            row.problem(at(Field::IdNumber), Field::IdNumber, "id_born", &identity.number);
        }
    }
}

fn check_order(row: &mut Row, seen: &Seen, at: ColumnOf) {
    let born = seen.dates.get(&Field::Born).copied().or(seen.identity.as_ref().map(|identity| identity.born));
    let joined = seen.dates.get(&Field::Joined).copied();
    let confirmed = seen.dates.get(&Field::Confirmed).copied();
    let orders = [
        (born, joined, Field::Joined, "joined_before_born"),
        (joined, confirmed, Field::Confirmed, "confirmed_before_joined"),
    ];
    for (first, second, field, code) in orders {
        if let (Some(first), Some(second)) = (first, second)
            && second <= first
        {
            row.problem(at(field), field, code, &second.to_string());
        }
    }
}

/// Whether somebody is 正式 or 预备 decides who votes: it must be said, and nothing may speak against it.
fn check_standing(row: &mut Row, seen: &Seen, at: ColumnOf) {
    let confirmed = seen.dates.contains_key(&Field::Confirmed);
    if seen.refused.iter().any(|field| matches!(field, Field::Confirmed | Field::Category | Field::Joined)) {
        return;
    }
    let code = match seen.category {
        Some(Category::Full) if !confirmed => "confirmed_missing",
        Some(Category::Probationary) if confirmed => "standing_contradicts",
        Some(Category::Other(_)) if confirmed => "standing_contradicts",
        Some(Category::Member) | None if !confirmed => {
            let told = at(Field::Confirmed).is_some() && seen.dates.contains_key(&Field::Joined);
            if told {
                return;
            }
            "standing_unknown"
        }
        Some(_) | None => return,
    };
    row.problem(at(Field::Confirmed), Field::Confirmed, code, "");
}

fn is_known(row: &Row, branch: &Branch) -> bool {
    let (name, number) = (row.value(Field::Name), row.value(Field::IdNumber));
    let other = |known: &str| !number.is_empty() && !known.is_empty() && number != known;
    branch.known.iter().any(|known| known.name == name && !name.is_empty() && !other(&known.id_number))
}

/// Marks rows that may be the same person as an earlier one.
pub(super) fn mark_repeats(rows: &mut [Row]) {
    for at in 1..rows.len() {
        let (earlier, rest) = rows.split_at_mut(at);
        let row = &mut rest[0];
        let same = |field: Field| {
            let value = row.value(field);
            !value.is_empty() && earlier.iter().any(|other| other.value(field) == value)
        };
        let (name, number) = (same(Field::Name), same(Field::IdNumber));
        let told_apart = !row.value(Field::IdNumber).is_empty()
            && earlier
                .iter()
                .filter(|other| other.value(Field::Name) == row.value(Field::Name))
                .all(|other| !other.value(Field::IdNumber).is_empty());
        if number {
            let value = row.value(Field::IdNumber).to_owned();
            row.problem(None, Field::IdNumber, "id_repeated", &value);
        } else if name && !told_apart {
            let value = row.value(Field::Name).to_owned();
            row.problem(None, Field::Name, "name_repeated", &value);
        }
    }
}
