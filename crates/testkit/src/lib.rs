//! What tests, the demonstration and the measurements share: a made-up town and ten years of a branch's records, a
//! clock and randomness that stand still, laptops and cities as processes of their own, and a line between them that
//! counts and breaks.
//!
//! It holds nothing that the product needs, and nothing in it reads a clock that decides a result. Start at
//! [`History`] for data, [`Shell`] and [`CityProcess`] for programs, [`Proxy`] for what passes between them.

mod builders;
mod city_process;
mod computer;
pub mod faketime;
mod history;
pub mod phrases;
pub mod process;
mod proxy;
mod random;
mod release;
mod secretary;
mod shell;
pub mod simulate;
mod town;
mod world;

pub use builders::{BranchBuilder, Calls, MeetingBuilder, PASSWORD, a_branch, a_meeting};
pub use city_process::CityProcess;
pub use computer::{Laptop, LoopbackCity, program, stored};
pub use history::{Entry, History, Member};
pub use proxy::{Cut, Felt, Link, Proxy, Traffic, Weather};
pub use random::Random;
pub use release::{Expected, Release, Tap, capture};
pub use secretary::{Enrolled, Holdings, Secretary};
pub use shell::{Caller, Refusal, Shell};
pub use town::{BRANCH, Town, TownOrganisation, TownPerson};
pub use world::{EVENING, World};
