//! A line that somebody watches: told of what passes, asked before every request whether it may begin.

use crate::engine::Engine;
use crate::error::SyncError;
use crate::http::{Carrier, NoReply, Reply};
use std::sync::Arc;
use wire::blobs::{BlobReply, BlobRequest};

/// Who watches a line.
pub trait Watcher: Send + Sync {
    /// Whether the next request may begin. Between two requests everything is whole, so stopping there loses nothing.
    fn goes_on(&self) -> bool;

    /// A request got through: the bytes of its body and of the answer's.
    fn passed(&self, out: usize, back: usize);
}

impl Engine {
    /// The same exchange under somebody's eyes.
    pub fn watched(self, watcher: Arc<dyn Watcher>) -> Engine {
        Engine { carrier: Arc::new(Watched { line: self.carrier, watcher }), ..self }
    }
}

struct Watched {
    line: Arc<dyn Carrier>,
    watcher: Arc<dyn Watcher>,
}

impl Watched {
    fn begin(&self) -> Result<(), NoReply> {
        match self.watcher.goes_on() {
            true => Ok(()),
            false => Err(NoReply::Other(SyncError::Stopped)),
        }
    }
}

impl Carrier for Watched {
    fn is_waited_for(&self) -> bool {
        self.line.is_waited_for()
    }

    fn get(&self, path: &str, media_type: &str) -> Result<Reply, NoReply> {
        self.begin()?;
        let reply = self.line.get(path, media_type)?;
        self.watcher.passed(0, reply.body.len());
        Ok(reply)
    }

    fn post(&self, path: &str, media_type: &str, body: Vec<u8>) -> Result<Reply, NoReply> {
        self.begin()?;
        let out = body.len();
        let reply = self.line.post(path, media_type, body)?;
        self.watcher.passed(out, reply.body.len());
        Ok(reply)
    }

    fn blob(&self, request: &BlobRequest) -> Result<BlobReply, NoReply> {
        self.begin()?;
        let reply = self.line.blob(request)?;
        self.watcher.passed(request.body.len(), reply.body.len());
        Ok(reply)
    }
}
