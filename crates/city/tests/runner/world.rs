//! A city in a temporary folder with a clock that stands still, and laptops that know only the protocol.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use city::{City, Folder, Setup, World};
use ed25519_dalek::SigningKey;
use replica::{Change, ChangeBuilder, DeviceId, device_of};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tower::ServiceExt;
use wire::enrol::{ChangeText, CodeKey, EnrolAsk, EnrolCode, EnrolYes, Keys, Sealed, Way};

pub const START: i64 = 1_792_000_000_000;
pub const DAY: i64 = 24 * 60 * 60 * 1000;

pub const REGISTER: &str = "id,name,kind,parent,founded,lines
O001,中国共产党泰安市非公有制经济组织委员会,委员会,,2012-06-21,
O002,中国共产党岱岳区非公有制经济组织委员会,委员会,O001,2012-09-10,
O003,中国共产党泰安恒岱食品有限公司支部委员会,党支部,O002,2011-02-02,行业:食品
";

pub struct TestCity {
    pub place: tempfile::TempDir,
    pub city: Arc<City>,
    pub password: String,
    pub clock: Arc<AtomicI64>,
}

/// A world whose clock stands still and whose bytes never repeat.
pub fn world(clock: &Arc<AtomicI64>) -> World {
    let (clock, drawn) = (clock.clone(), AtomicU64::new(0));
    World::new(
        move || clock.load(Ordering::SeqCst),
        move |bytes| {
            let seed = drawn.fetch_add(1, Ordering::SeqCst).to_le_bytes();
            blake3::Hasher::new().update(&seed).finalize_xof().fill(bytes);
        },
    )
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

    pub fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn code(&self) -> EnrolCode {
        self.city.enrolment_code("O003", None).unwrap().1
    }

    pub fn router(&self) -> Router {
        city::router(self.city.clone())
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

/// A device with a key and a stream of its own.
pub struct Laptop {
    pub key: SigningKey,
    pub founding: Change,
}

impl Laptop {
    pub fn new(seed: u8) -> Laptop {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let device = device_of(&key);
        let founding = ChangeBuilder::new(None, None, device, 1, START, "周海东", "create_branch")
            .write("~stream", "stream", &format!("~device/{device}"), &json!({ "name": "laptop" }), &[])
            .sign(&key)
            .unwrap();
        Laptop { key, founding }
    }

    pub fn device(&self) -> DeviceId {
        device_of(&self.key)
    }

    pub fn ask(&self, root: &[u8; 32]) -> EnrolAsk {
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
        Sealed::new(key, code.place(), Way::ToCity, keys, &self.ask(root))
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
}
