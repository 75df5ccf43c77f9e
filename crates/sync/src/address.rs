//! The city's address as a person types it.

use crate::error::SyncError;
use std::fmt;
use std::net::IpAddr;

/// A base URL that is encrypted, or on this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Reads an address. Without a scheme it is https, on this computer http; http to elsewhere is refused.
    pub fn parse(typed: &str) -> Result<Address, SyncError> {
        let typed = typed.trim().trim_end_matches('/');
        let bad = || SyncError::BadAddress(typed.to_owned());
        let (scheme, rest) = match typed.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, typed),
        };
        let authority = rest.split('/').next().unwrap_or_default();
        let host = host(authority).filter(|host| is_host(host)).ok_or_else(bad)?;
        let scheme = match scheme.as_deref() {
            Some("https") => "https",
            Some("http") if is_loopback(host) => "http",
            Some("http") => return Err(SyncError::PlainHttp(typed.to_owned())),
            None if is_loopback(host) => "http",
            None => "https",
            Some(_) => return Err(bad()),
        };
        Ok(Address(format!("{scheme}://{rest}")))
    }

    /// The address of one of the city's endpoints.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// True if no proxy may stand in between.
    pub fn is_loopback(&self) -> bool {
        self.0.starts_with("http://")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, port.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    port.is_none_or(|port| port.parse::<u16>().is_ok()).then_some(host)
}

fn is_host(host: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | ':');
    !host.is_empty() && host.chars().all(plain)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_as_people_type_them() {
        let table = [
            ("city.example.cn", Ok("https://city.example.cn")),
            (" https://city.example.cn:8443/ ", Ok("https://city.example.cn:8443")),
            ("HTTPS://city.example.cn", Ok("https://city.example.cn")),
            ("https://example.cn/jishi", Ok("https://example.cn/jishi")),
            ("127.0.0.1:8470", Ok("http://127.0.0.1:8470")),
            ("http://localhost:8470", Ok("http://localhost:8470")),
            ("http://[::1]:8470", Ok("http://[::1]:8470")),
            ("10.0.0.7", Ok("https://10.0.0.7")),
            ("http://10.0.0.7", Err("plain_http")),
            ("http://127.0.0.1.example.cn", Err("plain_http")),
            ("ftp://city.example.cn", Err("bad_address")),
            ("", Err("bad_address")),
            ("city.example.cn:port", Err("bad_address")),
            ("两个 词", Err("bad_address")),
        ];
        for (typed, expected) in table {
            let read = Address::parse(typed);
            let read = read.as_ref().map(|address| address.0.as_str()).map_err(|error| error.code());
            assert_eq!(read, expected, "{typed}");
        }
    }
}
