//! A roster pasted from a spreadsheet, read into persons with problems and repairs.

mod columns;
mod date;
mod identity;
mod row;
mod table;
mod value;

pub use columns::Field;
pub use row::{Problem, Repair, Row};

use chrono::NaiveDate;

/// What a pasted roster is read against.
#[derive(Debug, Clone, Copy)]
pub struct Branch<'a> {
    pub today: NaiveDate,
    /// Id and name of the 党小组 that exist.
    pub groups: &'a [(String, String)],
    /// The persons that the branch has already.
    pub known: &'a [Known],
}

/// A person that the branch has already.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub name: String,
    pub id_number: String,
}

/// A pasted roster, read.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// What each column holds; `None` is left out.
    pub columns: Vec<Option<Field>>,
    /// The header row as pasted; empty when there was none.
    pub header: Vec<String>,
    pub rows: Vec<Row>,
}

/// Whether an ID number that was typed is whole; `Err` is the code of the reason.
pub fn check_identity(number: &str) -> Result<(), &'static str> {
    identity::read(&value::half_width(number)).map(|_| ())
}

/// Reads pasted cells. `columns` replaces the guess from the header: names of [`Field`], or empty.
pub fn preview(text: &str, columns: Option<&[String]>, branch: &Branch) -> Preview {
    let lines = table::lines(text);
    let width = lines.iter().map(|line| line.cells.len()).max().unwrap_or(0);
    let header = columns::find_header(&lines);
    let body = header.map_or(0, |at| at + 1);
    let declared = columns.map(<[String]>::len).max(header.map(|at| lines[at].cells.len())).unwrap_or(width);
    let guess = match header {
        Some(at) => columns::from_header(&lines[at].cells),
        None => columns::from_content(&lines),
    };
    let mut columns = match columns {
        Some(given) => given.iter().map(|name| Field::parse(name)).collect(),
        None => guess,
    };
    columns.resize(width, None);
    let header = header.map_or_else(Vec::new, |at| lines[at].cells.clone());
    let mut rows: Vec<Row> = lines[body..]
        .iter()
        .filter(|line| !line.is_empty() && line.cells != header)
        .map(|line| row::read(line, &columns[..declared.min(width)], branch))
        .collect();
    row::mark_repeats(&mut rows);
    Preview { columns, header, rows }
}

#[cfg(test)]
mod tests;
