//! A TCP relay between a laptop and the city that counts what passes, breaks the line where it is told to, and may be
//! as slow as a line in the country.

mod link;
mod requests;

use std::io::Read;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result};

pub use link::Link;
use requests::Requests;

/// Where the line breaks. Each cut happens once, at the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Nothing of the request reaches the city.
    BeforeSend,
    /// So many bytes of the request (headers included) reach the city.
    MidRequest { after: usize },
    /// The whole request reaches the city and is answered; nothing of the answer comes back.
    BeforeAnswer,
    /// So many bytes of the answer come back.
    MidAnswer { after: usize },
}

/// What passed since the last look, with the HTTP headers, both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    pub requests: u64,
    pub up: u64,
    pub down: u64,
}

impl Traffic {
    pub fn bytes(&self) -> u64 {
        self.up + self.down
    }
}

/// A relay that listens on a port of its own until the program ends.
pub struct Proxy {
    listens: SocketAddr,
    line: Arc<Line>,
}

#[derive(Default)]
struct Line {
    requests: AtomicU64,
    up: AtomicU64,
    down: AtomicU64,
    cut: Mutex<Option<Cut>>,
    /// Bytes after which the line breaks, again and again, and those since it last did.
    every: Mutex<Option<(u64, u64)>>,
    watchers: Mutex<Vec<Sender<()>>>,
    link: Option<Link>,
}

impl Proxy {
    /// Relays to `city`, `127.0.0.1:4711`.
    pub fn before(city: SocketAddr) -> Result<Self> {
        Self::relaying(city, Line::default())
    }

    /// Relays to `city` over a slow line.
    pub fn over(city: SocketAddr, link: Link) -> Result<Self> {
        Self::relaying(city, Line { link: Some(link), ..Line::default() })
    }

    fn relaying(city: SocketAddr, line: Line) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port for the proxy")?;
        let listens = listener.local_addr()?;
        let line = Arc::new(line);
        let shared = line.clone();
        thread::spawn(move || {
            for laptop in listener.incoming().map_while(Result::ok) {
                let line = shared.clone();
                // A city that is down is a connection that closes at once.
                thread::spawn(move || TcpStream::connect(city).map(|city| relay(&line, &laptop, &city)));
            }
        });
        Ok(Self { listens, line })
    }

    /// What the laptop is told to be the city's address.
    pub fn address(&self) -> String {
        format!("http://{}", self.listens)
    }

    /// Breaks the line at the next request.
    pub fn cut(&self, cut: Cut) {
        *self.line.cut() = Some(cut);
    }

    /// From now on breaks the line each time that so many bytes have passed, both ways together.
    pub fn break_every(&self, bytes: u64) {
        *locked(&self.line.every) = Some((bytes, 0));
    }

    /// Whether the cut that was asked for is still to come.
    pub fn cut_is_pending(&self) -> bool {
        self.line.cut().is_some()
    }

    /// Tells each time when a request begins to pass.
    pub fn watch(&self) -> Receiver<()> {
        let (send, receive) = channel();
        locked(&self.line.watchers).push(send);
        receive
    }

    /// What passed since the last call.
    pub fn traffic(&self) -> Traffic {
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::SeqCst);
        Traffic { requests: take(&self.line.requests), up: take(&self.line.up), down: take(&self.line.down) }
    }
}

impl Line {
    fn cut(&self) -> MutexGuard<'_, Option<Cut>> {
        locked(&self.cut)
    }

    /// How many of these bytes pass, and whether the line breaks behind them.
    fn allow(&self, bytes: usize) -> (usize, bool) {
        let mut every = locked(&self.every);
        let Some((every, passed)) = every.as_mut() else { return (bytes, false) };
        let left = usize::try_from(*every - *passed).unwrap_or(usize::MAX);
        if bytes < left {
            *passed += bytes as u64;
            return (bytes, false);
        }
        *passed = 0;
        (left, true)
    }

    /// Tells those who still listen.
    fn tell(&self) {
        locked(&self.watchers).retain(|watcher| watcher.send(()).is_ok());
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection, both ways, until either side ends it or it is cut.
fn relay(line: &Arc<Line>, laptop: &TcpStream, city: &TcpStream) {
    let answer_limit = Arc::new(AnswerLimit::default());
    thread::sleep(line.link.map(|link| link.opening()).unwrap_or_default());
    thread::scope(|scope| {
        scope.spawn(|| {
            link::carry(line.link, city, |send| upwards(line, (laptop, city), &answer_limit, send));
            let _ = city.shutdown(Shutdown::Write);
        });
        link::carry(line.link, laptop, |send| downwards(line, city, &answer_limit, send));
        close(laptop, city);
    });
}

/// How many bytes of the answer may still come back, once a cut of the answer is due.
#[derive(Default)]
struct AnswerLimit {
    set: AtomicBool,
    bytes: AtomicU64,
}

impl AnswerLimit {
    fn set(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::SeqCst);
        self.set.store(true, Ordering::SeqCst);
    }

    fn get(&self) -> Option<u64> {
        self.set.load(Ordering::SeqCst).then(|| self.bytes.load(Ordering::SeqCst))
    }
}

type Out<'a> = &'a mut dyn FnMut(&[u8]) -> std::io::Result<()>;

fn upwards(line: &Line, (mut laptop, city): (&TcpStream, &TcpStream), answer: &AnswerLimit, send: Out<'_>) {
    let mut requests = Requests::default();
    let mut left = None;
    let mut buffer = [0; 16 * 1024];
    while let Some(mut bytes) = read(&mut laptop, &mut buffer) {
        let begun = requests.feed(bytes);
        if begun > 0 {
            match line.cut().take() {
                Some(Cut::BeforeSend) => return close(laptop, city),
                Some(Cut::MidRequest { after }) => left = Some(after),
                Some(Cut::BeforeAnswer) => answer.set(0),
                Some(Cut::MidAnswer { after }) => answer.set(after as u64),
                None => {}
            }
        }
        line.requests.fetch_add(begun, Ordering::SeqCst);
        if let Some(left) = left.as_mut() {
            bytes = &bytes[..bytes.len().min(*left)];
            *left -= bytes.len();
        }
        let (allowed, breaks) = line.allow(bytes.len());
        bytes = &bytes[..allowed];
        line.up.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        if send(bytes).is_err() || left == Some(0) || breaks {
            return close(laptop, city);
        }
        (0..begun).for_each(|_| line.tell());
    }
}

fn downwards(line: &Line, mut city: &TcpStream, limit: &AnswerLimit, send: Out<'_>) {
    let mut buffer = [0; 16 * 1024];
    while let Some(mut bytes) = read(&mut city, &mut buffer) {
        let left = limit.get();
        if let Some(left) = left {
            let allowed = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            bytes = &bytes[..allowed];
            limit.set(left - allowed as u64);
        }
        let (allowed, breaks) = line.allow(bytes.len());
        bytes = &bytes[..allowed];
        line.down.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        if send(bytes).is_err() || limit.get() == Some(0) || breaks {
            return;
        }
    }
}

fn read<'a>(from: &mut &TcpStream, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    match from.read(buffer) {
        Ok(0) | Err(_) => None,
        Ok(length) => Some(&buffer[..length]),
    }
}

fn close(laptop: &TcpStream, city: &TcpStream) {
    // They may be closed already.
    let _ = laptop.shutdown(Shutdown::Both);
    let _ = city.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::time::{Duration, Instant};

    /// Answers every request with 200 and a body of 1000 bytes, and counts them.
    fn city() -> (SocketAddr, Arc<AtomicU64>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let answered = Arc::new(AtomicU64::new(0));
        let count = answered.clone();
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut requests = Requests::default();
                let mut buffer = [0; 4096];
                while let Some(bytes) = read(&mut &stream, &mut buffer) {
                    requests.feed(bytes);
                    if !requests.between() {
                        continue;
                    }
                    count.fetch_add(1, Ordering::SeqCst);
                    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
                    let _ = stream.write_all(head.as_bytes());
                    let _ = stream.write_all(&[b'x'; 1000]);
                }
            }
        });
        (address, answered)
    }

    fn post(proxy: &Proxy) -> Option<usize> {
        let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
        let answer = client.post(proxy.address()).body(vec![7; 3000]).send().ok()?;
        answer.bytes().ok().map(|bytes| bytes.len())
    }

    #[test]
    fn what_passes_is_counted_with_its_headers() {
        let (address, _) = city();
        let proxy = Proxy::before(address).unwrap();
        assert_eq!(post(&proxy), Some(1000));
        let traffic = proxy.traffic();
        assert_eq!(traffic.requests, 1);
        assert!((3050..3400).contains(&traffic.up), "{traffic:?}");
        assert!((1030..1100).contains(&traffic.down), "{traffic:?}");
        assert_eq!(proxy.traffic().bytes(), 0, "a look starts the count anew");
    }

    #[test]
    fn a_line_can_break_again_and_again() {
        let (address, _) = city();
        let proxy = Proxy::before(address).unwrap();
        proxy.break_every(10_000);
        let whole = (0..10).filter(|_| post(&proxy) == Some(1000)).count();
        let traffic = proxy.traffic();
        assert!((5..9).contains(&whole), "about every third of them was cut: {whole}");
        assert!(traffic.bytes() > 30_000, "it was whole again each time: {traffic:?}");
    }

    #[test]
    fn a_slow_line_takes_its_time_and_loses_nothing() {
        let (address, _) = city();
        let link = Link { bytes_per_second: 40_000, latency: Duration::from_millis(20) };
        let proxy = Proxy::over(address, link).unwrap();
        let begin = Instant::now();
        assert_eq!(post(&proxy), Some(1000));
        let least = link.opening() + 2 * link.latency + link.leaving(4000);
        assert!(begin.elapsed() >= least, "{:?} is less than {least:?}", begin.elapsed());
    }

    #[test]
    fn cuts() {
        let cases = [
            (Cut::BeforeSend, 0),
            (Cut::MidRequest { after: 500 }, 0),
            (Cut::BeforeAnswer, 1),
            (Cut::MidAnswer { after: 200 }, 1),
        ];
        for (cut, reached) in cases {
            let (address, answered) = city();
            let proxy = Proxy::before(address).unwrap();
            proxy.cut(cut);
            assert_eq!(post(&proxy), None, "{cut:?} must be felt by the laptop");
            assert!(!proxy.cut_is_pending());
            assert_eq!(answered.load(Ordering::SeqCst), reached, "{cut:?}");
            assert_eq!(post(&proxy), Some(1000), "{cut:?} happens once");
        }
    }
}
