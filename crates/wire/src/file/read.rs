//! Reading a file: the head first, then section by section, so that no more than one is in memory.

use super::head::{Head, MAX_HEAD, SectionKind, is_signed_head};
use super::label::Label;
use super::seal::{OpeningKey, Sealed, unseal};
use super::{FileError, Place};
use crate::limits::MAX_BODY;
use age::stream::StreamReader;
use std::io::{ErrorKind, Read};

/// An attachment in a file.
const MAX_BLOB: u64 = 64 * 1024 * 1024;
const MAX_ENROLMENT: u64 = 1024 * 1024;

/// A file with its seal off.
pub type Unsealed<R> = StreamReader<Sealed<R>>;

/// A file whose head is good.
pub struct OpenFile<R: Read> {
    pub head: Head,
    from: R,
    next: usize,
}

/// A section whose bytes are those that the head names.
#[derive(Clone, PartialEq, Eq)]
pub struct Section {
    pub kind: SectionKind,
    pub hash: [u8; 32],
    pub bytes: Vec<u8>,
}

/// Opens a file behind its label.
pub fn open<R: Read>(label: &Label, from: R, key: &OpeningKey) -> Result<OpenFile<Unsealed<R>>, FileError> {
    open_unsealed(label, unseal(from, key)?)
}

/// The same for what lies behind the seal.
pub fn open_unsealed<R: Read>(label: &Label, mut from: R) -> Result<OpenFile<R>, FileError> {
    let mut len = [0; 8];
    read_exact(&mut from, &mut len, None)?;
    let len = u64::from_be_bytes(len);
    if len > MAX_HEAD {
        return Err(FileError::TooLarge);
    }
    let mut bytes = vec![0; usize::try_from(len).map_err(|_| FileError::TooLarge)?];
    read_exact(&mut from, &mut bytes, None)?;
    let mut signature = [0; 64];
    read_exact(&mut from, &mut signature, None)?;
    if !Head::is_known(&bytes) {
        return Err(FileError::Newer);
    }
    let head = Head::read(&bytes).map_err(|_| FileError::Damaged(None))?;
    match is_signed_head(&head.sender, label, &bytes, &signature) {
        true => Ok(OpenFile { head, from, next: 0 }),
        false => Err(FileError::BadSignature),
    }
}

impl<R: Read> OpenFile<R> {
    /// The next section that this program knows. After an error nothing more can be read, but for
    /// [`FileError::WrongBlob`].
    #[expect(clippy::should_implement_trait, reason = "an iterator would have to own its error")]
    pub fn next(&mut self) -> Result<Option<Section>, FileError> {
        while let Some(section) = self.head.sections.get(self.next).copied() {
            self.next += 1;
            let at = Place { section: self.next, of: self.head.sections.len() };
            let place = Some(at);
            let most = match section.kind {
                SectionKind::Message | SectionKind::Held => MAX_BODY as u64,
                SectionKind::Enrolment => MAX_ENROLMENT,
                SectionKind::Blob => MAX_BLOB,
                SectionKind::Other(_) => {
                    self.pass_over(section.len, place)?;
                    continue;
                }
            };
            if section.len > most {
                return Err(FileError::TooLarge);
            }
            let mut bytes = Vec::new();
            (&mut self.from).take(section.len).read_to_end(&mut bytes).map_err(|error| lost(error, place))?;
            let is_cut = bytes.len() as u64 != section.len;
            if is_cut || *blake3::hash(&bytes).as_bytes() != section.hash {
                let only_this = section.kind == SectionKind::Blob && !is_cut;
                return Err(if only_this { FileError::WrongBlob(at) } else { FileError::Damaged(place) });
            }
            return Ok(Some(Section { kind: section.kind, hash: section.hash, bytes }));
        }
        Ok(None)
    }

    fn pass_over(&mut self, len: u64, place: Option<Place>) -> Result<(), FileError> {
        let passed = std::io::copy(&mut (&mut self.from).take(len), &mut std::io::sink());
        match passed.map_err(|error| lost(error, place))? {
            passed if passed == len => Ok(()),
            _ => Err(FileError::Damaged(place)),
        }
    }
}

fn read_exact(from: &mut impl Read, into: &mut [u8], place: Option<Place>) -> Result<(), FileError> {
    from.read_exact(into).map_err(|error| lost(error, place))
}

/// Bytes that do not open were cut or altered; anything else is the trouble of whoever reads the file.
fn lost(error: std::io::Error, place: Option<Place>) -> FileError {
    match error.kind() {
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => FileError::Damaged(place),
        _ => FileError::Io(error),
    }
}
