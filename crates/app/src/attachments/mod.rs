//! 照片与附件: files come in chunk by chunk, are made fit, and belong to the draft until it is committed.

mod originals;
mod show;
mod upload;

pub use originals::Originals;
pub use show::Shown;
pub use upload::Uploads;

use crate::branch::Branch;
use crate::contract::MeetingForm;
use crate::error::CallError;
use crate::meetings::DraftContent;
use replica::BlobHash;

/// Three to nine pictures a meeting is usual; nobody looks through more than this.
pub const MOST: usize = 20;

/// Drops the files that no record and no draft names any more. Only where nobody can take back a removal: at the
/// opening of a branch.
pub fn drop_unnamed(branch: &Branch) -> Result<(), CallError> {
    let mut named = Vec::new();
    for draft in branch.store.drafts()? {
        // A draft that cannot be read might name any of them.
        let Ok(content) = serde_json::from_value::<DraftContent>(draft.content) else { return Ok(()) };
        named.extend(hashes(&content.form));
        named.extend(content.base.iter().flat_map(hashes));
    }
    let dropped = branch.store.drop_unnamed_blobs(&named)?;
    if dropped > 0 {
        tracing::info!(dropped, "files that nothing names any more were dropped");
    }
    Ok(())
}

/// Every file that a form names, small pictures included.
fn hashes(form: &MeetingForm) -> impl Iterator<Item = BlobHash> {
    let names = form.attachments.iter().flat_map(|file| [&file.hash, &file.thumb]);
    names.filter_map(|hash| hash.parse().ok())
}
