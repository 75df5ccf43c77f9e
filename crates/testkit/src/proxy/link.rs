//! A slow line: bytes leave one after another at its rate, and arrive some time later.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// How slow a line is, each way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    pub bytes_per_second: u32,
    pub latency: Duration,
}

/// Bytes that the line takes from whoever sends before they must wait, in pieces of [`PIECE`].
const QUEUE: usize = 16;
pub(super) const PIECE: usize = 2 * 1024;

impl Link {
    /// Until a connection stands: one round trip.
    pub fn opening(&self) -> Duration {
        2 * self.latency
    }

    /// How long the bytes take to leave.
    pub fn leaving(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 / f64::from(self.bytes_per_second))
    }
}

/// Hands `body` the way into one direction of a connection. Without a link that is the socket itself.
pub(super) fn carry<T>(
    link: Option<Link>,
    mut to: &TcpStream,
    body: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> T,
) -> T {
    let Some(link) = link else { return body(&mut |bytes| to.write_all(bytes)) };
    thread::scope(|scope| {
        let (send, arriving) = sync_channel(QUEUE);
        scope.spawn(move || deliver(&arriving, to));
        let mut free = Instant::now();
        body(&mut |bytes| {
            for piece in bytes.chunks(PIECE) {
                free = free.max(Instant::now()) + link.leaving(piece.len());
                let sent = send.send((free + link.latency, piece.to_vec()));
                sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            }
            Ok(())
        })
    })
}

fn deliver(arriving: &Receiver<(Instant, Vec<u8>)>, mut to: &TcpStream) {
    for (at, bytes) in arriving {
        thread::sleep(at.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            return;
        }
    }
}
