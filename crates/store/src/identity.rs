//! The signing identity of this computer. It lies in the encrypted file; the newest one signs.

use ed25519_dalek::{Signer, SigningKey};
use replica::{DeviceId, device_of};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::{Fault, StoreError};
use crate::sources::random;
use crate::store::Store;

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

    /// Takes a new identity from now on. Introduce it by a change that the old one signs, before this.
    pub fn new_identity(&self) -> Result<DeviceId, StoreError> {
        let key = SigningKey::from_bytes(&random(&*self.sources));
        let at = self.sources.now();
        self.transact(|db| {
            let sql = "INSERT INTO identity (public, secret, made_at) VALUES (?1, ?2, ?3)";
            db.prepare_cached(sql)?.execute(params![device_of(&key).as_bytes(), key.to_bytes(), at])?;
            Ok(())
        })?;
        Ok(device_of(&key))
    }
}

pub(crate) fn current(db: &Connection) -> Result<Identity, Fault> {
    let mut statement = db.prepare_cached("SELECT secret FROM identity ORDER BY seq DESC LIMIT 1")?;
    let secret: Option<[u8; 32]> = statement.query_row([], |row| row.get(0)).optional()?;
    let secret =
        secret.ok_or_else(|| Fault::row("identity", "last", "secret", "this computer has no identity"))?;
    Ok(Identity(SigningKey::from_bytes(&secret)))
}
