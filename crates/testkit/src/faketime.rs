//! A clock that is wrong, for a program as a process of its own.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// The library of faketime, if it is installed. Its wrapper would stand between us and the program's end.
pub fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1")).find(|path| path.is_file())
}

/// What makes a program's clock so many seconds fast; negative: slow. Durations are as they are.
pub fn environment(seconds: i64) -> Result<Vec<(&'static str, String)>> {
    let library = library().context("faketime is not installed")?;
    Ok(vec![
        ("LD_PRELOAD", library.display().to_string()),
        ("FAKETIME", format!("{seconds:+}")),
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("NO_FAKE_STAT", "1".to_owned()),
    ])
}
