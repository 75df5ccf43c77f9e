//! Two programs on one folder: the second says so and touches nothing.

use anyhow::Result;
use serde_json::json;
use testkit::{Calls, Laptop, PASSWORD, Shell, World, program};

#[test]
fn a_second_program_is_told_that_the_branch_is_open() -> Result<()> {
    let a = Laptop::with_branch(World::new(1))?;
    let before = a.secretary.holdings()?;
    let open = json!({"folder": a.secretary.folder()?, "password": PASSWORD});

    let beside = program(a.data(), &World::new(2))?;
    assert_refused(&beside, open.clone());
    let browser = Shell::start(a.data())?;
    assert_refused(&browser, open.clone());
    assert_eq!(a.secretary.holdings()?, before);

    a.secretary.closes()?;
    browser.ask("open_branch", open.clone())?;
    assert_refused(&beside, open.clone());
    browser.kill()?;
    beside.ask("open_branch", open)?;
    Ok(())
}

fn assert_refused(program: &impl Calls, open: serde_json::Value) {
    let error = program.ask("open_branch", open).expect_err("another program has it open").to_string();
    assert!(error.contains("already_open"), "{error}");
}
