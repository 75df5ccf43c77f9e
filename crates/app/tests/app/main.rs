//! What a secretary does, through `App::call` as the page does it, without a page.

mod attachments;
mod bad_input;
mod conflicts;
mod courier;
mod drafts;
mod explanations;
mod ledgers;
mod losses;
mod one_photo;
mod paper_records;
mod records;
mod reporting;
mod returned;
mod roster;
mod same_event;
mod sessions;
mod usb;
mod world;
