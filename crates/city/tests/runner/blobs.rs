//! Attachments: the question about many, tus 1.0, and who is turned away.

use crate::world::{Laptop, START, TestCity};
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use ed25519_dalek::Signer;
use replica::{BlobHash, BlobRef, Change, RootKey, StreamId};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use wire::blobs::{
    BLOBS_PATH, BlobAnswer, BlobAsk, BlobHeld, LEAST_PIECE, PIECE, PIECE_TYPE, REQUEST_HEADER, TUS_VERSION,
    blob_path,
};
use wire::{RequestHead, Target};

static NONCE: AtomicU64 = AtomicU64::new(1);

/// Bytes that do not pack away.
pub fn photo(seed: u8, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
    bytes
}

pub fn naming(of: &[u8]) -> Value {
    let named = BlobRef { hash: BlobHash::of(of), len: of.len() as u64, media: "image/jpeg".into() };
    json!({ "attachments/f1/order": 1, "attachments/f1/file": { "blob": named.to_value(), "name": "合影.jpg" } })
}

/// What came back of one request.
#[derive(Debug)]
pub struct Said {
    pub status: StatusCode,
    headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Said {
    fn number(&self, name: &str) -> Option<u64> {
        self.headers.get(name).map(|value| value.to_str().unwrap().parse().unwrap())
    }

    pub fn offset(&self) -> Option<u64> {
        self.number("upload-offset")
    }

    fn code(&self) -> String {
        let said: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        said["code"].as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub fn is(self, status: u16, code: &str) -> Said {
        assert_eq!((self.status.as_u16(), self.code().as_str()), (status, code), "{self:?}");
        assert_eq!(
            self.headers["tus-resumable"], TUS_VERSION,
            "every answer says that it is of a tus server"
        );
        self
    }
}

impl Laptop {
    fn head(&self, town: &TestCity, method: &str, path: &str, body: &[u8]) -> RequestHead {
        let mut nonce = [0; 16];
        nonce[8..].copy_from_slice(&NONCE.fetch_add(1, Ordering::SeqCst).to_be_bytes());
        let mut head = RequestHead { device: self.device(), nonce, at: START, signature: [0; 64] };
        let target = Target { method, path, query: "", encoding: "", city: RootKey(town.root()) };
        head.signature = self.key.sign(&head.signature_input(&target, body)).to_bytes();
        head
    }

    /// A signed request for one attachment, with these headers.
    fn blob_request(
        &self,
        town: &TestCity,
        method: &str,
        (stream, hash): (StreamId, BlobHash),
        headers: &[(&str, u64)],
        body: &[u8],
    ) -> Request<Body> {
        let path = blob_path(&stream, &hash);
        let head = self.head(town, method, &path, body).frame(&[]);
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(REQUEST_HEADER, replica::to_hex(&head)).header("tus-resumable", TUS_VERSION);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, PIECE_TYPE);
        }
        request.body(Body::from(body.to_vec())).unwrap()
    }

    pub async fn blob(
        &self,
        town: &TestCity,
        method: &str,
        hash: BlobHash,
        headers: &[(&str, u64)],
        body: &[u8],
    ) -> Said {
        said(town, self.blob_request(town, method, (self.stream, hash), headers, body)).await
    }

    pub async fn post(&self, town: &TestCity, hash: BlobHash, len: u64, body: &[u8]) -> Said {
        self.blob(town, "POST", hash, &[("upload-length", len)], body).await
    }

    pub async fn patch(&self, town: &TestCity, hash: BlobHash, offset: u64, body: &[u8]) -> Said {
        self.blob(town, "PATCH", hash, &[("upload-offset", offset)], body).await
    }

    pub async fn upload(&self, town: &TestCity, photo: &[u8]) -> BlobHash {
        let hash = BlobHash::of(photo);
        self.post(town, hash, photo.len() as u64, &[]).await.is(201, "");
        let mut offset = 0;
        for piece in photo.chunks(PIECE) {
            let said = self.patch(town, hash, offset, piece).await.is(204, "");
            offset += piece.len() as u64;
            assert_eq!(said.offset(), Some(offset));
        }
        hash
    }

    async fn probe(&self, town: &TestCity, asked: &[(StreamId, Vec<BlobHash>)]) -> BlobAnswer {
        let ask = BlobAsk { streams: asked.to_vec() };
        let body = ask.encode();
        let head = self.head(town, "POST", BLOBS_PATH, &body);
        let request = Request::post(BLOBS_PATH).body(Body::from(head.frame(&body))).unwrap();
        let said = said(town, request).await.is(200, "");
        let answer = BlobAnswer::decode(&said.body, &ask, head.nonce, head.device).unwrap();
        assert!(answer.receipt.is_signed() && answer.receipt.key == town.city.operating().unwrap().device());
        answer
    }

    pub async fn held(&self, town: &TestCity, hash: BlobHash) -> BlobHeld {
        self.probe(town, &[(self.stream, vec![hash])]).await.streams[0].as_ref().unwrap()[0]
    }
}

async fn said(town: &TestCity, request: Request<Body>) -> Said {
    let (status, headers, body) = town.call(request).await;
    Said { status, headers, body }
}

/// A city, and a laptop that reported a meeting with these photos.
pub async fn reported(photos: &[Vec<u8>]) -> (TestCity, Laptop, Vec<Change>) {
    let town = TestCity::new();
    let mut laptop = Laptop::new(1);
    laptop.join(&town, "O003").await;
    let name = |(at, photo): (usize, &Vec<u8>)| laptop.write("meeting", &format!("m{at}"), &naming(photo));
    let changes: Vec<Change> = photos.iter().enumerate().map(name).collect();
    laptop.exchange(&town, &changes.iter().collect::<Vec<_>>()).await.answer();
    (town, laptop, changes)
}

#[tokio::test]
async fn a_photo_goes_up_in_pieces_and_comes_down_in_any_part() {
    let photo = photo(1, 200_000);
    let (town, laptop, _) = reported(std::slice::from_ref(&photo)).await;
    let hash = BlobHash::of(&photo);
    assert_eq!(laptop.held(&town, hash).await, BlobHeld::Missing);
    laptop.blob(&town, "HEAD", hash, &[], &[]).await.is(404, "");
    laptop.upload(&town, &photo).await;
    assert_eq!(laptop.held(&town, hash).await, BlobHeld::Whole);
    let head = laptop.blob(&town, "HEAD", hash, &[], &[]).await.is(200, "");
    assert_eq!((head.offset(), head.number("upload-length")), (Some(200_000), Some(200_000)));

    let get = |range: Option<&str>| {
        let mut request = laptop.blob_request(&town, "GET", (laptop.stream, hash), &[], &[]);
        if let Some(range) = range {
            request.headers_mut().insert(header::RANGE, range.parse().unwrap());
        }
        said(&town, request)
    };
    let whole = get(None).await;
    assert!(whole.status == 200 && whole.body == photo);
    for (range, from, until) in [
        ("bytes=0-0", 0, 1),
        ("bytes=65530-65545", 65_530, 65_546),
        ("bytes=199999-", 199_999, 200_000),
        ("bytes=5-999999999", 5, 200_000),
    ] {
        let part = get(Some(range)).await;
        assert_eq!(part.status, 206, "{range}");
        assert!(part.body == photo[from..until], "{range}");
        assert_eq!(part.headers[header::CONTENT_RANGE], format!("bytes {from}-{}/200000", until - 1));
    }
    for range in [
        "bytes=200000-",
        "bytes=9-5",
        "bytes=-5",
        "lines=1-2",
        "bytes=0-1,5-6",
        "bytes=99999999999999999999-",
    ] {
        get(Some(range)).await.is(416, "range");
    }
    let report = town.city.check().unwrap();
    assert_eq!((report.findings, report.blobs), (vec![], 1));
}

#[tokio::test]
async fn a_small_one_takes_one_request() {
    let photo = photo(1, 9_000);
    let (town, laptop, _) = reported(std::slice::from_ref(&photo)).await;
    let hash = BlobHash::of(&photo);
    let said = laptop.post(&town, hash, 9_000, &photo).await.is(201, "");
    assert_eq!(said.offset(), Some(9_000));
    assert_eq!(said.headers[header::LOCATION], blob_path(&laptop.stream, &hash));
    assert_eq!(laptop.held(&town, hash).await, BlobHeld::Whole);
    let again = laptop.post(&town, hash, 9_000, &photo).await.is(201, "");
    assert_eq!(again.offset(), Some(9_000), "beginning what is held changes nothing");
}

#[tokio::test]
async fn it_goes_on_where_it_was_also_after_a_restart() {
    let photo = photo(1, 150_000);
    let (mut town, laptop, _) = reported(std::slice::from_ref(&photo)).await;
    let hash = BlobHash::of(&photo);
    laptop.post(&town, hash, 150_000, &photo[..PIECE]).await.is(201, "");
    town.restart();
    assert_eq!(laptop.held(&town, hash).await, BlobHeld::Partial(PIECE as u64));
    let wrong = laptop.patch(&town, hash, 0, &photo[..PIECE]).await.is(409, "wrong_offset");
    assert_eq!(wrong.offset(), Some(PIECE as u64), "it says where to go on");
    laptop.patch(&town, hash, 140_000, &photo[140_000..]).await.is(409, "wrong_offset");
    let again = laptop.post(&town, hash, 150_000, &photo[..PIECE]).await.is(201, "");
    assert_eq!(again.offset(), Some(PIECE as u64), "beginning again takes nothing twice");
    laptop.patch(&town, hash, PIECE as u64, &photo[PIECE..2 * PIECE]).await.is(204, "");
    town.restart();
    laptop.patch(&town, hash, 2 * PIECE as u64, &photo[2 * PIECE..]).await.is(204, "");
    let got = laptop.blob(&town, "GET", hash, &[], &[]).await;
    assert!(got.body == photo);
}

#[tokio::test]
async fn bytes_that_are_not_the_ones_named_are_refused_and_erased() {
    let photo = photo(1, 100_000);
    let (town, laptop, _) = reported(std::slice::from_ref(&photo)).await;
    let (hash, mut wrong) = (BlobHash::of(&photo), photo.clone());
    wrong[99_999] ^= 1;
    laptop.post(&town, hash, 100_000, &wrong[..PIECE]).await.is(201, "");
    laptop.patch(&town, hash, PIECE as u64, &wrong[PIECE..]).await.is(460, "wrong_hash");
    assert_eq!(laptop.held(&town, hash).await, BlobHeld::Missing);
    assert_eq!(town.files(), 0, "nothing of it stays on the disk");
    laptop.patch(&town, hash, PIECE as u64, &photo[PIECE..]).await.is(404, "not_begun");
    laptop.upload(&town, &photo).await;
}

#[tokio::test]
async fn hostile_sizes_take_no_room() {
    let photo = photo(1, 100_000);
    let (town, laptop, _) = reported(std::slice::from_ref(&photo)).await;
    let hash = BlobHash::of(&photo);
    for len in [0, 1, 99_999, 100_001, u64::MAX] {
        laptop.post(&town, hash, len, &[]).await.is(400, "wrong_length");
    }
    laptop.blob(&town, "POST", hash, &[], &[]).await.is(400, "wrong_length");
    laptop.post(&town, hash, 100_000, &[]).await.is(201, "");
    laptop.patch(&town, hash, 0, &photo[..LEAST_PIECE - 1]).await.is(400, "piece_too_small");
    laptop.patch(&town, hash, 0, &photo[..PIECE + 1]).await.is(413, "piece_too_large");
    laptop.patch(&town, hash, 0, &photo[..LEAST_PIECE]).await.is(204, "");
    laptop.patch(&town, hash, u64::MAX, &photo[..LEAST_PIECE]).await.is(409, "wrong_offset");
    laptop.patch(&town, hash, LEAST_PIECE as u64, &photo[..PIECE]).await.is(204, "");
    let at = (LEAST_PIECE + PIECE) as u64;
    laptop.patch(&town, hash, at, &photo[..PIECE]).await.is(400, "beyond_length");
    assert_eq!(laptop.held(&town, hash).await, BlobHeld::Partial(at));
    for (name, value) in
        [("upload-length", "1e9"), ("upload-length", "-1"), ("upload-offset", "99999999999999999999")]
    {
        let mut request =
            laptop.blob_request(&town, "PATCH", (laptop.stream, hash), &[], &photo[..LEAST_PIECE]);
        request.headers_mut().insert(name, value.parse().unwrap());
        said(&town, request).await.is(400, "malformed");
    }
    laptop.blob(&town, "DELETE", hash, &[], &[]).await.is(204, "");
    assert_eq!((laptop.held(&town, hash).await, town.files()), (BlobHeld::Missing, 0));
}

#[tokio::test]
async fn what_is_held_is_not_given_up_for_asking() {
    let photo = photo(1, 5_000);
    let (town, laptop, _) = reported(std::slice::from_ref(&photo)).await;
    let hash = laptop.upload(&town, &photo).await;
    laptop.blob(&town, "DELETE", hash, &[], &[]).await.is(409, "held");
    assert_eq!(laptop.held(&town, hash).await, BlobHeld::Whole);
}

#[tokio::test]
async fn only_what_a_stream_of_the_device_names() {
    let photos = [photo(1, 5_000), photo(2, 5_000)];
    let (town, laptop, _) = reported(&photos[..1]).await;
    let [hash, never] = [&photos[0], &photos[1]].map(|photo| BlobHash::of(photo));
    laptop.upload(&town, &photos[0]).await;
    laptop.post(&town, never, 5_000, &photos[1]).await.is(404, "not_named");
    assert_eq!(laptop.held(&town, never).await, BlobHeld::NotNamed);

    let mut other = Laptop::new(2);
    other.join(&town, "O004").await;
    for method in ["GET", "HEAD", "PATCH", "POST", "DELETE"] {
        let request = other.blob_request(&town, method, (laptop.stream, hash), &[("upload-offset", 0)], &[]);
        let mut request = request;
        if method == "PATCH" {
            request.headers_mut().insert(header::CONTENT_TYPE, PIECE_TYPE.parse().unwrap());
        }
        let code = if method == "HEAD" { "" } else { "not_permitted" };
        said(&town, request).await.is(403, code);
    }
    other.blob(&town, "GET", hash, &[], &[]).await.is(404, "not_named");
    let answer = other.probe(&town, &[(laptop.stream, vec![hash]), (other.stream, vec![hash])]).await;
    assert_eq!(answer.streams, [None, Some(vec![BlobHeld::NotNamed])]);

    let mut stranger = Laptop::new(3);
    stranger.stream = laptop.stream;
    stranger.blob(&town, "GET", hash, &[], &[]).await.is(403, "not_enrolled");
}

#[tokio::test]
async fn a_request_is_good_once_as_it_was_signed_and_in_its_time() {
    let photo = photo(1, 5_000);
    let (town, laptop, _) = reported(std::slice::from_ref(&photo)).await;
    let hash = BlobHash::of(&photo);
    let place = (laptop.stream, hash);
    let request = || laptop.blob_request(&town, "POST", place, &[("upload-length", 5_000)], &photo);
    let (first, mut again) = (request(), request());
    *again.headers_mut() = first.headers().clone();
    said(&town, first).await.is(201, "");
    said(&town, again).await.is(409, "replayed");

    let mut body = request();
    *body.body_mut() = Body::from(vec![7; 5_000]);
    said(&town, body).await.is(401, "bad_signature");
    let mut method = laptop.blob_request(&town, "GET", place, &[], &[]);
    *method.method_mut() = axum::http::Method::DELETE;
    said(&town, method).await.is(401, "bad_signature");
    for broken in ["", "00", &"zz".repeat(wire::HEAD_LEN)] {
        let mut request = laptop.blob_request(&town, "GET", place, &[], &[]);
        request.headers_mut().insert(REQUEST_HEADER, broken.parse().unwrap());
        said(&town, request).await.is(400, "malformed");
    }
    let late = laptop.blob_request(&town, "GET", place, &[], &[]);
    town.pass(6 * 60 * 1000);
    said(&town, late).await.is(409, "clock");
}

#[tokio::test]
async fn the_rules_of_tus_are_kept() {
    let photo = photo(1, 5_000);
    let (town, laptop, _) = reported(std::slice::from_ref(&photo)).await;
    let place = (laptop.stream, BlobHash::of(&photo));
    let options = Request::options(blob_path(&place.0, &place.1)).body(Body::empty()).unwrap();
    let options = said(&town, options).await.is(204, "");
    assert_eq!(options.headers["tus-version"], TUS_VERSION);
    assert_eq!(options.headers["tus-extension"], "creation,creation-with-upload,termination");
    assert_eq!(options.headers["tus-max-size"], "16777216");

    let mut version = laptop.blob_request(&town, "POST", place, &[("upload-length", 5_000)], &[]);
    version.headers_mut().insert("tus-resumable", "0.2.2".parse().unwrap());
    let refused = said(&town, version).await.is(412, "tus_version");
    assert_eq!(refused.headers["tus-version"], TUS_VERSION);
    laptop.post(&town, place.1, 5_000, &[]).await.is(201, "");
    let mut media = laptop.blob_request(&town, "PATCH", place, &[("upload-offset", 0)], &photo);
    media.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    said(&town, media).await.is(415, "malformed");
    for (name, value) in [("content-encoding", "gzip"), ("upload-offset", "x")] {
        let mut request = laptop.blob_request(&town, "PATCH", place, &[], &photo);
        request.headers_mut().insert(name, value.parse().unwrap());
        said(&town, request).await.is(400, "malformed");
    }
    let mut query = laptop.blob_request(&town, "GET", place, &[], &[]);
    *query.uri_mut() = format!("{}?a=1", blob_path(&place.0, &place.1)).parse().unwrap();
    said(&town, query).await.is(400, "malformed");
    let many = BlobAsk { streams: vec![(place.0, vec![place.1; wire::blobs::MAX_ASKED + 1])] }.encode();
    let head = laptop.head(&town, "POST", BLOBS_PATH, &many);
    let many = Request::post(BLOBS_PATH).body(Body::from(head.frame(&many))).unwrap();
    said(&town, many).await.is(400, "malformed");
}

#[tokio::test]
async fn a_redacted_change_takes_its_photo_with_it() {
    let photos = [photo(1, 5_000), photo(2, 5_000)];
    let (town, laptop, changes) = reported(&photos).await;
    let [gone, kept] = [laptop.upload(&town, &photos[0]).await, laptop.upload(&town, &photos[1]).await];
    assert_eq!(town.files(), 2);
    let drop = town.citys_change(&laptop.stream, "~ruling/r1", &json!({ "drop": changes[0].id }));
    laptop.exchange(&town, &[&drop]).await.answer();
    assert_eq!(laptop.held(&town, gone).await, BlobHeld::NotNamed);
    assert_eq!(laptop.held(&town, kept).await, BlobHeld::Whole);
    assert_eq!(town.files(), 1, "its file is erased");
    assert_eq!(town.city.check().unwrap().findings, []);
}

#[tokio::test]
async fn what_the_city_refused_is_seen_by_its_author_only() {
    let photo = photo(1, 5_000);
    let (town, laptop, changes) = reported(std::slice::from_ref(&photo)).await;
    let hash = laptop.upload(&town, &photo).await;
    let mut second = Laptop::new(4);
    second.join(&town, "O003").await;
    second.stream = laptop.stream;
    assert!(
        second.blob(&town, "GET", hash, &[], &[]).await.body == photo,
        "a colleague of the branch sees it"
    );
    let ruling = town.citys_change(
        &laptop.stream,
        "~ruling/r1",
        &json!({ "void": changes[0].id, "code": "no", "words": "" }),
    );
    laptop.exchange(&town, &[&ruling]).await.answer();
    second.blob(&town, "GET", hash, &[], &[]).await.is(404, "not_named");
    assert!(laptop.blob(&town, "GET", hash, &[], &[]).await.body == photo);
}

#[tokio::test]
async fn a_city_that_lost_or_spoilt_a_photo_takes_it_again() {
    let photo = photo(1, 100_000);
    let (town, laptop, _) = reported(std::slice::from_ref(&photo)).await;
    let hash = laptop.upload(&town, &photo).await;
    let file = town.blob_files().remove(0);
    let whole = std::fs::read(&file).unwrap();

    let mut spoilt = whole.clone();
    spoilt[50_000] ^= 1;
    std::fs::write(&file, &spoilt).unwrap();
    let findings = town.city.check().unwrap().findings;
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["blob"]);
    laptop.blob(&town, "GET", hash, &[], &[]).await.is(404, "not_here");
    assert_eq!(laptop.held(&town, hash).await, BlobHeld::Missing);
    laptop.upload(&town, &photo).await;

    std::fs::remove_file(&file).unwrap();
    assert_eq!(laptop.held(&town, hash).await, BlobHeld::Missing, "a lost folder is noticed");
    laptop.upload(&town, &photo).await;

    let whole = std::fs::read(&file).unwrap();
    let forgetful = town.altered("DELETE FROM blob");
    assert_eq!(forgetful.missing_blobs().unwrap(), [hash]);
    drop(forgetful);
    std::fs::write(&file, &whole).unwrap();
    assert!(laptop.blob(&town, "GET", hash, &[], &[]).await.body == photo);
}
