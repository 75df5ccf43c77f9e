//! Where the city is reached: said in every stream, signed, so that laptops follow when it moves.

use crate::city::{City, CityError};
use crate::db::{DbError, meta, set_meta};
use crate::pen::Write;
use crate::{accept, audit, check, fold};
use replica::{RootKey, STREAM_KIND, STREAM_RECORD, StreamId};
use rusqlite::Connection;
use serde_json::{Value, json};

/// The path of the address in the stream's own record.
pub const PATH: &str = "~city/address";
const META: &str = "address";
const LONGEST: usize = 200;
/// Streams that are told in one transaction.
const AT_ONCE: usize = 50;

impl City {
    /// Tells every stream, and each that comes later, where the city is. Gives how many were told.
    pub fn announce(&self, who: &str, address: &str) -> Result<usize, CityError> {
        let (now, address) = (self.world.now(), read(address)?);
        let streams = self.db.write::<_, CityError>(|t| {
            set_meta(t, META, address.as_bytes())?;
            audit::note(t, now, who, "address announced", &address)?;
            Ok(check::streams(t)?)
        })?;
        for streams in streams.chunks(AT_ONCE) {
            self.db.write::<_, CityError>(|t| {
                for stream in streams {
                    if let Some(write) = pending(t, &self.root, stream)? {
                        accept::write(self, t, stream, "address", &[write], now)?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(streams.len())
    }

    /// What is announced now.
    pub fn announced(&self) -> Result<Option<String>, DbError> {
        self.db.read(announced)
    }
}

pub fn announced(c: &Connection) -> Result<Option<String>, DbError> {
    let damaged = |_| DbError::Damaged { table: "meta", what: META.to_owned() };
    meta(c, META)?.map(|bytes| String::from_utf8(bytes).map_err(damaged)).transpose()
}

pub fn value(address: &str) -> Value {
    json!({ "address": address })
}

/// What a stream must still be told.
pub fn pending(c: &Connection, root: &RootKey, stream: &StreamId) -> Result<Option<Write>, DbError> {
    let Some(address) = announced(c)? else { return Ok(None) };
    let record = fold::state(c, root, stream, STREAM_KIND, STREAM_RECORD)?;
    let value = value(&address);
    let known = record.as_ref().is_some_and(|record| record.value(PATH) == Some(&value));
    let over = record.map(|record| record.heads(PATH)).unwrap_or_default();
    Ok((!known).then(|| Write::to_stream(PATH.to_owned(), value, over)))
}

/// HTTPS, or this computer for trying things out.
fn read(typed: &str) -> Result<String, CityError> {
    let address = typed.trim().trim_end_matches('/');
    let bad = || CityError::BadAddress(typed.to_owned());
    let (scheme, rest) = address.split_once("://").ok_or_else(bad)?;
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let plain = address.chars().all(|letter| letter.is_alphanumeric() || "-._~:/[]%".contains(letter));
    let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let encrypted = scheme == "https" || (scheme == "http" && here);
    match encrypted && plain && !host.is_empty() && address.len() <= LONGEST {
        true => Ok(address.to_owned()),
        false => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn only_what_laptops_may_follow_is_announced() {
        let table = [
            ("https://city.example.cn", Some("https://city.example.cn")),
            (" https://city.example.cn:8443/jishi/ ", Some("https://city.example.cn:8443/jishi")),
            ("http://127.0.0.1:8470", Some("http://127.0.0.1:8470")),
            ("http://[::1]:8470", Some("http://[::1]:8470")),
            ("http://city.example.cn", None),
            ("http://127.0.0.1.example.cn", None),
            ("city.example.cn", None),
            ("https://", None),
            ("https://user@city.example.cn", None),
            ("https://city.example.cn/两个 词", None),
        ];
        for (typed, expected) in table {
            assert_eq!(read(typed).ok().as_deref(), expected, "{typed}");
        }
    }
}
