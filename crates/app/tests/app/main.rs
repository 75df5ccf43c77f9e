//! What a secretary does, through `App::call` as the page does it, without a page.

mod attachments;
mod bad_input;
mod conflicts;
mod drafts;
mod explanations;
mod ledgers;
mod paper_records;
mod records;
mod reporting;
mod roster;
mod same_event;
mod sessions;
mod world;
