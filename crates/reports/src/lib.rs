//! Paper and spreadsheets: what comes in from them and what goes out to them, as pure functions.
//!
//! Never guesses: a value that can be read in two ways is a problem that names its cell, and every value that was
//! brought into shape is listed with what it was. Reads no clock, file or clipboard and knows no record, store or page.
//! Start at [`roster::preview`], which reads rows copied from a spreadsheet into persons.

pub mod roster;
