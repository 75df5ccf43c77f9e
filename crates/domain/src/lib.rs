//! The rules of Party-branch work: pure functions from records, a dated pack and a date to results and findings.
//!
//! Reads the flat fields of the kinds `organisation`, `person` and `meeting` into typed views and answers: who was
//! due, who came, whether a vote was valid and passed, what is wrong with a record, which duties are met or due.
//! Never reads a clock, a file or the network, knows nothing of changes, stores or pages, and holds no interface
//! words: it answers with [`Code`]s and parameters. All dates are civil dates at +08:00.
//!
//! Start with [`Meeting`] and [`check`], then [`votes`] and [`duties`]; numbers and articles come from [`Pack`].

mod fields;

pub mod finding;
pub mod meeting;
pub mod organisation;
pub mod pack;
pub mod person;
pub mod roster;
pub mod time;

pub mod actions;
pub mod attendance;
pub mod check;
pub mod duties;
pub mod period;
pub mod study;
pub mod votes;

pub use actions::{ActionState, OpenAction, open_actions};
pub use attendance::{Attendance, Count, count, counts_on, due, meeting_quorum};
pub use check::{Case, Lateness, check, check_branch, lateness};
pub use duties::{Counted, Duty, DutyState, counts_for, due_duties, duties, same_event};
pub use finding::{Code, Finding, Severity};
pub use meeting::Meeting;
pub use organisation::Organisation;
pub use pack::Pack;
pub use period::{Period, Span};
pub use person::Person;
pub use roster::{Branch, RosterLine, roster};
pub use study::study_minutes;
pub use time::civil;
pub use votes::{Outcome, VoteResult, votes};
