//! A line that somebody watches: told of what passes.

use crate::engine::Engine;
use crate::http::{Carrier, NoReply, Reply};
use std::sync::Arc;
use wire::blobs::{BlobReply, BlobRequest};

/// Who watches a line.
pub trait Watcher: Send + Sync {
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

impl Carrier for Watched {
    fn is_waited_for(&self) -> bool {
        self.line.is_waited_for()
    }

    fn get(&self, path: &str, media_type: &str) -> Result<Reply, NoReply> {
        let reply = self.line.get(path, media_type)?;
        self.watcher.passed(0, reply.body.len());
        Ok(reply)
    }

    fn post(&self, path: &str, media_type: &str, body: Vec<u8>) -> Result<Reply, NoReply> {
        let out = body.len();
        let reply = self.line.post(path, media_type, body)?;
        self.watcher.passed(out, reply.body.len());
        Ok(reply)
    }

    fn blob(&self, request: &BlobRequest) -> Result<BlobReply, NoReply> {
        let reply = self.line.blob(request)?;
        self.watcher.passed(request.body.len(), reply.body.len());
        Ok(reply)
    }
}
