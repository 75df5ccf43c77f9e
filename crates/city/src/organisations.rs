//! Organisations from a CSV file: read whole, checked whole, every fault named by row and field.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// One line of the file. `kind` is the label as written (党支部, 委员会 …).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    pub id: String,
    pub name: String,
    pub kind: String,
    pub parent: Option<String>,
    pub founded: String,
    pub lines: String,
}

/// One fault in the file: where it is and what to do. Rows count from 1, and row 1 is the heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub row: usize,
    pub field: &'static str,
    pub words: String,
}

/// A file that cannot be used, with everything that is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum BadFile {
    #[error("读不到文件 {file}：{source}")]
    Unreadable { file: String, source: std::io::Error },
    #[error(
        "文件 {file} 不是 UTF-8 编码。请在 Excel 或 WPS 中“另存为”，类型选“CSV UTF-8（逗号分隔）”，再试一次"
    )]
    Encoding { file: String },
    #[error("{}", list(file, faults))]
    Faults { file: String, faults: Vec<Fault> },
}

const COLUMNS: [&str; 6] = ["id", "name", "kind", "parent", "founded", "lines"];
const MOST_SHOWN: usize = 20;

fn list(file: &str, faults: &[Fault]) -> String {
    let mut text = format!("文件 {file} 有 {} 处错误，什么都没有写入：", faults.len());
    for fault in faults.iter().take(MOST_SHOWN) {
        text += &format!("\n  第 {} 行，{} 列：{}", fault.row, fault.field, fault.words);
    }
    if faults.len() > MOST_SHOWN {
        text += &format!("\n  …… 其余 {} 处略", faults.len() - MOST_SHOWN);
    }
    text
}

/// Reads the file. `kinds` are the labels an organisation may have.
pub fn read(path: &Path, kinds: &[String]) -> Result<Vec<Organisation>, BadFile> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| BadFile::Unreadable { file: file.clone(), source })?;
    let text = String::from_utf8(bytes).map_err(|_| BadFile::Encoding { file: file.clone() })?;
    parse(&text, kinds).map_err(|faults| BadFile::Faults { file, faults })
}

/// Reads the text of such a file.
pub fn parse(text: &str, kinds: &[String]) -> Result<Vec<Organisation>, Vec<Fault>> {
    let rows = rows(text.trim_start_matches('\u{feff}'))?;
    let Some(((_, heading), rows)) = rows.split_first() else {
        return Err(vec![fault(1, "id", "文件是空的。第一行应当是 id,name,kind,parent,founded,lines")]);
    };
    let places = places(heading)?;
    let mut faults = Vec::new();
    let mut read = Vec::new();
    for (row, cells) in rows {
        if cells.len() != heading.len() {
            let words = format!(
                "这一行有 {} 格，标题行有 {} 格。检查有没有多余或缺少的逗号",
                cells.len(),
                heading.len()
            );
            faults.push(fault(*row, "id", &words));
            continue;
        }
        let cell = |column: usize| cells[places[column]].trim().to_owned();
        let organisation = Organisation {
            id: cell(0),
            name: cell(1),
            kind: cell(2),
            parent: Some(cell(3)).filter(|parent| !parent.is_empty()),
            founded: cell(4),
            lines: cell(5),
        };
        check_row(*row, &organisation, kinds, &mut faults);
        read.push((*row, organisation));
    }
    check_tree(&read, &mut faults);
    match faults.is_empty() {
        true => Ok(read.into_iter().map(|(_, organisation)| organisation).collect()),
        false => {
            faults.sort_by_key(|fault| fault.row);
            Err(faults)
        }
    }
}

/// Checks one organisation by itself, as for one that is typed on the command line.
pub fn check_row(row: usize, it: &Organisation, kinds: &[String], faults: &mut Vec<Fault>) {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if it.id.is_empty() || it.id.len() > 64 || !it.id.chars().all(plain) {
        faults.push(fault(row, "id", &format!("编号“{}”只能用字母、数字和 . _ -，最多 64 个字符", it.id)));
    }
    if it.name.is_empty() || it.name.chars().count() > 120 {
        faults.push(fault(row, "name", "名称必须填写，最多 120 个字"));
    }
    if !kinds.contains(&it.kind) {
        faults.push(fault(row, "kind", &format!("类型“{}”不认识，可以填：{}", it.kind, kinds.join("、"))));
    }
    if chrono::NaiveDate::parse_from_str(&it.founded, "%Y-%m-%d").is_err() || it.founded.len() != 10 {
        faults.push(fault(
            row,
            "founded",
            &format!("成立日期“{}”不是日期，请写成 2012-06-21 的样子", it.founded),
        ));
    }
    let whole = |line: &str| {
        line.split_once([':', '：']).is_some_and(|(kind, to)| !kind.is_empty() && !to.is_empty())
    };
    if !it.lines.is_empty() && !it.lines.split([';', '；']).all(|line| whole(line.trim())) {
        faults.push(fault(row, "lines", &format!("“{}”应当是“类型:名称”，几条之间用分号隔开", it.lines)));
    }
}

/// Ids are unique, parents exist, nobody is their own superior.
fn check_tree(read: &[(usize, Organisation)], faults: &mut Vec<Fault>) {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (row, it) in read {
        if let Some(earlier) = first.get(it.id.as_str()) {
            faults.push(fault(
                *row,
                "id",
                &format!("编号“{}”在第 {earlier} 行已经用过，请改成不同的编号", it.id),
            ));
        } else {
            first.insert(&it.id, *row);
        }
    }
    let parents: BTreeMap<&str, Option<&str>> =
        read.iter().map(|(_, it)| (it.id.as_str(), it.parent.as_deref())).collect();
    for (row, it) in read {
        match it.parent.as_deref() {
            Some(parent) if !parents.contains_key(parent) => {
                faults.push(fault(
                    *row,
                    "parent",
                    &format!("上级“{parent}”不在文件里，请补上这一行或改正编号"),
                ));
            }
            Some(_) if goes_round(&it.id, &parents) => {
                faults.push(fault(*row, "parent", "隶属关系绕成了一圈，请检查上级编号"));
            }
            Some(_) | None => {}
        }
    }
}

fn goes_round(id: &str, parents: &BTreeMap<&str, Option<&str>>) -> bool {
    let mut seen = BTreeSet::new();
    let mut at = Some(id);
    while let Some(id) = at {
        if !seen.insert(id) {
            return true;
        }
        at = parents.get(id).copied().flatten();
    }
    false
}

fn places(heading: &[String]) -> Result<[usize; 6], Vec<Fault>> {
    let mut places = [0; 6];
    let mut faults = Vec::new();
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        match heading.iter().position(|cell| cell.trim() == column) {
            Some(at) => *place = at,
            None => faults.push(fault(1, column, &format!("标题行缺少“{column}”这一列"))),
        }
    }
    if faults.is_empty() { Ok(places) } else { Err(faults) }
}

fn fault(row: usize, field: &'static str, words: &str) -> Fault {
    Fault { row, field, words: words.to_owned() }
}

type Row = (usize, Vec<String>);

/// Splits CSV as RFC 4180 has it; a cell in quotes may hold commas, quotes and line breaks. Empty lines are skipped.
fn rows(text: &str) -> Result<Vec<Row>, Vec<Fault>> {
    let mut rows: Vec<Row> = Vec::new();
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let (mut row, mut opened_at) = (1, 1);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => (quoted, opened_at) = (true, row),
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            '\r' if !quoted && letters.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                end_row(&mut rows, row, &mut cells, &mut cell);
                row += 1;
            }
            other => {
                row += usize::from(other == '\n');
                cell.push(other);
            }
        }
    }
    if quoted {
        return Err(vec![fault(opened_at, "id", "这一行的双引号没有成对，请补上或去掉")]);
    }
    end_row(&mut rows, row, &mut cells, &mut cell);
    Ok(rows)
}

fn end_row(rows: &mut Vec<Row>, row: usize, cells: &mut Vec<String>, cell: &mut String) {
    cells.push(std::mem::take(cell));
    let cells = std::mem::take(cells);
    if cells.iter().any(|cell| !cell.trim().is_empty()) {
        rows.push((row, cells));
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, parse};

    const HEAD: &str = "id,name,kind,parent,founded,lines\n";

    fn kinds() -> Vec<String> {
        vec!["党支部".to_owned(), "委员会".to_owned()]
    }

    #[test]
    fn reads_the_town() {
        let town = include_str!("../../../tests/fixtures/town/organisations.csv");
        let kinds: Vec<String> =
            ["党支部", "联合党支部", "功能型党支部", "流动党员党支部", "委员会"].map(String::from).into();
        let read = parse(town, &kinds).unwrap();
        assert_eq!(read.len(), 59, "the town has 59 organisations");
        assert_eq!(read[0].parent, None, "the city's committee has no superior");
    }

    #[test]
    fn quotes_byte_order_mark_and_line_ends_of_excel_are_read() {
        let text =
            format!("\u{feff}{}A,\"甲,\"\"乙\"\"\",委员会,,2012-06-21,\r\n\r\n", HEAD.replace('\n', "\r\n"));
        let read = parse(&text, &kinds()).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].name, "甲,\"乙\"");
    }

    #[test]
    fn every_fault_names_row_and_field() {
        let table: [(&str, usize, &str); 11] = [
            ("A,,委员会,,2012-06-21,", 2, "name"),
            ("甲,甲,委员会,,2012-06-21,", 2, "id"),
            ("A,甲,公司,,2012-06-21,", 2, "kind"),
            ("A,甲,委员会,B,2012-06-21,", 2, "parent"),
            ("A,甲,委员会,A,2012-06-21,", 2, "parent"),
            ("A,甲,委员会,,2012-6-21,", 2, "founded"),
            ("A,甲,委员会,,2012-02-30,", 2, "founded"),
            ("A,甲,委员会,,2012-06-21,物流", 2, "lines"),
            ("A,甲,委员会,,2012-06-21,\n\nA,乙,党支部,,2012-06-21,", 4, "id"),
            ("A,甲,委员会,,2012-06-21", 2, "id"),
            ("A,\"甲,委员会,,2012-06-21,", 2, "id"),
        ];
        for (text, row, field) in table {
            let faults = parse(&format!("{HEAD}{text}"), &kinds()).unwrap_err();
            let at: Vec<(usize, &str)> =
                faults.iter().map(|Fault { row, field, .. }| (*row, *field)).collect();
            assert_eq!(at, [(row, field)], "{text}");
        }
    }

    #[test]
    fn a_missing_column_and_an_empty_file_are_named() {
        assert_eq!(parse("id,name\n", &kinds()).unwrap_err().len(), 4, "four columns are missing");
        assert_eq!(parse("", &kinds()).unwrap_err()[0].row, 1);
    }
}
