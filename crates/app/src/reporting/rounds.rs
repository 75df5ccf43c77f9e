//! The history of exchanges, kept beside the log on this computer.

use crate::branch::Branch;
use crate::civil;
use crate::contract::{RoundLine, SyncError};
use crate::error::CallError;
use serde::{Deserialize, Serialize};

const SETTING: &str = "rounds";
const KEPT: usize = 20;

/// The last exchanges, newest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Rounds {
    lines: Vec<RoundLine>,
    last_success: Option<String>,
}

impl Rounds {
    pub fn of(branch: &Branch) -> Result<Self, CallError> {
        let kept = branch.store.meta(SETTING)?;
        Ok(kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Adds what came of an exchange.
    pub fn add(branch: &Branch, now: i64, ran: &Result<sync::Report, CallError>) -> Result<(), CallError> {
        let mut rounds = Self::of(branch)?;
        let at = civil::stamp(now);
        let line = match ran {
            Ok(report) => {
                rounds.last_success = Some(at.clone());
                went_well(at, report)
            }
            Err(error) => failed(at, error),
        };
        rounds.lines.insert(0, line);
        rounds.lines.truncate(KEPT);
        let text = serde_json::to_string(&rounds).map_err(|error| CallError::internal(&error))?;
        Ok(branch.store.set_meta(SETTING, &text)?)
    }

    /// Forgets that the last exchange failed: this computer was enrolled anew.
    pub fn forgive(branch: &Branch) -> Result<(), CallError> {
        let mut rounds = Self::of(branch)?;
        rounds.lines.iter_mut().take(1).for_each(|line| line.error = None);
        let text = serde_json::to_string(&rounds).map_err(|error| CallError::internal(&error))?;
        Ok(branch.store.set_meta(SETTING, &text)?)
    }

    pub fn last_success(&self) -> Option<String> {
        self.last_success.clone()
    }

    /// The error of the last exchange, if it failed.
    pub fn last_error(&self) -> Option<SyncError> {
        self.lines.first()?.error.clone()
    }

    pub fn lines(self) -> Vec<RoundLine> {
        self.lines
    }
}

fn went_well(at: String, report: &sync::Report) -> RoundLine {
    let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    RoundLine {
        at,
        sent: number(report.sent),
        received: number(report.received),
        bytes_out: number(report.bytes_up),
        bytes_in: number(report.bytes_down),
        error: None,
        receipt_at: report.receipt_at.map(civil::stamp),
    }
}

fn failed(at: String, error: &CallError) -> RoundLine {
    let code = crate::findings::code(&error.code);
    let error = SyncError { code, at: at.clone(), params: error.params.clone() };
    RoundLine { at, sent: 0, received: 0, bytes_out: 0, bytes_in: 0, error: Some(error), receipt_at: None }
}
