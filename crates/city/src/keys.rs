//! The keys that the city signs with: the one that signs, spares that the root certified ahead, and those that did.
//!
//! The root is offline, so a city that finds that it was set back takes a spare by itself: its old key has a second
//! chain somewhere. Dates of keys are for people; nothing is decided by them.

use crate::accept;
use crate::city::{City, CityError};
use crate::db::{DbError, meta, set_meta};
use crate::pen::PenError;
use crate::world::World;
use crate::{audit, check};
use ed25519_dalek::SigningKey;
use replica::{DeviceId, RootKey, StreamId, certify, device_of, from_hex};
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use std::path::{Path, PathBuf};

const YEAR_MS: i64 = 366 * 24 * 60 * 60 * 1000;
/// People are told this long before a key ends.
const WARN_MS: i64 = 60 * 24 * 60 * 60 * 1000;
/// How often a city can be set back without anybody fetching the root.
const SPARES: usize = 3;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Streams whose certificate is written in one transaction.
const AT_ONCE: usize = 50;
/// In `meta`: the city should sign with a fresh key and has none.
const WANTED: &str = "fresh key wanted";

/// The key that the city signs with, and the root's word for it.
#[derive(Debug)]
pub struct OperatingKey {
    pub key: SigningKey,
    pub certificate: Value,
    pub ends: i64,
}

impl OperatingKey {
    pub fn device(&self) -> DeviceId {
        device_of(&self.key)
    }
}

/// Something that the city's IT person should do about the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// The key that signs ends in this many days; 0 or less: it has ended.
    Ends(i64),
    /// The city was set back, knows it, and has no spare left to sign with.
    FreshKeyWanted,
    NoSpare,
}

impl std::fmt::Display for Advice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rotate = "取来根密钥，运行 city rotate --root";
        match self {
            Advice::Ends(days @ 1..) => write!(f, "签名密钥还有 {days} 天到期。请{rotate}"),
            Advice::Ends(_) => write!(f, "签名密钥已经到期（照常可用）。请{rotate}"),
            Advice::FreshKeyWanted => {
                write!(f, "平台曾恢复到较早的状态，需要换一把新的签名密钥，但备用密钥已经用完。请{rotate}")
            }
            Advice::NoSpare => write!(f, "没有备用签名密钥了。请{rotate}"),
        }
    }
}

/// What `rotate` did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotated {
    pub device: DeviceId,
    pub starts: i64,
    pub ends: i64,
    /// Streams that now hold the key's certificate.
    pub streams: usize,
}

/// Why a root key file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    #[error("根密钥文件 {file} 读不了：{source}。没有改动任何东西")]
    Unreadable { file: PathBuf, source: std::io::Error },
    #[error("根密钥文件 {0} 不是 64 位十六进制数。没有改动任何东西")]
    Malformed(PathBuf),
    #[error("这不是本平台的根密钥。没有改动任何东西，请找到 city init 时生成的 root.key")]
    Other,
}

/// Reads the root key that `city init` wrote and somebody took away.
pub fn read_root(file: &Path) -> Result<SigningKey, RootError> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| RootError::Unreadable { file: file.to_owned(), source })?;
    let bytes = from_hex::<32>(text.trim()).map_err(|_| RootError::Malformed(file.to_owned()))?;
    Ok(SigningKey::from_bytes(&bytes))
}

impl City {
    /// The key that signs now. Asked of the database each time: another process may have changed it.
    pub fn operating(&self) -> Result<OperatingKey, DbError> {
        self.db.read(signing)
    }

    /// Signs with a fresh key from now on, and tells every stream. Old receipts and changes stay what they are.
    pub fn rotate(&self, root: &SigningKey) -> Result<Rotated, CityError> {
        let now = self.world.now();
        let streams = self.db.write::<_, CityError>(|t| {
            is_root(root, &self.root)?;
            let device = install(t, &self.world, root)?;
            audit::note(t, now, crate::accounts::OPERATOR, "operating key made", &device.to_string())?;
            Ok(check::streams(t)?)
        })?;
        for streams in streams.chunks(AT_ONCE) {
            self.db.write::<_, PenError>(|t| {
                streams.iter().try_for_each(|stream| tell(self, t, stream, now).map(drop))
            })?;
        }
        let key = self.operating()?;
        Ok(Rotated { device: key.device(), starts: now, ends: key.ends, streams: streams.len() })
    }

    /// What should be done about the keys.
    pub fn key_advice(&self) -> Result<Vec<Advice>, DbError> {
        self.db.read(|c| advice(c, self.world.now()))
    }
}

/// Says whether this is the root that the city is built on.
pub fn is_root(root: &SigningKey, pinned: &RootKey) -> Result<(), RootError> {
    match root.verifying_key().to_bytes() == pinned.0 {
        true => Ok(()),
        false => Err(RootError::Other),
    }
}

/// The key that signs now.
pub fn signing(c: &Connection) -> Result<OperatingKey, DbError> {
    let statement = "SELECT secret, certificate, ends FROM operating_key WHERE turn IS NOT NULL ORDER BY turn DESC LIMIT 1";
    let (secret, certificate, ends): (Vec<u8>, String, i64) =
        c.prepare_cached(statement)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let damaged = |_| DbError::Damaged { table: "operating_key", what: "certificate".to_owned() };
    Ok(OperatingKey {
        key: SigningKey::from_bytes(&crate::log::bytes32(secret, "operating_key")?),
        certificate: serde_json::from_str(&certificate).map_err(damaged)?,
        ends,
    })
}

/// Makes a key that signs from now on, and spares. Spares of before are forgotten: who copied them has them too. So are
/// the secrets of the keys before: what is not there cannot be stolen.
pub fn install(t: &Connection, world: &World, root: &SigningKey) -> Result<DeviceId, DbError> {
    t.execute("DELETE FROM operating_key WHERE turn IS NULL", [])?;
    t.execute("UPDATE operating_key SET secret = x'' WHERE turn IS NOT NULL", [])?;
    let device = add(t, world, root)?;
    sign_with(t, &device)?;
    for _ in 0..SPARES {
        add(t, world, root)?;
    }
    t.execute("DELETE FROM meta WHERE name = ?1", [WANTED])?;
    Ok(device)
}

/// Adds a certified key as a spare.
fn add(t: &Connection, world: &World, root: &SigningKey) -> Result<DeviceId, DbError> {
    let key = SigningKey::from_bytes(&world.random());
    let (starts, ends) = (world.now(), world.now() + YEAR_MS);
    let device = device_of(&key);
    let certificate = certify(root, &device, &starts.to_string(), &ends.to_string()).to_string();
    t.execute(
        "INSERT INTO operating_key (device, secret, starts, ends, certificate) VALUES (?1, ?2, ?3, ?4, ?5)",
        (device.0.as_slice(), key.to_bytes().as_slice(), starts, ends, certificate),
    )?;
    Ok(device)
}

fn sign_with(t: &Connection, device: &DeviceId) -> Result<(), DbError> {
    t.execute(
        "UPDATE operating_key SET turn = (SELECT coalesce(max(turn), 0) + 1 FROM operating_key) WHERE device = ?1",
        [device.0.as_slice()],
    )?;
    Ok(())
}

/// Signs with a spare that nobody has seen a change of. False if there is none. The key before still opens files that were
/// sealed to it: nobody stole it, and a computer that the city has forgotten can be told of no other.
pub fn take_spare(t: &Connection) -> Result<bool, DbError> {
    let statement = "SELECT device FROM operating_key WHERE turn IS NULL
                     AND NOT EXISTS (SELECT 1 FROM chain_end WHERE chain_end.device = operating_key.device)
                     ORDER BY device LIMIT 1";
    let spare: Option<Vec<u8>> = t.query_row(statement, [], |row| row.get(0)).optional()?;
    match spare {
        Some(bytes) => {
            sign_with(t, &DeviceId(crate::log::bytes32(bytes, "operating_key")?))?;
            Ok(true)
        }
        None => Ok(false),
    }
}

/// Changes arrived that the city's own key signed and that the city does not have: it was set back to an earlier copy.
/// From now on it signs with a fresh key, so that no third chain of the old one begins.
pub fn set_back(t: &Connection, now: i64) -> Result<(), DbError> {
    let old = signing(t)?.device();
    if take_spare(t)? {
        tracing::warn!("this city was set back to an earlier copy; it signs with a fresh key from now on");
        return audit::note(t, now, "city", "set back, fresh operating key", &old.to_string());
    }
    if meta(t, WANTED)?.is_none() {
        tracing::warn!("this city was set back to an earlier copy and has no spare key: run city rotate");
        set_meta(t, WANTED, b"1")?;
        audit::note(t, now, "city", "set back, no spare key", &old.to_string())?;
    }
    Ok(())
}

/// Writes the certificate of the key that signs now into a stream that does not have it.
pub fn tell(city: &City, t: &Connection, stream: &StreamId, now: i64) -> Result<bool, PenError> {
    let device = signing(t)?.device();
    let statement = "SELECT 1 FROM chain_end WHERE stream = ?1 AND device = ?2";
    let told = t
        .prepare_cached(statement)
        .and_then(|mut statement| statement.exists((stream.0.as_slice(), device.0.as_slice())))
        .map_err(DbError::from)?;
    if !told {
        accept::write(city, t, stream, "key", &[], now)?;
    }
    Ok(!told)
}

/// What should be done about the keys.
pub fn advice(c: &Connection, now: i64) -> Result<Vec<Advice>, DbError> {
    let left = signing(c)?.ends - now;
    let spares: i64 =
        c.query_row("SELECT count(*) FROM operating_key WHERE turn IS NULL", [], |row| row.get(0))?;
    let advice = [
        (left < WARN_MS).then_some(Advice::Ends(left.div_euclid(DAY_MS))),
        meta(c, WANTED)?.map(|_| Advice::FreshKeyWanted),
        (spares == 0).then_some(Advice::NoSpare),
    ];
    Ok(advice.into_iter().flatten().collect())
}
