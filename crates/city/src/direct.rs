//! The requests of laptops without HTTP, for carriers that have none. The same functions answer both.

use crate::city::City;
use crate::db::DbError;
use crate::{blobs, enrol, exchange};
use replica::BlobHash;
use wire::blobs::{BlobReply, BlobRequest};
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

    /// Answers the bytes of a question about attachments.
    pub fn probe_blobs(&self, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        blobs::probe(self, body).map_err(|refuse| refuse.words(self.world.now()))
    }

    /// Answers a request for one attachment, after what it brought is on disk.
    pub fn serve_blob(&self, request: &BlobRequest) -> Result<BlobReply, Refusal> {
        blobs::serve(self, request).map_err(|refuse| refuse.words(self.world.now()))
    }

    /// The bytes of an attachment, for who was given the right to see it.
    pub fn blob(&self, hash: &BlobHash) -> Result<Option<Vec<u8>>, Refusal> {
        blobs::bytes(self, hash).map_err(|refuse| refuse.words(self.world.now()))
    }

    /// Attachments that changes name and that are not whole here.
    pub fn missing_blobs(&self) -> Result<Vec<BlobHash>, DbError> {
        self.db.read(blobs::missing)
    }

    /// Answers a request for enrolment.
    pub fn enrol(&self, sealed: &Sealed) -> Result<Sealed, Refusal> {
        enrol::answer(self, sealed, enrol::Knows::Root).map_err(|refuse| refuse.words(self.world.now()))
    }
}
