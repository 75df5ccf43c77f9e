//! Files on USB sticks: what each opens to.

use ed25519_dalek::{Signer, SigningKey};
use replica::{BlobHash, DeviceId, RootKey, certify, device_of, from_hex, opening_key, sealing_key, to_hex};
use serde_json::{Value, json};
use wire::enrol::{ChangeText, CodeKey, EnrolAsk, EnrolYes, Keys, Sealed, Way};
use wire::file::{
    Head, Inventory, Label, OpenFile, OpeningKey, Purpose, Section, SectionHead, SectionKind, Unsealed,
    of_code, open,
};
use wire::{Answer, Have, Request, StreamAsk};

use super::bodies::{NONCE, answer, ask, certificate, city, laptop, raws, request, root, stream};
use super::sealing::sealed;
use crate::pack::{bytes, hex, word};

const AT: i64 = 1_790_000_000_000;
const CODE: CodeKey = CodeKey([5; 32]);

/// The signing key whose form the first file of an enrolment is sealed to.
fn code_key() -> SigningKey {
    SigningKey::from_bytes(&blake3::derive_key("jishi enrolment file v1", &CODE.0))
}

/// A file before it is sealed.
#[derive(Clone)]
pub struct Draft {
    pub label: Label,
    pub head: Head,
    pub sections: Vec<Vec<u8>>,
    /// Who signs, and whose key opens it.
    pub from: SigningKey,
    pub to: SigningKey,
}

impl Draft {
    fn new(purpose: Purpose, city: RootKey, from: SigningKey, to: SigningKey) -> Draft {
        let head = Head {
            sender: device_of(&from),
            nonce: NONCE,
            at: AT,
            answers: None,
            since: 0,
            certificate: String::new(),
            streams: Vec::new(),
            sections: Vec::new(),
        };
        let label = Label { purpose, city, recipient: device_of(&to) };
        Draft { label, head, sections: Vec::new(), from, to }
    }

    fn request() -> Draft {
        let mut draft = Draft::new(Purpose::Request, root(), laptop().key, city().key);
        draft.head.streams = vec![stream()];
        draft.head.since = AT - 1_000_000;
        draft.with(SectionKind::Message, request(vec![ask()], raws()))
    }

    /// A request about nothing.
    pub fn small() -> Draft {
        let draft = Draft::new(Purpose::Request, root(), laptop().key, city().key);
        draft.with(SectionKind::Message, request(Vec::new(), Vec::new()))
    }

    fn answer() -> Draft {
        let mut draft = Draft::new(Purpose::Answer, root(), city().key, laptop().key);
        draft.head.streams = vec![stream()];
        draft.head.certificate = certificate().to_string();
        draft.with(SectionKind::Message, answer(raws()))
    }

    pub fn with(mut self, kind: SectionKind, bytes: Vec<u8>) -> Draft {
        let (len, hash) = (bytes.len() as u64, *blake3::hash(&bytes).as_bytes());
        self.head.sections.push(SectionHead { kind, len, hash });
        self.sections.push(bytes);
        self
    }

    /// What is sealed.
    pub fn inside(&self) -> Vec<u8> {
        let signature = self.from.sign(&self.head.signature_input(&self.label)).to_bytes();
        let head = self.head.to_bytes();
        [&(head.len() as u64).to_be_bytes()[..], &head, &signature, &self.sections.concat()].concat()
    }
}

pub fn made() -> Value {
    let mut unasked = Draft::answer();
    unasked.head.since = 0;
    let mut answer = Draft::answer();
    (answer.head.nonce, answer.head.answers) = ([8; 16], Some(NONCE));
    let more = Draft::request()
        .with(SectionKind::Other(77), vec![1, 2, 3])
        .with(SectionKind::Message, request(Vec::new(), raws()))
        .with(SectionKind::Blob, b"one".to_vec());
    let held = Inventory { streams: vec![(stream(), vec![BlobHash::of(b"one"), BlobHash::of(b"two")])] };
    let photos = Draft::request()
        .with(SectionKind::Held, held.encode())
        .with(SectionKind::Blob, b"one".to_vec())
        .with(SectionKind::Blob, b"two".to_vec());
    let drafts = [
        ("request", "What a laptop brings.", Draft::request()),
        (
            "request-of-several-sections",
            "A section of a newer program is passed over; later bodies only carry.",
            more,
        ),
        ("request-with-attachments", "What the laptop holds, and what the city may lack of it.", photos),
        (
            "answer",
            "The city's answer to the first file. The receipt answers the nonce of that file.",
            answer,
        ),
        ("answer-that-nobody-asked-for", "Its receipt answers its own nonce.", unasked),
        (
            "enrolment-ask",
            "The root is not known: zeros stand for it on the label and under the MAC.",
            enrolment_ask(),
        ),
        ("enrolment-yes", "The sealed message comes first, then an answer.", enrolment_yes()),
    ];
    json!({
        "about": "Files of one laptop and one city, and what they open to. age draws keys of its own: open them.",
        "keys": {
            "city": keys(&city().key),
            "laptop": keys(&laptop().key),
            "code": { "key": to_hex(&CODE.0), "sealing": keys(&code_key()) },
        },
        "root": root().to_string(),
        "cases": drafts.map(|(name, about, draft)| case(name, about, &draft)),
    })
}

fn keys(key: &SigningKey) -> Value {
    json!({
        "seed": to_hex(&key.to_bytes()),
        "id": device_of(key).to_string(),
        "x25519_secret": to_hex(&opening_key(key)),
        "x25519_public": to_hex(&sealing_key(&device_of(key)).unwrap()),
    })
}

fn ask_of(root: &str) -> EnrolAsk {
    EnrolAsk {
        device: laptop().id,
        root: root.to_owned(),
        stream: stream(),
        founding: ChangeText::from(&raws()[0]),
        name: "一号机".to_owned(),
        nonce: to_hex(&[9; 16]),
    }
}

fn enrolment_ask() -> Draft {
    let nobody = RootKey([0; 32]);
    let keys = Keys { device: &laptop().id, root: &nobody.0 };
    let sealed = Sealed::new(&CODE, "ABCD", Way::ToCity, keys, &ask_of(""));
    let draft = Draft::new(Purpose::EnrolAsk, nobody, laptop().key, code_key());
    draft.with(SectionKind::Enrolment, serde_json::to_vec(&sealed).unwrap())
}

fn enrolment_yes() -> Draft {
    let mut city = city();
    city.stream = Some(stream());
    let certificate = certify(&super::bodies::root_key(), &city.id, "2026-01-01", "2027-01-01");
    let (key, device) = (format!("~key/{}", city.id), format!("~device/{}", laptop().id));
    let writes =
        [(key.as_str(), certificate, &[][..]), (device.as_str(), json!({ "name": "一号机" }), &[][..])];
    let change = city.commit("stream", "~stream", &writes);
    let yes = EnrolYes {
        nonce: to_hex(&[9; 16]),
        organisation: "o1".to_owned(),
        organisation_name: "第一党支部".to_owned(),
        stream: stream(),
        adopted: true,
        change: ChangeText::from(&change.raw),
        operating: city.id,
        time: AT,
    };
    let keys = Keys { device: &laptop().id, root: &root().0 };
    let sealed = Sealed::new(&CODE, "ABCD", Way::ToLaptop, keys, &yes);
    let mut draft = Draft::answer();
    (draft.label.purpose, draft.head.answers, draft.head.nonce) = (Purpose::EnrolYes, Some(NONCE), [8; 16]);
    (draft.head.sections, draft.sections) = (Vec::new(), Vec::new());
    draft
        .with(SectionKind::Enrolment, serde_json::to_vec(&sealed).unwrap())
        .with(SectionKind::Message, answer(vec![raws()[0].clone(), change.raw]))
}

fn case(name: &str, about: &str, draft: &Draft) -> Value {
    let Draft { label, head, .. } = draft;
    let file = sealed("files", name, &draft.to, label, &draft.inside());
    let seed = draft.to.to_bytes();
    json!({
        "name": name,
        "about": about,
        "opens_with": to_hex(&seed),
        "bytes": hex(&file),
        "opens_to": opens_to(&file, &seed).unwrap(),
        "signed": hex(&head.signature_input(label)),
    })
}

/// What a file says, read with this seed of a signing key.
fn opens_to(file: &[u8], seed: &[u8; 32]) -> Result<Value, String> {
    let mut behind = file;
    let label = Label::read(&mut behind).map_err(|error| error.code().to_owned())?;
    let key = OpeningKey::new(&opening_key(&SigningKey::from_bytes(seed)).into());
    let mut open: OpenFile<Unsealed<&[u8]>> =
        open(&label, behind, &key).map_err(|error| error.code().to_owned())?;
    let mut sections = Vec::new();
    while let Some(section) = open.next().map_err(|error| error.code().to_owned())? {
        let first = sections.iter().all(|other: &Value| other["kind"] != json!(1));
        sections.push(said(&open.head, &label, &section, first)?);
    }
    let head = &open.head;
    let promised = head.sections.iter().map(|section| {
        json!({ "kind": number(section.kind), "len": section.len, "blake3": to_hex(&section.hash) })
    });
    Ok(json!({
        "label": {
            "purpose": word(label.purpose), "city": label.city.to_string(), "recipient": label.recipient.to_string(),
        },
        "head": {
            "sender": head.sender.to_string(),
            "nonce": to_hex(&head.nonce),
            "at": head.at,
            "answers": head.answers.map(|nonce| to_hex(&nonce)),
            "since": head.since,
            "certificate": head.certificate,
            "streams": head.streams.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "sections": promised.collect::<Vec<_>>(),
        },
        "sections": sections,
    }))
}

fn number(kind: SectionKind) -> u64 {
    match kind {
        SectionKind::Message => 1,
        SectionKind::Enrolment => 2,
        SectionKind::Blob => 3,
        SectionKind::Held => 4,
        SectionKind::Other(number) => number,
    }
}

/// What one section says: of a body its changes and receipt, of an enrolment its message and whether the seal fits.
fn said(head: &Head, label: &Label, section: &Section, first: bool) -> Result<Value, String> {
    let malformed = |_| "malformed".to_owned();
    let kind = number(section.kind);
    match section.kind {
        SectionKind::Message if label.purpose == Purpose::Request => {
            let (request, _) = Request::decode(&section.bytes).map_err(malformed)?;
            let ids: Vec<String> = request.changes.iter().map(|change| change.id().to_string()).collect();
            Ok(
                json!({ "kind": kind, "streams": request.streams.len(), "budget": request.budget, "changes": ids }),
            )
        }
        SectionKind::Message => {
            let asked = |stream| StreamAsk { stream, have: Have::Digest([0; 16]) };
            let asked: Vec<_> = head.streams.iter().copied().filter(|_| first).map(asked).collect();
            let nonce = head.receipt_nonce();
            let (answer, _) =
                Answer::decode(&section.bytes, &asked, nonce, label.recipient).map_err(malformed)?;
            let ids: Vec<String> = answer.changes.iter().map(|change| change.id().to_string()).collect();
            let receipt = answer.receipt.filter(|receipt| receipt.is_signed() && receipt.key == head.sender);
            Ok(json!({ "kind": kind, "streams": answer.streams.len(), "changes": ids,
                       "receipt_at": receipt.map(|receipt| receipt.at) }))
        }
        SectionKind::Enrolment => {
            let sealed: Sealed =
                serde_json::from_slice(&section.bytes).map_err(|_| "malformed".to_owned())?;
            let (device, way) = match label.purpose {
                Purpose::EnrolYes => (label.recipient, Way::ToLaptop),
                Purpose::Request | Purpose::Answer | Purpose::EnrolAsk => (head.sender, Way::ToCity),
            };
            let fits = sealed.fits(&CODE, way, Keys { device: &device, root: &label.city.0 });
            Ok(
                json!({ "kind": kind, "place": sealed.place, "body": to_hex(blake3::hash(sealed.body.as_bytes()).as_bytes()), "mac": sealed.mac, "fits": fits }),
            )
        }
        SectionKind::Held => {
            let held = Inventory::decode(&section.bytes).map_err(malformed)?;
            let hashes = held.streams.iter().map(|(stream, hashes)| {
                json!({ "stream": stream.to_string(),
                        "blobs": hashes.iter().map(ToString::to_string).collect::<Vec<_>>() })
            });
            Ok(json!({ "kind": kind, "holds": hashes.collect::<Vec<_>>() }))
        }
        SectionKind::Blob | SectionKind::Other(_) => {
            Ok(json!({ "kind": kind, "bytes": hex(&section.bytes) }))
        }
    }
}

/// Runs a stored case.
pub fn run(case: &Value) -> Result<(), String> {
    let seed = from_hex(case["opens_with"].as_str().unwrap()).unwrap();
    let found = opens_to(&bytes(&case["bytes"]), &seed)?;
    match replica::canonical(&found) == replica::canonical(&case["opens_to"]) {
        true => Ok(()),
        false => Err(format!("{} opens to {found:#}", case["name"])),
    }
}

/// Holds the stored keys to each other.
pub fn check_keys(file: &Value) {
    for who in [&file["keys"]["city"], &file["keys"]["laptop"], &file["keys"]["code"]["sealing"]] {
        let key = SigningKey::from_bytes(&from_hex(who["seed"].as_str().unwrap()).unwrap());
        assert_eq!(keys(&key), *who);
    }
    let code = CodeKey(from_hex(file["keys"]["code"]["key"].as_str().unwrap()).unwrap());
    let recipient: DeviceId = of_code(&code).0;
    assert_eq!(file["keys"]["code"]["sealing"]["id"], recipient.to_string());
}
