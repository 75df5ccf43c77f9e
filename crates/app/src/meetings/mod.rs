//! 会议: drafts, records, what the rules make of them.

mod change;
mod commit;
mod derive;
mod drafts;
mod from_fields;
mod list;
mod number;
mod page;
mod to_fields;

pub use change::writes;
pub use commit::with_births;
pub use derive::action_line;
pub use drafts::{DraftContent, draft_of_returned, findings_of, keep, load, reason, title_of};
pub use from_fields::from_fields;
pub use list::{draft_line, types_of};
pub use number::letter_of;
pub use to_fields::to_fields;

/// The kind that all of this is about.
pub const KIND: &str = "meeting";
