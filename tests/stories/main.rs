//! What people do, across the parts: laptops, a city and the line between them.

mod clock;
mod commands;
mod cuts;
mod instances;
mod killed;
mod report;
