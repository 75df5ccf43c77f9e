//! The desktop shell: one window, one command for every call, one event, one scheme for pictures.
//!
//! It holds no use case and no rule: calls go to [`app::App`] by name. The page gets no file system, no process and
//! no network. Start at [`main`]; `usb` brings files to and from a stick, `silence` is what happens when the page never
//! shows.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod calls;
mod photos;
mod silence;
mod usb;

use anyhow::Result;
use tauri::{AppHandle, Manager, RunEvent};
use tauri_plugin_window_state::StateFlags;

use crate::calls::Calls;

/// Changes are many small values that one thread makes and another drops (docs/decisions/0018).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|handle, _, _| show(handle)))
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_window_state::Builder::new().with_state_flags(kept()).build())
        .register_asynchronous_uri_scheme_protocol(photos::SCHEME, |context, request, responder| {
            photos::answer(context.app_handle().clone(), request, responder);
        })
        .setup(|shell| {
            shell.manage(usb::Chosen::default());
            shell.manage(Calls::open(shell.handle().clone()));
            silence::watch(shell.handle().clone());
            Ok(())
        })
        .invoke_handler(tauri::generate_handler![calls::call, usb::usb_export, usb::usb_import])
        .build(tauri::generate_context!())?
        .run(|handle, event| {
            if let (RunEvent::Exit, Some(calls)) = (event, handle.try_state::<Calls>()) {
                calls.leave();
            }
        });
    Ok(())
}

/// Size and place are remembered; whether the window shows is not, or a bad end could hide it for ever.
fn kept() -> StateFlags {
    StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED
}

/// A second start brings the first one's window to the front.
fn show(handle: &AppHandle) {
    let Some(window) = handle.get_webview_window("main") else { return };
    for done in [window.unminimize(), window.show(), window.set_focus()] {
        if let Err(error) = done {
            tracing::warn!(%error, "the window could not be brought to the front");
        }
    }
}
