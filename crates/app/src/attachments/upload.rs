//! A file on its way from the page to the store. Its bytes wait in memory only: a plain copy on the disk would outlive
//! the encryption.

use super::MOST;
use crate::app::App;
use crate::branch::Branch;
use crate::contract::*;
use crate::error::{CallError, Code};
use crate::meetings::{DraftContent, keep, load};
use crate::secrecy::name_marking;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use photo::{MAX_FILE, Media, PhotoError, Prepared};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Small enough to show progress on an old computer, large enough that the calls cost nothing.
const CHUNK: usize = 256 * 1024;
/// Files that may be under way at once; a page sends one after the other, and a page that was reloaded left one behind.
const AT_ONCE: usize = 2;
/// Characters of a file's name.
const LONGEST_NAME: usize = 120;

/// The files under way of one branch.
#[derive(Default)]
pub struct Uploads(Mutex<BTreeMap<String, Upload>>);

struct Upload {
    draft: String,
    name: String,
    len: usize,
    bytes: Vec<u8>,
}

impl Uploads {
    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Upload>> {
        // A chunk is added whole or not at all.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    pub(crate) fn begin_attachment(&self, request: BeginAttachment) -> Result<UploadBegun, CallError> {
        let branch = self.branch()?;
        let (content, _) = load(&branch, &request.draft)?;
        has_room(&content)?;
        let name = plain_name(&request.name);
        if name_marking(&name).is_some() {
            return Err(CallError::new(Code::SecretMarking).with("path", "attachments"));
        }
        let len = usize::try_from(request.len).unwrap_or(usize::MAX);
        match len {
            0 => return Err(refused(PhotoError::Empty)),
            1..=MAX_FILE => {}
            _ => return Err(too_long(MAX_FILE)),
        }
        let upload = self.world.id();
        let mut uploads = branch.uploads.held();
        while uploads.len() >= AT_ONCE {
            // Ids sort by the time of their making.
            uploads.pop_first();
        }
        let coming = Upload { draft: request.draft, name, len, bytes: Vec::new() };
        uploads.insert(upload.clone(), coming);
        Ok(UploadBegun { upload, chunk: u32::try_from(CHUNK).unwrap_or(u32::MAX) })
    }

    pub(crate) fn put_attachment(&self, request: PutAttachment) -> Result<Nothing, CallError> {
        let branch = self.branch()?;
        let data = STANDARD.decode(&request.data).map_err(|_| CallError::new(Code::BadRequest))?;
        let mut uploads = branch.uploads.held();
        let upload = uploads.get_mut(&request.upload).ok_or_else(|| gone(&request.upload))?;
        let follows = usize::try_from(request.at).is_ok_and(|at| at == upload.bytes.len());
        if !follows || data.len() > CHUNK || upload.bytes.len() + data.len() > upload.len {
            return Err(CallError::new(Code::BadRequest).with("have", upload.bytes.len()));
        }
        upload.bytes.extend(data);
        Ok(Nothing {})
    }

    pub(crate) fn cancel_attachment(&self, request: UploadRef) -> Result<Nothing, CallError> {
        self.branch()?.uploads.held().remove(&request.upload);
        Ok(Nothing {})
    }

    /// The file is whole: it is made fit, stored, and stands in the draft as it is on disk.
    pub(crate) fn finish_attachment(&self, request: UploadRef) -> Result<AttachmentForm, CallError> {
        let branch = self.branch()?;
        let upload = branch.uploads.held().remove(&request.upload).ok_or_else(|| gone(&request.upload))?;
        if upload.bytes.len() != upload.len {
            return Err(CallError::new(Code::BadRequest).with("have", upload.bytes.len()));
        }
        let prepared = photo::prepare(&upload.bytes).map_err(refused)?;
        let (mut content, _) = load(&branch, &upload.draft)?;
        has_room(&content)?;
        let twice = |file: &&AttachmentForm| file.original == prepared.original;
        if let Some(file) = content.form.attachments.iter().find(twice) {
            return Err(CallError::new(Code::FileTwice).with("name", file.name.as_str()));
        }
        let file = stored(&branch, prepared, upload.name, self.world.item_id())?;
        content.form.attachments.push(file.clone());
        keep(&branch, &upload.draft, &content)?;
        Ok(file)
    }
}

fn stored(
    branch: &Branch,
    prepared: Prepared,
    name: String,
    id: String,
) -> Result<AttachmentForm, CallError> {
    let hash = branch.store.add_blob(&prepared.bytes)?;
    let thumb = prepared.thumb.as_deref().map(|bytes| branch.store.add_blob(bytes)).transpose()?;
    let len = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    Ok(AttachmentForm {
        id,
        sort: match prepared.media {
            Media::Jpeg => "photo",
            Media::Pdf => "document",
        }
        .to_owned(),
        caption: String::new(),
        name,
        hash: hash.to_string(),
        media: prepared.media.name().to_owned(),
        len: len(&prepared.bytes),
        thumb: thumb.map(|hash| hash.to_string()).unwrap_or_default(),
        thumb_len: prepared.thumb.as_deref().map(len).unwrap_or_default(),
        taken_at: prepared.taken_at.unwrap_or_default(),
        original: prepared.original,
    })
}

fn has_room(content: &DraftContent) -> Result<(), CallError> {
    if content.form.attachments.len() < MOST {
        Ok(())
    } else {
        Err(CallError::new(Code::TooManyFiles).with("most", MOST))
    }
}

/// The last step of a path, without what no line shows.
fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars()
        .filter(|letter| !letter.is_control())
        .take(LONGEST_NAME)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Left behind by a newer one, or by a program that was started again.
fn gone(upload: &str) -> CallError {
    CallError::not_found("upload", upload)
}

fn too_long(limit: usize) -> CallError {
    CallError::new(Code::LargeFile).with("megabytes", limit / (1024 * 1024))
}

fn refused(error: PhotoError) -> CallError {
    match error {
        PhotoError::Heic => CallError::new(Code::HeicPhoto),
        PhotoError::Unknown => CallError::new(Code::UnknownFile),
        PhotoError::Moving => CallError::new(Code::MovingPhoto),
        PhotoError::Empty | PhotoError::Broken => CallError::new(Code::BrokenFile),
        PhotoError::TooLong { limit } => too_long(limit),
        PhotoError::TooManyPixels { width, height } => {
            CallError::new(Code::HugePhoto).with("width", width).with("height", height)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain_name;

    #[test]
    fn a_name_is_one_line_without_folders() {
        for (name, expected) in [
            ("IMG_2031.jpg", "IMG_2031.jpg"),
            ("C:\\Users\\周海东\\签到表.pdf", "签到表.pdf"),
            ("/home/x/合影.jpg", "合影.jpg"),
            ("../../合影\u{0}\n.jpg", "合影.jpg"),
            ("  ", ""),
        ] {
            assert_eq!(plain_name(name), expected);
        }
        assert_eq!(plain_name(&"长".repeat(500)).chars().count(), 120);
    }
}
