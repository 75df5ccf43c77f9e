//! The JSON that may be folded, and its one canonical spelling.
//!
//! `inspect` decides in one pass whether bytes are JSON that every reader understands alike. What it
//! refuses is held and carried all the same, but folds as nothing.

use std::borrow::Cow;

use serde_json::Value;

use crate::limits::{MAX_DEPTH, MAX_INTEGER};
use crate::state_json::Sorted;

/// Why bytes fold as nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("longer than the limit of this version")]
    TooLong,
    #[error("not UTF-8")]
    NotUtf8,
    #[error("not JSON")]
    Syntax,
    #[error("not one line")]
    NotOneLine,
    #[error("an object names a key twice")]
    DuplicateKey,
    #[error("a text holds U+0000")]
    Nul,
    #[error("a text holds half of a surrogate pair")]
    LoneSurrogate,
    #[error("an integer is beyond 2^53")]
    BigInteger,
    #[error("a number is not an integer")]
    Float,
    #[error("nested too deeply")]
    TooDeep,
    #[error("written by a newer program")]
    Newer,
    #[error("a header field is missing or of the wrong type")]
    BadHeader,
    #[error("a record, kind or path is not well formed, or is written twice")]
    BadWrite,
    #[error("the payload is not an array with one value for each write")]
    BadPayload,
}

/// Says whether the bytes are one line of JSON without anything that two readers could read differently, and gives
/// their text.
pub fn inspect(bytes: &[u8]) -> Result<&str, Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::NotUtf8)?;
    let mut scanner = Scanner { text, bytes, at: 0 };
    scanner.value(0)?;
    scanner.space()?;
    if scanner.at == bytes.len() { Ok(text) } else { Err(Unreadable::Syntax) }
}

/// Writes a value on one line with sorted keys and no spaces: equal values have equal bytes.
pub fn canonical(value: &Value) -> String {
    serde_json::to_string(&Sorted(value)).expect("a value has text keys only")
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Result<u8, Unreadable> {
        self.bytes.get(self.at).copied().ok_or(Unreadable::Syntax)
    }

    fn next(&mut self) -> Result<u8, Unreadable> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Unreadable> {
        if self.next()? == byte { Ok(()) } else { Err(Unreadable::Syntax) }
    }

    fn space(&mut self) -> Result<(), Unreadable> {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\t' => self.at += 1,
                b'\n' | b'\r' => return Err(Unreadable::NotOneLine),
                _ => break,
            }
        }
        Ok(())
    }

    /// `depth` counts the arrays and objects around this value.
    fn value(&mut self, depth: usize) -> Result<(), Unreadable> {
        self.space()?;
        match self.peek()? {
            b'{' | b'[' if depth == MAX_DEPTH => Err(Unreadable::TooDeep),
            b'{' => self.object(depth + 1),
            b'[' => self.array(depth + 1),
            b'"' => self.string().map(|_| ()),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => Err(Unreadable::Syntax),
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), Unreadable> {
        if !self.text[self.at..].starts_with(word) {
            return Err(Unreadable::Syntax);
        }
        self.at += word.len();
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), Unreadable> {
        self.expect(b'[')?;
        self.space()?;
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth)?;
            self.space()?;
            match self.next()? {
                b',' => {}
                b']' => return Ok(()),
                _ => return Err(Unreadable::Syntax),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), Unreadable> {
        self.expect(b'{')?;
        self.space()?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        let mut keys: Vec<Cow<'a, str>> = Vec::new();
        loop {
            self.space()?;
            keys.push(self.string()?);
            self.space()?;
            self.expect(b':')?;
            self.value(depth)?;
            self.space()?;
            match self.next()? {
                b',' => {}
                b'}' => return distinct(keys),
                _ => return Err(Unreadable::Syntax),
            }
        }
    }

    /// Reads a string; decodes it only if it holds an escape.
    fn string(&mut self) -> Result<Cow<'a, str>, Unreadable> {
        let start = self.at;
        self.expect(b'"')?;
        let mut escaped = false;
        loop {
            let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
            self.at += self.bytes[self.at..].iter().take_while(|byte| plain(byte)).count();
            match self.next()? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                0 => return Err(Unreadable::Nul),
                b'\n' | b'\r' => return Err(Unreadable::NotOneLine),
                _ => return Err(Unreadable::Syntax),
            }
        }
        if escaped {
            serde_json::from_str(&self.text[start..self.at]).map(Cow::Owned).map_err(|_| Unreadable::Syntax)
        } else {
            Ok(Cow::Borrowed(&self.text[start + 1..self.at - 1]))
        }
    }

    fn escape(&mut self) -> Result<(), Unreadable> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => match self.hex4()? {
                0 => Err(Unreadable::Nul),
                0xD800..0xDC00 => {
                    let low = self.text.get(self.at..).is_some_and(|rest| rest.starts_with("\\u"));
                    if !low {
                        return Err(Unreadable::LoneSurrogate);
                    }
                    self.at += 2;
                    match self.hex4()? {
                        0xDC00..0xE000 => Ok(()),
                        _ => Err(Unreadable::LoneSurrogate),
                    }
                }
                0xDC00..0xE000 => Err(Unreadable::LoneSurrogate),
                _ => Ok(()),
            },
            _ => Err(Unreadable::Syntax),
        }
    }

    fn hex4(&mut self) -> Result<u32, Unreadable> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = char::from(self.next()?).to_digit(16).ok_or(Unreadable::Syntax)?;
            code = code << 4 | digit;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<(), Unreadable> {
        let negative = self.peek()? == b'-';
        if negative {
            self.at += 1;
        }
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        let digits = &self.text[start..self.at];
        if digits.is_empty() || digits.len() > 1 && digits.starts_with('0') {
            return Err(Unreadable::Syntax);
        }
        // Readers disagree on whether -0 is an integer.
        if matches!(self.bytes.get(self.at), Some(b'.' | b'e' | b'E')) || negative && digits == "0" {
            return Err(Unreadable::Float);
        }
        match digits.parse::<u64>() {
            Ok(number) if number <= MAX_INTEGER => Ok(()),
            _ => Err(Unreadable::BigInteger),
        }
    }
}

fn distinct(mut keys: Vec<Cow<'_, str>>) -> Result<(), Unreadable> {
    let twice = if keys.len() <= 8 {
        (1..keys.len()).any(|index| keys[..index].contains(&keys[index]))
    } else {
        keys.sort_unstable();
        keys.windows(2).any(|pair| pair[0] == pair[1])
    };
    if twice { Err(Unreadable::DuplicateKey) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_all_readers_read_alike_passes() {
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let cases: Vec<(String, Result<(), Unreadable>)> = vec![
            (r#"{"a":[1,-2,"x\u4e2d",true,null,{}],"b":[]}"#.into(), Ok(())),
            (r#" [ 1 , { "a" : 2 } ] "#.into(), Ok(())),
            (r#""\ud83d\ude00""#.into(), Ok(())),
            ("9007199254740992".into(), Ok(())),
            ("9007199254740993".into(), Err(Unreadable::BigInteger)),
            ("-9007199254740993".into(), Err(Unreadable::BigInteger)),
            ("99999999999999999999999".into(), Err(Unreadable::BigInteger)),
            ("1.0".into(), Err(Unreadable::Float)),
            ("1e2".into(), Err(Unreadable::Float)),
            ("-0".into(), Err(Unreadable::Float)),
            ("01".into(), Err(Unreadable::Syntax)),
            (r#"{"a":1,"a":2}"#.into(), Err(Unreadable::DuplicateKey)),
            (r#"{"a":1,"\u0061":2}"#.into(), Err(Unreadable::DuplicateKey)),
            (
                r#"{"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"9":1,"1":2}"#.into(),
                Err(Unreadable::DuplicateKey),
            ),
            (r#""a\u0000b""#.into(), Err(Unreadable::Nul)),
            ("\"a\0b\"".into(), Err(Unreadable::Nul)),
            (r#""\ud800""#.into(), Err(Unreadable::LoneSurrogate)),
            (r#""\ud800\u0041""#.into(), Err(Unreadable::LoneSurrogate)),
            (r#""\udc00""#.into(), Err(Unreadable::LoneSurrogate)),
            (deep(16), Ok(())),
            (deep(17), Err(Unreadable::TooDeep)),
            ("[1,\n2]".into(), Err(Unreadable::NotOneLine)),
            ("[1,]".into(), Err(Unreadable::Syntax)),
            ("[1] 2".into(), Err(Unreadable::Syntax)),
            (r#""abc"#.into(), Err(Unreadable::Syntax)),
            (r#""\x""#.into(), Err(Unreadable::Syntax)),
            ("\"a\tb\"".into(), Err(Unreadable::Syntax)),
            (String::new(), Err(Unreadable::Syntax)),
        ];
        for (text, expected) in cases {
            assert_eq!(inspect(text.as_bytes()).map(|_| ()), expected, "{text:?}");
        }
        assert_eq!(inspect(b"\"\xff\""), Err(Unreadable::NotUtf8));
    }

    #[test]
    fn equal_values_have_equal_bytes() {
        let value = json!({"b": [1, {"z": "中\n", "a": null}], "a": true});
        assert_eq!(canonical(&value), r#"{"a":true,"b":[1,{"a":null,"z":"中\n"}]}"#);
    }
}
