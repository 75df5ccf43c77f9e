//! A city in a temporary folder with a clock that stands still, and laptops that know only the protocol.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use city::{City, Folder, Setup, World};
use ed25519_dalek::{Signer, SigningKey};
use replica::{Change, ChangeBuilder, DeviceId, End, RawChange, RecordState, StreamId, device_of};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tower::ServiceExt;
use wire::enrol::{
    ChangeText, CodeKey, EXCHANGE_PATH, EXCHANGE_TYPE, EnrolAsk, EnrolCode, EnrolYes, Keys, Sealed, Way,
};
use wire::{Answer, Have, Request as Ask, RequestHead, StreamAsk, Target};

pub const START: i64 = 1_792_000_000_000;
pub const DAY: i64 = 24 * 60 * 60 * 1000;

pub const REGISTER: &str = "id,name,kind,parent,founded,lines
O001,中国共产党泰安市非公有制经济组织委员会,委员会,,2012-06-21,
O002,中国共产党岱岳区非公有制经济组织委员会,委员会,O001,2012-09-10,
O003,中国共产党泰安恒岱食品有限公司支部委员会,党支部,O002,2011-02-02,行业:食品
O004,中国共产党泰安星河电子商务有限公司支部委员会,党支部,O002,2012-03-03,行业:电子商务
";

static DRAWN: AtomicU64 = AtomicU64::new(0);

pub struct TestCity {
    pub place: tempfile::TempDir,
    pub city: Arc<City>,
    pub password: String,
    pub clock: Arc<AtomicI64>,
}

/// A world whose clock stands still and whose bytes never repeat.
pub fn world(clock: &Arc<AtomicI64>) -> World {
    let clock = clock.clone();
    World::new(
        move || clock.load(Ordering::SeqCst),
        |bytes| {
            let seed = DRAWN.fetch_add(1, Ordering::SeqCst).to_le_bytes();
            blake3::Hasher::new().update(&seed).finalize_xof().fill(bytes);
        },
    )
}

/// The database without the program.
fn raw(folder: &Folder) -> rusqlite::Connection {
    let db = rusqlite::Connection::open(folder.database()).unwrap();
    let key = std::fs::read_to_string(folder.key()).unwrap();
    db.pragma_update(None, "key", format!("x'{}'", key.trim())).unwrap();
    db
}

/// The files of attachments below a city's folder, or a backup.
pub fn blob_files(folder: &Folder) -> Vec<PathBuf> {
    let inside =
        |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    inside(folder.blobs()).flat_map(inside).collect()
}

pub fn promise(text: &str) -> Value {
    json!({ "text": text, "promised_on": "2026-10-13" })
}

pub fn register(place: &tempfile::TempDir, text: &str) -> PathBuf {
    let file = place.path().join("organisations.csv");
    std::fs::write(&file, text).unwrap();
    file
}

impl TestCity {
    pub fn new() -> TestCity {
        let place = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(START));
        let folder = Folder::new(place.path().join("city"));
        let Setup { password, .. } =
            city::init(&folder, &register(&place, REGISTER), &world(&clock)).unwrap();
        let city = Arc::new(City::open(&folder, world(&clock), false).unwrap());
        TestCity { place, city, password, clock }
    }

    pub fn folder(&self) -> Folder {
        Folder::new(self.place.path().join("city"))
    }

    /// The program ends and starts again on the same folder.
    pub fn restart(&mut self) {
        self.city = Arc::new(City::open(&self.folder(), world(&self.clock), false).unwrap());
    }

    /// The files of attachments on the disk.
    pub fn blob_files(&self) -> Vec<PathBuf> {
        blob_files(&self.folder())
    }

    pub fn files(&self) -> usize {
        self.blob_files().len()
    }

    pub fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn code(&self) -> EnrolCode {
        self.city.enrolment_code("O003", None).unwrap().1
    }

    pub fn router(&self) -> Router {
        city::router(self.city.clone())
    }

    /// A record as it is stored.
    pub fn stored(&self, stream: &StreamId, kind: &str, id: &str) -> Option<RecordState> {
        let db = raw(&self.folder());
        let statement = "SELECT state FROM record WHERE stream = ?1 AND kind = ?2 AND id = ?3";
        let state = db.query_row(statement, (stream.0.as_slice(), kind, id), |row| row.get::<_, String>(0));
        state.ok().map(|state| RecordState::from_bytes(state.as_bytes()).unwrap())
    }

    /// One number from the database without the program.
    pub fn count(&self, statement: &str) -> i64 {
        raw(&self.folder()).query_row(statement, [], |row| row.get(0)).unwrap()
    }

    /// Another city in the folder of this one.
    pub fn opened(self, folder: &Folder) -> TestCity {
        let city = Arc::new(City::open(folder, world(&self.clock), false).unwrap());
        TestCity { city, ..self }
    }

    /// A change of the city's own in a stream, which any laptop may carry.
    pub fn citys_change(&self, stream: &StreamId, path: &str, value: &Value) -> Change {
        let (db, operating) = (raw(&self.folder()), self.city.operating().unwrap());
        let device = operating.device();
        let statement = "SELECT n, id FROM chain_end WHERE stream = ?1 AND device = ?2";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?));
        let (n, id) = db.query_row(statement, (stream.0.as_slice(), device.0.as_slice()), row).unwrap();
        let end = End { n: n.unsigned_abs(), id: replica::ChangeId(id) };
        ChangeBuilder::new(Some(*stream), Some(end), device, 99, START, "city", "rule")
            .write("~stream", "stream", path, value, &[])
            .sign(&operating.key)
            .unwrap()
    }

    /// A copy of this city whose database somebody altered.
    pub fn altered(&self, statements: &str) -> City {
        let copy = tempfile::tempdir().unwrap().keep();
        let folder = Folder::new(&copy);
        std::fs::create_dir_all(folder.database().parent().unwrap()).unwrap();
        std::fs::copy(self.folder().key(), folder.key()).unwrap();
        raw(&self.folder()).execute("VACUUM INTO ?1", [folder.database().to_str().unwrap()]).unwrap();
        let db = raw(&folder);
        db.pragma_update(None, "foreign_keys", false).unwrap();
        db.execute_batch(statements).unwrap();
        drop(db);
        let city = City::open(&folder, world(&self.clock), false).unwrap();
        std::fs::remove_dir_all(copy).unwrap();
        city
    }

    /// The root key, as somebody fetched it from where it lies.
    pub fn root_key(&self) -> SigningKey {
        city::read_root(&self.folder().root_key()).unwrap()
    }

    pub fn root(&self) -> [u8; 32] {
        self.city.root.0
    }

    pub async fn call(&self, request: Request<Body>) -> (StatusCode, HeaderMap, Vec<u8>) {
        let response = self.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 26).await.unwrap();
        (parts.status, parts.headers, body.to_vec())
    }

    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, HeaderMap, Value) {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let (status, headers, body) = self.call(request).await;
        (status, headers, serde_json::from_slice(&body).unwrap_or_default())
    }

    pub async fn get(&self, path: &str, cookie: Option<&str>) -> (StatusCode, Value) {
        let mut request = Request::get(path);
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let (status, _, body) = self.call(request.body(Body::empty()).unwrap()).await;
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }
}

/// What came back from an exchange.
#[derive(Debug)]
pub enum Said {
    Answer(Box<Answer>),
    Refused(StatusCode, String),
}

impl Said {
    #[track_caller]
    pub fn answer(self) -> Answer {
        match self {
            Said::Answer(answer) => *answer,
            Said::Refused(status, code) => panic!("refused: {status} {code}"),
        }
    }
}

/// A device with a key and a stream of its own.
pub struct Laptop {
    pub key: SigningKey,
    pub founding: Change,
    /// The stream that it writes to, and the end of its chain there.
    pub stream: StreamId,
    end: Option<End>,
    nonces: AtomicU64,
}

impl Laptop {
    pub fn new(seed: u8) -> Laptop {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let device = device_of(&key);
        let founding = ChangeBuilder::new(None, None, device, 1, START, "周海东", "found")
            .write("~stream", "stream", &format!("~device/{device}"), &json!({ "name": "laptop" }), &[])
            .sign(&key)
            .unwrap();
        let end = Some(End { n: 1, id: founding.id });
        Laptop { key, stream: founding.stream, founding, end, nonces: AtomicU64::new(0) }
    }

    pub fn device(&self) -> DeviceId {
        device_of(&self.key)
    }

    /// Enrols, and writes to the organisation's stream from then on.
    pub async fn join(&mut self, town: &TestCity, organisation: &str) {
        let code = town.city.enrolment_code(organisation, None).unwrap().1;
        let yes = self.enrol(town, &code).await.unwrap();
        if !yes.adopted {
            (self.stream, self.end) = (yes.stream, None);
        }
    }

    /// Another computer with the same key, whose chain ends before this change.
    pub fn copy_before(&self, change: &Change) -> Laptop {
        let end = change.header.prev.map(|id| End { n: change.header.n - 1, id });
        Laptop {
            key: self.key.clone(),
            founding: self.founding.clone(),
            stream: self.stream,
            end,
            nonces: AtomicU64::new(1 << 32),
        }
    }

    /// Makes a record in one change.
    pub fn write(&mut self, kind: &str, record: &str, fields: &Value) -> Change {
        let mut writes = vec![(kind, record, "~born", json!(true))];
        let fields = fields.as_object().unwrap();
        writes.extend(fields.iter().map(|(path, value)| (kind, record, path.as_str(), value.clone())));
        self.change(&writes)
    }

    /// One write over these.
    pub fn change_over(
        &mut self,
        kind: &str,
        record: &str,
        path: &str,
        value: Value,
        over: &[replica::ChangeId],
    ) -> Change {
        let lamport = self.end.map_or(2, |end| end.n + 1);
        let change =
            ChangeBuilder::new(Some(self.stream), self.end, self.device(), lamport, START, "周海东", "save")
                .write(record, kind, path, &value, over)
                .sign(&self.key)
                .unwrap();
        self.end = Some(End { n: change.header.n, id: change.id });
        change
    }

    pub fn change(&mut self, writes: &[(&str, &str, &str, Value)]) -> Change {
        let lamport = self.end.map_or(2, |end| end.n + 1);
        let mut builder =
            ChangeBuilder::new(Some(self.stream), self.end, self.device(), lamport, START, "周海东", "save");
        for (kind, record, path, value) in writes {
            builder.add(record, kind, path, value, &[]);
        }
        let change = builder.sign(&self.key).unwrap();
        self.end = Some(End { n: change.header.n, id: change.id });
        change
    }

    /// A properly signed change with a payload that no program of ours writes.
    pub fn hostile(&mut self, payload: &str) -> Change {
        let kept = self.end;
        let mut header = self.change(&[("promise", "h", "text", json!("x"))]).header;
        self.end = kept;
        header.payload_hash = replica::PayloadHash(*blake3::hash(payload.as_bytes()).as_bytes());
        header.payload_len = payload.len() as u64;
        let header = header.to_bytes();
        let signature = self.key.sign(&replica::signature_input(&header)).to_bytes();
        let change = RawChange { header, signature, payload: Some(payload.into()) }.verify().unwrap();
        self.end = Some(End { n: change.header.n, id: change.id });
        change
    }

    pub fn ask_message(&self, root: &[u8; 32]) -> EnrolAsk {
        EnrolAsk {
            device: self.device(),
            root: replica::to_hex(root),
            stream: self.founding.stream,
            founding: ChangeText::from(&self.founding.raw),
            name: "支部电脑".to_owned(),
            nonce: "n".to_owned(),
        }
    }

    pub fn sealed(&self, code: &EnrolCode, key: &CodeKey, root: &[u8; 32]) -> Sealed {
        let device = self.device();
        let keys = Keys { device: &device, root };
        Sealed::new(key, code.place(), Way::ToCity, keys, &self.ask_message(root))
    }

    /// Enrols and gives the status with the refusal's code, or the answer after checking its seal.
    pub async fn enrol(&self, city: &TestCity, code: &EnrolCode) -> Result<EnrolYes, (StatusCode, String)> {
        let (key, root) = (code.key(), city.root());
        let sealed = self.sealed(code, &key, &root);
        let (status, _, answer) = city.post("/v1/enrol", &serde_json::to_value(&sealed).unwrap()).await;
        if status != StatusCode::OK {
            return Err((status, answer["code"].as_str().unwrap_or_default().to_owned()));
        }
        let answer: Sealed = serde_json::from_value(answer).unwrap();
        let device = self.device();
        assert!(
            answer.fits(&key, Way::ToLaptop, Keys { device: &device, root: &root }),
            "the answer is sealed"
        );
        Ok(answer.read().unwrap())
    }

    /// A signed request for the laptop's stream.
    pub fn request(
        &self,
        town: &TestCity,
        changes: &[&Change],
        root: [u8; 32],
        off: i64,
        have: Have,
    ) -> Vec<u8> {
        let asks = vec![StreamAsk { stream: self.stream, have }];
        self.request_for(town, changes, root, off, asks, 1 << 20)
    }

    fn request_for(
        &self,
        town: &TestCity,
        changes: &[&Change],
        root: [u8; 32],
        off: i64,
        streams: Vec<StreamAsk>,
        budget: u32,
    ) -> Vec<u8> {
        let changes = changes.iter().map(|change| change.raw.clone()).collect();
        let body = Ask { streams, budget, presented: Vec::new(), changes }.encode();
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.nonces.fetch_add(1, Ordering::SeqCst).to_le_bytes());
        nonce[8..].copy_from_slice(&self.device().0[..8]);
        let at = town.clock.load(Ordering::SeqCst) + off;
        let mut head = RequestHead { device: self.device(), nonce, at, signature: [0; 64] };
        let city = replica::RootKey(root);
        let target = Target { method: "POST", path: EXCHANGE_PATH, query: "", encoding: "", city };
        head.signature = self.key.sign(&head.signature_input(&target, &body)).to_bytes();
        head.frame(&body)
    }

    pub async fn send(&self, town: &TestCity, framed: Vec<u8>) -> Said {
        let asks = [StreamAsk { stream: self.stream, have: Have::Digest([0; 16]) }];
        self.send_for(town, framed, &asks).await
    }

    async fn send_for(&self, town: &TestCity, framed: Vec<u8>, asks: &[StreamAsk]) -> Said {
        let nonce = RequestHead::split(&framed).map(|(head, _)| head.nonce).unwrap_or_default();
        let request = Request::post(EXCHANGE_PATH).header(header::CONTENT_TYPE, EXCHANGE_TYPE);
        let (status, headers, body) = town.call(request.body(Body::from(framed)).unwrap()).await;
        if status != StatusCode::OK {
            let said: Value = serde_json::from_slice(&body).unwrap();
            return Said::Refused(status, said["code"].as_str().unwrap().to_owned());
        }
        assert_eq!(headers[header::CONTENT_TYPE], EXCHANGE_TYPE);
        Said::Answer(Box::new(Answer::decode(&body, asks, nonce, self.device()).unwrap().0))
    }

    /// Sends changes and a digest that fits nothing.
    pub async fn exchange(&self, town: &TestCity, changes: &[&Change]) -> Said {
        let framed = self.request(town, changes, town.root(), 0, Have::Digest([0; 16]));
        self.send(town, framed).await
    }

    pub async fn ask(&self, town: &TestCity, have: Have, budget: u32) -> Answer {
        self.ask_of_within(town, self.stream, have, budget).await
    }

    pub async fn ask_of(&self, town: &TestCity, stream: StreamId, have: Have, budget: u32) -> Answer {
        self.ask_of_within(town, stream, have, budget).await
    }

    async fn ask_of_within(&self, town: &TestCity, stream: StreamId, have: Have, budget: u32) -> Answer {
        let asks = vec![StreamAsk { stream, have }];
        let framed = self.request_for(town, &[], town.root(), 0, asks.clone(), budget);
        self.send_for(town, framed, &asks).await.answer()
    }
}
