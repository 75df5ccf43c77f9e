//! Tells the open pages what changed, and knows when the last one was closed.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde_json::json;
use tokio::sync::{broadcast, watch};

/// How many announcements wait for a slow page; one that misses some is told that everything changed.
const WAITING: usize = 256;

/// The open pages.
pub struct Events {
    changes: broadcast::Sender<Vec<String>>,
    open: watch::Sender<usize>,
}

impl Events {
    pub fn new() -> Self {
        Self { changes: broadcast::Sender::new(WAITING), open: watch::Sender::new(0) }
    }

    /// Announces that records of these kinds changed. Nobody may be listening; that is fine.
    pub fn announce(&self, kinds: &[String]) {
        let _ = self.changes.send(kinds.to_vec());
    }

    /// The stream of one page.
    pub fn listen(&self) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
        let page = OpenPage::new(&self.open);
        let stream = unfold((self.changes.subscribe(), page), |(mut changes, page)| async move {
            let kinds = match changes.recv().await {
                Ok(kinds) => kinds,
                Err(broadcast::error::RecvError::Lagged(_)) => vec!["*".to_owned()],
                Err(broadcast::error::RecvError::Closed) => return None,
            };
            let event = Event::default().event("changed").data(json!({ "kinds": kinds }).to_string());
            Some((Ok(event), (changes, page)))
        });
        Sse::new(stream).keep_alive(KeepAlive::default())
    }

    /// Ends when every page has been closed for `grace`: reloading a page closes it for a moment too.
    pub async fn last_page_closed(&self, grace: Duration) {
        let mut open = self.open.subscribe();
        loop {
            // The sender lives in `self`, so waiting can only end by the count.
            let _ = open.wait_for(|pages| *pages > 0).await;
            let _ = open.wait_for(|pages| *pages == 0).await;
            if tokio::time::timeout(grace, open.wait_for(|pages| *pages > 0)).await.is_err() {
                return;
            }
        }
    }
}

/// Counts a page for as long as its stream lives.
struct OpenPage(watch::Sender<usize>);

impl OpenPage {
    fn new(open: &watch::Sender<usize>) -> Self {
        open.send_modify(|pages| *pages += 1);
        Self(open.clone())
    }
}

impl Drop for OpenPage {
    fn drop(&mut self) {
        self.0.send_modify(|pages| *pages -= 1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn the_last_page_that_closes_ends_it() {
        let events = Arc::new(Events::new());
        let waiting = tokio::spawn({
            let events = events.clone();
            async move { events.last_page_closed(Duration::ZERO).await }
        });
        let [first, second] = [events.listen(), events.listen()];
        tokio::task::yield_now().await;
        drop(first);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "one page is still open");
        drop(second);
        waiting.await.expect("it ends by itself");
    }

    #[tokio::test]
    async fn without_a_page_it_waits_for_the_first() {
        let events = Events::new();
        let soon = tokio::time::timeout(Duration::ZERO, events.last_page_closed(Duration::ZERO));
        assert!(soon.await.is_err(), "a slow browser must find the program running");
    }
}
