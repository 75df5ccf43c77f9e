//! Files to and from a USB stick: the person chooses the place in the system's own dialog, the page never learns it.

use app::{App, UsbFile, put_whole};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tauri::{AppHandle, Manager, State};
use tauri_plugin_dialog::{DialogExt, FilePath};

use crate::calls::Calls;

const KIND: &str = "支部纪实文件";
const EXTENSION: &str = "jishi";

/// Makes a file for the city where the person says. False: they changed their mind.
#[tauri::command]
pub async fn usb_export(everything: bool, handle: AppHandle, calls: State<'_, Calls>) -> Result<bool, Value> {
    let app = calls.app()?;
    blocking(move || {
        app.usb_export(everything, |file: UsbFile| {
            let dialog = handle.dialog().file().add_filter(KIND, &[EXTENSION]).set_file_name(&file.name);
            match dialog.blocking_save_file().and_then(path) {
                Some(path) => put_whole(&path, &file.bytes).map(|()| true),
                None => Ok(false),
            }
        })
        .map_err(|error| json!(error))
    })
    .await
}

/// The file that was chosen last: it is read again after the person answered a question about it.
#[derive(Default)]
pub struct Chosen(Mutex<Option<PathBuf>>);

/// Takes in a file that the person chooses, or once more the one that they chose last. False: they changed their mind.
#[tauri::command]
pub async fn usb_import(again: bool, handle: AppHandle, calls: State<'_, Calls>) -> Result<bool, Value> {
    let app = calls.app()?;
    blocking(move || {
        let chosen = handle.state::<Chosen>();
        let mut chosen = chosen.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !again || chosen.is_none() {
            let dialog = handle.dialog().file().add_filter(KIND, &[EXTENSION]);
            *chosen = dialog.blocking_pick_file().and_then(path);
        }
        match chosen.as_ref() {
            Some(path) => take_in(&app, path),
            None => Ok(false),
        }
    })
    .await
}

fn take_in(app: &App, path: &PathBuf) -> Result<bool, Value> {
    let bytes = std::fs::read(path).map_err(|error| {
        tracing::warn!(%error, "a file was not read");
        json!({ "code": "usb_unreadable", "params": { "file": path.display().to_string() } })
    })?;
    app.usb_import(&bytes).map(|_| true).map_err(|error| json!(error))
}

fn path(chosen: FilePath) -> Option<PathBuf> {
    chosen.into_path().ok()
}

async fn blocking(work: impl FnOnce() -> Result<bool, Value> + Send + 'static) -> Result<bool, Value> {
    tauri::async_runtime::spawn_blocking(work).await.unwrap_or_else(|panic| {
        tracing::error!(%panic, "a file was not handled to its end");
        Err(json!({ "code": "internal" }))
    })
}
