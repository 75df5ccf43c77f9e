//! The folder of attachments: one file each, sealed piece by piece under a key that is derived from the city's, named
//! so that the name says nothing. How much of a file counts is in the database; what a crash left beyond it is cut off.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use replica::BlobHash;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use wire::blobs::PIECE;
use zeroize::Zeroizing;

const SEAL_PURPOSE: &str = "jishi city 2026 attachments, sealing";
const NAME_PURPOSE: &str = "jishi city 2026 attachments, names";
/// Before each piece: its length and its nonce.
const PIECE_HEAD: usize = 4 + 24;
const TAG: usize = 16;
/// No sealed piece is longer, so that a damaged length asks for no memory.
const MOST_PIECE: usize = PIECE + TAG;

#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
    seal: Zeroizing<[u8; 32]>,
    names: Zeroizing<[u8; 32]>,
}

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    #[error("附件文件夹 {folder} 读写不了：{source}")]
    Io { folder: PathBuf, source: io::Error },
    #[error("附件文件 {0} 缺少或已损坏")]
    Damaged(PathBuf),
}

impl ShelfError {
    pub fn is_full(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded))
    }
}

impl Shelf {
    pub fn new(folder: PathBuf, key: &str) -> Shelf {
        let derive = |purpose| Zeroizing::new(blake3::derive_key(purpose, key.as_bytes()));
        Shelf { folder, seal: derive(SEAL_PURPOSE), names: derive(NAME_PURPOSE) }
    }

    fn file(&self, hash: &BlobHash) -> PathBuf {
        let name = blake3::keyed_hash(&self.names, &hash.0).to_hex();
        self.folder.join(&name[..2]).join(name.as_str())
    }

    /// Bytes on the disk of this file; 0 if there is none.
    pub fn stored(&self, hash: &BlobHash) -> u64 {
        fs::metadata(self.file(hash)).map_or(0, |found| found.len())
    }

    /// Seals a piece behind the first `stored` bytes of the file and gives the length after it, on the disk for
    /// certain. What lay beyond is gone.
    pub fn append(
        &self,
        hash: &BlobHash,
        stored: u64,
        at: u64,
        piece: &[u8],
        nonce: [u8; 24],
    ) -> Result<u64, ShelfError> {
        self.write(hash, stored, &self.sealed(hash, at, piece, nonce))
    }

    /// Seals a whole attachment, in place of what lay there, and gives the length of its file.
    pub fn put(
        &self,
        hash: &BlobHash,
        bytes: &[u8],
        mut nonce: impl FnMut() -> [u8; 24],
    ) -> Result<u64, ShelfError> {
        let mut sealed = Vec::with_capacity(bytes.len());
        for (number, piece) in bytes.chunks(PIECE).enumerate() {
            sealed.extend(self.sealed(hash, (number * PIECE) as u64, piece, nonce()));
        }
        self.write(hash, 0, &sealed)
    }

    /// A piece as it lies in the file.
    fn sealed(&self, hash: &BlobHash, at: u64, piece: &[u8], nonce: [u8; 24]) -> Vec<u8> {
        let payload = Payload { msg: piece, aad: &place(hash, at) };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.expect("a piece is far shorter than what the cipher takes");
        let length = u32::try_from(sealed.len()).expect("a piece is short");
        [&length.to_be_bytes(), nonce.as_slice(), &sealed].concat()
    }

    /// Writes behind the first `stored` bytes and gives the length after that.
    fn write(&self, hash: &BlobHash, stored: u64, bytes: &[u8]) -> Result<u64, ShelfError> {
        let written = self.write_file(&self.file(hash), stored, bytes);
        written.map_err(|source| ShelfError::Io { folder: self.folder.clone(), source })?;
        Ok(stored + bytes.len() as u64)
    }

    fn write_file(&self, file: &Path, stored: u64, bytes: &[u8]) -> io::Result<()> {
        let folder = file.parent().expect("a file lies in a folder");
        let is_new = !file.exists();
        fs::create_dir_all(folder)?;
        let mut out = OpenOptions::new().create(true).truncate(false).write(true).open(file)?;
        out.set_len(stored)?;
        out.seek(SeekFrom::Start(stored))?;
        out.write_all(bytes)?;
        out.sync_all()?;
        if is_new {
            sync_folder(folder)?;
            sync_folder(&self.folder)?;
        }
        Ok(())
    }

    /// Bytes of the attachment from the first `stored` bytes of its file.
    pub fn read(&self, hash: &BlobHash, stored: u64, range: Range<u64>) -> Result<Vec<u8>, ShelfError> {
        let path = self.file(hash);
        let mut bytes = Vec::new();
        self.pieces(hash, stored, |at, length, piece| {
            if at >= range.end || at + length <= range.start {
                return Ok(());
            }
            let piece = piece()?;
            let from = range.start.saturating_sub(at) as usize;
            let to = (range.end - at).min(length) as usize;
            bytes.extend_from_slice(&piece[from..to]);
            Ok(())
        })?;
        match bytes.len() as u64 == range.end - range.start {
            true => Ok(bytes),
            false => Err(ShelfError::Damaged(path)),
        }
    }

    /// The name and the length of what the file holds, for a whole file that the database does not know.
    pub fn measure(&self, hash: &BlobHash) -> Result<(BlobHash, u64), ShelfError> {
        let (mut hasher, mut whole) = (blake3::Hasher::new(), 0);
        self.pieces(hash, self.stored(hash), |_, length, piece| {
            hasher.update(&piece()?);
            whole += length;
            Ok(())
        })?;
        Ok((BlobHash(*hasher.finalize().as_bytes()), whole))
    }

    /// Says whether the file is there and holds just what its name and this length say.
    pub fn is_whole(&self, hash: &BlobHash, len: u64) -> bool {
        self.measure(hash).is_ok_and(|found| found == (*hash, len))
    }

    /// Takes over the file of another folder under the same key, in place of one that is here.
    pub fn take_over(&self, from: &Shelf, hash: &BlobHash) -> Result<(), ShelfError> {
        let (source, target) = (from.file(hash), self.file(hash));
        let folder = target.parent().expect("a file lies in a folder");
        let copied = fs::create_dir_all(folder).and_then(|()| copy_synced(&source, &target, folder));
        copied.map_err(|source| ShelfError::Io { folder: self.folder.clone(), source })
    }

    /// Shows each piece by its place and length, and how to open it.
    fn pieces(
        &self,
        hash: &BlobHash,
        stored: u64,
        mut show: impl FnMut(u64, u64, &mut dyn FnMut() -> Result<Vec<u8>, ShelfError>) -> Result<(), ShelfError>,
    ) -> Result<(), ShelfError> {
        let path = self.file(hash);
        let damaged = |_| ShelfError::Damaged(path.clone());
        let mut file = File::open(&path).map_err(damaged)?;
        let (mut place_in_file, mut at) = (0, 0);
        while place_in_file < stored {
            let mut head = [0; PIECE_HEAD];
            file.seek(SeekFrom::Start(place_in_file))
                .and_then(|_| file.read_exact(&mut head))
                .map_err(damaged)?;
            let (length, nonce) = head.split_at(4);
            let sealed = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
            if !(TAG + 1..=MOST_PIECE).contains(&sealed) {
                return Err(ShelfError::Damaged(path));
            }
            let nonce: [u8; 24] = nonce.try_into().expect("the rest of the head");
            show(at, (sealed - TAG) as u64, &mut || {
                let mut bytes = vec![0; sealed];
                file.read_exact(&mut bytes).map_err(damaged)?;
                let payload = Payload { msg: &bytes, aad: &place(hash, at) };
                let opened = self.cipher().decrypt(&XNonce::from(nonce), payload);
                opened.map_err(|_| ShelfError::Damaged(path.clone()))
            })?;
            place_in_file += (PIECE_HEAD + sealed) as u64;
            at += (sealed - TAG) as u64;
        }
        Ok(())
    }

    pub fn remove(&self, hash: &BlobHash) -> Result<(), ShelfError> {
        match fs::remove_file(self.file(hash)) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(ShelfError::Io { folder: self.folder.clone(), source })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.seal.as_slice().try_into().expect("a key has 32 bytes"))
    }
}

/// What a sealed piece is good for: this place of this attachment.
fn place(hash: &BlobHash, at: u64) -> [u8; 40] {
    let mut place = [0; 40];
    place[..32].copy_from_slice(&hash.0);
    place[32..].copy_from_slice(&at.to_be_bytes());
    place
}

/// A new name is on the disk only once its folder is.
/// Copies a file into a folder; it is on disk afterwards.
fn copy_synced(from: &Path, to: &Path, folder: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    OpenOptions::new().write(true).open(to)?.sync_all()?;
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Shelf, ShelfError};
    use replica::BlobHash;

    fn shelf() -> (tempfile::TempDir, Shelf) {
        let place = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(place.path().join("blobs"), "07");
        (place, shelf)
    }

    fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
        let of =
            |folder: &std::path::Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        of(&folder.join("blobs")).flat_map(|inner| of(&inner).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn pieces_come_back_in_any_part_and_the_disk_says_nothing() {
        let (place, shelf) = shelf();
        let bytes: Vec<u8> = "支部党员大会".bytes().cycle().take(10_000).collect();
        let hash = BlobHash::of(&bytes);
        let (mut stored, mut at) = (0, 0);
        for (turn, size) in [4096, 1, 3000, 2903].into_iter().enumerate() {
            stored = shelf.append(&hash, stored, at as u64, &bytes[at..at + size], [turn as u8; 24]).unwrap();
            at += size;
        }
        assert_eq!(stored, shelf.stored(&hash));
        for range in [0..10_000, 0..1, 4095..4098, 9_999..10_000, 7_097..7_098, 5..5] {
            let part = shelf.read(&hash, stored, range.clone()).unwrap();
            assert_eq!(part, bytes[range.start as usize..range.end as usize], "{range:?}");
        }
        assert_eq!(shelf.measure(&hash).unwrap(), (hash, 10_000));
        let file = &files(place.path())[0];
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!hash.to_string().contains(&name[..8]), "the name says nothing");
        let on_disk = std::fs::read(file).unwrap();
        assert!(!on_disk.windows(6).any(|part| part == "党员".as_bytes()), "nor do the bytes");
    }

    #[test]
    fn what_a_crash_left_behind_the_end_is_cut_off() {
        let (place, shelf) = shelf();
        let hash = BlobHash::of(b"onetwo");
        let stored = shelf.append(&hash, 0, 0, b"one", [1; 24]).unwrap();
        let file = &files(place.path())[0];
        let mut torn = std::fs::read(file).unwrap();
        torn.extend_from_slice(&[0, 0, 0, 19, 9, 9]);
        std::fs::write(file, torn).unwrap();
        assert_eq!(shelf.read(&hash, stored, 0..3).unwrap(), b"one");
        let stored = shelf.append(&hash, stored, 3, b"two", [2; 24]).unwrap();
        assert_eq!(shelf.read(&hash, stored, 0..6).unwrap(), b"onetwo");
        assert_eq!(shelf.stored(&hash), stored);
    }

    #[test]
    fn damage_is_found_wherever_it_is() {
        let (place, shelf) = shelf();
        let hash = BlobHash::of(b"onetwo");
        let first = shelf.append(&hash, 0, 0, b"one", [1; 24]).unwrap();
        let stored = shelf.append(&hash, first, 3, b"two", [2; 24]).unwrap();
        let file = &files(place.path())[0];
        let whole = std::fs::read(file).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(file, damaged).unwrap();
            let read = shelf.read(&hash, stored, 0..6);
            assert!(matches!(read, Err(ShelfError::Damaged(_))), "byte {at}");
        }
        let (one, two) = whole.split_at(first as usize);
        std::fs::write(file, [two, one].concat()).unwrap();
        assert!(shelf.read(&hash, stored, 0..6).is_err(), "pieces that changed places");
        std::fs::write(file, one).unwrap();
        assert!(shelf.read(&hash, stored, 0..6).is_err(), "a file that was cut");
        shelf.remove(&hash).unwrap();
        shelf.remove(&hash).unwrap();
        assert!(
            matches!(shelf.read(&hash, stored, 0..6), Err(ShelfError::Damaged(_))),
            "a file that is gone"
        );
    }
}
