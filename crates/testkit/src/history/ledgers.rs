//! Ledger entries: promises at three stages, and the enterprises round about.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use super::{Entry, Member, at};
use crate::phrases;
use crate::random::Random;

/// A promise that was made and published.
pub fn promise(date: NaiveDate, members: &[Member], random: &mut Random) -> Entry {
    let due = date.checked_add_days(Days::new(30 + random.below(200) as u64)).expect("within the calendar");
    let fields = BTreeMap::from([
        ("person".to_owned(), json!(members[random.below(members.len())].id)),
        ("text".to_owned(), json!(phrases::task(random))),
        ("promised_on".to_owned(), json!(date)),
        ("due".to_owned(), json!(due)),
        ("approved_on".to_owned(), json!(date)),
        ("approved_by".to_owned(), json!(random.pick(&["committee", "assembly", "secretary"]))),
        ("published_how".to_owned(), json!(format!("{}公开栏", phrases::place(random)))),
        ("state".to_owned(), json!("published")),
    ]);
    entry("promise", fields, date, random)
}

/// A promise with its evidence and the ratings.
pub fn fulfilled(date: NaiveDate, members: &[Member], random: &mut Random) -> Entry {
    let mut entry = promise(date, members, random);
    let length = random.between(40, 160);
    entry.fields.extend([
        ("state".to_owned(), json!("fulfilled")),
        ("evidence".to_owned(), json!(phrases::text(random, length))),
        ("done_on".to_owned(), entry.fields["due"].clone()),
        ("self_rating".to_owned(), json!(random.pick(&["kept", "partly"]))),
        ("organisation_rating".to_owned(), json!(random.pick(&["kept", "partly", "not_kept"]))),
    ]);
    entry
}

const NAMES: &[&str] =
    &["岱宗", "汶水", "泰合", "鲁岳", "天颐", "东岳", "徂徕", "恒岱", "奥莱", "云桥", "泮河", "星河"];
const TRADES: &[&str] =
    &["物流", "信息科技", "家居", "机械", "食品", "纺织", "建材", "医药", "电子商务", "旅游"];

pub fn enterprise(date: NaiveDate, random: &mut Random) -> Entry {
    let trade = random.pick(TRADES);
    let name = format!("泰安{}{}{trade}有限公司", random.pick(NAMES), random.pick(NAMES));
    let staff = random.between(3, 480);
    let length = random.between(20, 60);
    let fields = BTreeMap::from([
        ("name".to_owned(), json!(name)),
        ("uscc".to_owned(), json!(uscc(random))),
        ("industry".to_owned(), json!(trade)),
        ("scale".to_owned(), json!(random.pick(&["medium", "small", "micro"]))),
        ("state".to_owned(), json!(random.pick(&["operating", "operating", "operating", "suspended"]))),
        ("address".to_owned(), json!(phrases::address(random))),
        ("staff".to_owned(), json!(staff)),
        ("workers".to_owned(), json!(staff * 2 / 3)),
        ("under_35".to_owned(), json!(staff / random.between(2, 6))),
        ("party_members".to_owned(), json!(random.below(12))),
        ("activists".to_owned(), json!(random.below(4))),
        ("party_built".to_owned(), json!(random.pick(&["own", "joint", "area", "none"]))),
        ("funds".to_owned(), json!(format!("{}.{:02}", random.between(100, 90_000), random.below(100)))),
        ("union".to_owned(), json!(random.chance(60))),
        ("two_way".to_owned(), json!(random.below(3))),
        ("problems".to_owned(), json!(phrases::text(random, length))),
        ("source".to_owned(), json!("走访")),
        ("verified_on".to_owned(), json!(date)),
    ]);
    entry("enterprise", fields, date, random)
}

fn entry(kind: &'static str, fields: BTreeMap<String, Value>, date: NaiveDate, random: &mut Random) -> Entry {
    let at = at(date, 20, 0);
    Entry { kind, id: random.id(at), fields, at }
}

/// A made-up 统一社会信用代码 with the right check character (GB 32100).
fn uscc(random: &mut Random) -> String {
    const LETTERS: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    let mut code = b"91370900".to_vec();
    code.extend((0..9).map(|_| LETTERS[random.below(LETTERS.len())]));
    let mut weight = 1;
    let mut sum = 0;
    for letter in &code {
        let value = LETTERS.iter().position(|known| known == letter).expect("it was drawn from them");
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    code.push(LETTERS[(31 - sum % 31) % 31]);
    String::from_utf8(code).expect("the letters are ASCII")
}
