//! What each door says to the bytes of a case.

use ed25519_dalek::SigningKey;
use replica::{BlobHash, DeviceId, RawChange, StreamId, canonical, from_hex, is_certificate, opening_key};
use serde_json::{Value, json};
use wire::blobs::{BlobAnswer, BlobAsk};
use wire::enrol::{BadCode, CodeKey, EnrolCode, Keys, Sealed, Way};
use wire::file::{FileError, Label, OpeningKey, open};
use wire::{
    Answer, Have, Presented, Receipt, Request, RequestHead, StreamAsk, Target, Whole, frontiers_from_bytes,
};

use super::{good, refused};
use crate::pack::{bytes, cases, raw, word};

/// Runs a stored case. The error says what came out instead.
pub fn run(pack: &Value, case: &Value) -> Result<(), String> {
    let given = &given(pack, case);
    let found = match case["door"].as_str().unwrap() {
        "change" => change(&raw(given)),
        "certificate" => certificate(given),
        "request" => request(given),
        "answer" => answer(given),
        "receipt" => receipt(given),
        "blob question" => blob_question(given),
        "blob answer" => blob_answer(given),
        "code" => code(given),
        "enrolment" => enrolment(given),
        "file" => file(given),
        other => panic!("no door is called {other}"),
    };
    match canonical(&found) == canonical(&case["expect"]) {
        true => Ok(()),
        false => Err(format!("{}: {} comes to {found}", case["door"], case["name"])),
    }
}

/// What comes to the door; what is not said is as in the case that this one is like.
fn given(pack: &Value, case: &Value) -> Value {
    let mut given = case["given"].clone();
    if let Some(name) = case["like"].as_str() {
        let other = cases(pack).find(|other| other["door"] == case["door"] && other["name"] == name).unwrap();
        for (field, value) in other["given"].as_object().unwrap() {
            given.as_object_mut().unwrap().entry(field).or_insert(value.clone());
        }
    }
    given
}

fn text<'a>(given: &'a Value, name: &str) -> &'a str {
    given[name].as_str().unwrap_or_else(|| panic!("{name} in {given}"))
}

fn key(given: &Value, name: &str) -> [u8; 32] {
    from_hex(text(given, name)).unwrap()
}

fn change(change: &RawChange) -> Value {
    match change.clone().verify() {
        Err(why) => refused(&word(why)),
        Ok(change) => change.unreadable.map_or_else(good, |why| json!({ "nothing": word(why) })),
    }
}

fn certificate(given: &Value) -> Value {
    let (root, device) = (replica::RootKey(key(given, "root")), DeviceId(key(given, "key")));
    if is_certificate(&root, &device, &given["value"]) { good() } else { refused("bad_certificate") }
}

fn request(given: &Value) -> Value {
    let city = replica::RootKey(key(given, "root"));
    let (path, query, encoding) = (text(given, "path"), text(given, "query"), text(given, "encoding"));
    let target = Target { method: "POST", path, query, encoding, city };
    let bytes = bytes(&given["bytes"]);
    let Ok((head, body)) = RequestHead::split(&bytes) else { return refused("malformed") };
    if !head.is_signed(&target, body) {
        return refused("bad_signature");
    }
    match Request::decode(body) {
        Err(_) => refused("malformed"),
        Ok((request, whole)) => arrived(whole, &request.changes),
    }
}

/// A body that was cut is good up to there.
fn arrived(whole: Whole, changes: &[RawChange]) -> Value {
    match whole {
        Whole::Yes => good(),
        Whole::Cut => {
            json!({ "cut": changes.iter().map(|change| change.id().to_string()).collect::<Vec<_>>() })
        }
    }
}

fn answer(given: &Value) -> Value {
    let streams = given["asked"].as_array().unwrap().iter();
    let asked: Vec<StreamAsk> = streams
        .map(|stream| StreamAsk {
            stream: stream.as_str().unwrap().parse().unwrap(),
            have: Have::Digest([0; 16]),
        })
        .collect();
    let (nonce, device) = (from_hex(text(given, "nonce")).unwrap(), DeviceId(key(given, "device")));
    match Answer::decode(&bytes(&given["bytes"]), &asked, nonce, device) {
        Err(_) => refused("malformed"),
        Ok((answer, whole)) => arrived(whole, &answer.changes),
    }
}

/// A kept receipt counts if a key that the root certified signed it over just these frontiers.
fn receipt(given: &Value) -> Value {
    let Ok(receipt) = Receipt::from_bytes(&bytes(&given["bytes"])) else { return refused("malformed") };
    let Ok(frontiers) = frontiers_from_bytes(&bytes(&given["covers"])) else { return refused("malformed") };
    let certified =
        is_certificate(&replica::RootKey(key(given, "root")), &receipt.key, &given["certificate"]);
    if certified && (Presented { receipt, frontiers }).is_sound() { good() } else { refused("bad_signature") }
}

fn blob_question(given: &Value) -> Value {
    BlobAsk::decode(&bytes(&given["bytes"])).map_or_else(|_| refused("malformed"), |_| good())
}

fn blob_answer(given: &Value) -> Value {
    let asked = given["asked"].as_array().unwrap().iter().map(|stream| {
        let hashes = stream[1].as_array().unwrap().iter();
        let hashes = hashes.map(|hash| hash.as_str().unwrap().parse::<BlobHash>().unwrap()).collect();
        (stream[0].as_str().unwrap().parse::<StreamId>().unwrap(), hashes)
    });
    let ask = BlobAsk { streams: asked.collect() };
    let (nonce, device) = (from_hex(text(given, "nonce")).unwrap(), DeviceId(key(given, "device")));
    match BlobAnswer::decode(&bytes(&given["bytes"]), &ask, nonce, device) {
        Err(_) => refused("malformed"),
        Ok(answer) if answer.receipt.is_signed() => good(),
        Ok(_) => refused("bad_signature"),
    }
}

fn code(given: &Value) -> Value {
    match EnrolCode::parse(text(given, "typed")) {
        Ok(_) => good(),
        Err(BadCode::Length(_)) => refused("code_length"),
        Err(BadCode::Character(_)) => refused("code_character"),
        Err(BadCode::Check) => refused("code_check"),
    }
}

/// The city says that it does not know the code; a laptop, that the city's answer is not signed.
fn enrolment(given: &Value) -> Value {
    let (way, code) = match text(given, "way") {
        "up" => (Way::ToCity, "code_unknown"),
        "down" => (Way::ToLaptop, "bad_signature"),
        other => panic!("no way is called {other}"),
    };
    let sealed: Sealed = serde_json::from_value(given["sealed"].clone()).unwrap();
    let (device, root) = (DeviceId(key(given, "device")), key(given, "root"));
    let keys = Keys { device: &device, root: &root };
    if sealed.fits(&CodeKey(key(given, "code_key")), way, keys) { good() } else { refused(code) }
}

/// A damaged place is named, and how many sections before it were good.
fn file(given: &Value) -> Value {
    let secret = SigningKey::from_bytes(&key(given, "opens_with"));
    let key = OpeningKey::new(&opening_key(&secret).into());
    let bytes = bytes(&given["bytes"]);
    let mut behind = bytes.as_slice();
    let opened = Label::read(&mut behind).and_then(|label| open(&label, behind, &key));
    let mut sections = match opened {
        Ok(file) => file,
        Err(error) => return refused(error.code()),
    };
    let mut count = 0;
    loop {
        match sections.next() {
            Ok(None) => return good(),
            Ok(Some(_)) => count += 1,
            Err(FileError::Damaged(Some(place))) => {
                return json!({ "code": "damaged_file", "section": place.section, "of": place.of, "good": count });
            }
            Err(error) => return refused(error.code()),
        }
    }
}
