//! Laptops and a city in this process, on loopback, with clocks that only the test moves.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use app::App;
use city::{City, Folder};
use replica::StreamId;
use serde_json::json;
use store::Store;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::builders::PASSWORD;
use crate::secretary::Secretary;
use crate::town::Town;
use crate::world::World;

/// A laptop with a secretary at it.
pub struct Laptop {
    pub secretary: Secretary<App>,
    pub world: Arc<World>,
    data: TempDir,
}

impl Laptop {
    /// A new computer with an empty folder.
    pub fn new(world: Arc<World>) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let secretary = Secretary::at(program(data.path(), &world)?);
        Ok(Self { secretary, world, data })
    }

    /// A computer with the town's branch set up and its people pasted.
    pub fn with_branch(world: Arc<World>) -> Result<Self> {
        let laptop = Self::new(world)?;
        laptop.secretary.sets_up("周海东")?;
        laptop.secretary.pastes_people()?;
        Ok(laptop)
    }

    /// Where the records of this computer lie.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Closes the branch and reads what is stored: the branch's stream and the digest of its records.
    pub fn stored(&self) -> Result<(StreamId, String)> {
        let folder = self.data().join(self.secretary.folder()?);
        self.secretary.closes()?;
        let digest = stored(&folder, &self.world)?;
        self.secretary.opens()?;
        Ok(digest)
    }
}

/// The program over a folder, with a clock of the test.
pub fn program(data: &Path, world: &Arc<World>) -> Result<App> {
    match App::new(data.to_owned(), app::World::new(world.clone())) {
        Ok(program) => Ok(program),
        Err(error) => bail!("the program does not start: {}", json!(error)),
    }
}

/// What a branch folder holds that nobody has open.
pub fn stored(folder: &Path, world: &Arc<World>) -> Result<(StreamId, String)> {
    let store = Store::open(folder, PASSWORD, world.clone())?;
    let stream = store.own_stream()?.context("the branch has no stream")?;
    let digest = store.digest(&stream)?;
    Ok((stream, digest))
}

/// The city, listening on a port of its own.
pub struct LoopbackCity {
    pub city: Arc<City>,
    listens: SocketAddr,
    data: PathBuf,
    _folder: TempDir,
    _runtime: Runtime,
}

impl LoopbackCity {
    /// A new city with the town's organisations.
    pub fn new(world: &Arc<World>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("city");
        let organisations = Town::folder().join("organisations.csv");
        city::init(&Folder::new(data.clone()), &organisations, &world.of_city())?;
        let city = Arc::new(City::open(&Folder::new(data.clone()), world.of_city(), false)?);
        let runtime = Runtime::new()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let listens = listener.local_addr()?;
        let router = city::router(city.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { city, listens, data, _folder: folder, _runtime: runtime })
    }

    pub fn listens(&self) -> SocketAddr {
        self.listens
    }

    pub fn address(&self) -> String {
        format!("http://{}", self.listens)
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    /// A one-time code for an organisation of the town.
    pub fn code_for(&self, organisation: &str) -> Result<String> {
        let (_, code) = self.city.enrolment_code(organisation, None)?;
        Ok(code.to_string())
    }
}
