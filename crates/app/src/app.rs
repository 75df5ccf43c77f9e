//! The program: its folder, the branch that is open, and the table of calls.

use crate::branch::Branch;
use crate::contract::*;
use crate::error::{CallError, Code};
use crate::reporting::{Line, News, Signals};
use crate::world::World;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

type Listener = Arc<dyn Fn(&[String]) + Send + Sync>;

/// The program over one data folder. Blocks: call it from a thread of its own.
pub struct App {
    pub(crate) root: PathBuf,
    pub(crate) world: World,
    open: Mutex<Option<Arc<Branch>>>,
    /// Every branch that was opened; one that was closed may still be in use by what had begun.
    opened: Mutex<Vec<Weak<Branch>>>,
    listeners: Arc<Mutex<Vec<Listener>>>,
    pub(crate) line: Arc<Line>,
    pub(crate) signals: Arc<Signals>,
}

impl App {
    /// The program with the system's clock and randomness.
    pub fn open_root(root: PathBuf) -> Result<Self, CallError> {
        Self::new(root, World::real())
    }

    /// The program over a data folder, which is made if it is not there.
    pub fn new(root: PathBuf, world: World) -> Result<Self, CallError> {
        crate::session::prepare(&root)?;
        let listeners: Arc<Mutex<Vec<Listener>>> = Arc::default();
        let listening = listeners.clone();
        let line = Line::new(move || tell(&listening, &["progress".to_owned()]));
        Ok(Self {
            root,
            world,
            open: Mutex::default(),
            opened: Mutex::default(),
            listeners,
            line: Arc::new(line),
            signals: Arc::default(),
        })
    }

    /// Adds a listener that is told, after each commit, the kinds whose answers are stale.
    pub fn on_changed(&self, listener: impl Fn(&[String]) + Send + Sync + 'static) {
        locked(&self.listeners).push(Arc::new(listener));
    }

    /// The branch that is open.
    pub(crate) fn branch(&self) -> Result<Arc<Branch>, CallError> {
        locked(&self.open).clone().ok_or_else(|| CallError::new(Code::NotOpen))
    }

    /// Puts a branch in the place of the open one; the store of that one closes with its last use, and what it exchanges
    /// ends at once.
    pub(crate) fn put_open(&self, branch: Option<Branch>) {
        if let Some(branch) = &branch {
            // Room that is not freed now is freed at the next opening.
            if let Err(error) = crate::attachments::drop_unnamed(branch) {
                tracing::warn!(%error, "unnamed files were left");
            }
            let (listeners, signals) = (self.listeners.clone(), self.signals.clone());
            branch.store.on_changed(Arc::new(move |touched| {
                if !touched.changes.is_empty() {
                    signals.tell(News::Recorded);
                }
                tell(&listeners, &crate::branch::kinds_of(touched));
            }));
        }
        self.line.stop();
        let branch = branch.map(Arc::new);
        if let Some(branch) = &branch {
            let mut opened = locked(&self.opened);
            opened.retain(|branch| branch.strong_count() > 0);
            opened.push(Arc::downgrade(branch));
        }
        let opened = branch.is_some();
        *locked(&self.open) = branch;
        if opened {
            self.signals.tell(News::Changed);
        }
        self.tell(&["session"]);
    }

    /// The last thing before the process ends: waits for what is being saved and keeps every thread from the records
    /// from then on. What waits for the network is left as it is.
    pub fn leave(&self) {
        locked(&self.opened).iter().filter_map(Weak::upgrade).for_each(|branch| {
            branch.store.stop();
            // Not closed by the last thread that lets go of it: that is use of the files, too.
            std::mem::forget(branch);
        });
    }

    pub(crate) fn tell(&self, kinds: &[&str]) {
        let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        tell(&self.listeners, &kinds);
    }
}

fn tell(listeners: &Mutex<Vec<Listener>>, kinds: &[String]) {
    if !kinds.is_empty() {
        // A listener may call in turn, so nothing is locked while it runs.
        let listeners = locked(listeners).clone();
        listeners.iter().for_each(|listener| listener(kinds));
    }
}

/// A panic of another thread left no half-done state behind: both values are replaced whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

macro_rules! dispatch {
    ($($name:ident($req:ty) -> $res:ty $(, reads [$($kind:literal),*])?;)*) => {
        impl App {
            /// Answers a call by its name in the contract.
            pub fn call(&self, name: &str, request: Value) -> Result<Value, CallError> {
                match name {
                    $(stringify!($name) => {
                        let answer: $res = self.$name(read::<$req>(request)?)?;
                        write(&answer)
                    })*
                    _ => Err(CallError::new(Code::BadRequest).with("call", name)),
                }
            }
        }
    };
}

crate::calls!(dispatch);

fn read<T: DeserializeOwned>(request: Value) -> Result<T, CallError> {
    let request = if request.is_null() { Value::Object(Default::default()) } else { request };
    // The message of serde may quote a value; only its place is passed on.
    serde_json::from_value(request)
        .map_err(|error| CallError::new(Code::BadRequest).with("class", format!("{:?}", error.classify())))
}

fn write<T: Serialize>(answer: &T) -> Result<Value, CallError> {
    serde_json::to_value(answer).map_err(|error| CallError::internal(&error))
}

/// Where the records are kept unless the user says otherwise: local, never roaming, application data.
pub fn default_data_folder() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("JISHI_DATA")
        .or_else(|| Some(folder("LOCALAPPDATA")?.join("jishi")))
        .or_else(|| Some(folder("XDG_DATA_HOME")?.join("jishi")))
        .or_else(|| Some(folder("HOME")?.join(".local/share/jishi")))
}
