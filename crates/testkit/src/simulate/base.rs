//! Where every story begins: a city and six enrolled laptops, and one that the city has never seen. Made once, copied
//! for each story, because making keys from passwords is slow on purpose.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use city::{City, Folder};
use replica::StreamId;
use rusqlite::Connection;
use serde_json::json;
use store::{Author, Ground, RecoveryCode, Store};
use sync::{Address, Engine};
use tempfile::TempDir;
use wire::enrol::EnrolCode;

use super::known::Known;
use super::laptop::{Laptop, NAMES};
use super::line::Line;
use super::mirror::Mirror;
use super::site::Site;
use super::versions::Versions;
use crate::builders::PASSWORD;
use crate::world::World;

pub const ORGANISATION: &str = "O003";
pub const OTHER_ORGANISATION: &str = "O004";
/// Laptops of the branch; after them come one that has never seen the city, and one of another branch.
pub const ENROLLED: usize = 6;
pub const LATE: usize = ENROLLED;
pub const OUTSIDER: usize = ENROLLED + 1;
/// As many enrolments can be tried in a story.
const ENROLMENTS: usize = 6;
const FIRST: [(&str, &str); 5] =
    [("meeting", "m1"), ("meeting", "m2"), ("meeting", "m3"), ("promise", "p1"), ("promise", "p2")];
const REGISTER: &str = "id,name,kind,parent,founded,lines
O001,中国共产党泰安市非公有制经济组织委员会,委员会,,2012-06-21,
O002,中国共产党岱岳区非公有制经济组织委员会,委员会,O001,2012-09-10,
O003,中国共产党泰安速达物流有限公司支部委员会,党支部,O002,2015-01-01,
O004,中国共产党泰安安信食品有限公司支部委员会,党支部,O002,2016-01-01,
";

/// Every so many seeds one is played on files that are encrypted as a program's are.
const SEALED_EVERY: u64 = 20;

/// The two beginnings of stories.
pub struct Bases {
    plain: Base,
    sealed: Base,
}

impl Bases {
    pub fn make() -> Result<Bases> {
        // Keys from passwords are slow to make, so that both are made at once.
        std::thread::scope(|scope| {
            let plain = scope.spawn(|| Base::make(true));
            let sealed = Base::make(false)?;
            Ok(Bases { plain: plain.join().expect("a city is made without a panic")?, sealed })
        })
    }

    pub fn of(&self, seed: u64) -> &Base {
        if seed.is_multiple_of(SEALED_EVERY) { &self.sealed } else { &self.plain }
    }
}

/// Folders to copy, the codes that open them without a password, and what is in them.
pub struct Base {
    pub place: TempDir,
    pub plain: bool,
    pub codes: Vec<Arc<RecoveryCode>>,
    pub known: Known,
    pub of_laptops: Vec<Mirror>,
    pub of_city: Mirror,
    /// The branch's stream, and that of another branch.
    pub stream: StreamId,
    pub outside: StreamId,
    pub versions: Versions,
    /// Enrolment codes that the city has given out, with their keys: deriving one takes longer than a whole story.
    pub enrolment: Vec<EnrolCode>,
}

impl Base {
    /// Encrypted as programs are, or plain, which is many times faster.
    fn make(plain: bool) -> Result<Base> {
        let mut base = Base {
            place: place()?,
            plain,
            codes: Vec::new(),
            known: Known::default(),
            of_laptops: Vec::new(),
            of_city: Mirror::default(),
            stream: StreamId([0; 32]),
            outside: StreamId([0; 32]),
            versions: Versions::make()?,
            enrolment: Vec::new(),
        };
        let world = World::new(0);
        let register = base.place.path().join("organisations.csv");
        std::fs::write(&register, REGISTER)?;
        city::init(&base.city_folder(), &register, &world.of_city())?;
        let city = Arc::new(City::open(&base.city_folder(), world.of_city(), false)?);
        for (at, name) in NAMES.iter().enumerate().take(OUTSIDER + 1) {
            let world = World::new(1 + at as u64);
            let (store, code) = Store::create_on(base.ground(), &base.laptop(at), PASSWORD, world.clone())?;
            base.codes.push(Arc::new(code));
            store.found(&Author::new("secretary"), name)?;
            match at {
                LATE => {}
                OUTSIDER => base.outside = enrol(&store, &city, &world, name, OTHER_ORGANISATION)?,
                _ => base.stream = enrol(&store, &city, &world, name, ORGANISATION)?,
            }
            if at == 0 {
                first_records(&store)?;
                exchange(&store, &city, &world)?;
            }
        }
        for _ in 0..ENROLMENTS {
            base.enrolment.push(city.enrolment_code(ORGANISATION, None)?.1);
        }
        drop(city);
        base.look()?;
        Ok(base)
    }

    /// Opens everything once, so that stories begin with what is known of it.
    fn look(&mut self) -> Result<()> {
        for (at, name) in NAMES.iter().enumerate().take(OUTSIDER + 1) {
            let mut laptop = self.open(at, name, self.laptop(at), World::new(0), Mirror::default())?;
            laptop.look(&mut self.known)?;
            self.of_laptops.push(laptop.mirror);
        }
        let ground = city::Ground { disk: None, plain: self.plain };
        let mut site = Site::open(self.city(), World::new(0), ground, Mirror::default())?;
        site.look(&mut self.known)?;
        self.of_city = site.mirror;
        Ok(())
    }

    fn ground(&self) -> Ground {
        Ground { disk: None, plain: self.plain }
    }

    /// Starts the program of one of the laptops on a copy of its folder.
    pub fn open(
        &self,
        from: usize,
        name: &'static str,
        folder: PathBuf,
        world: Arc<World>,
        mirror: Mirror,
    ) -> Result<Laptop> {
        let branch = if from == OUTSIDER { self.outside } else { self.stream };
        Laptop::open(name, folder, world, self.codes[from].clone(), self.ground(), mirror, branch)
    }

    fn city_folder(&self) -> Folder {
        Folder::on(city::Ground { disk: None, plain: self.plain }, self.city())
    }

    pub fn city(&self) -> PathBuf {
        self.place.path().join("city")
    }

    pub fn laptop(&self, at: usize) -> PathBuf {
        self.place.path().join(format!("laptop-{at}"))
    }
}

/// A folder in memory where there is one, because a story is thousands of small writes.
pub fn place() -> Result<TempDir> {
    let memory = Path::new("/dev/shm");
    let made = match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    };
    made.context("no place for temporary files")
}

/// Looks into a database past its program.
pub fn reader(file: &Path, plain: bool, key: &[u8; 32]) -> Result<Connection> {
    let reader = Connection::open(file)?;
    if !plain {
        reader.pragma_update(None, "key", format!("x'{}'", replica::to_hex(key)))?;
    }
    reader.pragma_update(None, "query_only", true)?;
    Ok(reader)
}

pub fn address() -> Result<Address> {
    Ok(Address::parse("https://city.invalid")?)
}

/// The whole way in, over a line without faults.
fn enrol(
    store: &Store,
    city: &Arc<City>,
    world: &Arc<World>,
    name: &str,
    organisation: &str,
) -> Result<StreamId> {
    let (_, code) = city.enrolment_code(organisation, None)?;
    let line = Line::clean(city);
    let enrolment = sync::enrol_over(store, &line, &address()?, &code, name, &**world)?;
    exchange(store, city, world)?;
    if enrolment.reissue_from.is_some() {
        sync::reissue(store, &sync::Same::new(), world.now(), "secretary")?;
        exchange(store, city, world)?;
    }
    Ok(enrolment.stream)
}

fn exchange(store: &Store, city: &Arc<City>, world: &Arc<World>) -> Result<()> {
    Engine::over(store, Box::new(Line::clean(city)), world.clone())?.exchange(store)?;
    Ok(())
}

/// Most of the records that the stories are about are there from the start, so that people meet in them.
fn first_records(store: &Store) -> Result<()> {
    let author = Author::new("secretary");
    for (kind, id) in FIRST {
        let fields = BTreeMap::from([(title(kind).to_owned(), json!("第一份"))]);
        store.write(&author, "makes", |w| w.create(kind, id, &fields))?;
    }
    store.write(&author, "closes", |w| w.finalise("meeting", "m2", json!({ "number": "1" })))?;
    store.write(&author, "removes", |w| w.remove("promise", "p2", json!({ "reason": "mistake" })))?;
    Ok(())
}

fn title(kind: &str) -> &'static str {
    if kind == "meeting" { "title" } else { "text" }
}

/// Copies files, and folders below, as a person does with a file manager. Locks and shared memory are left out.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let to = to.join(&name);
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else if !name.to_string_lossy().ends_with("-shm") && name != "lock" {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
