//! Civil time at +08:00. Nothing here reads a clock or the machine's time zone.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime};

/// The civil date-time at +08:00 of an instant in Unix milliseconds; instants beyond the calendar are cut to its ends.
pub fn civil(at_ms: i64) -> NaiveDateTime {
    let utc = DateTime::from_timestamp_millis(at_ms)
        .map(|instant| instant.naive_utc())
        .unwrap_or(if at_ms < 0 { NaiveDateTime::MIN } else { NaiveDateTime::MAX });
    utc.checked_add_signed(Duration::hours(8)).unwrap_or(utc)
}

/// Reads `2026-10-13`.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// Reads `2026-10-13T14:00`, with seconds or without.
pub fn parse_date_time(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S"))
        .ok()
}

/// A stretch of time from one day up to, but not including, another; an absent end is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Interval {
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

impl Interval {
    /// Whether the day lies within: `to` is the first day on which it no longer holds.
    pub fn holds(&self, date: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= date) && self.to.is_none_or(|to| date < to)
    }
}

#[cfg(test)]
mod tests {
    use super::{Interval, civil, parse_date, parse_date_time};

    #[test]
    fn civil_time_is_eight_hours_ahead_of_utc() {
        let cases = [
            (0, "1970-01-01T08:00:00"),
            (1_792_944_000_000, "2026-10-26T00:00:00"),
            (1_792_943_999_999, "2026-10-25T23:59:59.999"),
        ];
        for (at, expected) in cases {
            assert_eq!(civil(at).format("%Y-%m-%dT%H:%M:%S%.f").to_string(), expected, "{at}");
        }
        civil(i64::MAX);
        civil(i64::MIN);
    }

    #[test]
    fn only_whole_civil_forms_are_read() {
        assert!(parse_date("2026-02-29").is_none());
        assert!(parse_date("2026-10-13").is_some());
        assert!(parse_date_time("2026-10-13").is_none());
        assert_eq!(parse_date_time("2026-10-13T14:00"), parse_date_time("2026-10-13T14:00:00"));
    }

    #[test]
    fn an_interval_ends_before_its_last_day() {
        let day = |text| parse_date(text).expect("a date");
        let stay = Interval { from: Some(day("2020-01-01")), to: Some(day("2026-10-10")) };
        for (date, expected) in
            [("2019-12-31", false), ("2020-01-01", true), ("2026-10-09", true), ("2026-10-10", false)]
        {
            assert_eq!(stay.holds(day(date)), expected, "{date}");
        }
    }
}
