//! The signing identity of this computer. It lies in the encrypted file; the newest one signs.

use ed25519_dalek::{Signer, SigningKey};
use replica::{DeviceId, STREAM_KIND, STREAM_RECORD, device_of, opening_key};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;
use zeroize::Zeroizing;

use crate::error::{Fault, StoreError};
use crate::fold::Batch;
use crate::log;
use crate::records;
use crate::ruling;
use crate::sources::random;
use crate::store::Store;
use crate::write::{Author, sign, start};

pub(crate) struct Identity(SigningKey);

impl Identity {
    pub(crate) fn device(&self) -> DeviceId {
        device_of(&self.0)
    }

    pub(crate) fn key(&self) -> &SigningKey {
        &self.0
    }
}

impl Store {
    /// The identity that signs now.
    pub fn device(&self) -> Result<DeviceId, StoreError> {
        self.look(|db| Ok(current(db)?.device()))
    }

    /// Signs bytes that begin with their purpose and version.
    pub fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], StoreError> {
        self.look(|db| Ok(current(db)?.key().sign(bytes).to_bytes()))
    }

    /// The secret that opens what was sealed to this computer under one of its identities, also an earlier one.
    pub fn opening_key(&self, device: &DeviceId) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError> {
        self.look(|db| {
            let sql = "SELECT secret FROM identity WHERE public = ?1";
            let mut statement = db.prepare_cached(sql)?;
            let secret: Option<[u8; 32]> =
                statement.query_row([device.as_bytes()], |row| row.get(0)).optional()?;
            Ok(secret.map(|secret| Zeroizing::new(opening_key(&SigningKey::from_bytes(&secret)))))
        })
    }

    /// Takes a new identity from now on, introduced to the own stream by a change that the old one signs. For a
    /// computer that was copied or restored from a backup: its chain has two ends, and must not grow a third.
    pub fn renew_identity(&self, author: &Author, computer: &str) -> Result<DeviceId, StoreError> {
        let key = self.new_key();
        let at = self.sources.now();
        let touched = self.commit(|db, batch| {
            renew(db, batch, &key, at, author, computer)?;
            Ok(Vec::new())
        })?;
        self.tell(&touched);
        Ok(device_of(&key))
    }

    /// The same by itself, for a computer whose chain turns out to have two ends: the folder was copied, or restored from
    /// a backup, and somebody wrote on with the same identity. Both ends stay. Gives the new identity, if one was needed.
    pub fn renew_if_forked(&self) -> Result<Option<DeviceId>, StoreError> {
        if !self.look(is_forked)? {
            return Ok(None);
        }
        let key = self.new_key();
        let at = self.sources.now();
        let touched = self.commit(|db, batch| {
            let (author, computer) = signature_of(db)?;
            renew(db, batch, &key, at, &author, &computer)?;
            Ok(Vec::new())
        })?;
        self.tell(&touched);
        Ok(Some(device_of(&key)))
    }

    /// Adds an identity that nobody has introduced, for enrolling anew after the one before was revoked.
    pub fn add_identity(&self) -> Result<DeviceId, StoreError> {
        let key = self.new_key();
        self.transact(|db| add(db, &key, self.sources.now()))?;
        Ok(device_of(&key))
    }

    /// Takes an identity back that was added and has signed nothing.
    pub fn drop_identity(&self, device: &DeviceId) -> Result<(), StoreError> {
        self.transact(|db| {
            let sql = "DELETE FROM identity WHERE public = ?1
                         AND NOT EXISTS (SELECT 1 FROM change WHERE device = ?1)
                         AND (SELECT count(*) FROM identity) > 1";
            db.prepare_cached(sql)?.execute([device.as_bytes()])?;
            Ok(())
        })
    }

    pub(crate) fn new_key(&self) -> SigningKey {
        SigningKey::from_bytes(&random(&*self.sources))
    }

    /// Makes the first identity of a new branch.
    pub(crate) fn ensure_identity(&self) -> Result<(), StoreError> {
        let known = self.look(|db| Ok(db.prepare_cached("SELECT 1 FROM identity")?.exists([])?))?;
        if known {
            return Ok(());
        }
        let key = self.new_key();
        self.transact(|db| add(db, &key, self.sources.now()))
    }
}

fn is_forked(db: &Connection) -> Result<bool, Fault> {
    let Some(stream) = log::own_stream(db)? else { return Ok(false) };
    let sql = "SELECT count(*) FROM frontier WHERE stream = ?1 AND device = ?2";
    let device = current(db)?.device();
    let ends: i64 =
        db.prepare_cached(sql)?.query_row(params![stream.seq, device.as_bytes()], |row| row.get(0))?;
    Ok(ends > 1)
}

/// Who signed last here and what this computer is called in its stream, for what the program does by itself.
pub(crate) fn signature_of(db: &Connection) -> Result<(Author, String), Fault> {
    let Some(stream) = log::own_stream(db)? else { return Ok((Author::new(""), String::new())) };
    let device = current(db)?.device();
    let end = log::chain_end(db, stream.seq, &device)?;
    let last = match end.map(|end| log::change_by_id(db, &end.id)).transpose() {
        Ok(last) => last.flatten(),
        // The last change is the damaged one that a new identity is taken for.
        Err(Fault::Row { .. }) => None,
        Err(other) => return Err(other),
    };
    let author = last.map(|change| change.header.author).unwrap_or_default();
    let known = records::state(db, &ruling::stream_record(stream))?;
    let known = known.as_ref().and_then(|state| state.value(&format!("~device/{device}")));
    let computer = known.and_then(|value| value.get("name")).and_then(serde_json::Value::as_str);
    Ok((Author(author), computer.unwrap_or_default().to_owned()))
}

/// From now on `key` signs; in the own stream the old one says so.
pub(crate) fn renew<'a>(
    db: &'a Connection,
    batch: &mut Batch<'a>,
    key: &SigningKey,
    at: i64,
    author: &Author,
    computer: &str,
) -> Result<(), Fault> {
    if let Some(stream) = log::own_stream(db)? {
        let old = current(db)?;
        let mut builder = start(db, Some(stream), &old, at, author, "renew identity")?;
        let (path, value) = (format!("~device/{}", device_of(key)), json!({ "name": computer }));
        builder.add(STREAM_RECORD, STREAM_KIND, &path, &value, &[]);
        let change = sign(builder, &old)?;
        batch.add(stream, change)?;
    }
    add(db, key, at)
}

fn add(db: &Connection, key: &SigningKey, at: i64) -> Result<(), Fault> {
    let sql = "INSERT INTO identity (public, secret, made_at) VALUES (?1, ?2, ?3)";
    db.prepare_cached(sql)?.execute(params![device_of(key).as_bytes(), key.to_bytes(), at])?;
    Ok(())
}

/// Every identity that this computer ever had.
pub(crate) fn all(db: &Connection) -> Result<Vec<DeviceId>, Fault> {
    let mut statement = db.prepare_cached("SELECT public FROM identity ORDER BY seq")?;
    let rows = statement.query_map([], |row| Ok(DeviceId(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn current(db: &Connection) -> Result<Identity, Fault> {
    let mut statement = db.prepare_cached("SELECT secret FROM identity ORDER BY seq DESC LIMIT 1")?;
    let secret: Option<[u8; 32]> = statement.query_row([], |row| row.get(0)).optional()?;
    let secret =
        secret.ok_or_else(|| Fault::row("identity", "last", "secret", "this computer has no identity"))?;
    Ok(Identity(SigningKey::from_bytes(&secret)))
}
