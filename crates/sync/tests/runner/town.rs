//! A city on a loopback port, laptops with real stores, and a line between them.

use crate::line::Line;
use city::{City, Folder, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread::JoinHandle;
use store::{Author, Sources, Store};
use sync::{Address, Engine, Enrolment, Report, Stop, SyncError};
use tokio::runtime::Runtime;

pub const START: i64 = 1_792_000_000_000;
pub const PASSWORD: &str = "泰山石敢当2026";

const REGISTER: &str = "id,name,kind,parent,founded,lines
O001,中国共产党泰安市非公有制经济组织委员会,委员会,,2012-06-21,
O002,中国共产党岱岳区非公有制经济组织委员会,委员会,O001,2012-09-10,
O003,中国共产党泰安速达物流有限公司支部委员会,党支部,O002,2015-01-01,
O004,中国共产党泰安云桥信息技术有限公司支部,党支部,O002,2015-01-01,
";

static DRAWN: AtomicU64 = AtomicU64::new(0);

/// Bytes that never repeat within a run of the tests.
fn fill(bytes: &mut [u8]) {
    let seed = DRAWN.fetch_add(1, Ordering::SeqCst).to_le_bytes();
    blake3::Hasher::new().update(&seed).finalize_xof().fill(bytes);
}

/// A clock that stands still until it is moved.
pub struct Still(pub AtomicI64);

impl Sources for Still {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn fill(&self, bytes: &mut [u8]) {
        fill(bytes);
    }
}

pub struct Town {
    pub place: tempfile::TempDir,
    /// Where the city that runs now has its data.
    pub folder: Folder,
    pub city: Arc<City>,
    pub line: Line,
    server: Option<Runtime>,
    /// Servers that are going down.
    ending: Vec<JoinHandle<()>>,
    /// The city's clock stands still.
    now: i64,
}

impl Town {
    pub fn new() -> Town {
        let place = tempfile::tempdir().unwrap();
        let register = place.path().join("organisations.csv");
        std::fs::write(&register, REGISTER).unwrap();
        city::init(&folder(&place), &register, &world(START)).unwrap();
        let (city, address, server) = start(folder(&place), START);
        Town {
            folder: folder(&place),
            place,
            city,
            line: Line::to(address),
            server: Some(server),
            ending: Vec::new(),
            now: START,
        }
    }

    /// The server goes down without a word, whatever it was doing, and comes up again on the same folder.
    pub fn kill_and_start(&mut self) {
        self.end();
        self.start_in(self.folder.clone());
    }

    /// A copy of the city's folder as it is now.
    pub fn copy(&self, name: &str) -> Folder {
        let (from, to) = (&self.folder, Folder::new(self.place.path().join(name)));
        std::fs::create_dir_all(to.database().parent().unwrap()).unwrap();
        std::fs::copy(from.key(), to.key()).unwrap();
        let wal = |folder: &Folder| folder.database().with_extension("sqlite-wal");
        std::fs::copy(from.database(), to.database()).unwrap();
        std::fs::copy(wal(from), wal(&to)).unwrap();
        to
    }

    /// The server goes down, and comes up again on an earlier copy.
    pub fn set_back(&mut self, copy: Folder) {
        self.end();
        self.start_in(copy);
    }

    /// The same, later.
    pub fn set_back_at(&mut self, copy: Folder, now: i64) {
        self.end();
        self.now = now;
        self.start_in(copy);
    }

    /// The server is lost, and restored from a backup into a new folder.
    pub fn restore(&mut self, backup: &std::path::Path, name: &str) -> city::Restored {
        self.end();
        let folder = Folder::new(self.place.path().join(name));
        let key = self.folder.key();
        let restoring = city::Restoring { from: backup, key: city::Key::File(&key), root: None };
        let restored = city::restore(&folder, restoring, &world(self.now)).unwrap();
        self.start_in(folder);
        restored
    }

    /// Nobody waits for the server: what it has begun ends while the next one runs.
    fn end(&mut self) {
        let server = self.server.take().unwrap();
        self.ending.push(std::thread::spawn(move || drop(server)));
    }

    fn start_in(&mut self, folder: Folder) {
        let (city, address, server) = start(folder.clone(), self.now);
        (self.city, self.server, self.folder) = (city, Some(server), folder);
        self.line.turn_to(address);
    }

    pub fn code(&self, organisation: &str) -> String {
        self.city.enrolment_code(organisation, None).unwrap().1.to_string()
    }

    pub fn address(&self) -> Address {
        Address::parse(&self.line.address.to_string()).unwrap()
    }

    /// The root key, as somebody fetched it from where it lies.
    pub fn root(&self) -> ed25519_dalek::SigningKey {
        city::read_root(&folder(&self.place).root_key()).unwrap()
    }

    /// The database of a city's folder without the program.
    pub fn count(&self, folder: &Folder, statement: &str) -> i64 {
        let db = rusqlite::Connection::open(folder.database()).unwrap();
        let key = std::fs::read_to_string(folder.key()).unwrap();
        db.pragma_update(None, "key", format!("x'{}'", key.trim())).unwrap();
        db.query_row(statement, [], |row| row.get(0)).unwrap()
    }

    /// Proves the database, and that it holds just this many changes.
    #[track_caller]
    pub fn holds(&self, changes: usize) {
        let report = self.city.check().unwrap();
        assert_eq!(report.findings, [], "{report}");
        assert_eq!(report.changes, changes, "changes at the city");
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.end();
        // Nothing may use the cipher's library any more when the process ends.
        self.ending.drain(..).for_each(|ending| ending.join().unwrap());
    }
}

fn folder(place: &tempfile::TempDir) -> Folder {
    Folder::new(place.path().join("city"))
}

fn world(now: i64) -> World {
    World::new(move || now, fill)
}

fn start(folder: Folder, now: i64) -> (Arc<City>, SocketAddr, Runtime) {
    let city = Arc::new(City::open(&folder, world(now), false).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let router = city::router(city.clone());
    runtime.spawn(async move { axum::serve(listener, router).await });
    (city, address, runtime)
}

pub struct Laptop {
    pub store: Store,
    pub sources: Arc<Still>,
    pub folder: PathBuf,
}

impl Laptop {
    /// A branch that has never seen a city.
    pub fn new(town: &Town, name: &str) -> Laptop {
        let folder = town.place.path().join(name);
        let sources = Arc::new(Still(AtomicI64::new(START)));
        let (store, _) = Store::create(&folder, PASSWORD, sources.clone()).unwrap();
        store.found(&Author::new("zhd"), name).unwrap();
        Laptop { store, sources, folder }
    }

    /// Somebody copies the folder while the program is closed, and opens the copy.
    pub fn copied(self, town: &Town, name: &str) -> (Laptop, Laptop) {
        let Laptop { store, sources, folder } = self;
        drop(store);
        let copy = town.place.path().join(name);
        copy_files(&folder, &copy);
        (Laptop::opened(folder, sources), Laptop::opened(copy, Arc::new(Still(AtomicI64::new(START)))))
    }

    /// A copy of the folder for a backup; the program is closed for it and opened again.
    pub fn backed_up(self, town: &Town, name: &str) -> (Laptop, PathBuf) {
        let Laptop { store, sources, folder } = self;
        drop(store);
        let backup = town.place.path().join(name);
        copy_files(&folder, &backup);
        (Laptop::opened(folder, sources), backup)
    }

    /// The folder as it was in the backup.
    pub fn restored(self, backup: &Path) -> Laptop {
        let Laptop { store, sources, folder } = self;
        drop(store);
        std::fs::remove_dir_all(&folder).unwrap();
        copy_files(backup, &folder);
        Laptop::opened(folder, sources)
    }

    fn opened(folder: PathBuf, sources: Arc<Still>) -> Laptop {
        let store = Store::open(&folder, PASSWORD, sources.clone()).unwrap();
        Laptop { store, sources, folder }
    }

    pub fn later(&self, ms: i64) {
        self.sources.0.fetch_add(ms, Ordering::SeqCst);
    }

    #[track_caller]
    pub fn has(&self, ids: &[&str]) {
        for id in ids {
            let state = self.store.record("promise", id).unwrap();
            assert!(state.is_some_and(|state| state.is_live()), "{id} is there");
        }
    }

    pub fn remove(&self, id: &str) {
        self.store.write(&Author::new("zhd"), "delete", |w| w.remove("promise", id, json!({}))).unwrap();
    }

    pub fn enrolled(town: &Town, name: &str) -> Laptop {
        let laptop = Laptop::new(town, name);
        laptop.enrol(town, "O003").unwrap();
        laptop
    }

    pub fn enrol(&self, town: &Town, organisation: &str) -> Result<Enrolment, SyncError> {
        self.enrol_with(town, &town.code(organisation))
    }

    pub fn enrol_with(&self, town: &Town, code: &str) -> Result<Enrolment, SyncError> {
        sync::enrol(&self.store, &town.address(), code, "支部电脑", &*self.sources, &Stop::default())
    }

    /// Enrols and takes over what the city has: the way of a second laptop without records of its own.
    pub fn joined(town: &Town, name: &str) -> Laptop {
        let laptop = Laptop::enrolled(town, name);
        laptop.exchange().unwrap();
        sync::reissue(&laptop.store, &BTreeMap::new(), START, "zhd").unwrap();
        laptop
    }

    pub fn engine(&self) -> Engine {
        Engine::open(&self.store, self.sources.clone(), &Stop::default()).unwrap()
    }

    pub fn exchange(&self) -> Result<Report, SyncError> {
        self.engine().exchange(&self.store)
    }

    /// As a person does: again until it went through.
    #[track_caller]
    pub fn exchange_until_through(&self) -> Report {
        for _ in 0..20 {
            match self.exchange() {
                Ok(report) => return report,
                Err(SyncError::CutOff | SyncError::Offline(_)) => {}
                Err(other) => panic!("not a cut: {other}"),
            }
        }
        panic!("twenty exchanges were cut");
    }

    pub fn write(&self, id: &str, fields: Value) {
        let Value::Object(fields) = fields else { panic!("fields are an object") };
        let fields: BTreeMap<String, Value> = fields.into_iter().collect();
        let author = Author::new("zhd");
        let known = self.store.record("promise", id).unwrap().is_some();
        self.store
            .write(&author, "save", |w| match known {
                true => w.put("promise", id, &fields),
                false => w.create("promise", id, &fields),
            })
            .unwrap();
    }

    /// Adds records with minutes that do not pack away.
    pub fn write_many(&self, prefix: &str, count: usize) {
        for at in 0..count {
            self.write(&format!("{prefix}{at}"), promise(at));
        }
    }

    #[track_caller]
    pub fn agrees_with(&self, town: &Town) {
        let stream = self.store.own_stream().unwrap().unwrap();
        assert_eq!(self.store.digest(&stream).unwrap(), town.city.digest(&stream).unwrap(), "state digest");
        assert_eq!(self.store.outbox().unwrap().changes, 0, "the outbox drained");
        self.store.check().unwrap();
    }
}

fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

pub fn promise(at: usize) -> Value {
    let noise = blake3::hash(&at.to_le_bytes()).to_hex().to_string();
    json!({ "text": format!("第{at}条"), "evidence": noise.repeat(12), "promised_on": "2026-10-13" })
}
