//! Where files are, and their bytes for the shells.

use crate::app::App;
use crate::branch::{Branch, fields};
use crate::contract::*;
use crate::error::CallError;
use crate::meetings::{KIND, from_fields, load};
use crate::reporting;
use photo::Media;
use store::BlobHere;

/// A file as a shell serves it.
pub struct Shown {
    /// The content type; never what the file or its sender says of itself.
    pub media: &'static str,
    pub bytes: Vec<u8>,
}

impl App {
    /// The file of that hash, if it is here whole and of a sort that pages show. For the shells beside `call`: pictures
    /// do not pass through JSON.
    pub fn photo(&self, hash: &str) -> Option<Shown> {
        let branch = self.branch().ok()?;
        let read = branch.store.blob(&hash.parse().ok()?);
        let bytes = read.inspect_err(|error| tracing::warn!(%error, "a file could not be read")).ok()??;
        let media = Media::of(&bytes)?.name();
        Some(Shown { media, bytes })
    }

    pub(crate) fn attachment_states(&self, request: AttachmentsOf) -> Result<AttachmentStates, CallError> {
        let branch = self.branch()?;
        let form = match branch.store.draft(KIND, &request.meeting)? {
            Some(_) => load(&branch, &request.meeting)?.0.form,
            None => from_fields(&fields(&branch.record(KIND, &request.meeting)?)),
        };
        let fetchable = reporting::can_reach_city(&branch)?;
        let files: Result<_, CallError> =
            form.attachments.iter().map(|file| file_state(&branch, file, fetchable)).collect();
        Ok(AttachmentStates { files: files? })
    }
}

fn file_state(branch: &Branch, file: &AttachmentForm, fetchable: bool) -> Result<FileState, CallError> {
    let whole = |hash: &str| match hash.parse() {
        Ok(hash) => Ok(matches!(branch.store.blob_state(&hash)?.here, BlobHere::Whole { .. })),
        Err(_) => Ok::<_, CallError>(false),
    };
    let missing = FileState {
        hash: file.hash.clone(),
        whereabouts: Whereabouts::OnItsWay,
        have: 0,
        thumb: whole(&file.thumb)?,
        fetchable,
    };
    let Ok(hash) = file.hash.parse() else { return Ok(missing) };
    let state = branch.store.blob_state(&hash)?;
    let have = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX);
    Ok(match state.here {
        BlobHere::Whole { len } if state.at_city => {
            FileState { whereabouts: Whereabouts::Reported, have: have(len), ..missing }
        }
        BlobHere::Whole { len } => FileState { whereabouts: Whereabouts::Here, have: have(len), ..missing },
        BlobHere::Partial { have: bytes, .. } => FileState { have: have(bytes), ..missing },
        BlobHere::Missing => missing,
    })
}
