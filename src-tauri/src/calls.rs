//! The one command and the one event.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use app::{App, Courier, Shown};
use serde_json::{Value, json};
use tauri::{AppHandle, Emitter, State};

/// The program behind the page, and whether the page has spoken yet.
pub struct Calls {
    /// Why the records could not be reached, for every call: the page is there to say it in words.
    app: Result<Arc<App>, Value>,
    heard: AtomicBool,
}

impl Calls {
    /// The program, or why its records cannot be reached.
    pub fn app(&self) -> Result<Arc<App>, Value> {
        self.app.clone()
    }

    /// Opens the data folder, passes what changes on to the page, and reports by itself from then on.
    pub fn open(handle: AppHandle) -> Self {
        let app = app::default_data_folder()
            .ok_or_else(|| json!({ "code": "read_only" }))
            .and_then(|folder| App::open_root(folder).map_err(|error| json!(error)));
        match &app {
            Ok(app) => app.on_changed(move |kinds| {
                if let Err(error) = handle.emit("changed", json!({ "kinds": kinds })) {
                    tracing::warn!(%error, "the page was not told of a change");
                }
            }),
            Err(error) => tracing::error!(%error, "the data folder cannot be used"),
        }
        let app = app.map(Arc::new);
        if let Ok(app) = &app {
            Courier::start(app);
        }
        Self { app, heard: AtomicBool::new(false) }
    }

    /// The program ends.
    pub fn leave(&self) {
        if let Ok(app) = &self.app {
            app.leave();
        }
    }

    /// A file for the page, if it is here.
    pub fn photo(&self, hash: &str) -> Option<Shown> {
        self.app.as_ref().ok()?.photo(hash)
    }

    /// Whether the page has made a call: then it is drawn and alive.
    pub fn heard(&self) -> bool {
        self.heard.load(Ordering::Relaxed)
    }
}

/// Hands a call of the page to the program, on a thread that may block.
#[tauri::command]
pub async fn call(name: String, payload: Value, calls: State<'_, Calls>) -> Result<Value, Value> {
    calls.heard.store(true, Ordering::Relaxed);
    let app = calls.app()?;
    let answer =
        tauri::async_runtime::spawn_blocking(move || app.call(&name, payload).map_err(|error| json!(error)));
    answer.await.unwrap_or_else(|panic| {
        tracing::error!(%panic, "a call ended abnormally");
        Err(json!({ "code": "internal" }))
    })
}
