//! 序号: given at 定稿, with a letter of the computer, so that two computers never give the same one.

use super::KIND;
use crate::branch::{ALL_LIVES, Branch};
use crate::civil;
use crate::contract::MeetingForm;
use crate::error::CallError;
use replica::{DeviceId, STREAM_KIND, STREAM_RECORD};
use serde_json::Value;
use store::{ClosingCode, Query};

/// In the order in which an event of several types is filed.
const TYPES: [(&str, &str); 7] = [
    ("assembly", "大会"),
    ("committee", "支委"),
    ("group", "小组"),
    ("theme_day", "党日"),
    ("lecture", "党课"),
    ("life", "生活会"),
    ("review", "评议"),
];
/// The kind's field takes 40 characters; year, type and number need the rest.
const LONGEST_NAME: usize = 20;

/// 速达物流-2026-党日-A03: the next one of this computer, year and type.
pub fn next_number(branch: &Branch, form: &MeetingForm) -> Result<String, CallError> {
    let start = format!("{}{}", prefix(branch, form)?, letter_of(branch, &branch.store.device()?)?);
    let year = form.date.get(..4).unwrap_or_default();
    // Annulled records keep their number.
    let query = Query {
        from: Some(format!("{year}-01-01")),
        until: Some(format!("{year}-12-31")),
        closing: vec![ClosingCode::Final, ClosingCode::Conflict],
        life: ALL_LIVES.to_vec(),
        ..Query::of(KIND)
    };
    let given = branch.store.records(&query)?;
    let numbers =
        given.iter().filter_map(|state| state.value("number")?.as_str()?.strip_prefix(&start)?.parse().ok());
    let last: u32 = numbers.max().unwrap_or(0);
    Ok(format!("{start}{:02}", last + 1))
}

fn prefix(branch: &Branch, form: &MeetingForm) -> Result<String, CallError> {
    let (_, organisation) = branch.organisation()?;
    let of =
        |path: &str| organisation.get(path).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    let name = if of("short").is_empty() { of("name") } else { of("short") };
    let name: String = name.chars().take(LONGEST_NAME).collect();
    let kind = TYPES.iter().find(|(code, _)| form.types.iter().any(|listed| listed == code));
    let kind = kind.map_or("活动", |(_, label)| label);
    let year = civil::date(&form.date).map_or_else(String::new, |date| date.format("%Y").to_string());
    Ok(format!("{name}-{year}-{kind}-"))
}

/// `A` for the computer that began the branch's records, another letter for each other, by its key.
pub fn letter_of(branch: &Branch, device: &DeviceId) -> Result<char, CallError> {
    let stream = branch.store.record(STREAM_KIND, STREAM_RECORD)?;
    let founder = stream.and_then(|state| state.born).map(|born| born.device);
    if founder.is_none_or(|founder| founder == *device) {
        return Ok('A');
    }
    let sum: u32 = device.as_bytes().iter().map(|byte| u32::from(*byte)).sum();
    Ok(char::from(b'B' + u8::try_from(sum % 25).unwrap_or(0)))
}
