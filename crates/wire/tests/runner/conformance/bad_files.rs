//! Files that cannot be used, and where.

use replica::{RootKey, to_hex};
use serde_json::{Value, json};
use wire::file::{Label, SectionHead, SectionKind};

use super::bodies::{city, laptop, request};
use super::files::Draft;
use super::sealing::sealed;
use super::{case, good, refused};
use crate::pack::hex;

pub fn cases() -> Vec<Value> {
    let all = [outside(), heads(), sections()].concat().into_iter();
    all.map(|(name, file, expect)| {
        let given = json!({ "bytes": hex(&file), "opens_with": to_hex(&city().key.to_bytes()) });
        case("file", name, given, expect)
    })
    .collect()
}

type Cases = Vec<(&'static str, Vec<u8>, Value)>;

/// What is done to a good file.
fn outside() -> Cases {
    let good_one = seal("good", &Draft::small(), &Draft::small().inside());
    let with = |at: usize, byte: u8| {
        let mut other = good_one.clone();
        other[at] = byte;
        other
    };
    let label = &good_one[..Label::LEN];
    let mut flipped = good_one.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let behind = |bytes: &[u8]| [label, bytes].concat();
    vec![
        ("good", good_one.clone(), good()),
        ("empty", Vec::new(), refused("not_our_file")),
        ("a picture", b"\xFF\xD8\xFF\xE0 and so on".to_vec(), refused("not_our_file")),
        ("a newer file", with(11, 2), refused("newer_file")),
        ("a newer purpose", with(12, 9), refused("newer_file")),
        ("a cut label", good_one[..40].to_vec(), refused("damaged_file")),
        ("nothing behind the label", label.to_vec(), refused("damaged_file")),
        ("no seal behind the label", behind(b"age-encryption.org/v1\nhello"), refused("damaged_file")),
        ("a cut seal", good_one[..Label::LEN + 60].to_vec(), refused("damaged_file")),
        ("a cut file", good_one[..good_one.len() - 40].to_vec(), refused("damaged_file")),
        ("a flipped bit", flipped, refused("damaged_file")),
        ("readdressed to another city", with(13, good_one[13] ^ 1), refused("bad_signature")),
        ("another recipient on the label", with(76, good_one[76] ^ 1), refused("bad_signature")),
    ]
}

fn seal(name: &str, draft: &Draft, inside: &[u8]) -> Vec<u8> {
    sealed("bad", name, &draft.to, &draft.label, inside)
}

fn made(name: &'static str, draft: &Draft, inside: Vec<u8>, expect: Value) -> (&'static str, Vec<u8>, Value) {
    (name, seal(name, draft, &inside), expect)
}

fn with(draft: &Draft, at: usize, byte: u8) -> Vec<u8> {
    let mut inside = draft.inside();
    inside[at] = byte;
    inside
}

/// Sealed as it should be, with something wrong about the head.
fn heads() -> Cases {
    let whole = Draft::small();
    let signature = 8 + whole.head.to_bytes().len();
    let flipped = whole.inside()[signature] ^ 1;
    // Where the length of the certificate stands.
    let length = 8 + 1 + 32 + 16 + 8 + 1 + 8;
    let mut stranger = Draft::small();
    (stranger.to, stranger.label.recipient) = (laptop().key, laptop().id);
    let mut another = Draft::small();
    another.head.sender = city().id;
    let mut relabelled = Draft::small();
    relabelled.label.city = RootKey([3; 32]);
    let (mut none, long) = (Draft::small(), [&(1u64 << 21).to_be_bytes()[..], &[0; 100]].concat());
    (none.head.sections, none.sections) = (Vec::new(), Vec::new());
    let unsigned = || refused("bad_signature");
    vec![
        made("sealed to somebody else", &stranger, stranger.inside(), refused("not_for_us")),
        made("signed by another than the sender", &another, another.inside(), unsigned()),
        made("signed for another label", &whole, relabelled.inside(), unsigned()),
        made("another signature", &whole, with(&whole, signature, flipped), unsigned()),
        made("a newer head", &whole, with(&whole, 8, 2), refused("newer_file")),
        made("a head that does not end", &whole, with(&whole, length, 0xFF), refused("damaged_file")),
        made("a head that is longer than the file", &whole, with(&whole, 5, 15), refused("damaged_file")),
        made("a head beyond its bound", &whole, long, refused("too_large")),
        made("no sections", &none, none.inside(), good()),
    ]
}

/// The same about the sections.
fn sections() -> Cases {
    let whole = Draft::small();
    let two = whole.clone().with(SectionKind::Message, request(Vec::new(), Vec::new()));
    let first = 8 + whole.head.to_bytes().len() + 64;
    let last = two.inside().len() - 1;
    let promised = |kind: SectionKind, len: u64| {
        let mut draft = Draft::small();
        draft.head.sections = vec![SectionHead { kind, len, hash: [0; 32] }];
        draft.inside()
    };
    let [body, enrolment, attachment, part, unknown] = [
        promised(SectionKind::Message, (8 << 20) + 1),
        promised(SectionKind::Enrolment, (1 << 20) + 1),
        promised(SectionKind::Blob, (64 << 20) + 1),
        promised(SectionKind::Message, 8 << 20),
        promised(SectionKind::Other(77), 1 << 40),
    ];
    let at = |section: u64, of: u64, good: u64| json!({ "code": "damaged_file", "section": section, "of": of, "good": good });
    vec![
        made("a body beyond its bound", &whole, body, refused("too_large")),
        made("an enrolment beyond its bound", &whole, enrolment, refused("too_large")),
        made("an attachment beyond its bound", &whole, attachment, refused("too_large")),
        made("a section that is cut", &whole, part, at(1, 1, 0)),
        made("an unknown section that is cut", &whole, unknown, at(1, 1, 0)),
        made("a damaged first section", &whole, with(&whole, first, 9), at(1, 1, 0)),
        made("a damaged second section", &two, with(&two, last, 9), at(2, 2, 1)),
    ]
}
