//! One exchange with the city, for a person or by itself: records first, then photos and scans as far as the person
//! wants them on this line.

use super::courier::{Ended, News};
use super::errors::refused;
use super::line::{By, Hold};
use super::rhythm::Outcome;
use super::rounds::Rounds;
use super::{number, question};
use crate::app::App;
use crate::branch::Branch;
use crate::civil;
use crate::contract::{ExchangeDone, ExchangeProgress, FilesWaiting, Nothing, PhotoRef, SetMetered};
use crate::error::{CallError, Code};
use replica::BlobHash;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;
use store::BlobHere;
use sync::{BlobPlan, Engine, Reach};

/// 流量节省: set while the line is paid by the byte.
const METERED: &str = "metered";
/// The one refusal of a single file that a person can do something about.
const STREAM_FULL: &str = "stream_full";

/// Which photos and scans travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// As far as 流量节省 lets them.
    AsSet,
    /// The same, and before all else one that a person looks at.
    One(BlobHash),
    All,
}

impl App {
    /// One exchange, until both sides hold the same.
    pub(crate) fn exchange(&self, _: Nothing) -> Result<ExchangeDone, CallError> {
        self.report(By::Person, Files::AsSet)
    }

    /// 传照片: the same, with every photo and scan.
    pub(crate) fn carry_photos(&self, _: Nothing) -> Result<ExchangeDone, CallError> {
        self.report(By::Person, Files::All)
    }

    /// 取回这张照片: the same, and this one comes whatever 流量节省 says.
    pub(crate) fn fetch_photo(&self, request: PhotoRef) -> Result<Nothing, CallError> {
        let hash = request.hash.parse().map_err(|_| CallError::new(Code::BadRequest))?;
        self.report(By::Person, Files::One(hash))?;
        match self.branch()?.store.blob_state(&hash)?.here {
            BlobHere::Whole { .. } => Ok(Nothing {}),
            BlobHere::Partial { .. } | BlobHere::Missing => Err(CallError::new(Code::NotAtCity)),
        }
    }

    pub(crate) fn exchange_progress(&self, _: Nothing) -> Result<Option<ExchangeProgress>, CallError> {
        Ok(self.line.progress())
    }

    /// What runs ends, in the middle of a request if need be.
    pub(crate) fn stop_exchange(&self, _: Nothing) -> Result<Nothing, CallError> {
        self.line.stop();
        Ok(Nothing {})
    }

    /// The page heard of a network.
    pub(crate) fn network_is_back(&self, _: Nothing) -> Result<Nothing, CallError> {
        self.signals.tell(News::Online);
        Ok(Nothing {})
    }

    pub(crate) fn set_metered(&self, request: SetMetered) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        match request.on {
            true => branch.store.set_meta(METERED, "1")?,
            false => branch.store.drop_meta(METERED)?,
        }
        self.signals.tell(News::Changed);
        self.tell(&["sync"]);
        Ok(Nothing {})
    }

    pub(super) fn report(&self, by: By, files: Files) -> Result<ExchangeDone, CallError> {
        // Let go of last: a branch that was locked meanwhile is closed before anybody may open it again.
        let hold = self.hold(by)?;
        let branch = self.branch()?;
        let report = self.round(&hold, &branch, files)?;
        Ok(ExchangeDone {
            sent: number(report.sent),
            received: number(report.received),
            waiting: number(branch.store.outbox()?.records),
            receipt_at: report.receipt_at.map(civil::stamp),
        })
    }

    /// Runs the engine and keeps what came of it in the history, also when it failed.
    pub(super) fn round(
        &self,
        hold: &Hold<'_>,
        branch: &Branch,
        files: Files,
    ) -> Result<sync::Report, CallError> {
        let before = branch.store.outbox()?.changes;
        let ran = self.run_engine(hold, branch, files);
        // Without a city, or stopped by a person, it is nothing to look back at.
        if !matches!(&ran, Err(error) if matches!(error.code, Code::NotEnrolled | Code::Stopped)) {
            Rounds::add(branch, self.world.now(), &ran)?;
        }
        let left = branch.store.outbox()?.changes;
        self.signals.tell(News::Ended(ended(&ran, before, left)));
        self.tell(&["sync"]);
        ran
    }

    fn run_engine(&self, hold: &Hold<'_>, branch: &Branch, files: Files) -> Result<sync::Report, CallError> {
        let engine = Engine::open(&branch.store, self.world.sources(), &hold.stop).map_err(refused)?;
        let mut engine = engine.watched(self.line.clone());
        engine.consent = question::consent(branch)?;
        let ran = engine.exchange(&branch.store);
        question::note(branch, self.world.now(), &ran)?;
        // What went through stays reported; the search box tries again before it answers.
        if let Err(error) = branch.store.index_words() {
            tracing::warn!(%error, "the search box has not caught up");
        }
        let ran = ran.map_err(refused);
        if matches!(&ran, Err(error) if error.code == Code::Revoked) {
            self.hand_in_files(&mut engine, branch);
        }
        self.carry_files(&mut engine, branch, files, ran?)
    }

    /// Photos and scans of a computer that was revoked wait at the city beside its records.
    fn hand_in_files(&self, engine: &mut Engine, branch: &Branch) {
        let mut watch = |progress| {
            self.line.files(progress);
            ControlFlow::Continue(())
        };
        if let Err(error) = engine.hand_in_blobs(&branch.store, &mut watch) {
            tracing::warn!(%error, "photos and scans were not handed in");
        }
    }

    /// Photos and scans follow the records. What was reported before stays so if the line breaks now.
    fn carry_files(
        &self,
        engine: &mut Engine,
        branch: &Branch,
        files: Files,
        mut report: sync::Report,
    ) -> Result<sync::Report, CallError> {
        let all = BlobPlan { fetch: Reach::All, ..BlobPlan::usual() };
        let as_set = if is_metered(branch)? { BlobPlan::metered() } else { all.clone() };
        let plan = match files {
            Files::AsSet => as_set,
            Files::One(hash) => BlobPlan { wanted: vec![hash], ..as_set },
            Files::All => all,
        };
        let mut watch = |progress| {
            self.line.files(progress);
            self.tell(&["attachment"]);
            ControlFlow::Continue(())
        };
        let carried = engine.blobs(&branch.store, &plan, &mut watch).map_err(refused)?;
        let full = carried.refused.iter().any(|(_, code)| code == STREAM_FULL);
        Rounds::note_files(branch, self.world.now(), full.then_some(Code::StreamFull))?;
        report.requests += carried.requests;
        report.bytes_up += carried.bytes_up;
        report.bytes_down += carried.bytes_down;
        Ok(report)
    }
}

pub fn is_metered(branch: &Branch) -> Result<bool, CallError> {
    Ok(branch.store.meta(METERED)?.is_some())
}

/// Photos and scans that did not travel yet, each counted once.
pub fn files_waiting(branch: &Branch) -> Result<FilesWaiting, CallError> {
    let out = branch.store.blob_outbox()?;
    let back: BTreeMap<_, _> =
        branch.store.blobs_to_fetch()?.into_iter().map(|named| (named.hash, named.len)).collect();
    Ok(FilesWaiting {
        to_send: number(out.blobs),
        to_send_bytes: number(out.bytes),
        to_fetch: number(back.len() as u64),
        to_fetch_bytes: number(back.values().sum()),
    })
}

/// What the next exchange depends on. `before` and `left` are the changes that waited before and after.
fn ended(ran: &Result<sync::Report, CallError>, before: u64, left: u64) -> Ended {
    let seconds = |seconds: u64| Duration::from_secs(seconds);
    match ran {
        Ok(report) => {
            // What the city refuses stays here, and sending it again changes nothing.
            let grew = left > 0 && (report.sent > 0 || left > before) && report.refused.is_empty();
            let outcome = if grew { Outcome::Left } else { Outcome::Done };
            Ended { outcome, asked: report.retry_after.map(|asked| seconds(asked.into())), left }
        }
        Err(error) => {
            let asked = error.params.get("seconds").and_then(serde_json::Value::as_u64);
            Ended { outcome: outcome_of(error.code), asked: asked.map(seconds), left }
        }
    }
}

/// Whatever is not for a person alone may be better the next time.
fn outcome_of(code: Code) -> Outcome {
    if matches!(code, Code::MassIncoming | Code::MassOutgoing) {
        Outcome::Asks
    } else if matches!(code, Code::NotEnrolled | Code::Revoked | Code::BadAddress) {
        Outcome::Stuck
    } else if code == Code::Stopped {
        Outcome::Stopped
    } else {
        Outcome::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::ended;
    use crate::error::{CallError, Code};
    use crate::reporting::rhythm::Outcome;
    use std::time::Duration;
    use sync::Report;

    #[test]
    fn what_can_go_out_by_itself_is_tried_again_and_what_cannot_is_not() {
        let stuck = Report {
            sent: 3,
            refused: vec![wire::RefusedPart::Device {
                device: replica::DeviceId([2; 32]),
                code: "not_permitted".to_owned(),
            }],
            ..Report::default()
        };
        let table = [
            (Report::default(), 0, 0, Outcome::Done),
            (Report { sent: 2, ..Report::default() }, 2, 0, Outcome::Done),
            (Report { sent: 2, ..Report::default() }, 2, 1, Outcome::Left),
            (Report::default(), 0, 1, Outcome::Left),
            (Report::default(), 4, 4, Outcome::Done),
            (stuck, 3, 3, Outcome::Done),
        ];
        for (report, before, left, outcome) in table {
            let ended = ended(&Ok(report.clone()), before, left);
            assert_eq!((ended.outcome, ended.left), (outcome, left), "{report:?} {before} {left}");
        }
    }

    #[test]
    fn every_failure_knows_who_can_mend_it() {
        for (code, outcome) in [
            (Code::Offline, Outcome::Failed),
            (Code::WebPage, Outcome::Failed),
            (Code::Untrusted, Outcome::Failed),
            (Code::CityFull, Outcome::Failed),
            (Code::Busy, Outcome::Failed),
            (Code::Revoked, Outcome::Stuck),
            (Code::NotEnrolled, Outcome::Stuck),
            (Code::MassIncoming, Outcome::Asks),
            (Code::Stopped, Outcome::Stopped),
        ] {
            assert_eq!(ended(&Err(CallError::new(code)), 0, 0).outcome, outcome, "{code:?}");
        }
    }

    #[test]
    fn how_long_the_city_wants_to_be_left_alone_is_heard_from_answers_and_refusals() {
        let asked = Some(Duration::from_secs(90));
        let report = Report { retry_after: Some(90), ..Report::default() };
        assert_eq!(ended(&Ok(report), 0, 0).asked, asked);
        assert_eq!(ended(&Err(CallError::new(Code::Busy).with("seconds", 90)), 0, 0).asked, asked);
        assert_eq!(ended(&Err(CallError::new(Code::Offline)), 0, 0).asked, None);
    }
}
