//! An exchange with the city, whatever the line is like.

use anyhow::Result;
use app::contract::ExchangeDone;
use serde_json::json;
use testkit::{Caller, Secretary};

use crate::figures::What;
use crate::person::said;
use crate::stage::Stage;

/// Why an exchange may fail: there is no connection, it broke, one of the sides is busy.
const PLAIN: &[&str] = &["offline", "cut_off", "busy"];

/// Exchanges once. What went wrong must have been for a plain reason. None: it did not come to an end.
pub fn exchange(
    stage: &Stage,
    name: &str,
    desk: &Secretary<Caller>,
    full: bool,
) -> Result<Option<ExchangeDone>> {
    let code = match said(desk.exchanges())? {
        Ok(done) => {
            stage.note(name, &format!("exchanged: {done:?}"));
            stage.figures.count(What::Exchanged);
            return Ok(Some(done));
        }
        Err(code) => code,
    };
    stage.note(name, &format!("exchange failed: {code}"));
    stage.figures.exchange_failed(&code);
    match code.as_str() {
        // Somebody who deleted much is asked, and meant it.
        "mass_incoming" | "mass_outgoing" => {
            let answered = said(desk.program.call("answer_losses", json!({"agree": true})))?;
            answered.err().into_iter().for_each(|code| {
                stage.figures.wrong(format!("{name}: answer_losses answers {code:?}"));
            });
        }
        code if PLAIN.contains(&code) || (full && code == "disk_full") => {}
        code => stage.figures.wrong(format!("{name}: exchange answers {code:?}")),
    }
    Ok(None)
}
