//! Whether a value fits its field.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{FieldDef, FieldType, Kind};
use crate::blob::BlobRef;

const MAX_TEXT: usize = 500;
const MAX_LONGTEXT: usize = 20_000;
const MAX_MEDIA: usize = 100;
/// 18 characters without I, O, S, V, Z, and their weights (GB 32100).
const USCC_DIGITS: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const USCC_WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

/// A value that does not fit. The code is a word of the interface: `wrong_type`, `too_long`, `not_a_choice`,
/// `twice`, `out_of_range`, `not_a_date`, `implausible_year`, `required`, `bad_uscc`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {code}")]
pub struct BadValue {
    pub code: &'static str,
    /// The path, and after a dot the part of an object.
    pub path: String,
}

impl Kind {
    /// Checks a value against its field. Null clears and always fits. A path that this program does not know
    /// is not judged: a newer program may have written it. `field_for` says whether it is known.
    pub fn check(&self, path: &str, value: &Value) -> Result<(), BadValue> {
        match self.field_for(path) {
            Some(field) if !value.is_null() => field.check(path, value),
            Some(_) | None => Ok(()),
        }
    }
}

impl FieldDef {
    fn check(&self, path: &str, value: &Value) -> Result<(), BadValue> {
        let judged = match self.ty {
            FieldType::Text => self.check_text(value, MAX_TEXT),
            FieldType::Longtext => self.check_text(value, MAX_LONGTEXT),
            FieldType::Choice => self.check_choice(value),
            FieldType::Multi => self.check_multi(value),
            FieldType::Bool => typed(value.is_boolean()),
            FieldType::Int => self.check_int(value),
            FieldType::Decimal => typed(value.as_str().is_some_and(is_decimal)),
            FieldType::Date => self.check_date(value, ""),
            FieldType::Datetime => self.check_date(value, "T"),
            FieldType::Person | FieldType::Record => typed(value.as_str().is_some_and(is_id)),
            FieldType::Object => return self.check_object(path, value),
            FieldType::List => typed(value.is_array()),
            FieldType::Blob => typed(is_blob(value)),
        };
        judged.map_err(|code| BadValue { code, path: path.into() })
    }

    fn check_text(&self, value: &Value, usual: usize) -> Result<(), &'static str> {
        let text = value.as_str().ok_or("wrong_type")?;
        if text.chars().count() > self.max.unwrap_or(usual) {
            return Err("too_long");
        }
        match self.pattern.as_deref() {
            Some("uscc") if !is_uscc(text) => Err("bad_uscc"),
            Some(_) | None => Ok(()),
        }
    }

    fn check_choice(&self, value: &Value) -> Result<(), &'static str> {
        let code = value.as_str().ok_or("wrong_type")?;
        if self.choices.iter().any(|choice| choice.code == code) { Ok(()) } else { Err("not_a_choice") }
    }

    fn check_multi(&self, value: &Value) -> Result<(), &'static str> {
        let mut seen = BTreeSet::new();
        for code in value.as_array().ok_or("wrong_type")? {
            if !self.choices.is_empty() {
                self.check_choice(code)?;
            }
            if !seen.insert(code.as_str().ok_or("wrong_type")?) {
                return Err("twice");
            }
        }
        Ok(())
    }

    fn check_int(&self, value: &Value) -> Result<(), &'static str> {
        let number = value.as_i64().ok_or("wrong_type")?;
        let low = self.min.is_some_and(|min| number < min);
        let high = self.max_value.is_some_and(|max| number > max);
        if low || high { Err("out_of_range") } else { Ok(()) }
    }

    fn check_date(&self, value: &Value, mark: &str) -> Result<(), &'static str> {
        let text = value.as_str().ok_or("wrong_type")?;
        let date = if mark.is_empty() {
            text
        } else {
            let (date, time) = text.split_once(mark).ok_or("not_a_date")?;
            if !is_time(time) {
                return Err("not_a_date");
            }
            date
        };
        let year = civil_year(date).ok_or("not_a_date")?;
        if self.birthday || (1900..2200).contains(&year) { Ok(()) } else { Err("implausible_year") }
    }

    /// An object, or a list of objects.
    fn check_object(&self, path: &str, value: &Value) -> Result<(), BadValue> {
        match value {
            Value::Object(_) => self.check_parts(path, value),
            Value::Array(items) if items.iter().all(Value::is_object) => {
                items.iter().try_for_each(|item| self.check_parts(path, item))
            }
            _ => Err(BadValue { code: "wrong_type", path: path.into() }),
        }
    }

    fn check_parts(&self, path: &str, object: &Value) -> Result<(), BadValue> {
        for part in &self.parts {
            let path = format!("{path}.{}", part.path);
            match object.get(&part.path) {
                None | Some(Value::Null) if part.required => return Err(BadValue { code: "required", path }),
                None | Some(Value::Null) => {}
                Some(value) => part.check(&path, value)?,
            }
        }
        Ok(())
    }
}

fn typed(fits: bool) -> Result<(), &'static str> {
    if fits { Ok(()) } else { Err("wrong_type") }
}

fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

/// A file, of a media type that can stand in an HTTP header.
fn is_blob(value: &Value) -> bool {
    let token = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".+-".contains(&byte);
        !part.is_empty() && part.bytes().all(plain)
    };
    let named = BlobRef::from_value(value).filter(|named| named.media.len() <= MAX_MEDIA);
    named.is_some_and(|named| named.media.split_once('/').is_some_and(|(sort, of)| token(sort) && token(of)))
}

fn is_decimal(text: &str) -> bool {
    let digits =
        |text: &str| !text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    match text.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(text),
    }
}

/// The year of `2026-10-13`, if there is such a day.
fn civil_year(text: &str) -> Option<u32> {
    let number = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse::<u32>().ok() } else { None }
    };
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=days).contains(&day).then_some(year)
}

fn is_time(text: &str) -> bool {
    let two = |text: &str| {
        (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<u32>().ok())
    };
    match text.split_once(':') {
        Some((hour, minute)) => {
            matches!(two(hour).flatten(), Some(0..24)) && matches!(two(minute).flatten(), Some(0..60))
        }
        None => false,
    }
}

fn is_uscc(text: &str) -> bool {
    let digits: Option<Vec<usize>> =
        text.bytes().map(|byte| USCC_DIGITS.iter().position(|digit| *digit == byte)).collect();
    let Some(digits) = digits.filter(|digits| digits.len() == 18) else { return false };
    let sum: usize = digits.iter().zip(USCC_WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    (31 - sum % 31) % 31 == digits[17]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kinds;
    use serde_json::json;

    fn kind() -> Kind {
        let text = r#"{"kind":"a","label":"A","group":"ledger","title":"text","list":[],"search":[],"sections":[],"fields":[
            {"path":"text","label":"文","type":"text","max":3},
            {"path":"code","label":"码","type":"text","pattern":"uscc"},
            {"path":"choice","label":"选","type":"choice","choices":[{"code":"a","label":"甲"}]},
            {"path":"multi","label":"选","type":"multi","choices":[{"code":"a","label":"甲"},{"code":"b","label":"乙"}]},
            {"path":"flag","label":"是","type":"bool"},
            {"path":"int","label":"数","type":"int","min":0,"max_value":9},
            {"path":"money","label":"元","type":"decimal"},
            {"path":"date","label":"日","type":"date"},
            {"path":"born","label":"日","type":"date","birthday":true},
            {"path":"time","label":"时","type":"datetime"},
            {"path":"who/*","label":"人","type":"person"},
            {"path":"file","label":"文件","type":"object","parts":[{"path":"blob","label":"文件","type":"blob","required":true}]},
            {"path":"object","label":"块","type":"object","parts":[
                {"path":"start","label":"始","type":"datetime","required":true},{"path":"n","label":"数","type":"int"}]}]}"#;
        Kinds::parse(&[("a", text)]).unwrap().get("a").unwrap().clone()
    }

    fn blob(media: &str, len: u64) -> Value {
        BlobRef { hash: crate::BlobHash::of(b"x"), len, media: media.into() }.to_value()
    }

    #[test]
    fn values_fit_or_say_why_not() {
        let kind = kind();
        let cases = [
            ("text", json!("三个字"), None),
            ("text", json!("四个汉字"), Some("too_long")),
            ("text", json!(1), Some("wrong_type")),
            ("text", json!(null), None),
            ("code", json!("91350100M000100Y43"), None),
            ("code", json!("91350100M000100Y44"), Some("bad_uscc")),
            ("code", json!("91350100"), Some("bad_uscc")),
            ("choice", json!("a"), None),
            ("choice", json!("c"), Some("not_a_choice")),
            ("multi", json!(["a", "b"]), None),
            ("multi", json!(["a", "a"]), Some("twice")),
            ("multi", json!("a"), Some("wrong_type")),
            ("flag", json!("true"), Some("wrong_type")),
            ("int", json!(9), None),
            ("int", json!(10), Some("out_of_range")),
            ("int", json!(-1), Some("out_of_range")),
            ("int", json!("1"), Some("wrong_type")),
            ("money", json!("-12.50"), None),
            ("money", json!("12."), Some("wrong_type")),
            ("money", json!("1e3"), Some("wrong_type")),
            ("date", json!("2028-02-29"), None),
            ("date", json!("2026-02-29"), Some("not_a_date")),
            ("date", json!("2026-1-1"), Some("not_a_date")),
            ("date", json!("0202-01-01"), Some("implausible_year")),
            ("born", json!("1899-12-31"), None),
            ("time", json!("2026-10-13T14:00"), None),
            ("time", json!("2026-10-13T24:00"), Some("not_a_date")),
            ("time", json!("2026-10-13"), Some("not_a_date")),
            ("who/x", json!("0192a6b0-7c1e-7000-8000-000000000001"), None),
            ("who/x", json!("张三"), Some("wrong_type")),
            ("object", json!({"start": "2026-10-13T14:00", "n": 1, "later": {}}), None),
            ("object", json!([{"start": "2026-10-13T14:00"}]), None),
            ("object", json!({"n": 1}), Some("required")),
            ("object", json!({"start": "2026-10-13T14:00", "n": "1"}), Some("wrong_type")),
            ("object", json!("x"), Some("wrong_type")),
            ("file", json!({"blob": blob("image/jpeg", 9), "name": "合影"}), None),
            ("file", json!({"blob": blob("image/svg+xml", 9)}), None),
            ("file", json!({"blob": blob("image", 9)}), Some("wrong_type")),
            ("file", json!({"blob": blob("image/jpeg\r\nx: y", 9)}), Some("wrong_type")),
            ("file", json!({"blob": blob("image/jpeg", 0)}), Some("wrong_type")),
            ("file", json!({"blob": "image/jpeg"}), Some("wrong_type")),
            ("file", json!({"name": "合影"}), Some("required")),
            ("field_of_a_newer_program", json!(1), None),
            ("~born", json!(true), None),
        ];
        for (path, value, code) in cases {
            assert_eq!(kind.check(path, &value).err().map(|bad| bad.code), code, "{path} {value}");
        }
        assert_eq!(kind.check("object", &json!({})).unwrap_err().path, "object.start");
    }
}
