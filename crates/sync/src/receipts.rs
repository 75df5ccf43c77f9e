//! Kept receipts, proved again: the city's signature, the root's word for its key, and what it was signed over.

use crate::enrol::Enrolment;
use crate::error::SyncError;
use replica::DeviceId;
use std::collections::BTreeSet;
use store::{KeptReceipt, Store};
use wire::{Presented, Receipt, frontiers_from_bytes};

/// What a kept receipt proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A key that the root certified signed just what is kept beside it.
    Whole,
    /// The signature is good; what it was signed over was not kept.
    Signature,
    /// It proves nothing.
    None,
}

/// A kept receipt with what it proves and whose request it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedReceipt {
    pub kept: KeptReceipt,
    pub device: Option<DeviceId>,
    pub proof: Proof,
}

/// The latest receipts, the last first.
pub fn receipts(store: &Store, limit: u32) -> Result<Vec<ProvedReceipt>, SyncError> {
    let Some(enrolment) = Enrolment::of(store)? else { return Ok(Vec::new()) };
    let city = store.city_keys(&enrolment.stream)?;
    Ok(store.kept_receipts(limit)?.into_iter().map(|kept| prove(kept, &city)).collect())
}

fn prove(kept: KeptReceipt, city: &BTreeSet<DeviceId>) -> ProvedReceipt {
    let read = Receipt::from_bytes(&kept.body).ok();
    let proof = match &read {
        Some(receipt) if receipt.is_signed() && city.contains(&receipt.key) && receipt.at == kept.at => {
            let presented = frontiers_from_bytes(&kept.frontiers)
                .map(|frontiers| Presented { receipt: *receipt, frontiers });
            match presented {
                _ if kept.frontiers.is_empty() => Proof::Signature,
                Ok(presented) if presented.is_sound() => Proof::Whole,
                Ok(_) | Err(_) => Proof::None,
            }
        }
        Some(_) | None => Proof::None,
    };
    ProvedReceipt { device: read.map(|receipt| receipt.device), kept, proof }
}
