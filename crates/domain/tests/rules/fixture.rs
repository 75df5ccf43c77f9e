//! Builders that read as sentences. A person's id is the name.

use chrono::{NaiveDate, NaiveDateTime};
use domain::{Branch, Case, Code, Finding, Meeting, Organisation, Pack, Person, check, count, counts_on};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub fn day(text: &str) -> NaiveDate {
    domain::time::parse_date(text).expect("a civil date")
}

pub fn moment(text: &str) -> NaiveDateTime {
    domain::time::parse_date_time(text).expect("a civil date-time")
}

/// A branch and its people.
pub struct World {
    pub org: Organisation,
    pub persons: Vec<Person>,
}

impl World {
    pub fn branch(&self) -> Branch<'_> {
        Branch { org: &self.org, persons: &self.persons }
    }
}

pub fn pack() -> &'static Pack {
    Pack::on(day("2026-10-13"))
}

pub fn organisation(more: &[(&str, Value)]) -> Organisation {
    let mut fields = BTreeMap::from([
        ("name".to_owned(), json!("中国共产党泰安速达物流有限公司支部委员会")),
        ("type".to_owned(), json!("branch")),
        ("records_since".to_owned(), json!("2026-09-01")),
    ]);
    fields.extend(more.iter().map(|(path, value)| ((*path).to_owned(), value.clone())));
    Organisation::from_fields("org", &fields)
}

pub fn full(name: &str, more: &[(&str, Value)]) -> Person {
    person(name, &[&[("joined", json!("2010-05-01")), ("confirmed", json!("2011-05-01"))], more].concat())
}

pub fn person(name: &str, more: &[(&str, Value)]) -> Person {
    let mut fields =
        BTreeMap::from([("name".to_owned(), json!(name)), ("category".to_owned(), json!("member"))]);
    fields.extend(more.iter().map(|(path, value)| ((*path).to_owned(), value.clone())));
    Person::from_fields(name, &fields)
}

/// 速达物流: twelve full members, two on probation, a committee of three, two groups.
pub fn suda() -> World {
    let org = organisation(&[
        ("committee/c1", json!({"from": "2024-06-01", "seats": 3})),
        ("groups/g1/name", json!("第一小组")),
        ("groups/g1/from", json!("2024-06-01")),
        ("groups/g2/name", json!("第二小组")),
        ("groups/g2/from", json!("2024-06-01")),
    ]);
    let post = |name: &str| match name {
        "周海东" => Some("secretary"),
        "李秀英" => Some("organisation"),
        "马超" => Some("publicity"),
        _ => None,
    };
    let of = |name: &&str| {
        let first = ["周海东", "王立军", "孙明", "刘建华", "韩德福", "冯雪"].contains(name);
        let mut more = vec![("groups/a", json!({"group": if first { "g1" } else { "g2" }}))];
        more.extend(post(name).map(|post| ("posts/a", json!({"post": post, "from": "2024-06-01"}))));
        match *name {
            "冯雪" => person(name, &[more, vec![("joined", json!("2026-03-10"))]].concat()),
            "欧阳宁" => person(name, &[more, vec![("joined", json!("2026-05-20"))]].concat()),
            _ => full(name, &more),
        }
    };
    let names = [
        "周海东",
        "李秀英",
        "马超",
        "王立军",
        "张桂兰",
        "赵鹏",
        "孙明",
        "刘建华",
        "韩德福",
        "吴涛",
        "郑凯",
        "单玉兰",
        "冯雪",
        "欧阳宁",
    ];
    let mut persons: Vec<Person> = names.iter().map(of).collect();
    persons.push(person("陈晓雨", &[("category", json!("candidate"))]));
    persons.push(person("高翔", &[("category", json!("mass"))]));
    World { org, persons }
}

/// 云桥信息: five full members, one on probation, no committee, no groups.
pub fn yunqiao() -> World {
    let mut persons: Vec<Person> =
        ["杨帆", "许丽", "何勇", "梁倩"].iter().map(|name| full(name, &[])).collect();
    persons.insert(0, full("覃志远", &[("posts/a", json!({"post": "secretary"}))]));
    persons.push(person("区文斌", &[("joined", json!("2026-04-01"))]));
    World {
        org: organisation(&[("name", json!("中国共产党泰安云桥信息技术有限公司支部"))]), persons
    }
}

/// 鲁岳建材: ten full members, two of them transferred out on 2026-10-10, a committee, no groups.
pub fn luyue() -> World {
    let post = |name: &str| match name {
        "尉迟敬" => vec![("posts/a", json!({"post": "secretary"}))],
        "曹峰" => vec![("posts/a", json!({"post": "organisation"}))],
        "缪芳" => vec![("posts/a", json!({"post": "publicity"}))],
        "叶青" | "阎军" => vec![("memberships/a", json!({"from": "2015-01-01", "to": "2026-10-10"}))],
        _ => Vec::new(),
    };
    let names = ["尉迟敬", "曹峰", "缪芳", "丁强", "魏东", "薛梅", "叶青", "阎军", "余波", "潘辉"];
    World {
        org: organisation(&[("committee/c1", json!({"from": "2023-09-01"}))]),
        persons: names.iter().map(|name| full(name, &post(name))).collect(),
    }
}

/// A meeting in the making.
#[derive(Clone)]
pub struct Minutes {
    id: String,
    fields: BTreeMap<String, Value>,
}

/// A record with everything that is asked of any meeting, chaired and kept by the secretary.
pub fn minutes(id: &str, types: &[&str], date: &str, from: &str, to: &str) -> Minutes {
    let time = json!({"start": format!("{date}T{from}"), "end": format!("{date}T{to}")});
    Minutes { id: id.to_owned(), fields: BTreeMap::new() }
        .set("types", json!(types))
        .set("title", json!("会议"))
        .set("plan", json!("planned"))
        .set("place", json!("公司二楼党员活动室"))
        .set("time", time)
        .set("agenda/a/order", json!(1))
        .set("agenda/a/topic", json!("议题"))
        .set("agenda/a/speeches/s/text", json!("发言"))
}

impl Minutes {
    pub fn set(mut self, path: &str, value: Value) -> Self {
        self.fields.insert(path.to_owned(), value);
        self
    }

    pub fn without(mut self, path: &str) -> Self {
        self.fields.remove(path);
        self
    }

    pub fn chaired(self, name: &str, capacity: &str) -> Self {
        self.set("chair", json!({"person": name, "capacity": capacity})).set("recorder", json!(name))
    }

    pub fn status(self, names: &[&str], status: &str) -> Self {
        names
            .iter()
            .fold(self, |minutes, name| minutes.set(&format!("attendance/{name}/status"), json!(status)))
    }

    pub fn vote(self, vote: Value) -> Self {
        self.set("agenda/a/vote", vote).set("agenda/a/resolution", json!("决议"))
    }

    /// Enters everybody else who is due.
    pub fn others(self, world: &World, status: &str) -> Self {
        let meeting = self.clone().read();
        let due = count(world.branch(), &meeting, pack()).due.members;
        let open: Vec<&str> = due
            .iter()
            .map(|line| line.person.as_str())
            .filter(|person| !meeting.attendance.contains_key(*person))
            .collect();
        self.status(&open, status)
    }

    pub fn read(&self) -> Meeting {
        Meeting::from_fields(&self.id, &self.fields)
    }

    /// As a list reads it.
    pub fn skim(&self) -> Meeting {
        let mut fields = self.fields.clone();
        fields.retain(|path, _| counts_on(path));
        Meeting::from_fields(&self.id, &fields)
    }
}

/// The findings of a record entered in the evening of its day.
pub fn findings(world: &World, minutes: &Minutes, others: &[Meeting]) -> Vec<Finding> {
    let meeting = minutes.read();
    let date = meeting.date().expect("a dated meeting");
    let recorded_at = date.and_hms_opt(20, 0, 0).expect("a time");
    let branch = world.branch();
    check(&Case { branch, meeting: &meeting, others, pack: pack(), recorded_at, today: date })
}

pub fn codes(findings: &[Finding]) -> Vec<Code> {
    findings.iter().map(|finding| finding.code).collect()
}

/// The one finding with a code.
pub fn the(code: Code, findings: &[Finding]) -> Finding {
    let of_code: Vec<&Finding> = findings.iter().filter(|finding| finding.code == code).collect();
    match of_code[..] {
        [finding] => finding.clone(),
        _ => panic!("one {code:?} expected: {findings:#?}"),
    }
}
