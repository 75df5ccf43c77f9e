//! A file on the stick: whole or not at all.

use crate::error::{CallError, Code};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Writes a file beside its place, brings it to the medium, and only then gives it its name.
pub fn put_whole(path: &Path, bytes: &[u8]) -> Result<(), CallError> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part);
    written(part, path, bytes).map_err(|error| {
        // On a stick that was pulled out there is nothing to remove.
        let _gone = fs::remove_file(part);
        cannot_write(path, &error)
    })
}

fn written(part: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(part, path)?;
    sync_folder(path)
}

/// So that the name is on the medium, too, before the person pulls it out.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    match File::open(folder)?.sync_all() {
        // Some file systems of sticks cannot do that for folders.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        done => done,
    }
}

/// Elsewhere a folder cannot be opened; the system writes its names through.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn cannot_write(path: &Path, error: &io::Error) -> CallError {
    let code = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Code::UsbFull,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Code::UsbReadOnly,
        _ => Code::UsbGone,
    };
    tracing::warn!(%error, "a file was not written");
    CallError::new(code).with("file", path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::{cannot_write, put_whole};
    use crate::error::Code;
    use std::io::{Error, ErrorKind};
    use std::path::Path;

    #[test]
    fn a_file_is_there_whole_and_nothing_beside_it() {
        let stick = tempfile::tempdir().expect("a folder");
        let path = stick.path().join("上报 一.jishi");
        put_whole(&path, b"first").expect("it is written");
        put_whole(&path, b"second").expect("it takes the place of the first");
        assert_eq!(std::fs::read(&path).expect("it is there"), b"second");
        assert_eq!(std::fs::read_dir(stick.path()).expect("a folder").count(), 1, "no part is left");
    }

    #[test]
    fn a_stick_that_takes_nothing_leaves_the_old_file() {
        let stick = tempfile::tempdir().expect("a folder");
        let path = stick.path().join("gone").join("上报.jishi");
        assert_eq!(put_whole(&path, b"x").expect_err("there is no folder").code, Code::UsbGone);
        let cases = [
            (ErrorKind::StorageFull, Code::UsbFull),
            (ErrorKind::ReadOnlyFilesystem, Code::UsbReadOnly),
            (ErrorKind::PermissionDenied, Code::UsbReadOnly),
            (ErrorKind::NotFound, Code::UsbGone),
        ];
        for (kind, code) in cases {
            assert_eq!(cannot_write(Path::new("/x"), &Error::from(kind)).code, code, "{kind}");
        }
    }
}
