//! Who may come in: a token that is good once and for a minute, then a cookie; one host name, one origin.
//!
//! Every program and every web site that the person has open can reach a port on loopback. The token proves that the
//! browser was sent by somebody who can read the person's own files; the host and origin checks keep foreign pages
//! (and names rebound to this address) from borrowing the cookie.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, Method, header};

/// How long a token waits to be used.
pub const TOKEN_LIFE: Duration = Duration::from_secs(60);

/// 256 random bits in hex.
pub type Secret = String;

/// The checks of one running shell.
pub struct Door {
    host: String,
    cookie: String,
    token: Mutex<Option<(Secret, Instant)>>,
}

/// Why a request is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Asked for under another name than the loopback address.
    ForeignHost,
    /// Sent by another page.
    ForeignOrigin,
    /// Without the cookie.
    NoSession,
}

impl Door {
    /// The cookie's name is random too: cookies of one host are shared by all ports, so a fixed name would let two
    /// shells sign each other out.
    pub fn new(port: u16, name: &str, secret: &str) -> Self {
        let cookie = format!("jishi_{name}={secret}");
        Self { host: format!("127.0.0.1:{port}"), cookie, token: Mutex::new(None) }
    }

    /// Makes `token` the one that is good now and returns the address that uses it.
    pub fn issue(&self, token: Secret, now: Instant) -> String {
        let address = format!("http://{}/enter?token={token}", self.host);
        *self.lock() = Some((token, now + TOKEN_LIFE));
        address
    }

    /// Uses the token up; the answer is the value of `Set-Cookie`.
    pub fn enter(&self, offered: &str, now: Instant) -> Option<String> {
        let mut token = self.lock();
        let good = token.as_ref().is_some_and(|(held, until)| same(held, offered) && now < *until);
        if !good {
            return None;
        }
        *token = None;
        Some(format!("{}; Path=/; HttpOnly; SameSite=Strict", self.cookie))
    }

    /// Whether a request came under the right name and not from another page.
    pub fn checks_sender(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
        if text(headers, header::HOST) != Some(self.host.as_str()) {
            return Err(Refusal::ForeignHost);
        }
        let origin = text(headers, header::ORIGIN).map(|origin| origin.strip_prefix("http://"));
        let own = origin == Some(Some(self.host.as_str()));
        if own || (origin.is_none() && method == Method::GET) { Ok(()) } else { Err(Refusal::ForeignOrigin) }
    }

    /// Whether a request carries the cookie.
    pub fn checks_session(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut cookies = all.flat_map(|line| line.split(';')).map(str::trim);
        if cookies.any(|cookie| same(cookie, &self.cookie)) { Ok(()) } else { Err(Refusal::NoSession) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Secret, Instant)>> {
        self.token.lock().expect("nothing panics while it holds the token")
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Compares without telling by its duration how much was right.
fn same(left: &str, right: &str) -> bool {
    left.len() == right.len() && left.bytes().zip(right.bytes()).fold(0, |all, (l, r)| all | (l ^ r)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door() -> Door {
        Door::new(4711, "a1", "secret")
    }

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_token_is_good_once() {
        let (door, now) = (door(), Instant::now());
        assert_eq!(door.issue("t".into(), now), "http://127.0.0.1:4711/enter?token=t");
        assert_eq!(door.enter("x", now), None, "a wrong token must not use the right one up");
        let cookie = door.enter("t", now).expect("the first use is good");
        assert_eq!(cookie, "jishi_a1=secret; Path=/; HttpOnly; SameSite=Strict");
        assert_eq!(door.enter("t", now), None, "somebody who finds the address in a history must not get in");
    }

    #[test]
    fn a_token_is_good_for_a_minute_and_until_the_next() {
        let (door, now) = (door(), Instant::now());
        door.issue("t".into(), now);
        assert_eq!(door.enter("t", now + TOKEN_LIFE), None);
        door.issue("u".into(), now);
        door.issue("v".into(), now);
        assert_eq!(door.enter("u", now), None);
        assert!(door.enter("v", now).is_some());
    }

    #[test]
    fn senders() {
        let ours = "127.0.0.1:4711";
        let cases = [
            ("a page that is opened", Method::GET, Some(ours), None, Ok(())),
            ("our page", Method::POST, Some(ours), Some("http://127.0.0.1:4711"), Ok(())),
            ("a form without origin", Method::POST, Some(ours), None, Err(Refusal::ForeignOrigin)),
            ("a file", Method::POST, Some(ours), Some("null"), Err(Refusal::ForeignOrigin)),
            (
                "another port",
                Method::GET,
                Some(ours),
                Some("http://127.0.0.1:80"),
                Err(Refusal::ForeignOrigin),
            ),
            ("a rebound name", Method::GET, Some("evil.example:4711"), None, Err(Refusal::ForeignHost)),
            ("no name", Method::GET, None, None, Err(Refusal::ForeignHost)),
        ];
        for (who, method, host, origin, expected) in cases {
            let sent = [host.map(|host| (header::HOST, host)), origin.map(|origin| (header::ORIGIN, origin))];
            let sent: Vec<_> = sent.into_iter().flatten().collect();
            assert_eq!(door().checks_sender(&method, &headers(&sent)), expected, "{who}");
        }
    }

    #[test]
    fn sessions() {
        let cases = [
            ("jishi_a1=secret", Ok(())),
            ("other=1; jishi_a1=secret", Ok(())),
            ("jishi_a1=secre", Err(Refusal::NoSession)),
            ("jishi_b2=secret", Err(Refusal::NoSession)),
        ];
        for (cookie, expected) in cases {
            let sent = headers(&[(header::COOKIE, cookie)]);
            assert_eq!(door().checks_session(&sent), expected, "{cookie}");
        }
        assert_eq!(door().checks_session(&HeaderMap::new()), Err(Refusal::NoSession));
    }
}
