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

use crate::random::Random;

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

/// What a line does to everybody who uses it, until it is told otherwise. By itself it is fair.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weather {
    pub link: Option<Link>,
    /// It breaks each time that so many bytes have passed, both ways together.
    pub break_every: Option<u64>,
    /// How many of a hundred connections are closed before a byte has passed.
    pub refuses: usize,
}

/// What those who used a line have felt of its faults so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Felt {
    /// Connections that broke in the middle.
    pub cuts: u64,
    pub refused: u64,
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
    weather: Mutex<Weather>,
    /// Bytes since the line last broke by its weather.
    passed: Mutex<u64>,
    cuts: AtomicU64,
    connections: AtomicU64,
    refused: AtomicU64,
    watchers: Mutex<Vec<Sender<()>>>,
}

impl Proxy {
    /// Relays to `city`, `127.0.0.1:4711`.
    pub fn before(city: SocketAddr) -> Result<Self> {
        Self::relaying(city, Line::default())
    }

    /// Relays to `city` over a slow line.
    pub fn over(city: SocketAddr, link: Link) -> Result<Self> {
        let weather = Weather { link: Some(link), ..Weather::default() };
        Self::relaying(city, Line { weather: Mutex::new(weather), ..Line::default() })
    }

    fn relaying(city: SocketAddr, line: Line) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port for the proxy")?;
        let listens = listener.local_addr()?;
        let line = Arc::new(line);
        let shared = line.clone();
        thread::spawn(move || {
            for laptop in listener.incoming().map_while(Result::ok) {
                let line = shared.clone();
                if line.refuses() {
                    continue;
                }
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

    /// From now on the line is like this; connections that were slow follow it.
    pub fn set_weather(&self, weather: Weather) {
        *locked(&self.line.passed) = 0;
        *locked(&self.line.weather) = weather;
    }

    /// What was felt of its faults since the line is there.
    pub fn felt(&self) -> Felt {
        let count = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        Felt { cuts: count(&self.line.cuts), refused: count(&self.line.refused) }
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

    fn weather(&self) -> Weather {
        *locked(&self.weather)
    }

    /// Whether the next connection is closed at once: the same ones on every run.
    fn refuses(&self) -> bool {
        let number = self.connections.fetch_add(1, Ordering::SeqCst);
        let refuses = Random::seeded(number).chance(self.weather().refuses);
        self.refused.fetch_add(u64::from(refuses), Ordering::SeqCst);
        refuses
    }

    /// How many of these bytes pass, and whether the line breaks behind them.
    fn allow(&self, bytes: usize) -> (usize, bool) {
        let Some(every) = self.weather().break_every else { return (bytes, false) };
        let mut passed = locked(&self.passed);
        let left = usize::try_from(every.saturating_sub(*passed)).unwrap_or(usize::MAX);
        if bytes < left {
            *passed += bytes as u64;
            return (bytes, false);
        }
        *passed = 0;
        (left, true)
    }

    fn note_cut(&self) {
        self.cuts.fetch_add(1, Ordering::SeqCst);
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
    let link = || line.weather().link;
    thread::sleep(link().map(|link| link.opening()).unwrap_or_default());
    thread::scope(|scope| {
        scope.spawn(|| {
            link::carry(link, city, |send| upwards(line, (laptop, city), &answer_limit, send));
            let _ = city.shutdown(Shutdown::Write);
        });
        link::carry(link, laptop, |send| downwards(line, city, &answer_limit, send));
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
                Some(Cut::BeforeSend) => {
                    line.note_cut();
                    return close(laptop, city);
                }
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
        let sent = send(bytes).is_ok();
        if left == Some(0) || breaks {
            line.note_cut();
            return close(laptop, city);
        }
        if !sent {
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
        let sent = send(bytes).is_ok();
        if limit.get() == Some(0) || breaks {
            return line.note_cut();
        }
        if !sent {
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
        proxy.set_weather(Weather { break_every: Some(10_000), ..Weather::default() });
        let whole = (0..10).filter(|_| post(&proxy) == Some(1000)).count();
        let traffic = proxy.traffic();
        assert!((5..9).contains(&whole), "about every third of them was cut: {whole}");
        assert!(traffic.bytes() > 30_000, "it was whole again each time: {traffic:?}");
        assert!(proxy.felt().cuts >= 3, "each break is counted: {:?}", proxy.felt());
    }

    #[test]
    fn a_line_refuses_as_many_connections_as_it_is_told_to() {
        let (address, answered) = city();
        let proxy = Proxy::before(address).unwrap();
        proxy.set_weather(Weather { refuses: 30, ..Weather::default() });
        let whole = (0..60).filter(|_| post(&proxy) == Some(1000)).count() as u64;
        let felt = proxy.felt();
        assert!((9..28).contains(&felt.refused), "about a third of 60: {felt:?}");
        assert_eq!((felt.refused + whole, felt.cuts), (60, 0), "each was refused or came through whole");
        assert_eq!(answered.load(Ordering::SeqCst), whole, "the city hears nothing of a refused one");
        proxy.set_weather(Weather::default());
        assert_eq!(post(&proxy), Some(1000), "fair weather refuses nobody");
        assert_eq!(proxy.felt(), felt);
    }

    #[test]
    fn a_slow_line_is_fast_again_when_the_weather_turns() {
        let (address, _) = city();
        let proxy = Proxy::over(address, Link { bytes_per_second: 200, latency: Duration::ZERO }).unwrap();
        let begin = Instant::now();
        thread::scope(|scope| {
            let posted = scope.spawn(|| post(&proxy));
            thread::sleep(Duration::from_millis(200));
            assert!(!posted.is_finished(), "3000 bytes take 15 s on this line");
            proxy.set_weather(Weather::default());
            assert_eq!(posted.join().unwrap(), Some(1000));
        });
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
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
            assert_eq!(proxy.felt().cuts, 1, "{cut:?} is counted");
            assert_eq!(answered.load(Ordering::SeqCst), reached, "{cut:?}");
            assert_eq!(post(&proxy), Some(1000), "{cut:?} happens once");
        }
    }
}
