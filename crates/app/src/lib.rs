//! The use cases of the desktop: what a branch secretary can do, as functions over the store, the rules and the exchange.
//!
//! Knows no shell: the window and the browser shell both hand calls to `App::call` by name. Holds no rule of its own
//! about Party work (that is `domain`) and no SQL (that is `store`). Start at [`contract`]: every call is declared there.

pub mod contract;
pub mod error;
