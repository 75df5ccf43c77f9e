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

/// How often those who wait look whether the line is still slow.
const GLANCE: Duration = Duration::from_millis(20);
/// What a line becomes that was slow.
const FAIR: Link = Link { bytes_per_second: u32::MAX, latency: Duration::ZERO };

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

/// Hands `body` the way into one direction of a connection. Without a link at its beginning that is the socket itself.
pub(super) fn carry<T>(
    link: impl Fn() -> Option<Link> + Copy + Send,
    mut to: &TcpStream,
    body: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> T,
) -> T {
    if link().is_none() {
        return body(&mut |bytes| to.write_all(bytes));
    }
    thread::scope(|scope| {
        let (send, arriving) = sync_channel(QUEUE);
        scope.spawn(move || deliver(&arriving, to, link));
        let mut free = Instant::now();
        body(&mut |bytes| {
            for piece in bytes.chunks(PIECE) {
                let link = link().unwrap_or(FAIR);
                free = free.max(Instant::now()) + link.leaving(piece.len());
                let sent = send.send((free + link.latency, piece.to_vec()));
                sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            }
            Ok(())
        })
    })
}

/// Each piece arrives in its time, or at once when the line is not slow any more.
fn deliver(arriving: &Receiver<(Instant, Vec<u8>)>, mut to: &TcpStream, link: impl Fn() -> Option<Link>) {
    for (at, bytes) in arriving {
        let mut left = at.saturating_duration_since(Instant::now());
        while !left.is_zero() && link().is_some() {
            thread::sleep(left.min(GLANCE));
            left = at.saturating_duration_since(Instant::now());
        }
        if to.write_all(&bytes).is_err() {
            return;
        }
    }
}
