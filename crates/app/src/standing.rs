//! Where a record stands, and whether the city holds it as it is here.

use crate::contract::{RecordState, ReportState};
use replica::{Closing, Life, RecordState as State};
use store::{ClosingCode, HistoryEntry, LifeCode, ListRow};

/// Where a folded record stands.
pub fn state_of(state: &State) -> RecordState {
    if state.is_disputed(crate::values::kinds().get(&state.kind)) {
        return RecordState::Conflict;
    }
    match (&state.life, &state.closing) {
        (Life::Contested { .. }, _) | (_, Closing::FinalConflict { .. }) => RecordState::Conflict,
        (Life::Gone { .. }, Closing::Final { .. }) => RecordState::Annulled,
        (Life::Live | Life::Waiting, Closing::Final { .. }) => RecordState::Final,
        (Life::Live | Life::Waiting | Life::Gone { .. }, Closing::Open) => RecordState::Recorded,
    }
}

/// The same from a list's row.
pub fn state_of_row(row: &ListRow) -> RecordState {
    match (row.life, row.closing) {
        (LifeCode::Contested, _) | (_, ClosingCode::Conflict) => RecordState::Conflict,
        (LifeCode::Live, _) if row.conflicts > 0 => RecordState::Conflict,
        (LifeCode::Gone, ClosingCode::Final) => RecordState::Annulled,
        (LifeCode::Live | LifeCode::Waiting, ClosingCode::Final) => RecordState::Final,
        (LifeCode::Live | LifeCode::Waiting | LifeCode::Gone, ClosingCode::Open) => RecordState::Recorded,
    }
}

/// Something waits for a person to decide: a conflict, or what arrived after 定稿.
pub fn undecided_row(row: &ListRow) -> bool {
    matches!(row.life, LifeCode::Live | LifeCode::Contested) && (row.conflicts > 0 || row.late > 0)
}

/// 已上报 is said only with a receipt that covers every change of the record.
pub fn report_of_row(row: &ListRow) -> ReportState {
    report(row.at_city && row.received_at.is_some())
}

/// The same for one record, with the time at which the city had all of it.
pub fn reporting(history: &[HistoryEntry]) -> (ReportState, Option<i64>) {
    let whole = !history.is_empty() && history.iter().all(|entry| entry.at_city);
    let received_at = history.iter().filter_map(|entry| entry.received_at).max().filter(|_| whole);
    (report(received_at.is_some()), received_at)
}

fn report(received: bool) -> ReportState {
    if received { ReportState::Received } else { ReportState::Waiting }
}
