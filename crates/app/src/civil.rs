//! Civil dates and instants as texts of the contract. Everything is at +08:00, whatever the machine's zone is.

use chrono::{Datelike, Months, NaiveDate};

/// An instant in RFC 3339 at +08:00: `2026-10-13T20:01:05+08:00`.
pub fn stamp(at_ms: i64) -> String {
    domain::civil(at_ms).format("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

/// Reads `2026-10-13`; empty and malformed texts are none.
pub fn date(text: &str) -> Option<NaiveDate> {
    domain::time::parse_date(text)
}

/// 1 Monday … 7 Sunday.
pub fn weekday(date: NaiveDate) -> u32 {
    date.weekday().number_from_monday()
}

/// The first day of a month and of the one after it; from `2026-11` or a day of it.
pub fn month_of(date: NaiveDate) -> (NaiveDate, NaiveDate) {
    let first = date.with_day(1).expect("every month has a first day");
    (first, first.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX))
}

/// Reads `2026-11`.
pub fn parse_month(text: &str) -> Option<NaiveDate> {
    date(&format!("{text}-01")).filter(|_| text.len() == 7)
}

#[cfg(test)]
mod tests {
    use super::{date, month_of, parse_month, stamp, weekday};

    #[test]
    fn instants_are_shown_at_plus_eight() {
        assert_eq!(stamp(1_792_944_000_000), "2026-10-26T00:00:00+08:00");
        assert_eq!(stamp(0), "1970-01-01T08:00:00+08:00");
    }

    #[test]
    fn months_have_their_bounds() {
        let day = date("2026-12-15").expect("a date");
        let (first, next) = month_of(day);
        assert_eq!((first.to_string(), next.to_string()), ("2026-12-01".into(), "2027-01-01".into()));
        assert_eq!(parse_month("2026-11"), date("2026-11-01"));
        assert_eq!(parse_month("2026-1"), None);
        assert_eq!(weekday(date("2026-10-13").expect("a date")), 2);
    }
}
