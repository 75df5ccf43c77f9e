//! 照片与附件 of a meeting: how a file comes in, and where its bytes are.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One photo or document of a meeting. Empty strings stand for what is not known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct AttachmentForm {
    pub id: String,
    /// A code of the field `sort` of an attachment of a meeting.
    pub sort: String,
    pub caption: String,
    /// The name of the file as it came.
    pub name: String,
    /// BLAKE3 of what is kept, in hex: what pages ask the shell for.
    pub hash: String,
    /// `image/jpeg` or `application/pdf`.
    pub media: String,
    pub len: u32,
    /// The small picture; a document has none.
    pub thumb: String,
    pub thumb_len: u32,
    /// By the camera's clock, `2026-10-13T14:05`.
    pub taken_at: String,
    /// BLAKE3 of the file as it came, in hex.
    pub original: String,
}

/// A file is about to come, in chunks.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct BeginAttachment {
    pub draft: String,
    pub name: String,
    #[ts(type = "number")]
    pub len: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct UploadBegun {
    pub upload: String,
    /// The most bytes of one chunk.
    pub chunk: u32,
}

/// The next bytes of a file.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PutAttachment {
    pub upload: String,
    /// The bytes that were put before.
    pub at: u32,
    /// Base64.
    pub data: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct UploadRef {
    pub upload: String,
}

/// Names the meeting, by its draft or record.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AttachmentsOf {
    pub meeting: String,
}

/// The files of a meeting and where their bytes are, in the order of the form; those of the draft where there is one.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AttachmentStates {
    pub files: Vec<FileState>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct FileState {
    pub hash: String,
    pub whereabouts: Whereabouts,
    /// Bytes that are here.
    pub have: u32,
    /// The small picture is here.
    pub thumb: bool,
    /// There is a city to ask for what is not here.
    pub fetchable: bool,
}

/// Names one photo, by its hash.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PhotoRef {
    pub hash: String,
}

/// Where a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Whereabouts {
    /// 在本机: whole on this computer; the city does not have it yet.
    Here,
    /// 已上报: the city has it too.
    Reported,
    /// 还在路上: recorded on another computer, not whole here yet.
    OnItsWay,
}
