//! A small file system of its own that can be filled.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// As `mount` takes it. The records of an hour fit in beside the filler.
const SIZE: &str = "size=96m";

pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts it on an empty folder. None where this program may not mount.
    pub fn mount(path: &Path) -> Result<Option<Self>> {
        fs::create_dir_all(path)?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(path);
        let mounted = mount.output().is_ok_and(|done| done.status.success());
        Ok(mounted.then(|| Self(path.to_owned())))
    }

    /// Takes the last byte.
    pub fn fill(&self) -> Result<()> {
        let mut filler = File::create(self.filler()).context("the filler")?;
        let mut piece = vec![0; 64 * 1024];
        loop {
            match filler.write_all(&piece) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull && piece.len() > 1 => {
                    piece.truncate(piece.len() / 2);
                }
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error).context("the filler"),
            }
        }
    }

    pub fn clear(&self) -> Result<()> {
        fs::remove_file(self.filler()).context("the filler")
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Nothing is left to do about a mount that does not end; it goes with the machine.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
