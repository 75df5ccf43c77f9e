//! Receipts: the city's signed word for what it held when it answered.

use crate::db::DbError;
use crate::keys::OperatingKey;
use ed25519_dalek::Signer;
use replica::{Frontier, StreamId};
use rusqlite::Connection;
use wire::{Receipt, RequestHead, frontiers_digest};

/// Signs for these frontiers.
pub fn sign(
    operating: &OperatingKey,
    head: &RequestHead,
    frontiers: &[(StreamId, Frontier)],
    at: i64,
) -> Receipt {
    let digest = frontiers_digest(frontiers.iter().map(|(stream, frontier)| (*stream, frontier)));
    sign_digest(operating, head, digest, at)
}

/// Signs for a digest that has a purpose of its own.
pub fn sign_digest(operating: &OperatingKey, head: &RequestHead, digest: [u8; 32], at: i64) -> Receipt {
    let mut receipt = Receipt {
        nonce: head.nonce,
        device: head.device,
        frontiers: digest,
        at,
        key: operating.device(),
        signature: [0; 64],
    };
    receipt.signature = operating.key.sign(&receipt.signature_input()).to_bytes();
    receipt
}

/// Keeps a receipt as it is sent. A file that comes again, more of it whole than before, gets one that covers more.
pub fn keep(connection: &Connection, receipt: &Receipt) -> Result<(), DbError> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO receipt (nonce, device, at, bytes) VALUES (?1, ?2, ?3, ?4)")?
        .execute((receipt.nonce.as_slice(), receipt.device.0.as_slice(), receipt.at, receipt.to_bytes()))?;
    Ok(())
}

/// Says whether one of this city's operating keys signed the kept bytes.
pub fn is_ours(connection: &Connection, nonce: &[u8], bytes: &[u8]) -> Result<bool, DbError> {
    let Ok(receipt) = Receipt::from_bytes(bytes) else { return Ok(false) };
    let statement = "SELECT 1 FROM operating_key WHERE device = ?1";
    let known = connection.prepare_cached(statement)?.exists([receipt.key.0.as_slice()])?;
    Ok(known && receipt.nonce == nonce && receipt.is_signed())
}
