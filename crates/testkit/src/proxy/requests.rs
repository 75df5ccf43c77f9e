//! Finds where HTTP/1.1 requests begin in the bytes of one connection.

/// Follows one direction of one connection.
#[derive(Debug, Default)]
pub struct Requests {
    part: Part,
    head: Vec<u8>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Between,
    Head,
    Body {
        left: usize,
    },
    /// A body in chunks ends with an empty one; the tail of what came is kept to see it.
    Chunks {
        tail: Vec<u8>,
    },
}

const END_OF_HEAD: &[u8] = b"\r\n\r\n";
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

impl Requests {
    /// Takes the next bytes and says how many requests begin in them.
    pub fn feed(&mut self, mut bytes: &[u8]) -> u64 {
        let mut begun = 0;
        while !bytes.is_empty() {
            match &mut self.part {
                Part::Between => {
                    begun += 1;
                    self.part = Part::Head;
                }
                Part::Head => bytes = self.head(bytes),
                Part::Body { left } => {
                    let now = bytes.len().min(*left);
                    *left -= now;
                    bytes = &bytes[now..];
                    if *left == 0 {
                        self.part = Part::Between;
                    }
                }
                Part::Chunks { tail } => {
                    tail.extend_from_slice(bytes);
                    bytes = &[];
                    if tail.ends_with(LAST_CHUNK) {
                        self.part = Part::Between;
                    } else {
                        tail.drain(..tail.len().saturating_sub(LAST_CHUNK.len()));
                    }
                }
            }
        }
        begun
    }

    /// Whether the last request is complete.
    #[cfg(test)]
    pub fn between(&self) -> bool {
        self.part == Part::Between
    }

    fn head<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        let Some(end) = self.head.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD) else {
            return &[];
        };
        let end = end + END_OF_HEAD.len();
        self.part = body(&String::from_utf8_lossy(&self.head[..end]));
        self.head.clear();
        &bytes[end - before..]
    }
}

fn body(head: &str) -> Part {
    let value = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    if value("transfer-encoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("chunked")) {
        return Part::Chunks { tail: Vec::new() };
    }
    match value("content-length").and_then(|length| length.parse().ok()).unwrap_or(0) {
        0 => Part::Between,
        left => Part::Body { left },
    }
}

#[cfg(test)]
mod tests {
    use super::Requests;

    #[test]
    fn requests_are_counted_however_they_are_split() {
        let cases = [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1),
            ("POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n\r\n", 2),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
                1,
            ),
        ];
        for (bytes, expected) in cases {
            let whole = Requests::default().feed(bytes.as_bytes());
            assert_eq!(whole, expected, "{bytes:?}");
            let mut bytewise = Requests::default();
            let counted: u64 = bytes.bytes().map(|byte| bytewise.feed(&[byte])).sum();
            assert!(counted >= expected, "{bytes:?}");
            assert!(bytewise.between(), "{bytes:?}");
        }
    }
}
