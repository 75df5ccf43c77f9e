//! A page that never speaks: on some graphics drivers the window stays blank. Then the browser shell is offered.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tauri::{AppHandle, Manager};

use crate::calls::Calls;

/// Far longer than any page takes to start, on the slowest laptop that is still in use.
const PATIENCE: Duration = Duration::from_secs(8);

/// Waits for the page's first call and offers the browser shell when none came.
pub fn watch(handle: AppHandle) {
    std::thread::spawn(move || {
        std::thread::sleep(PATIENCE);
        if handle.state::<Calls>().heard() {
            return;
        }
        tracing::error!("the page has not shown itself; the browser shell (jishi-web) uses the same records");
        let asking = handle.clone();
        if let Err(error) = handle.run_on_main_thread(move || offer(&asking)) {
            tracing::warn!(%error, "nobody could be asked");
        }
    });
}

fn offer(handle: &AppHandle) {
    let shell = browser_shell();
    if !shell.exists() || !agreed() {
        return;
    }
    match Command::new(&shell).spawn() {
        // The window lets go of the records by ending.
        Ok(_) => handle.exit(0),
        Err(error) => tracing::error!(%error, "{} did not start", shell.display()),
    }
}

/// The browser shell is installed beside this program.
fn browser_shell() -> PathBuf {
    let name = format!("jishi-web{}", std::env::consts::EXE_SUFFIX);
    std::env::current_exe().map_or_else(|_| PathBuf::from(&name), |own| own.with_file_name(&name))
}

#[cfg(target_os = "linux")]
fn agreed() -> bool {
    use gtk::prelude::{DialogExt, GtkWindowExt};
    let words = "窗口里的页面没有显示出来。\n记录都在本机，没有受影响。要改用浏览器打开吗？";
    let dialog = gtk::MessageDialog::new(
        None::<&gtk::Window>,
        gtk::DialogFlags::MODAL,
        gtk::MessageType::Question,
        gtk::ButtonsType::YesNo,
        words,
    );
    dialog.set_title("支部纪实");
    let answer = dialog.run();
    dialog.close();
    answer == gtk::ResponseType::Yes
}

/// Elsewhere the web view is part of the system and draws; the log names the browser shell.
#[cfg(not(target_os = "linux"))]
fn agreed() -> bool {
    false
}
