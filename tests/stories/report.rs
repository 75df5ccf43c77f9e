//! A branch reports, and a second laptop of the same branch gets everything.

use anyhow::Result;
use testkit::{BRANCH, Enrolled, Laptop, LoopbackCity, World};

#[test]
fn a_second_laptop_has_everything() -> Result<()> {
    let world = World::new(1);
    let city = LoopbackCity::new(&world)?;
    let a = Laptop::with_branch(World::new(2))?;
    let committee = a.secretary.records("committee", "2026-11-03", "研究主题党日")?;
    a.secretary.records("theme_day", "2026-11-04", "推动党建与业务融合")?;
    a.secretary.finalises(&committee)?;
    a.secretary.promises("每周五检查七号库责任区")?;

    assert_eq!(a.secretary.enrols(&city.address(), &city.code_for(BRANCH)?)?, Enrolled::Adopted);
    let done = a.secretary.reports()?;
    assert!(done.sent > 3, "everything that was recorded offline goes with the first exchange: {done:?}");

    let b = Laptop::new(World::new(3))?;
    b.secretary.sets_up("李秀英")?;
    assert_eq!(b.secretary.enrols(&city.address(), &city.code_for(BRANCH)?)?, Enrolled::Matched);
    b.secretary.reports()?;
    a.secretary.reports()?;
    assert_eq!(a.secretary.holdings()?, b.secretary.holdings()?, "both laptops must show the same");
    assert_eq!(a.secretary.holdings()?.people, 31);
    all_hold_the_same(&city, &[&a, &b])
}

#[test]
fn what_the_second_laptop_records_reaches_the_first() -> Result<()> {
    let city = LoopbackCity::new(&World::new(1))?;
    let a = Laptop::with_branch(World::new(2))?;
    a.secretary.enrols(&city.address(), &city.code_for(BRANCH)?)?;
    a.secretary.reports()?;
    let b = Laptop::with_branch(World::new(3))?;
    b.secretary.records("theme_day", "2026-11-04", "在另一台电脑上记录")?;
    b.secretary.enrols(&city.address(), &city.code_for(BRANCH)?)?;
    b.secretary.reports()?;
    a.secretary.reports()?;
    let there = a.secretary.holdings()?;
    assert_eq!(there.people, 31, "the same people, pasted on both, must not stand there twice");
    assert_eq!(there.meetings, 1);
    all_hold_the_same(&city, &[&a, &b])
}

#[test]
fn a_used_code_changes_nothing() -> Result<()> {
    let city = LoopbackCity::new(&World::new(1))?;
    let code = city.code_for(BRANCH)?;
    let a = Laptop::with_branch(World::new(2))?;
    a.secretary.enrols(&city.address(), &code)?;
    let b = Laptop::with_branch(World::new(3))?;
    let before = b.stored()?;
    let error = b.secretary.enrols(&city.address(), &code).unwrap_err().to_string();
    assert!(error.contains("code_used"), "{error}");
    assert_eq!(b.stored()?, before, "a refused enrolment must leave the laptop as it was");
    Ok(())
}

/// Laptops and city stored the same, and the city's own check finds nothing.
pub fn all_hold_the_same(city: &LoopbackCity, laptops: &[&Laptop]) -> Result<()> {
    for laptop in laptops {
        let (stream, digest) = laptop.stored()?;
        assert_eq!(
            digest,
            city.city.digest(&stream)?,
            "the stored records of the laptop and of the city differ"
        );
    }
    let report = city.city.check()?;
    assert!(report.findings.is_empty(), "{report}");
    Ok(())
}
