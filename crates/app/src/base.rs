//! Saving what a page changed: differences to what it was shown, over what stood there then.

use crate::branch::{Branch, Fields, fields};
use crate::conflicts::undecided;
use crate::contract::{Base, Saved};
use crate::error::{CallError, Code};
use replica::RecordState;

/// What a page is shown of a record, to be handed back with what was typed.
pub fn base_of(state: &RecordState) -> Base {
    Base { values: fields(state), heads: state.seen() }
}

/// Saves changes to a record that is open. What arrived since the page was shown stands beside them as a conflict.
pub fn save(
    branch: &Branch,
    action: &str,
    (kind, id): (&str, &str),
    changes: &Fields,
    base: &Base,
) -> Result<Saved, CallError> {
    let before = undecided(&branch.open_record(kind, id)?);
    branch.write(action, |write| write.put_over_seen(kind, id, changes, &base.heads))?;
    let after = undecided(&branch.record(kind, id)?);
    Ok(Saved { id: id.to_owned(), conflict: after > before })
}

/// The base that a change of a record on file must come with.
pub fn required_base(base: Option<&Base>) -> Result<&Base, CallError> {
    base.ok_or_else(|| CallError::new(Code::BadRequest).with("missing", "base"))
}
