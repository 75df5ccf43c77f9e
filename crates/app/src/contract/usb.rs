//! 用 U 盘上报: files for the city, files from it, and the way in for a computer without a network.

use super::{FilesWaiting, LossQuestion};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct UsbPage {
    pub enrolled: bool,
    pub organisation: String,
    /// A code was typed, and the city's yes has not been read yet.
    pub pending: Option<UsbPending>,
    /// Records have to be matched before anything can be exported.
    pub matching: bool,
    /// Records with changes that no receipt covers, and how many of them are in no file yet.
    pub waiting: u32,
    pub unexported: u32,
    /// Photos and scans that the city is not known to hold, or that are not here.
    pub files: FilesWaiting,
    /// The latest first.
    pub exports: Vec<UsbExport>,
    pub last_import: Option<UsbImported>,
    /// A file stopped before it took many records away, and asks.
    pub question: Option<LossQuestion>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct UsbPending {
    /// The part of the code that is no secret.
    pub place: String,
    pub at: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct UsbExport {
    pub at: String,
    pub records: u32,
    pub bytes: u32,
    /// Photos and scans in it, and those that did not fit and go with the next one.
    pub files: u32,
    pub files_left: u32,
    pub state: UsbState,
    /// The city's time of the receipt.
    pub received_at: Option<String>,
}

/// Where a file stands that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum UsbState {
    /// 已导出，等待回执: no receipt covers what is in it.
    Waiting,
    /// A receipt covers it, whatever brought that.
    Received,
}

/// What the last file from the city did.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct UsbImported {
    /// When it was read here, and when the city made it, each by its own clock.
    pub at: String,
    pub made_at: String,
    /// It let this computer in.
    pub enrolled: bool,
    /// Records that are reported because of it, changes that are new here, and ones that wait for others.
    pub reported: u32,
    pub new: u32,
    pub waiting: u32,
    /// What the city turned away.
    pub refused: u32,
    /// Photos and scans that came with it, that the city holds now, and that it holds and that come with the next file.
    pub files: u32,
    pub files_reported: u32,
    pub files_left: u32,
    pub receipt_at: Option<String>,
    /// The address of the city, which was not known here before.
    pub address: Option<String>,
    /// A later answer was here before; nothing changed.
    pub stale: bool,
    pub damaged: Option<UsbDamage>,
}

/// From this part on a file could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct UsbDamage {
    pub part: u32,
    pub of: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct UsbCode {
    pub code: String,
}
