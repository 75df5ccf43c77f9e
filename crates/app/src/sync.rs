//! 上报: enrolment, the exchange with the city, and what each side holds.

use crate::app::App;
use crate::branch::Branch;
use crate::contract::*;
use crate::error::CallError;

impl App {
    pub(crate) fn sync_page(&self, _: Nothing) -> Result<SyncPage, CallError> {
        Err(CallError::new(crate::error::Code::Busy))
    }
    pub(crate) fn sync_pill(&self, _: Nothing) -> Result<SyncPill, CallError> {
        Err(CallError::new(crate::error::Code::Busy))
    }
    pub(crate) fn enrol(&self, _: EnrolRequest) -> Result<EnrolAnswer, CallError> {
        Err(CallError::new(crate::error::Code::Busy))
    }
    pub(crate) fn matching(&self, _: Nothing) -> Result<Option<MatchingPage>, CallError> {
        Err(CallError::new(crate::error::Code::Busy))
    }
    pub(crate) fn confirm_matching(&self, _: ConfirmMatching) -> Result<Enrolment, CallError> {
        Err(CallError::new(crate::error::Code::Busy))
    }
    pub(crate) fn exchange(&self, _: Nothing) -> Result<ExchangeDone, CallError> {
        Err(CallError::new(crate::error::Code::Busy))
    }
}

pub fn enrolment(_: &Branch) -> Result<Option<Enrolment>, CallError> {
    Ok(None)
}
