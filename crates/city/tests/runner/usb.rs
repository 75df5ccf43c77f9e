//! USB files in the console: upload, history, the file that goes back; and what is refused there.

use crate::console::sign_in;
use crate::world::{Laptop, TestCity, promise};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use ed25519_dalek::Signer;
use replica::{Change, DeviceId};
use serde_json::Value;
use wire::file::{Head, Label, OpeningKey, Purpose, SectionHead, SectionKind, open, write};
use wire::{Have, Request as Ask, StreamAsk};

impl Laptop {
    /// A file with these changes.
    pub fn file(&self, town: &TestCity, changes: &[&Change], nonce: u8) -> Vec<u8> {
        self.file_with(town, changes, &[], nonce)
    }

    /// A file with these changes, and sections behind them whose hashes are those of other bytes perhaps.
    pub fn file_with(
        &self,
        town: &TestCity,
        changes: &[&Change],
        behind: &[(SectionKind, &[u8], &[u8])],
        nonce: u8,
    ) -> Vec<u8> {
        let ask = StreamAsk { stream: self.stream, have: Have::Full(replica::Frontier::default()) };
        let changes = changes.iter().map(|change| change.raw.clone()).collect();
        let body = Ask { streams: vec![ask], budget: u32::MAX, presented: Vec::new(), changes }.encode();
        let recipient = town.city.operating().unwrap().device();
        let label = Label { purpose: Purpose::Request, city: town.city.root, recipient };
        let mut parts = vec![(SectionKind::Message, body.as_slice(), body.as_slice())];
        parts.extend(behind);
        let named = parts.iter().map(|(kind, named, bytes)| SectionHead {
            kind: *kind,
            len: bytes.len() as u64,
            hash: *blake3::hash(named).as_bytes(),
        });
        let head = Head {
            sender: self.device(),
            nonce: [nonce; 16],
            at: 0,
            answers: None,
            since: 0,
            certificate: String::new(),
            streams: vec![self.stream],
            sections: named.collect(),
        };
        let signature = self.key.sign(&head.signature_input(&label)).to_bytes();
        let mut bodies: Vec<&[u8]> = parts.iter().map(|(_, _, bytes)| *bytes).collect();
        let bodies = bodies.iter_mut().map(|body| body as &mut dyn std::io::Read);
        write(&label, &head, &signature, bodies, Vec::new()).unwrap()
    }
}

async fn upload(town: &TestCity, cookie: &str, file: Vec<u8>) -> (StatusCode, Value) {
    let request = Request::post("/console/api/usb").header(header::COOKIE, cookie);
    let (status, _, body) = town.call(request.body(Body::from(file)).unwrap()).await;
    (status, serde_json::from_slice(&body).unwrap())
}

async fn enrolled(town: &TestCity) -> Laptop {
    let mut laptop = Laptop::new(1);
    laptop.join(town, "O003").await;
    laptop
}

#[tokio::test]
async fn a_file_is_taken_in_and_its_answer_can_be_fetched_again() {
    let town = TestCity::new();
    let mut laptop = enrolled(&town).await;
    let change = laptop.write("promise", "p1", &promise("清点灭火器"));
    let file = laptop.file(&town, &[&change], 7);
    let (status, said) = upload(&town, "jishi_console=guess", file.clone()).await;
    assert_eq!((status, said["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("sign_in")));

    let cookie = sign_in(&town).await;
    let (status, said) = upload(&town, &cookie, file.clone()).await;
    assert_eq!(status, StatusCode::OK, "{said}");
    assert_eq!((&said["report"]["new"], &said["report"]["organisation"]), (&1.into(), &"O003".into()));
    let (_, again) = upload(&town, &cookie, file).await;
    assert_eq!((&again["report"]["new"], &again["report"]["known"]), (&0.into(), &1.into()));

    let (_, history) = town.get("/console/api/usb", Some(&cookie)).await;
    assert_eq!(history["files"].as_array().unwrap().len(), 1, "the same file is one line");
    let path = format!("/console/api/usb/{}/answer", history["files"][0]["id"]);
    let request = Request::get(&path).header(header::COOKIE, &cookie);
    let (status, headers, bytes) = town.call(request.body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    let name = headers[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert!(name.starts_with("attachment; filename*=UTF-8''%E6%94%AF"), "{name}");
    let mut behind = bytes.as_slice();
    let label = Label::read(&mut behind).unwrap();
    assert_eq!((label.purpose, label.recipient), (Purpose::Answer, laptop.device()));
    let key = OpeningKey::new(&replica::opening_key(&laptop.key).into());
    assert_eq!(open(&label, behind, &key).unwrap().head.answers, Some([7; 16]));
    assert_eq!(town.city.check().unwrap().findings, []);
}

#[tokio::test]
async fn what_the_city_refuses_over_the_network_it_refuses_in_a_file() {
    let town = TestCity::new();
    let mut laptop = enrolled(&town).await;
    let change = laptop.write("promise", "p1", &promise("清点灭火器"));
    let stranger = Laptop::new(9);
    assert_eq!(town.city.import_file(&stranger.file(&town, &[], 1)).unwrap_err().code, "not_enrolled");
    let mut file = laptop.file(&town, &[&change], 2);
    let last = file.len() - 1;
    file[last] ^= 1;
    assert_eq!(town.city.import_file(&file).unwrap_err().code, "damaged_file", "nothing of it is whole");
    town.city.import_file(&laptop.file(&town, &[&change], 3)).unwrap();
}

#[tokio::test]
async fn a_gap_is_kept_and_closed_by_whoever_brings_what_is_missing() {
    let town = TestCity::new();
    let mut laptop = enrolled(&town).await;
    let first = laptop.write("promise", "p1", &promise("一"));
    let second = laptop.write("promise", "p2", &promise("二"));
    let third = laptop.write("promise", "p3", &promise("三"));
    let late = town.city.import_file(&laptop.file(&town, &[&third], 3)).unwrap().report;
    let middle = town.city.import_file(&laptop.file(&town, &[&second], 2)).unwrap().report;
    assert_eq!((late.waiting, late.kept, middle.waiting, middle.kept), (1, true, 1, true));
    let report = town.city.import_file(&laptop.file(&town, &[&first], 1)).unwrap().report;
    assert_eq!((report.new, report.linked), (1, 2), "one closes the gap for two");
    for id in ["p1", "p2", "p3"] {
        assert!(town.stored(&laptop.stream, "promise", id).is_some(), "{id}");
    }
    assert_eq!(town.city.check().unwrap().findings, []);
    let nobody = town.city.export_files("O004").unwrap();
    assert_eq!(nobody.len(), 0, "a branch without a computer gets no file");
    let devices: Vec<DeviceId> = town.city.export_files("O003").unwrap().iter().map(recipient).collect();
    assert_eq!(devices, [laptop.device()], "one for the computer, none for the city itself");
}

fn recipient(file: &city::AnswerFile) -> DeviceId {
    Label::read(&mut file.bytes.as_slice()).unwrap().recipient
}
