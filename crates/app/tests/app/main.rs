//! What a secretary does, through `App::call` as the page does it, without a page.

mod paper_records;

mod world;
