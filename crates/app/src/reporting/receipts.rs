//! The receipts page: what the city signed for, and whether that can still be proved.

use super::errors::refused;
use crate::app::App;
use crate::branch::Branch;
use crate::civil;
use crate::contract::{Nothing, ReceiptLine, ReceiptProof, ReceiptsPage};
use crate::error::CallError;
use replica::{DeviceId, STREAM_KIND, STREAM_RECORD};
use serde_json::Value;
use sync::{Proof, ProvedReceipt};

const LISTED: u32 = 200;

impl App {
    pub(crate) fn receipts(&self, _: Nothing) -> Result<ReceiptsPage, CallError> {
        let branch = self.branch()?;
        let receipts = sync::receipts(&branch.store, LISTED).map_err(refused)?;
        let lines = receipts.iter().map(|receipt| line(&branch, receipt)).collect::<Result<_, _>>()?;
        Ok(ReceiptsPage { lines })
    }
}

fn line(branch: &Branch, receipt: &ProvedReceipt) -> Result<ReceiptLine, CallError> {
    let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let own = branch.store.device()?;
    Ok(ReceiptLine {
        at: civil::stamp(receipt.kept.at),
        computer: receipt.device.map(|device| computer(branch, &device)).transpose()?.unwrap_or_default(),
        here: receipt.device == Some(own),
        changes: number(receipt.kept.changes),
        records: number(receipt.kept.records),
        proof: match receipt.proof {
            Proof::Whole => ReceiptProof::Whole,
            Proof::Signature => ReceiptProof::Signature,
            Proof::None => ReceiptProof::None,
        },
    })
}

/// The name under which a computer stands in the stream.
fn computer(branch: &Branch, device: &DeviceId) -> Result<String, CallError> {
    let state = branch.store.record(STREAM_KIND, STREAM_RECORD)?;
    let known = state.as_ref().and_then(|state| state.value(&format!("~device/{device}")));
    let name = known.and_then(|value| value.get("name")).and_then(Value::as_str);
    Ok(name.unwrap_or_default().to_owned())
}
