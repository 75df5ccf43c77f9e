//! Cells copied from a spreadsheet: rows by line ends, cells by tabs, cells with either in quotes.

/// One row and the line of the pasted text that it begins on, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub number: u32,
    pub cells: Vec<String>,
}

impl Line {
    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell.is_empty())
    }
}

/// Splits the pasted text. A quote that is never closed is an ordinary character, so it swallows no rows.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = Vec::new();
    let mut rest = text.as_str();
    let mut number = 1;
    while !rest.is_empty() {
        let began = number;
        let mut cells = Vec::new();
        loop {
            let (cell, after) = cell(rest);
            number +=
                u32::try_from(rest[..rest.len() - after.len()].matches('\n').count()).unwrap_or(u32::MAX);
            cells.push(tidy(&cell));
            match after.strip_prefix('\t') {
                Some(next) => rest = next,
                None => {
                    rest = after.strip_prefix('\n').unwrap_or(after);
                    break;
                }
            }
        }
        number += 1;
        lines.push(Line { number: began, cells });
    }
    lines
}

/// The next cell and what follows it, beginning with its delimiter.
fn cell(text: &str) -> (String, &str) {
    if let Some(inside) = text.strip_prefix('"')
        && let Some(quoted) = quoted(inside)
    {
        return quoted;
    }
    let end = text.find(['\t', '\n']).unwrap_or(text.len());
    (text[..end].to_owned(), &text[end..])
}

fn quoted(inside: &str) -> Option<(String, &str)> {
    let mut from = 0;
    loop {
        let quote = from + inside[from..].find('"')?;
        let after = &inside[quote + 1..];
        if after.starts_with('"') {
            from = quote + 2;
        } else if after.is_empty() || after.starts_with(['\t', '\n']) {
            return Some((inside[..quote].replace("\"\"", "\""), after));
        } else {
            return None;
        }
    }
}

/// Takes off what surrounds a value and never belongs to it.
fn tidy(cell: &str) -> String {
    let invisible =
        |letter: char| matches!(letter, '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{feff}' | '\u{2060}');
    let cell: String = cell.chars().filter(|letter| !invisible(*letter)).collect();
    cell.trim_matches(|letter: char| letter.is_whitespace()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn cells_come_apart_as_a_spreadsheet_joined_them() {
        type Rows = &'static [(u32, &'static [&'static str])];
        let cases: [(&str, Rows); 8] = [
            ("a\tb\nc\td\n", &[(1, &["a", "b"]), (2, &["c", "d"])]),
            ("a\tb\r\nc\t\r\n", &[(1, &["a", "b"]), (2, &["c", ""])]),
            ("\"a\nb\"\tc\nd\te", &[(1, &["a\nb", "c"]), (3, &["d", "e"])]),
            ("\"say \"\"x\"\"\"\tc", &[(1, &["say \"x\"", "c"])]),
            ("\"open\tb\nc\td", &[(1, &["\"open", "b"]), (2, &["c", "d"])]),
            ("\"a\"b\tc", &[(1, &["\"a\"b", "c"])]),
            ("\u{feff} 张三\u{3000}\t\u{200b}x", &[(1, &["张三", "x"])]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            let found: Vec<(u32, Vec<String>)> =
                lines(text).into_iter().map(|line| (line.number, line.cells)).collect();
            let expected: Vec<(u32, Vec<String>)> = expected
                .iter()
                .map(|(number, cells)| (*number, cells.iter().map(|cell| (*cell).to_owned()).collect()))
                .collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
