//! A laptop whose clock is ten years off works: no clock decides what is exchanged.

use anyhow::Result;
use testkit::{BRANCH, EVENING, Laptop, LoopbackCity, World};

use crate::report::all_hold_the_same;

const TEN_YEARS: i64 = 3653 * 86_400_000;

#[test]
fn a_clock_ten_years_off_stops_nothing() -> Result<()> {
    for off in [TEN_YEARS, -TEN_YEARS] {
        let city = LoopbackCity::new(&World::new(1))?;
        let a = Laptop::with_branch(World::new(2))?;
        a.world.set(EVENING + off);
        a.secretary.records("theme_day", &a.secretary.days_ago(1)?, "钟走错了十年")?;
        a.secretary.enrols(&city.address(), &city.code_for(BRANCH)?)?;
        let done = a.secretary.reports()?;
        let received = done.receipt_at.unwrap_or_default();
        assert!(
            received.starts_with("2026-11-05"),
            "the receipt carries the city's time, not ours: {received}"
        );
        all_hold_the_same(&city, &[&a])?;
    }
    Ok(())
}

#[test]
fn a_clock_that_is_put_right_later_stops_nothing_either() -> Result<()> {
    let city = LoopbackCity::new(&World::new(1))?;
    let a = Laptop::with_branch(World::at(EVENING + TEN_YEARS, 2))?;
    a.secretary.enrols(&city.address(), &city.code_for(BRANCH)?)?;
    a.secretary.reports()?;
    a.world.set(EVENING);
    a.secretary.promises("钟调回来以后的承诺")?;
    a.secretary.reports()?;
    all_hold_the_same(&city, &[&a])
}
