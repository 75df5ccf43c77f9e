//! Files: what was written is read again, by the right key only; a damaged or cut one says where, and hostile bytes
//! are refused with a reason.

use crate::vectors::changes;
use crate::world::Device;
use proptest::prelude::*;
use replica::{RootKey, StreamId, opening_key};
use serde_json::json;
use wire::file::{
    FileError, Head, Label, OpenFile, OpeningKey, Place, Purpose, SectionKind, Unsealed, open, seal_all,
};
use wire::{Bodies, Have, Outgoing, Request, StreamAsk};

const CITY: RootKey = RootKey([9; 32]);

fn key(device: &Device) -> OpeningKey {
    OpeningKey::new(&opening_key(&device.key).into())
}

fn head(sender: &Device) -> Head {
    Head {
        sender: sender.id,
        nonce: [7; 16],
        at: 1_790_000_000_000,
        answers: None,
        since: 1_789_000_000_000,
        certificate: String::new(),
        streams: vec![StreamId([2; 32])],
        sections: Vec::new(),
    }
}

fn request() -> Request {
    let ask = StreamAsk { stream: StreamId([2; 32]), have: Have::Full(crate::vectors::frontier()) };
    Request { streams: vec![ask], budget: 65_536, presented: Vec::new(), changes: changes() }
}

fn label(to: &Device) -> Label {
    Label { purpose: Purpose::Request, city: CITY, recipient: to.id }
}

fn sealed(from: &Device, to: &Device, sections: &[(SectionKind, Vec<u8>)]) -> Vec<u8> {
    use ed25519_dalek::Signer;
    let sign = |input: &[u8]| Ok::<_, FileError>(from.key.sign(input).to_bytes());
    seal_all(&label(to), head(from), sections, sign, Vec::new()).unwrap()
}

fn opened<'a>(file: &'a [u8], key: &OpeningKey) -> Result<OpenFile<Unsealed<&'a [u8]>>, FileError> {
    let mut behind = file;
    let label = Label::read(&mut behind)?;
    open(&label, behind, key)
}

/// Every section, or the first error.
fn read(file: &[u8], key: &OpeningKey) -> Result<Vec<(SectionKind, Vec<u8>)>, FileError> {
    let mut file = opened(file, key)?;
    let mut sections = Vec::new();
    while let Some(section) = file.next()? {
        sections.push((section.kind, section.bytes));
    }
    Ok(sections)
}

#[test]
fn who_it_is_not_for_cannot_read_it_and_is_told_whose_it_is() {
    let (laptop, city, other) = (Device::new(1, None), Device::new(50, None), Device::new(51, None));
    let file = sealed(&laptop, &city, &[(SectionKind::Message, vec![1])]);
    assert!(matches!(read(&file, &key(&other)), Err(FileError::NotForUs)));
    let outside = Label::read(&mut file.as_slice()).unwrap();
    assert_eq!(outside, label(&city), "the label is readable without a key");
}

#[test]
fn a_readdressed_or_foreign_head_is_refused() {
    let (laptop, city) = (Device::new(1, None), Device::new(50, None));
    let mut file = sealed(&laptop, &city, &[(SectionKind::Message, vec![1])]);
    file[13] ^= 1;
    assert!(matches!(read(&file, &key(&city)), Err(FileError::BadSignature)), "another city on the label");
    let forged = seal_all(&label(&city), head(&laptop), &[], |_| Ok::<_, FileError>([3; 64]), Vec::new());
    assert!(matches!(read(&forged.unwrap(), &key(&city)), Err(FileError::BadSignature)));
}

#[test]
fn other_files_and_newer_ones_are_told_apart() {
    let (laptop, city) = (Device::new(1, None), Device::new(50, None));
    let file = sealed(&laptop, &city, &[]);
    let with = |at: usize, byte: u8| {
        let mut other = file.clone();
        other[at] = byte;
        other
    };
    let cases = [
        ("empty", Vec::new(), "not_our_file"),
        ("a picture", b"\xFF\xD8\xFF\xE0 and so on, long enough to be something".to_vec(), "not_our_file"),
        ("a newer file", with(11, 2), "newer_file"),
        ("a newer purpose", with(12, 9), "newer_file"),
        ("a label that was cut", file[..40].to_vec(), "damaged_file"),
        ("nothing behind the label", file[..Label::LEN].to_vec(), "damaged_file"),
    ];
    for (name, bytes, code) in cases {
        assert_eq!(read(&bytes, &key(&city)).unwrap_err().code(), code, "{name}");
    }
}

/// A file of five parts of incompressible bytes.
fn long() -> (Device, Vec<u8>) {
    let city = Device::new(50, None);
    let part = |seed: u8| {
        let mut bytes = vec![0; 200_000];
        blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
        (SectionKind::Message, bytes)
    };
    let parts: Vec<_> = (0..5).map(part).collect();
    let file = sealed(&Device::new(1, None), &city, &parts);
    (city, file)
}

/// The sections before the damage, and where it is.
fn until_damage(file: &[u8], key: &OpeningKey) -> (usize, Option<Place>) {
    let mut file = opened(file, key).unwrap();
    let mut good = 0;
    loop {
        match file.next() {
            Ok(Some(_)) => good += 1,
            Ok(None) => return (good, None),
            Err(FileError::Damaged(place)) => return (good, place),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_cut_file_gives_what_came_before_the_cut_and_names_the_place() {
    let (city, file) = long();
    let key = key(&city);
    assert_eq!(until_damage(&file, &key), (5, None));
    for (part, good) in [(10, 0), (30, 1), (50, 2), (99, 4)] {
        let cut = &file[..file.len() * part / 100];
        assert_eq!(until_damage(cut, &key), (good, Some(Place { section: good + 1, of: 5 })), "{part} %");
    }
}

#[test]
fn a_flipped_bit_costs_what_follows_and_names_the_place() {
    let (city, mut file) = long();
    let at = file.len() / 2;
    file[at] ^= 4;
    assert_eq!(until_damage(&file, &key(&city)), (2, Some(Place { section: 3, of: 5 })));
}

#[test]
fn an_attachment_of_other_bytes_is_passed_over_and_nothing_else() {
    let (laptop, city) = (Device::new(1, None), Device::new(50, None));
    let (label, mut head) = (label(&city), head(&laptop));
    let section = |kind, of: &[u8], bytes: &[u8]| wire::file::SectionHead {
        kind,
        len: bytes.len() as u64,
        hash: *blake3::hash(of).as_bytes(),
    };
    let pieces: [(SectionKind, &[u8], &[u8]); 3] = [
        (SectionKind::Blob, b"one", b"one"),
        (SectionKind::Blob, b"two", b"???"),
        (SectionKind::Blob, b"three", b"three"),
    ];
    head.sections = pieces.iter().map(|(kind, of, bytes)| section(*kind, of, bytes)).collect();
    let signature = sign(&laptop, &head.signature_input(&label));
    let mut bodies: Vec<&[u8]> = pieces.iter().map(|(_, _, bytes)| *bytes).collect();
    let bodies = bodies.iter_mut().map(|body| body as &mut dyn std::io::Read);
    let file = wire::file::write(&label, &head, &signature, bodies, Vec::new()).unwrap();
    let mut open = opened(&file, &key(&city)).unwrap();
    assert_eq!(open.next().unwrap().unwrap().bytes, b"one");
    assert!(matches!(open.next(), Err(FileError::WrongBlob(Place { section: 2, of: 3 }))));
    assert_eq!(open.next().unwrap().unwrap().bytes, b"three");
    assert!(open.next().unwrap().is_none());
}

fn sign(by: &Device, input: &[u8]) -> [u8; 64] {
    use ed25519_dalek::Signer;
    by.key.sign(input).to_bytes()
}

#[test]
fn lengths_that_are_not_true_take_no_memory() {
    use ed25519_dalek::Signer;
    let (laptop, city) = (Device::new(1, None), Device::new(50, None));
    let mut head = head(&laptop);
    let section = |len| wire::file::SectionHead { kind: SectionKind::Message, len, hash: [0; 32] };
    for (len, code) in [(u64::MAX / 4, "too_large"), (1 << 40, "too_large"), (1 << 20, "damaged_file")] {
        head.sections = vec![section(len)];
        // The head promises more than follows; `write` would not make such a file.
        let signature = laptop.key.sign(&head.signature_input(&label(&city))).to_bytes();
        let file = raw(&label(&city), &head, &signature);
        assert_eq!(read(&file, &key(&city)).unwrap_err().code(), code, "{len}");
    }
}

/// A sealed file that ends with its signature, whatever its head says.
fn raw(label: &Label, head: &Head, signature: &[u8; 64]) -> Vec<u8> {
    use std::io::Write;
    let key = bech32::encode::<bech32::Bech32>(
        bech32::Hrp::parse("age").unwrap(),
        &replica::sealing_key(&label.recipient).unwrap(),
    );
    let recipient: age::x25519::Recipient = key.unwrap().parse().unwrap();
    let sealing =
        age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient)).unwrap();
    let mut out = sealing.wrap_output(label.to_bytes()).unwrap();
    let bytes = head.to_bytes();
    out.write_all(&(bytes.len() as u64).to_be_bytes()).unwrap();
    out.write_all(&bytes).unwrap();
    out.write_all(signature).unwrap();
    out.finish().unwrap()
}

#[test]
fn many_changes_take_as_many_bodies_as_they_need() {
    let empty = Request { streams: Vec::new(), budget: 0, presented: Vec::new(), changes: Vec::new() };
    let mut out = Bodies::new(request().begin(), || empty.begin(), 16 * 1024);
    let mut device = Device::new(1, None);
    let mut random = crate::world::Random(7);
    let mut made = Vec::new();
    for at in 0..200 {
        let text = crate::world::text(&mut random, 600);
        made.push(device.commit("meeting", &format!("m{at}"), &[("note", json!(text), &[])]).raw);
        out.add(made.last().unwrap());
    }
    assert_eq!(out.count(), 200);
    let bodies = out.finish();
    assert!(bodies.len() > 2, "{} bodies", bodies.len());
    let read: Vec<_> = bodies.iter().flat_map(|body| Request::decode(body).unwrap().0.changes).collect();
    assert_eq!(read, made, "in order, each once");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 64 } else { 1024 }))]

    /// Whatever is done to a file, reading ends in an error or in sections that the head names.
    #[test]
    fn hostile_files(cut in 0usize..3000, flips in proptest::collection::vec((0usize..3000, any::<u8>()), 0..4)) {
        let (laptop, city) = (Device::new(1, None), Device::new(50, None));
        let body = request().encode();
        let mut file = sealed(&laptop, &city, &[(SectionKind::Message, body.clone())]);
        for (at, byte) in flips {
            let len = file.len();
            file[at % len] = byte;
        }
        file.truncate(file.len().saturating_sub(cut.saturating_sub(1500)));
        if let Ok(sections) = read(&file, &key(&city)) {
            prop_assert_eq!(sections, vec![(SectionKind::Message, body)]);
        }
    }

    /// Sealed and signed by an enrolled but hostile computer: the content is anything.
    #[test]
    fn hostile_sections(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let (laptop, city) = (Device::new(1, None), Device::new(50, None));
        let file = sealed(&laptop, &city, &[(SectionKind::Message, bytes.clone())]);
        let sections = read(&file, &key(&city)).unwrap();
        prop_assert_eq!(&sections[0].1, &bytes);
        let _read = Request::decode(&sections[0].1);
    }

    #[test]
    fn hostile_beginnings(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let city = Device::new(50, None);
        prop_assert!(read(&bytes, &key(&city)).is_err());
        let behind = [&label(&city).to_bytes()[..], b"age-encryption.org/v1\n", &bytes].concat();
        prop_assert!(read(&behind, &key(&city)).is_err());
    }
}
