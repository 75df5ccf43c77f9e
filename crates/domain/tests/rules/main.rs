//! The rules on branches and records made from the fields that a person fills in.

mod checks;
mod duties;
mod fixture;
mod kinds;
mod paper;
mod photos;
mod roster;
mod votes;
