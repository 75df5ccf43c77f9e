//! Months, quarters and years as stretches of days.

use crate::pack::Every;
use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// A period of a duty: first and last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Period {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// The days a calendar is asked for, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

impl Span {
    /// A whole civil year; none beyond the calendar.
    pub fn year(year: i32) -> Option<Self> {
        let from = NaiveDate::from_ymd_opt(year, 1, 1)?;
        Some(Self { from, to: NaiveDate::from_ymd_opt(year, 12, 31)? })
    }

    /// One day.
    pub fn day(day: NaiveDate) -> Self {
        Self { from: day, to: day }
    }
}

impl Period {
    /// The period that holds a day; none beyond the calendar.
    pub fn of(every: Every, day: NaiveDate) -> Option<Self> {
        let (first_month, months) = match every {
            Every::Month => (day.month(), 1),
            Every::Quarter => ((day.month() - 1) / 3 * 3 + 1, 3),
            Every::Year => (1, 12),
        };
        let from = NaiveDate::from_ymd_opt(day.year(), first_month, 1)?;
        let to = from.checked_add_months(Months::new(months))?.checked_sub_days(Days::new(1))?;
        Some(Self { from, to })
    }

    /// The periods that have a day in the span, in order.
    pub fn all(every: Every, span: Span) -> impl Iterator<Item = Self> {
        let first = Self::of(every, span.from);
        std::iter::successors(first, move |period| Self::of(every, period.to.succ_opt()?))
            .take_while(move |period| period.from <= span.to)
    }

    pub fn holds(&self, day: NaiveDate) -> bool {
        self.from <= day && day <= self.to
    }

    /// The last day on which a duty of this period may be met.
    pub fn due_by(&self, grace_months: u32) -> NaiveDate {
        let next = self.to.succ_opt().and_then(|day| day.checked_add_months(Months::new(grace_months)));
        next.and_then(|day| day.pred_opt()).unwrap_or(self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::{Period, Span};
    use crate::pack::Every;
    use crate::time::parse_date;

    #[test]
    fn a_day_lies_in_its_period() {
        let day = |text| parse_date(text).expect("a date");
        let cases = [
            (Every::Month, "2028-02-29", "2028-02-01", "2028-02-29"),
            (Every::Month, "2026-12-31", "2026-12-01", "2026-12-31"),
            (Every::Quarter, "2026-10-01", "2026-10-01", "2026-12-31"),
            (Every::Quarter, "2026-09-30", "2026-07-01", "2026-09-30"),
            (Every::Year, "2026-06-01", "2026-01-01", "2026-12-31"),
        ];
        for (every, date, from, to) in cases {
            let expected = Period { from: day(from), to: day(to) };
            assert_eq!(Period::of(every, day(date)), Some(expected), "{date}");
        }
    }

    #[test]
    fn a_year_may_be_met_until_the_end_of_march() {
        let year = Period::of(Every::Year, parse_date("2026-06-01").expect("a date")).expect("a period");
        assert_eq!(year.due_by(3), parse_date("2027-03-31").expect("a date"));
        assert_eq!(year.due_by(0), parse_date("2026-12-31").expect("a date"));
    }

    #[test]
    fn a_span_has_all_periods_that_touch_it() {
        let span = Span::year(2026).expect("a year");
        for (every, expected) in [(Every::Month, 12), (Every::Quarter, 4), (Every::Year, 1)] {
            assert_eq!(Period::all(every, span).count(), expected, "{every:?}");
        }
    }
}
