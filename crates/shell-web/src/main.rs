//! The browser shell: the program and its pages for the system's own browser, on loopback only.
//!
//! For systems without a usable web view, and the way the stories drive the pages. It holds no use case and no rule:
//! calls go to [`app::App`] by name. It never listens beyond 127.0.0.1. Start at [`serve`], then `server`.

mod door;
mod events;
mod opening;
mod pages;
mod server;
mod usb;

use std::io::BufRead;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use app::{App, CallError, Courier};
use clap::Parser;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::door::Door;
use crate::events::Events;
use crate::opening::RedirectFile;
use crate::server::{Shell, Usb, routes};

/// Changes are many small values that one thread makes and another drops (docs/decisions/0018).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Reloading a page, or a browser that restarts, must not end the program.
const GRACE: Duration = Duration::from_secs(30);

/// 支部纪实 in the system's browser.
#[derive(Parser)]
#[command(name = "jishi-web", version)]
struct Arguments {
    /// The folder of the records.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The port on 127.0.0.1; a free one if absent.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Prints the address and opens no browser.
    #[arg(long)]
    no_browser: bool,
    /// Goes on when the last page is closed.
    #[arg(long)]
    stay: bool,
    /// Reports only when somebody asks for it.
    #[arg(long)]
    by_hand: bool,
}

fn main() -> Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let data = arguments.data.clone().or_else(app::default_data_folder);
    let data = data.context("no folder for the records is known; name one with --data")?;
    let app = App::open_root(data.clone()).map(Arc::new);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(serve(arguments, data, app.clone()));
    // What a call waits for is left as it is.
    runtime.shutdown_background();
    if let Ok(app) = app {
        app.leave();
    }
    ended
}

async fn serve(arguments: Arguments, data: PathBuf, app: Result<Arc<App>, CallError>) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port)).await?;
    let door = Door::new(listener.local_addr()?.port(), &random()?[..8], &random()?);
    let app = app.map_err(|error| json(&error));
    if let (Ok(app), false) = (&app, arguments.by_hand) {
        Courier::start(app);
    }
    let shell = shell(app, door);

    let no_browser = arguments.no_browser;
    let opener = Arc::new(Opener { shell: shell.clone(), data, no_browser, file: Mutex::default() });
    opener.open()?;
    again_on_enter(opener.clone());
    let closed = async {
        match arguments.stay {
            true => std::future::pending().await,
            false => shell.events.last_page_closed(GRACE).await,
        }
    };
    tokio::select! {
        ended = axum::serve(listener, routes(shell.clone())) => ended?,
        () = closed => println!("最后一个页面已关闭，支部纪实退出。"),
        () = stopped() => {}
    }
    opener.close();
    Ok(())
}

/// A data folder that cannot be used is every call's answer: the page is there to say it in words.
fn shell(app: Result<Arc<App>, Value>, door: Door) -> Arc<Shell> {
    let called = app.clone();
    let call = move |name: &str, arguments| {
        let app = called.as_ref().map_err(Value::clone)?;
        app.call(name, arguments).map_err(|error| json(&error))
    };
    let shown = app.clone();
    let photo = move |hash: &str| {
        let shown = shown.as_ref().ok()?.photo(hash)?;
        Some((shown.media, shown.bytes))
    };
    let usb = usb(&app);
    let shell =
        Arc::new(Shell { door, events: Events::new(), call: Box::new(call), photo: Box::new(photo), usb });
    let announced = shell.clone();
    match app {
        Ok(app) => app.on_changed(move |kinds| announced.events.announce(kinds)),
        Err(error) => tracing::error!(%error, "the data folder cannot be used"),
    }
    shell
}

fn usb(app: &Result<Arc<App>, Value>) -> Usb {
    let (exporting, importing) = (app.clone(), app.clone());
    let export = move |everything| {
        let mut made = None;
        // The browser says nothing of what became of a file that it was given: it counts as made.
        let put = |file| Ok(made.replace(file).is_none());
        exporting
            .as_ref()
            .map_err(Value::clone)?
            .usb_export(everything, put)
            .map_err(|error| json(&error))?;
        Ok(made.expect("a file was given, or there was an error"))
    };
    let import = move |bytes: &[u8]| {
        let done = importing.as_ref().map_err(Value::clone)?.usb_import(bytes);
        done.map(|done| serde_json::to_value(done).expect("plain data")).map_err(|error| json(&error))
    };
    Usb { export: Box::new(export), import: Box::new(import) }
}

fn json(error: &CallError) -> Value {
    serde_json::to_value(error).expect("an error is plain data")
}

/// Lets the person in, once at the start and again whenever asked.
struct Opener {
    shell: Arc<Shell>,
    data: PathBuf,
    no_browser: bool,
    file: Mutex<Option<RedirectFile>>,
}

impl Opener {
    fn open(&self) -> Result<()> {
        let address = self.shell.door.issue(random()?, Instant::now());
        if self.no_browser {
            println!("支部纪实已启动，请在 60 秒内打开（过期后按回车键换一个）: {address}");
            return Ok(());
        }
        // The old file goes first: the new one may have the same name.
        self.close();
        let file = RedirectFile::write(&self.data, &random()?[..8], &address)?;
        println!("支部纪实已启动，正在打开浏览器。没有打开时请双击: {}", file.path().display());
        opening::in_browser(file.path());
        *self.held() = Some(file);
        Ok(())
    }

    fn close(&self) {
        self.held().take();
    }

    fn held(&self) -> MutexGuard<'_, Option<RedirectFile>> {
        self.file.lock().expect("nothing panics while it holds the file")
    }
}

/// A terminal that stays open can ask for a fresh address by an empty line.
fn again_on_enter(opener: Arc<Opener>) {
    std::thread::spawn(move || {
        for _ in std::io::stdin().lock().lines().map_while(Result::ok) {
            if let Err(error) = opener.open() {
                tracing::error!(%error, "no new address");
            }
        }
    });
}

async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).expect("the signal can be listened to");
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}

/// 256 bits in hex.
fn random() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("the system gives no random bytes")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
