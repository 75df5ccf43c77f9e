//! The signing identity of this computer. It lies in the encrypted file; the newest one signs.

use ed25519_dalek::{Signer, SigningKey};
use replica::{DeviceId, STREAM_KIND, STREAM_RECORD, device_of};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

use crate::error::{Fault, StoreError};
use crate::log;
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

    /// Takes a new identity from now on, introduced to the own stream by a change that the old one signs. For a
    /// computer that was copied or restored from a backup: its chain has two ends, and must not grow a third.
    pub fn renew_identity(&self, author: &Author, computer: &str) -> Result<DeviceId, StoreError> {
        let key = SigningKey::from_bytes(&random(&*self.sources));
        let device = device_of(&key);
        let at = self.sources.now();
        let touched = self.commit(|db, batch| {
            if let Some(stream) = log::own_stream(db)? {
                let old = current(db)?;
                let mut builder = start(db, Some(stream), &old, at, author, "renew identity")?;
                let (path, value) = (format!("~device/{device}"), json!({ "name": computer }));
                builder.add(STREAM_RECORD, STREAM_KIND, &path, &value, &[]);
                let change = sign(builder, &old)?;
                let prev = change.header.prev.map(|prev| log::held(db, &prev)).transpose()?.flatten();
                batch.add(stream, change, prev.as_ref())?;
            }
            add(db, &key, at)?;
            Ok(Vec::new())
        })?;
        self.tell(&touched);
        Ok(device)
    }

    /// Makes the first identity of a new branch.
    pub(crate) fn ensure_identity(&self) -> Result<(), StoreError> {
        let known = self.look(|db| Ok(db.prepare_cached("SELECT 1 FROM identity")?.exists([])?))?;
        if known {
            return Ok(());
        }
        let key = SigningKey::from_bytes(&random(&*self.sources));
        self.transact(|db| add(db, &key, self.sources.now()))
    }
}

fn add(db: &Connection, key: &SigningKey, at: i64) -> Result<(), Fault> {
    let sql = "INSERT INTO identity (public, secret, made_at) VALUES (?1, ?2, ?3)";
    db.prepare_cached(sql)?.execute(params![device_of(key).as_bytes(), key.to_bytes(), at])?;
    Ok(())
}

pub(crate) fn current(db: &Connection) -> Result<Identity, Fault> {
    let mut statement = db.prepare_cached("SELECT secret FROM identity ORDER BY seq DESC LIMIT 1")?;
    let secret: Option<[u8; 32]> = statement.query_row([], |row| row.get(0)).optional()?;
    let secret =
        secret.ok_or_else(|| Fault::row("identity", "last", "secret", "this computer has no identity"))?;
    Ok(Identity(SigningKey::from_bytes(&secret)))
}
