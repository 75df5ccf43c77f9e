//! The requests of laptops without HTTP, for carriers that have none. The same functions answer both.

use crate::city::City;
use crate::{enrol, exchange};
use wire::enrol::{Hello, Refusal, Sealed};

impl City {
    /// What the city says of itself.
    pub fn hello(&self) -> Result<Hello, Refusal> {
        enrol::greeting(self).map_err(|refuse| refuse.words(self.world.now()))
    }

    /// Answers the bytes of an exchange, after what they brought is on disk.
    pub fn exchange(&self, query: &str, encoding: &str, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        exchange::respond(self, query, encoding, body).map_err(|refuse| refuse.words(self.world.now()))
    }

    /// Answers a request for enrolment.
    pub fn enrol(&self, sealed: &Sealed) -> Result<Sealed, Refusal> {
        enrol::answer(self, sealed).map_err(|refuse| refuse.words(self.world.now()))
    }
}
