//! The line breaks anywhere in an exchange: nothing is lost, nothing doubled, and nothing stays behind.

use anyhow::Result;
use testkit::{BRANCH, Cut, Laptop, LoopbackCity, Proxy, World};

use crate::report::all_hold_the_same;

#[test]
fn a_cut_anywhere_costs_nothing_but_another_try() -> Result<()> {
    let city = LoopbackCity::new(&World::new(1))?;
    let line = Proxy::before(city.listens())?;
    let a = Laptop::with_branch(World::new(2))?;
    a.secretary.enrols(&line.address(), &city.code_for(BRANCH)?)?;
    a.secretary.reports()?;
    let cuts = [
        Cut::BeforeSend,
        Cut::MidRequest { after: 400 },
        Cut::BeforeAnswer,
        Cut::MidAnswer { after: 20 },
        Cut::MidAnswer { after: 250 },
    ];
    for (number, cut) in cuts.into_iter().enumerate() {
        a.secretary.promises(&format!("第 {number} 次断线以前的承诺"))?;
        line.cut(cut);
        // It may get through by itself in a second round; what matters is what stands in the end.
        let _ = a.secretary.exchanges();
        assert!(!line.cut_is_pending(), "{cut:?} must have happened");
        a.secretary.reports()?;
        assert_eq!(a.secretary.holdings()?.promises, number as u64 + 1, "{cut:?} doubled or lost a record");
    }
    all_hold_the_same(&city, &[&a])
}

#[test]
fn an_enrolment_that_is_cut_can_be_repeated_with_the_same_code() -> Result<()> {
    for cut in [Cut::BeforeSend, Cut::MidRequest { after: 300 }, Cut::BeforeAnswer] {
        let city = LoopbackCity::new(&World::new(1))?;
        let line = Proxy::before(city.listens())?;
        let a = Laptop::with_branch(World::new(2))?;
        let code = city.code_for(BRANCH)?;
        line.cut(cut);
        let first = a.secretary.enrols(&line.address(), &code);
        assert!(first.is_err(), "{cut:?} must be felt");
        a.secretary.enrols(&line.address(), &code)?;
        a.secretary.reports()?;
        all_hold_the_same(&city, &[&a])?;
    }
    Ok(())
}
