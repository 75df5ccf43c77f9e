//! One open city: its database, its keys, and what the command line asks of it.

use crate::blobs::{Blobs, Shelf};
use crate::codes;
use crate::db::{Db, DbError, Folder, meta};
use crate::keys::RootError;
use crate::organisations::{self, Fault, Organisation};
use crate::world::World;
use crate::{audit, check};
use replica::{ChangeId, DeviceId, Kinds, RootKey, StreamId};
use rusqlite::{Connection, OptionalExtension, Row};
use std::net::SocketAddr;
use std::sync::Mutex;
use wire::enrol::EnrolCode;

/// Everything a request handler needs.
#[derive(Debug)]
pub struct City {
    pub db: Db,
    pub blobs: Blobs,
    pub world: World,
    pub kinds: Kinds,
    pub root: RootKey,
    pub behind_proxy: bool,
    /// Held while a password is hashed.
    pub(crate) hashing: Mutex<()>,
}

/// What keeps a city from doing what the command line asks.
#[derive(Debug, thiserror::Error)]
pub enum CityError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Pen(#[from] crate::pen::PenError),
    #[error(transparent)]
    Root(#[from] RootError),
    #[error("“{0}”不能作为平台地址：写 https:// 开头的完整地址")]
    BadAddress(String),
    #[error("没有记录流 {0}")]
    NoStream(StreamId),
    #[error("党组织“{0}”还没有电脑接入")]
    NotEnrolled(String),
    #[error("电脑 {0} 没有登记在这个党组织，或者已经停用。没有改动任何东西")]
    NotInUse(DeviceId),
    #[error("电脑 {0} 没有被停用。没有改动任何东西")]
    NotRevoked(DeviceId),
    #[error("没有编号以“{0}”开头的电脑，或者不止一台。请写全编号")]
    UnknownDevice(String),
    #[error("变更 {0} 不在待审查的内容里。没有改动任何东西")]
    NotInQuarantine(ChangeId),
    #[error("没有党组织“{0}”。写编号或全称；要新登记，同时写 --kind、--parent 和 --founded")]
    UnknownOrganisation(String),
    #[error("名称“{0}”有几个党组织，请写编号")]
    AmbiguousName(String),
    #[error("党组织“{0}”已经在名册里，不能再新登记")]
    KnownOrganisation(String),
    #[error("{}：{}", .0.field, .0.words)]
    BadOrganisation(Fault),
    #[error(
        "不能在 {0} 上用不加密的 HTTP：只听 127.0.0.1，或放在提供 HTTPS 的反向代理后面并加上 --behind-proxy"
    )]
    PlainHttp(SocketAddr),
    #[error("没有做成文件：{0}")]
    File(&'static str),
}

impl From<rusqlite::Error> for CityError {
    fn from(error: rusqlite::Error) -> CityError {
        CityError::Db(DbError::Sqlite(error))
    }
}

/// Where to listen, and whether TLS is somebody else's task.
#[derive(Debug, Clone, Copy)]
pub struct Listen {
    pub address: SocketAddr,
    pub behind_proxy: bool,
}

impl Listen {
    /// Off loopback the city speaks plain HTTP only to a proxy.
    pub fn allowed(&self) -> Result<(), CityError> {
        match self.behind_proxy || self.address.ip().is_loopback() {
            true => Ok(()),
            false => Err(CityError::PlainHttp(self.address)),
        }
    }
}

/// An organisation that is registered when its code is made.
#[derive(Debug, Clone)]
pub struct NewOrganisation {
    pub kind: String,
    pub parent: String,
    pub founded: String,
}

impl City {
    pub fn open(folder: &Folder, world: World, behind_proxy: bool) -> Result<City, CityError> {
        let db = Db::open(folder)?;
        let root = db.read(root)?;
        let blobs = Blobs::on(Shelf::new(folder.blobs(), &folder.read_key()?));
        Ok(City { db, blobs, world, kinds: Kinds::builtin(), root, behind_proxy, hashing: Mutex::new(()) })
    }

    /// Makes an enrolment code, after registering the organisation if it is new.
    pub fn enrolment_code(
        &self,
        wanted: &str,
        new: Option<NewOrganisation>,
    ) -> Result<(Organisation, EnrolCode), CityError> {
        self.db.write(|t| {
            let organisation = match new {
                Some(new) => self.register(t, wanted, new)?,
                None => find(t, wanted)?,
            };
            let code = codes::make(t, &self.world, &organisation.id)?;
            Ok((organisation, code))
        })
    }

    fn register(&self, t: &Connection, name: &str, new: NewOrganisation) -> Result<Organisation, CityError> {
        if find(t, name).is_ok() {
            return Err(CityError::KnownOrganisation(name.to_owned()));
        }
        let parent = find(t, &new.parent)?;
        let position: i64 = t
            .query_row("SELECT coalesce(max(position), 0) + 1 FROM organisation", [], |row| row.get(0))
            .map_err(DbError::from)?;
        let organisation = Organisation {
            id: format!("N{position:03}"),
            name: name.to_owned(),
            kind: new.kind,
            parent: Some(parent.id),
            founded: new.founded,
            lines: String::new(),
        };
        let mut faults = Vec::new();
        organisations::check_row(1, &organisation, &kind_labels(&self.kinds), &mut faults);
        if let Some(fault) = faults.into_iter().next() {
            return Err(CityError::BadOrganisation(fault));
        }
        insert(t, &organisation, position)?;
        audit::note(t, self.world.now(), "operator", "organisation registered", &organisation.id)?;
        Ok(organisation)
    }

    /// The digest of what is stored of each stream, with the organisation it belongs to.
    pub fn digests(&self) -> Result<Vec<(String, StreamId, String)>, CityError> {
        Ok(self.db.read::<_, DbError>(|c| {
            let statement = "SELECT id, stream FROM organisation WHERE stream IS NOT NULL ORDER BY position";
            let mut statement = c.prepare(statement)?;
            let mut rows = statement.query([])?;
            let mut digests = Vec::new();
            while let Some(row) = rows.next()? {
                let stream = StreamId(crate::log::bytes32(row.get(1)?, "organisation")?);
                digests.push((row.get(0)?, stream, check::digest(c, &stream)?));
            }
            Ok(digests)
        })?)
    }

    /// The digest of what is stored of one stream.
    pub fn digest(&self, stream: &StreamId) -> Result<String, CityError> {
        Ok(self.db.read(|c| check::digest(c, stream))?)
    }

    /// An organisation by id or full name, and its stream.
    pub fn stream_of(&self, wanted: &str) -> Result<(Organisation, StreamId), CityError> {
        self.db.read(|c| {
            let organisation = find(c, wanted)?;
            let stream = crate::enrol::stream_of(c, &organisation.id)?;
            let stream = stream.ok_or_else(|| CityError::NotEnrolled(organisation.name.clone()))?;
            Ok((organisation, stream))
        })
    }

    /// Verifies everything that the database holds.
    pub fn check(&self) -> Result<check::Report, CityError> {
        self.db.fold_back()?;
        Ok(self.db.read(|c| check::check(c, self))?)
    }
}

/// What an organisation may be called, from the kind file.
pub fn kind_labels(kinds: &Kinds) -> Vec<String> {
    let field = kinds.get("organisation").and_then(|kind| kind.field_for("type"));
    field.map(|field| field.choices.iter().map(|choice| choice.label.clone()).collect()).unwrap_or_default()
}

/// Adds a row to the register of organisations.
pub fn insert(connection: &Connection, it: &Organisation, position: i64) -> Result<(), DbError> {
    connection.execute(
        "INSERT INTO organisation (id, name, kind, parent, founded, lines, position)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (&it.id, &it.name, &it.kind, &it.parent, &it.founded, &it.lines, position),
    )?;
    Ok(())
}

/// By id, else by full name.
pub fn find(connection: &Connection, wanted: &str) -> Result<Organisation, CityError> {
    if let Some(found) = by_id(connection, wanted)? {
        return Ok(found);
    }
    let statement = "SELECT id, name, kind, parent, founded, lines FROM organisation WHERE name = ?1 LIMIT 2";
    let mut statement = connection.prepare(statement).map_err(DbError::from)?;
    let rows = statement.query_map([wanted], organisation).map_err(DbError::from)?;
    let mut found: Vec<Organisation> = rows.collect::<Result<_, _>>().map_err(DbError::from)?;
    match (found.pop(), found.pop()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(CityError::AmbiguousName(wanted.to_owned())),
        (None, _) => Err(CityError::UnknownOrganisation(wanted.to_owned())),
    }
}

pub fn by_id(connection: &Connection, id: &str) -> Result<Option<Organisation>, DbError> {
    let statement = "SELECT id, name, kind, parent, founded, lines FROM organisation WHERE id = ?1";
    Ok(connection.query_row(statement, [id], organisation).optional()?)
}

fn organisation(row: &Row<'_>) -> rusqlite::Result<Organisation> {
    Ok(Organisation {
        id: row.get(0)?,
        name: row.get(1)?,
        kind: row.get(2)?,
        parent: row.get(3)?,
        founded: row.get(4)?,
        lines: row.get(5)?,
    })
}

/// The root that the city is built on.
pub fn root(connection: &Connection) -> Result<RootKey, DbError> {
    let bytes = meta(connection, "root")?.unwrap_or_default();
    Ok(RootKey(crate::log::bytes32(bytes, "meta")?))
}
