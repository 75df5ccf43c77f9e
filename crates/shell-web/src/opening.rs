//! Sends the system's browser to the address without putting the token on a command line, which every user of the
//! computer can read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A page that only its owner can read and that leads to the address. It is removed with this value.
pub struct RedirectFile(PathBuf);

impl RedirectFile {
    /// In the folder of the records, where a person can find it; in the system's own for files that come and go when
    /// nothing can be written there.
    pub fn write(folder: &Path, name: &str, address: &str) -> io::Result<Self> {
        let beside = Self(folder.join("打开支部纪实.html"));
        let elsewhere = || Self(std::env::temp_dir().join(format!("jishi-{name}.html")));
        beside.put(address).map(|()| beside).or_else(|_| {
            let file = elsewhere();
            file.put(address).map(|()| file)
        })
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Replaces the file; a new one, so that nobody can have it open or have chosen its rights.
    fn put(&self, address: &str) -> io::Result<()> {
        self.remove();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let page = format!(
            "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>支部纪实</title>\
             <meta http-equiv=\"refresh\" content=\"0;url={address}\"><p>正在打开支部纪实…</p></html>\n"
        );
        options.open(&self.0)?.write_all(page.as_bytes())
    }

    /// It may be gone already.
    fn remove(&self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl Drop for RedirectFile {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Asks the system to open a page.
pub fn in_browser(page: &Path) {
    let mut command = opener();
    let started = command.arg(page).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if let Err(error) = started {
        tracing::warn!(%error, "no browser could be started");
    }
}

#[cfg(target_os = "windows")]
fn opener() -> Command {
    let mut command = Command::new("rundll32");
    command.arg("url.dll,FileProtocolHandler");
    command
}

#[cfg(target_os = "macos")]
fn opener() -> Command {
    Command::new("open")
}

#[cfg(not(any(target_os = "windows", target_os = "macos")))]
fn opener() -> Command {
    Command::new("xdg-open")
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_the_owner_can_read_the_token() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("打开支部纪实.html");
        fs::write(&path, "left behind by a power cut").unwrap();
        let address = "http://127.0.0.1:1/enter?token=a";
        let file = RedirectFile::write(folder.path(), "n", address).unwrap();
        assert_eq!(file.path(), path);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::read_to_string(&path).unwrap().contains(address));
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn records_that_cannot_be_written_can_still_be_opened() {
        let file = RedirectFile::write(Path::new("/nowhere"), "test-5f1c", "http://127.0.0.1:1/").unwrap();
        assert_eq!(file.path(), std::env::temp_dir().join("jishi-test-5f1c.html"));
    }
}
