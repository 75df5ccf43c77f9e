//! Dates as people and spreadsheets write them.

use chrono::{Days, NaiveDate};

/// Why a text is not one certain date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadDate {
    /// A year of two digits, or day and month in unknown order.
    Ambiguous,
    /// Only a year.
    Incomplete,
    /// Nothing that is a date, or a day that no calendar has.
    Unknown,
}

impl BadDate {
    pub fn code(self) -> &'static str {
        match self {
            BadDate::Ambiguous => "date_ambiguous",
            BadDate::Incomplete => "date_incomplete",
            BadDate::Unknown => "date_unknown",
        }
    }
}

/// The days that a spreadsheet may mean by a bare number: 1927 to 2099.
const SERIALS: std::ops::RangeInclusive<u64> = 10_000..=73_050;

/// Reads a date from half-width text. Month-only dates are the first of the month.
pub(super) fn read(text: &str) -> Result<NaiveDate, BadDate> {
    let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let text = text.strip_suffix("00:00:00").unwrap_or(&text);
    let text = text.strip_suffix(".0").filter(|whole| whole.len() == 5).unwrap_or(text);
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return bare(text);
    }
    let marked = text.contains('年');
    let parts: Vec<&str> =
        text.split(['年', '月', '日', '号', '.', '-', '/', '—']).filter(|part| !part.is_empty()).collect();
    let numbers: Option<Vec<u32>> = parts.iter().map(|part| number(part)).collect();
    let numbers = numbers.ok_or(BadDate::Unknown)?;
    let long_year = parts.first().is_some_and(|part| part.len() == 4);
    match (numbers.as_slice(), long_year) {
        ([year, month, day], true) => date(*year, *month, *day),
        ([year, month], true) => date(*year, *month, 1),
        ([_], true) if marked => Err(BadDate::Incomplete),
        ([_, _] | [_, _, _], false) => Err(BadDate::Ambiguous),
        _ => Err(BadDate::Unknown),
    }
}

fn number(part: &str) -> Option<u32> {
    (part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok())?
}

/// Digits only: `20200701`, `199802`, a year, or the number of a spreadsheet's day.
fn bare(text: &str) -> Result<NaiveDate, BadDate> {
    let number: u64 = text.parse().map_err(|_| BadDate::Unknown)?;
    let part = |from: usize, to: usize| text[from..to].parse().unwrap_or(0);
    match text.len() {
        8 => date(part(0, 4), part(4, 6), part(6, 8)),
        6 => date(part(0, 4), part(4, 6), 1),
        5 if SERIALS.contains(&number) => {
            let first = NaiveDate::from_ymd_opt(1899, 12, 30).expect("a day of the calendar");
            first.checked_add_days(Days::new(number)).ok_or(BadDate::Unknown)
        }
        4 => Err(BadDate::Incomplete),
        _ => Err(BadDate::Unknown),
    }
}

fn date(year: u32, month: u32, day: u32) -> Result<NaiveDate, BadDate> {
    let year =
        i32::try_from(year).ok().filter(|year| (1900..=2100).contains(year)).ok_or(BadDate::Unknown)?;
    NaiveDate::from_ymd_opt(year, month, day).ok_or(BadDate::Unknown)
}

#[cfg(test)]
mod tests {
    use super::{BadDate, read};

    #[test]
    fn dates_are_certain_or_refused() {
        use BadDate::{Ambiguous, Incomplete, Unknown};
        let cases = [
            ("2020-07-01", Ok("2020-07-01")),
            ("2020.7.1", Ok("2020-07-01")),
            ("2020/7/1", Ok("2020-07-01")),
            ("2020年7月1日", Ok("2020-07-01")),
            ("2020年 7月 1日", Ok("2020-07-01")),
            ("2020-7-1 00:00:00", Ok("2020-07-01")),
            ("20200701", Ok("2020-07-01")),
            ("1998年2月", Ok("1998-02-01")),
            ("1998.07", Ok("1998-07-01")),
            ("199802", Ok("1998-02-01")),
            ("44013", Ok("2020-07-01")),
            ("44013.0", Ok("2020-07-01")),
            ("36526", Ok("2000-01-01")),
            ("98.7.1", Err(Ambiguous)),
            ("7/1/2020", Err(Ambiguous)),
            ("98年7月", Err(Ambiguous)),
            ("1998", Err(Incomplete)),
            ("1998年", Err(Incomplete)),
            ("2020-02-30", Err(Unknown)),
            ("980201", Err(Unknown)),
            ("199813", Err(Unknown)),
            ("不详", Err(Unknown)),
            ("2020年七月", Err(Unknown)),
            ("123", Err(Unknown)),
            ("99999", Err(Unknown)),
            ("99999999999999999999999", Err(Unknown)),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).map(|date| date.to_string()), expected.map(str::to_owned), "{text}");
        }
    }
}
