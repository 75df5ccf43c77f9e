//! The question before many records are lost at once, and what the person said. It stands until it is answered by a yes
//! or nothing is to be lost any more; a no keeps the exchange stopped.

use crate::branch::Branch;
use crate::civil;
use crate::contract::LossQuestion;
use crate::error::CallError;
use serde::{Deserialize, Serialize};
use store::{Losses, Query};
use sync::{Consent, SyncError, Way};

const SETTING: &str = "loss_question";

#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    question: LossQuestion,
    /// The person agreed to just this many.
    agreed: bool,
}

fn asked(branch: &Branch) -> Result<Option<Asked>, CallError> {
    Ok(branch.store.meta(SETTING)?.and_then(|text| serde_json::from_str(&text).ok()))
}

fn keep(branch: &Branch, asked: &Asked) -> Result<(), CallError> {
    let text = serde_json::to_string(asked).map_err(|error| CallError::internal(&error))?;
    Ok(branch.store.set_meta(SETTING, &text)?)
}

/// The question that waits for an answer, or was answered by a no.
pub fn open(branch: &Branch) -> Result<Option<LossQuestion>, CallError> {
    Ok(asked(branch)?.filter(|asked| !asked.agreed).map(|asked| asked.question))
}

/// Notes the answer.
pub fn answer(branch: &Branch, agree: bool) -> Result<(), CallError> {
    let Some(mut asked) = asked(branch)? else { return Ok(()) };
    asked.agreed = agree;
    asked.question.refused = !agree;
    keep(branch, &asked)
}

/// What the next exchange may take away.
pub fn consent(branch: &Branch) -> Result<Consent, CallError> {
    let usual = Consent::default();
    Ok(match asked(branch)?.filter(|asked| asked.agreed) {
        Some(asked) if asked.question.incoming => Consent { incoming: asked.question.count.into(), ..usual },
        Some(asked) => Consent { outgoing: asked.question.count.into(), ..usual },
        None => usual,
    })
}

/// Keeps the question that an exchange ended with; one that went through has none.
pub fn note<T>(branch: &Branch, now: i64, ran: &Result<T, SyncError>) -> Result<(), CallError> {
    match ran {
        Ok(_) => Ok(branch.store.drop_meta(SETTING)?),
        Err(SyncError::TooManyLost { way, losses }) => {
            let incoming = *way == Way::Incoming;
            let before = asked(branch)?.map(|asked| asked.question);
            let refused = before.is_some_and(|before| before.refused && before.incoming == incoming);
            let question = LossQuestion {
                incoming,
                count: u32::try_from(losses.count).unwrap_or(u32::MAX),
                titles: titles(branch, losses)?,
                at: civil::stamp(now),
                refused,
            };
            keep(branch, &Asked { question, agreed: false })
        }
        Err(_) => Ok(()),
    }
}

/// The same for a file from the city, which says nothing about what waits to go out.
pub fn note_file(branch: &Branch, now: i64, losses: Option<&Losses>) -> Result<(), CallError> {
    match losses {
        Some(losses) => {
            let losses = losses.clone();
            note::<()>(branch, now, &Err(SyncError::TooManyLost { way: Way::Incoming, losses }))
        }
        None if asked(branch)?.is_some_and(|asked| asked.question.incoming) => {
            Ok(branch.store.drop_meta(SETTING)?)
        }
        None => settle(branch),
    }
}

/// The same for a file for the city, which says nothing about what comes in. A yes stands until the city has what was
/// agreed to: the file may be made again before its receipt is here.
pub fn note_export<T>(branch: &Branch, now: i64, made: &Result<T, SyncError>) -> Result<(), CallError> {
    match made {
        Err(SyncError::TooManyLost { .. }) => note(branch, now, made),
        Err(_) => Ok(()),
        Ok(_) => settle(branch),
    }
}

/// Forgets a question about what goes out, and its answer, once so little would be lost that none is needed.
fn settle(branch: &Branch) -> Result<(), CallError> {
    let outgoing = asked(branch)?.is_some_and(|asked| !asked.question.incoming);
    if outgoing && branch.store.losses_to_send()?.count <= Consent::default().outgoing {
        branch.store.drop_meta(SETTING)?;
    }
    Ok(())
}

fn titles(branch: &Branch, losses: &Losses) -> Result<Vec<String>, CallError> {
    let mut titles = Vec::new();
    for key in &losses.named {
        let query = Query {
            stream: Some(key.stream),
            id: Some(key.id.clone()),
            life: crate::branch::ALL_LIVES.to_vec(),
            ..Query::of(&key.kind)
        };
        titles.extend(branch.store.list(&query)?.rows.into_iter().map(|row| row.title));
    }
    titles.retain(|title| !title.is_empty());
    Ok(titles)
}
