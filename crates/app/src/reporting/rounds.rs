//! The history of exchanges, kept beside the log on this computer.

use crate::branch::Branch;
use crate::civil;
use crate::contract::{RoundLine, SyncError};
use crate::error::{CallError, Code};
use serde::{Deserialize, Serialize};

const SETTING: &str = "rounds";
const KEPT: usize = 20;

/// The last exchanges, newest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Rounds {
    lines: Vec<RoundLine>,
    last_success: Option<String>,
    /// Why photos or scans did not all go, though the records did.
    #[serde(default)]
    files: Option<SyncError>,
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
        // A week without a network, or without news, is one line and does not push out what was before.
        if rounds.lines.first().is_some_and(|last| is_repeated(last, &line)) {
            rounds.lines.remove(0);
        }
        rounds.lines.insert(0, line);
        rounds.lines.truncate(KEPT);
        rounds.keep(branch)
    }

    /// Notes whether photos and scans were refused in an exchange that went well.
    pub fn note_files(branch: &Branch, now: i64, refused: Option<Code>) -> Result<(), CallError> {
        let mut rounds = Self::of(branch)?;
        if rounds.files.is_none() && refused.is_none() {
            return Ok(());
        }
        rounds.files = refused.map(|code| failure(civil::stamp(now), &CallError::new(code)));
        rounds.keep(branch)
    }

    /// Forgets that the last exchange failed: this computer was enrolled anew.
    pub fn forgive(branch: &Branch) -> Result<(), CallError> {
        let mut rounds = Self::of(branch)?;
        rounds.lines.iter_mut().take(1).for_each(|line| line.error = None);
        rounds.keep(branch)
    }

    fn keep(&self, branch: &Branch) -> Result<(), CallError> {
        let text = serde_json::to_string(self).map_err(|error| CallError::internal(&error))?;
        Ok(branch.store.set_meta(SETTING, &text)?)
    }

    pub fn last_success(&self) -> Option<String> {
        self.last_success.clone()
    }

    /// The error of the last exchange, if it failed.
    pub fn last_error(&self) -> Option<SyncError> {
        self.lines.first()?.error.clone()
    }

    pub fn files_error(&self) -> Option<SyncError> {
        self.files.clone()
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

/// Nothing went either way, for the same reason.
fn is_repeated(last: &RoundLine, line: &RoundLine) -> bool {
    let code = |line: &RoundLine| line.error.as_ref().map(|error| error.code.clone());
    let moved = |line: &RoundLine| line.sent + line.received > 0;
    !moved(last) && !moved(line) && code(last) == code(line)
}

fn failure(at: String, error: &CallError) -> SyncError {
    SyncError { code: crate::findings::code(&error.code), at, params: error.params.clone() }
}

fn failed(at: String, error: &CallError) -> RoundLine {
    let error = failure(at.clone(), error);
    RoundLine { at, sent: 0, received: 0, bytes_out: 0, bytes_in: 0, error: Some(error), receipt_at: None }
}
