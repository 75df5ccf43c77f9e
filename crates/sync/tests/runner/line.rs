//! A line that can be cut: an HTTP proxy that takes one request at a time and does to it what it was told.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What happens to the next request. Parts are in thousandths of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Cut before anything reaches the city.
    BeforeSend,
    /// The city gets this part of the request.
    MidRequest(usize),
    /// The city answers, and nothing of it comes back.
    BeforeAck,
    /// This part of the answer comes back.
    MidResponse(usize),
    /// Goes through.
    None,
}

/// One request with its answer, as bytes on the line.
#[derive(Debug, Clone, Default)]
pub struct Passed {
    pub request: Vec<u8>,
    pub response: Vec<u8>,
}

#[derive(Debug)]
struct Inside {
    to: SocketAddr,
    faults: VecDeque<Fault>,
    passed: Vec<Passed>,
}

#[derive(Debug, Clone)]
pub struct Line {
    pub address: SocketAddr,
    inside: Arc<Mutex<Inside>>,
}

impl Line {
    pub fn to(city: SocketAddr) -> Line {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let inside = Inside { to: city, faults: VecDeque::new(), passed: Vec::new() };
        let line = Line { address: listener.local_addr().unwrap(), inside: Arc::new(Mutex::new(inside)) };
        let serving = line.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let line = serving.clone();
                std::thread::spawn(move || while line.pass(&client).is_some() {});
            }
        });
        line
    }

    /// Plans faults for the next requests.
    pub fn plan(&self, faults: &[Fault]) {
        self.inside.lock().unwrap().faults.extend(faults);
    }

    /// The city moved.
    pub fn turn_to(&self, city: SocketAddr) {
        self.inside.lock().unwrap().to = city;
    }

    /// Takes what passed since the last time.
    pub fn passed(&self) -> Vec<Passed> {
        std::mem::take(&mut self.inside.lock().unwrap().passed)
    }

    /// Takes one request through. None ends the connection.
    fn pass(&self, client: &TcpStream) -> Option<()> {
        let request = read_message(client)?;
        let (to, fault) = {
            let mut inside = self.inside.lock().unwrap();
            (inside.to, inside.faults.pop_front().unwrap_or(Fault::None))
        };
        let response = match fault {
            Fault::BeforeSend => return None,
            Fault::MidRequest(part) => {
                let city = TcpStream::connect(to).ok()?;
                let _ = (&city).write_all(&request[..request.len() * part / 1000]);
                return None;
            }
            Fault::BeforeAck | Fault::MidResponse(_) | Fault::None => {
                let city = TcpStream::connect(to).ok()?;
                (&city).write_all(&request).ok()?;
                read_message(&city)?
            }
        };
        let back = match fault {
            Fault::MidResponse(part) => response.len() * part / 1000,
            Fault::None => response.len(),
            Fault::BeforeSend | Fault::MidRequest(_) | Fault::BeforeAck => 0,
        };
        let whole = back == response.len();
        let passed = Passed { request, response: response.clone() };
        self.inside.lock().unwrap().passed.push(passed);
        let mut client = client;
        client.write_all(&response[..back]).ok()?;
        whole.then_some(())
    }
}

/// Reads one HTTP message that says its length.
pub fn read_message(mut from: &TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut piece = [0; 16 * 1024];
    let mut whole = usize::MAX;
    while bytes.len() < whole {
        let len = from.read(&mut piece).ok()?;
        if len == 0 {
            return None;
        }
        bytes.extend_from_slice(&piece[..len]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            whole = end + 4 + length.map_or(0, |length| length.trim().parse().unwrap());
        }
    }
    Some(bytes)
}

/// Sends bytes as they are and gives the answer.
pub fn send_raw(to: SocketAddr, request: &[u8]) -> Vec<u8> {
    let city = TcpStream::connect(to).unwrap();
    (&city).write_all(request).unwrap();
    read_message(&city).unwrap()
}
