//! Sends the system's browser to the address without putting the token on a command line, which every user of the
//! computer can read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A page that only its owner can read and that leads to the address.
#[derive(Clone)]
pub struct RedirectFile(PathBuf);

impl RedirectFile {
    pub fn in_folder(folder: &Path) -> Self {
        Self(folder.join("打开支部纪实.html"))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Replaces the file; a new one, so that nobody can have it open or have chosen its rights.
    pub fn write(&self, address: &str) -> io::Result<()> {
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

    /// Removes the file; it may be gone already.
    pub fn remove(&self) {
        let _ = fs::remove_file(&self.0);
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
        let file = RedirectFile::in_folder(folder.path());
        for address in ["http://127.0.0.1:1/enter?token=a", "http://127.0.0.1:1/enter?token=b"] {
            file.write(address).unwrap();
            let mode = fs::metadata(file.path()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            assert!(fs::read_to_string(file.path()).unwrap().contains(address));
        }
        file.remove();
        assert!(!file.path().exists());
    }
}
