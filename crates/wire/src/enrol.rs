//! Enrolment: a code on paper that brings a laptop and a city together.
//!
//! The code has a place (four characters, sent in the clear), a secret (eleven characters, 55 bits, never sent) and a
//! check character. The secret keys a MAC over both public keys in both directions, so nobody in between can put a key
//! of their own into either message.

use replica::{DeviceId, RawChange, StreamId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt;
use std::sync::OnceLock;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a code that may be sent in the clear.
pub const PLACE: usize = 4;
const SECRET: usize = 11;
const LENGTH: usize = PLACE + SECRET + 1;

/// Memory of the key derivation in KiB, and its passes.
pub const CODE_MEMORY_KIB: u32 = 64 * 1024;
pub const CODE_PASSES: u32 = 3;

/// An enrolment code whose check character fits, and its key once that was derived.
#[derive(Clone)]
pub struct EnrolCode(String, OnceLock<CodeKey>);

impl PartialEq for EnrolCode {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for EnrolCode {}

/// Why what was typed is not a code. Nothing needs to be sent to know this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCode {
    #[error("an enrolment code has 16 characters, not {0}")]
    Length(usize),
    #[error("the character at place {0} does not occur in enrolment codes")]
    Character(usize),
    #[error("the check character does not fit: one character is mistyped")]
    Check,
}

impl EnrolCode {
    /// Makes a code from ten random bytes, of which 75 bits are used.
    pub fn from_random(random: [u8; 10]) -> EnrolCode {
        let bits = random.iter().fold(0u128, |sum, byte| (sum << 8) | u128::from(*byte));
        let mut text: String =
            (0..PLACE + SECRET).map(|place| letter((bits >> (5 * place)) as usize & 31)).collect();
        text.push(check_letter(&text));
        EnrolCode(text, OnceLock::new())
    }

    /// Reads what a person typed: spaces, dashes, case and full-width forms do not matter, O reads as 0, I and L as 1.
    pub fn parse(typed: &str) -> Result<EnrolCode, BadCode> {
        let mut text = String::new();
        for typed in typed.chars().filter(|c| !is_separator(*c)) {
            text.push(plain(typed).ok_or(BadCode::Character(text.len() + 1))?);
        }
        if text.len() != LENGTH {
            return Err(BadCode::Length(text.len()));
        }
        match text[LENGTH - 1..].starts_with(check_letter(&text[..LENGTH - 1])) {
            true => Ok(EnrolCode(text, OnceLock::new())),
            false => Err(BadCode::Check),
        }
    }

    /// The part that may be sent: it finds the code in the city's table and opens nothing.
    pub fn place(&self) -> &str {
        &self.0[..PLACE]
    }

    /// Derives the MAC key. Slow on purpose (argon2id), the first time; the city keeps this and never the code.
    pub fn key(&self) -> CodeKey {
        self.1.get_or_init(|| self.derive()).clone()
    }

    fn derive(&self) -> CodeKey {
        let params = argon2::Params::new(CODE_MEMORY_KIB, CODE_PASSES, 1, Some(32))
            .expect("the parameters are constants within argon2's bounds");
        let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let salt = blake3::hash(format!("jishi enrolment code v1\n{}", self.place()).as_bytes());
        let mut key = [0u8; 32];
        argon
            .hash_password_into(&self.0.as_bytes()[PLACE..LENGTH - 1], salt.as_bytes(), &mut key)
            .expect("lengths of password, salt and key are constants within argon2's bounds");
        CodeKey(key)
    }
}

impl fmt::Display for EnrolCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (a, b, c, d) = (&self.0[..4], &self.0[4..8], &self.0[8..12], &self.0[12..]);
        write!(f, "{a}-{b}-{c}-{d}")
    }
}

impl fmt::Debug for EnrolCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolCode(***)")
    }
}

fn letter(value: usize) -> char {
    char::from(ALPHABET[value & 31])
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '－' | '—' | '–' | '_' | '·')
}

fn plain(typed: char) -> Option<char> {
    let half = match typed {
        '！'..='～' => char::from_u32(u32::from(typed) - 0xFEE0)?,
        other => other,
    };
    let plain = match half.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET.contains(&u8::try_from(plain).ok()?).then_some(plain)
}

/// Luhn's scheme over 32 letters: any one wrong character and nearly every swap of two neighbours is noticed.
fn check_letter(text: &str) -> char {
    let sum: usize = text
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| {
            let value = ALPHABET.iter().position(|l| *l == byte).unwrap_or(0);
            let product = if at % 2 == 0 { value * 2 } else { value };
            product / 32 + product % 32
        })
        .sum();
    letter((32 - sum % 32) % 32)
}

/// The key that both sides derive from a code.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeKey(pub [u8; 32]);

impl fmt::Debug for CodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeKey(***)")
    }
}

/// Which way a sealed message goes; it is part of what the MAC covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    ToCity,
    ToLaptop,
}

/// A message under the code's MAC. The body is carried as the text that was signed, never written out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    pub place: String,
    pub body: String,
    pub mac: String,
}

impl Sealed {
    /// Seals a message between these two public keys.
    pub fn new<T: Serialize>(key: &CodeKey, place: &str, way: Way, keys: Keys<'_>, message: &T) -> Sealed {
        let body = serde_json::to_string(message).expect("enrolment messages hold strings and integers only");
        let mac = mac(key, way, keys, &body).to_hex().to_string();
        Sealed { place: place.to_owned(), body, mac }
    }

    /// True if the message was sealed with this key, this way, between these public keys.
    pub fn fits(&self, key: &CodeKey, way: Way, keys: Keys<'_>) -> bool {
        // Comparing `blake3::Hash` takes the same time whether or not they are equal.
        blake3::Hash::from_hex(&self.mac).is_ok_and(|sent| sent == mac(key, way, keys, &self.body))
    }

    /// Reads the body. Says nothing about who wrote it: ask [`Sealed::fits`] first or right after.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(&self.body).ok()
    }
}

/// The public keys of both sides.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    pub device: &'a DeviceId,
    pub root: &'a [u8; 32],
}

fn mac(key: &CodeKey, way: Way, keys: Keys<'_>, body: &str) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(&key.0);
    hasher.update(match way {
        Way::ToCity => b"jishi enrolment ask v1\n",
        Way::ToLaptop => b"jishi enrolment yes v1\n",
    });
    hasher.update(keys.device.to_string().as_bytes());
    hasher.update(keys.root);
    hasher.update(body.as_bytes());
    hasher.finalize()
}

/// Where an exchange goes, and what its bodies are called.
pub const EXCHANGE_PATH: &str = "/v1/exchange";
pub const EXCHANGE_TYPE: &str = "application/x-jishi";

/// What a city says of itself to anyone: `GET /v1/city`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Always `jishi city`: a portal page of a hotel does not say so.
    pub what: String,
    pub version: u32,
    pub root: String,
    pub operating: DeviceId,
    pub time: i64,
}

impl Hello {
    pub const WHAT: &'static str = "jishi city";
}

/// The laptop's side: who it is and the stream it has made for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolAsk {
    pub device: DeviceId,
    pub root: String,
    pub stream: StreamId,
    /// The first change of that stream; its hash is the stream's id.
    pub founding: ChangeText,
    /// What the computer calls itself, for the people who look after devices.
    pub name: String,
    /// Makes two asks differ, and ties the answer to the ask.
    pub nonce: String,
}

/// The city's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolYes {
    pub nonce: String,
    pub organisation: String,
    pub organisation_name: String,
    /// The stream to use: the laptop's own when adopted, else the one the city has.
    pub stream: StreamId,
    pub adopted: bool,
    /// The city's change in that stream that names this device and the city's operating key.
    pub change: ChangeText,
    pub operating: DeviceId,
    pub time: i64,
}

/// A refusal of any endpoint: a code that programs act on, and the city's time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    pub time: i64,
}

/// A change as text, for the few places where JSON carries one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeText {
    pub header: String,
    pub signature: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

impl From<&RawChange> for ChangeText {
    fn from(raw: &RawChange) -> ChangeText {
        ChangeText {
            header: encode(&raw.header),
            signature: encode(raw.signature),
            payload: raw.payload.as_deref().map(encode),
        }
    }
}

impl ChangeText {
    /// Gives the bytes back, or None if this is not base64 or the signature has another length.
    pub fn raw(&self) -> Option<RawChange> {
        let payload = match &self.payload {
            Some(text) => Some(decode(text)?),
            None => None,
        };
        Some(RawChange {
            header: decode(&self.header)?,
            signature: decode(&self.signature)?.try_into().ok()?,
            payload,
        })
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::{BadCode, CodeKey, EnrolCode, Hello, Keys, Sealed, Way};
    use replica::DeviceId;

    fn code(seed: u8) -> EnrolCode {
        EnrolCode::from_random(std::array::from_fn(|at| {
            seed.wrapping_mul(37).wrapping_add((at as u8).wrapping_mul(91))
        }))
    }

    #[test]
    fn a_code_survives_being_read_aloud_and_typed() {
        let shown = code(3).to_string();
        let messy = format!("  {} ", shown.to_lowercase().replace('-', " — "));
        assert_eq!(EnrolCode::parse(&messy), Ok(code(3)), "{shown} typed with dashes and small letters");
        let wide: String = shown.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect();
        assert_eq!(EnrolCode::parse(&wide), Ok(code(3)), "full-width letters from a Chinese input method");
        assert_eq!(EnrolCode::parse(&shown.replace('0', "O").replace('1', "l")), Ok(code(3)));
    }

    #[test]
    fn one_wrong_character_is_noticed_before_anything_is_sent() {
        let shown = code(9).to_string().replace('-', "");
        for at in 0..shown.len() {
            for other in "0123456789ABCDEFGHJKMNPQRSTVWXYZ".chars().filter(|c| !shown[at..].starts_with(*c)) {
                let mut typed = shown.clone();
                typed.replace_range(at..=at, &other.to_string());
                assert_eq!(EnrolCode::parse(&typed), Err(BadCode::Check), "{other} at {at}");
            }
        }
        assert_eq!(EnrolCode::parse("ABC"), Err(BadCode::Length(3)));
        assert_eq!(EnrolCode::parse("AB书"), Err(BadCode::Character(3)));
    }

    #[test]
    fn a_code_has_fifty_bits_that_are_never_sent_and_debug_shows_none() {
        let code = code(1);
        assert_eq!(
            code.to_string().replace('-', "").len() - code.place().len() - 1,
            11,
            "eleven letters of five bits"
        );
        assert_eq!(format!("{code:?} {:?}", CodeKey([7; 32])), "EnrolCode(***) CodeKey(***)");
    }

    #[test]
    fn the_seal_covers_way_both_keys_and_body() {
        let device: DeviceId = "11".repeat(32).parse().unwrap();
        let other: DeviceId = "22".repeat(32).parse().unwrap();
        let (key, root) = (CodeKey([5; 32]), [9u8; 32]);
        let keys = Keys { device: &device, root: &root };
        let message =
            Hello { what: Hello::WHAT.into(), version: 1, root: String::new(), operating: device, time: 4 };
        let sealed = Sealed::new(&key, "ABCD", Way::ToCity, keys, &message);
        assert!(sealed.fits(&key, Way::ToCity, keys));
        assert_eq!(sealed.read::<Hello>(), Some(message));
        assert!(!sealed.fits(&key, Way::ToLaptop, keys), "an ask sent back is not an answer");
        assert!(!sealed.fits(&CodeKey([6; 32]), Way::ToCity, keys), "another code");
        assert!(
            !sealed.fits(&key, Way::ToCity, Keys { device: &other, root: &root }),
            "another device's key"
        );
        assert!(
            !sealed.fits(&key, Way::ToCity, Keys { device: &device, root: &[8; 32] }),
            "another city's key"
        );
        let changed = Sealed { body: sealed.body.replace('4', "5"), ..sealed };
        assert!(!changed.fits(&key, Way::ToCity, keys), "a changed body");
    }
}
