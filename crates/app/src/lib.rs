//! The use cases of the desktop: what a branch secretary can do, as functions over the store, the rules and the exchange.
//!
//! Knows no shell: the window and the browser shell both hand calls to [`App::call`] by name. Holds no rule of its own
//! about Party work (that is `domain`) and no SQL (that is `store`); reads the clock in one place, [`World::real`].
//! Start at [`contract`]: every call is declared there and answered by the method of its name.

pub mod contract;
pub mod error;

mod app;
mod base;
mod branch;
mod civil;
mod facts;
mod findings;
mod reading;
mod secrecy;
mod showing;
mod standing;
mod values;
mod world;

mod attachments;
mod conflicts;
mod explanations;
mod home;
mod ledgers;
mod meetings;
mod organisation;
mod people;
mod reporting;
mod returned;
mod search;
mod session;
mod usb;

pub use app::{App, default_data_folder};
pub use attachments::Shown;
pub use error::{CallError, Code};
pub use reporting::Courier;
pub use usb::{UsbFile, put_whole};
pub use world::World;
