//! Devices that write, and text to write, made from a seed.

use ed25519_dalek::{Signer, SigningKey};
use replica::{
    Change, ChangeBuilder, ChangeId, DeviceId, End, RawChange, StreamId, device_of, signature_input,
};
use serde_json::{Map, Value, json};

/// A small generator: the same numbers every time.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    pub fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    pub fn uuid(&mut self, at: i64) -> String {
        let hex = |random: &mut Self, digits: usize| -> String {
            (0..digits).map(|_| char::from(b"0123456789abcdef"[random.below(16)])).collect()
        };
        let time = format!("{at:012x}");
        let (a, b, c) = (hex(self, 3), hex(self, 3), hex(self, 12));
        format!("{}-{}-7{a}-8{b}-{c}", &time[..8], &time[8..])
    }
}

const WHO: &[&str] = &[
    "装卸二组",
    "质检班",
    "三车间党员",
    "老同志",
    "运输队",
    "客服中心",
    "财务室",
    "研发组",
    "七号库",
    "车队",
    "食堂班组",
    "维修班",
];
const DID: &[&str] = &[
    "清点了灭火器",
    "走访了困难职工",
    "修好了漏雨的顶棚",
    "复核了出库单",
    "补齐了培训签字",
    "核对了党费台账",
    "调解了排班纠纷",
    "统计了流动党员去向",
    "写出了工艺改进建议",
    "找出了温控失灵的原因",
    "打印了学习材料",
    "更换了磨损的护栏",
    "整理出过期票据",
];
const WHEN: &[&str] = &[
    "夜班交接以后",
    "季度末",
    "盘点那一周",
    "雨季里",
    "节后复工",
    "高温天气里",
    "年终结算前",
    "合同续签以前",
    "消防演练之后",
];
const SO: &[&str] = &[
    "要写清谁负责",
    "下次会议汇报结果",
    "先试行一个月",
    "结果贴到公开栏",
    "请支委会研究",
    "年底评议时一并考虑",
    "以后照此办理",
    "由专人检查",
];

pub fn sentence(random: &mut Random) -> String {
    let number = random.below(480);
    format!(
        "{}，{}{}{number}件，{}。",
        random.pick(WHEN),
        random.pick(WHO),
        random.pick(DID),
        random.pick(SO)
    )
}

pub fn text(random: &mut Random, bytes: usize) -> String {
    let mut text = String::new();
    while text.len() < bytes {
        text.push_str(&sentence(random));
    }
    text
}

#[derive(Clone)]
pub struct Device {
    pub key: SigningKey,
    pub id: DeviceId,
    pub stream: Option<StreamId>,
    pub end: Option<End>,
    pub lamport: u64,
    pub at: i64,
}

impl Device {
    pub fn new(seed: u8, stream: Option<StreamId>) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        Self { id: device_of(&key), key, stream, end: None, lamport: 0, at: 1_790_000_000_000 }
    }

    pub fn commit(&mut self, kind: &str, record: &str, fields: &[(&str, Value, &[ChangeId])]) -> Change {
        self.lamport += 1;
        self.at += 61_000;
        let mut builder =
            ChangeBuilder::new(self.stream, self.end, self.id, self.lamport, self.at, "张书记", "save");
        for (path, value, over) in fields {
            builder.add(record, kind, path, value, over);
        }
        let change = builder.sign(&self.key).unwrap();
        self.took(&change);
        change
    }

    pub fn took(&mut self, change: &Change) {
        self.stream = Some(change.stream);
        self.end = Some(End { n: change.header.n, id: change.id });
    }

    /// Signs header bytes as they are.
    pub fn sign_raw(&self, header: Vec<u8>, payload: Option<Vec<u8>>) -> RawChange {
        let signature = self.key.sign(&signature_input(&header)).to_bytes();
        RawChange { header, signature, payload }
    }
}

/// A record as an entry of a ledger: its id and fields.
pub fn record(
    number: usize,
    at: i64,
    persons: &[String],
    random: &mut Random,
) -> (String, Map<String, Value>) {
    let id = random.uuid(at);
    let mut fields = Map::new();
    let day = format!("2026-{:02}-{:02}", random.below(12) + 1, random.below(28) + 1);
    fields.insert("person".into(), json!(persons[random.below(persons.len())]));
    fields.insert("text".into(), json!(sentence(random)));
    fields.insert("promised_on".into(), json!(day));
    fields
        .insert("due".into(), json!(format!("2027-{:02}-{:02}", random.below(12) + 1, random.below(28) + 1)));
    fields.insert("approved_by".into(), json!(random.pick(&["committee", "assembly", "secretary"])));
    fields.insert("published_how".into(), json!(format!("{}公开栏", random.pick(WHO))));
    fields.insert("state".into(), json!(random.pick(&["published", "fulfilled"])));
    let length = if number % 100 == 99 { 20_000 } else { 60 + random.below(280) };
    fields.insert("evidence".into(), json!(text(random, length)));
    (id, fields)
}
