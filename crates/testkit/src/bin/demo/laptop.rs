//! A laptop of the demonstration: a folder, and the browser shell on it as a process of its own.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use anyhow::Result;
use testkit::{Caller, Secretary, Shell};

pub struct Laptop {
    data: PathBuf,
    secretary: Secretary<Shell>,
}

impl Laptop {
    /// Starts the program on a folder, which is made if it is not there.
    pub fn start(data: &Path) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        Ok(Self { data: data.to_owned(), secretary: Secretary::at(Shell::start(data)?) })
    }

    pub fn caller(&self) -> Caller {
        self.secretary.program.caller()
    }

    /// The power goes.
    pub fn kill(self) -> Result<()> {
        self.secretary.program.kill()
    }

    /// Closes the branch, ends the program and returns the branch's folder.
    pub fn close(self) -> Result<PathBuf> {
        let folder = self.data.join(self.secretary.folder()?);
        self.secretary.closes()?;
        self.kill()?;
        Ok(folder)
    }
}

impl Deref for Laptop {
    type Target = Secretary<Shell>;

    fn deref(&self) -> &Self::Target {
        &self.secretary
    }
}
