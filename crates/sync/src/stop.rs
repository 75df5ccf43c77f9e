//! The wish that what waits for the city ends.

use std::sync::Arc;
use tokio::sync::watch;

/// Heard by every request that it was handed to, wherever that is: a name that is looked up, a connection that is not
/// answered, a body that crawls. Once told it stands. Both sides are whole wherever a request is dropped.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    pub fn tell(&self) {
        self.0.send_replace(true);
    }

    pub fn is_told(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is told.
    pub(crate) async fn told(&self) {
        let heard = self.0.subscribe().wait_for(|told| *told).await.map(|_| ());
        heard.expect("its sender is held here");
    }
}
