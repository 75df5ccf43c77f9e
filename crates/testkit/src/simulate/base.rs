//! Where every story begins: a city and six enrolled laptops, and one that the city has never seen. Made once, copied
//! for each story, because making keys from passwords is slow on purpose.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use city::{City, Folder};
use serde_json::json;
use store::{Author, RecoveryCode, Store};
use sync::{Address, Engine};
use tempfile::TempDir;

use super::laptop::NAMES;
use super::line::Line;
use crate::builders::PASSWORD;
use crate::world::World;

pub const ORGANISATION: &str = "O003";
pub const ENROLLED: usize = 6;
const FIRST: [(&str, &str); 5] =
    [("meeting", "m1"), ("meeting", "m2"), ("meeting", "m3"), ("promise", "p1"), ("promise", "p2")];
const REGISTER: &str = "id,name,kind,parent,founded,lines
O001,中国共产党泰安市非公有制经济组织委员会,委员会,,2012-06-21,
O002,中国共产党岱岳区非公有制经济组织委员会,委员会,O001,2012-09-10,
O003,中国共产党泰安速达物流有限公司支部委员会,党支部,O002,2015-01-01,
";

/// Folders to copy, and the codes that open them without a password.
pub struct Base {
    pub place: TempDir,
    pub codes: Vec<Arc<RecoveryCode>>,
}

impl Base {
    pub fn make() -> Result<Base> {
        let base = Base { place: place()?, codes: Vec::new() };
        let world = World::new(0);
        let register = base.place.path().join("organisations.csv");
        std::fs::write(&register, REGISTER)?;
        city::init(&Folder::new(base.city()), &register, &world.of_city())?;
        let city = Arc::new(City::open(&Folder::new(base.city()), world.of_city(), false)?);
        let mut codes = Vec::new();
        for (at, name) in NAMES.iter().enumerate().take(ENROLLED + 1) {
            let world = World::new(1 + at as u64);
            let (store, code) = Store::create(&base.laptop(at), PASSWORD, world.clone())?;
            codes.push(Arc::new(code));
            store.found(&Author::new("secretary"), name)?;
            if at < ENROLLED {
                enrol(&store, &city, &world, name)?;
            }
            if at == 0 {
                first_records(&store)?;
                exchange(&store, &city, &world)?;
            }
        }
        Ok(Base { codes, ..base })
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

pub fn address() -> Result<Address> {
    Ok(Address::parse("https://city.invalid")?)
}

/// The whole way in, over a line without faults.
fn enrol(store: &Store, city: &Arc<City>, world: &Arc<World>, name: &str) -> Result<()> {
    let (_, code) = city.enrolment_code(ORGANISATION, None)?;
    let line = Line::clean(city);
    let enrolment = sync::enrol_over(store, &line, &address()?, &code.to_string(), name, &**world)?;
    exchange(store, city, world)?;
    if enrolment.reissue_from.is_some() {
        sync::reissue(store, &sync::Same::new(), world.now(), "secretary")?;
        exchange(store, city, world)?;
    }
    Ok(())
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
