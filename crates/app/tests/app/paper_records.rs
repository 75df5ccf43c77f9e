//! The six records of the fixture, with every line of what must come out.

use crate::world::{Laptop, branch, draft, duties, findings, people, record, text};
use app::Code;
use serde_json::{Value, json};
use std::collections::BTreeMap;

type People = BTreeMap<String, String>;

const SUDA: &str = "姓名\t人员类别\t入党时间\t转正日期\t党内职务\t党小组\n\
    周海东\t正式党员\t2001-07-01\t2002-07-01\t书记\t第一党小组\n\
    李秀英\t正式党员\t2005-07-01\t2006-07-01\t组织委员\t第二党小组\n\
    马超\t正式党员\t2010-07-01\t2011-07-01\t宣传委员\t第二党小组\n\
    王立军\t正式党员\t2011-07-01\t2012-07-01\t\t第一党小组\n\
    张桂兰\t正式党员\t2009-07-01\t2010-07-01\t\t第二党小组\n\
    赵鹏\t正式党员\t2012-07-01\t2013-07-01\t\t第二党小组\n\
    孙明\t正式党员\t2013-07-01\t2014-07-01\t\t第一党小组\n\
    刘建华\t正式党员\t2014-07-01\t2015-07-01\t\t第一党小组\n\
    韩德福\t正式党员\t1990-07-01\t1991-07-01\t\t第一党小组\n\
    吴涛\t正式党员\t2015-07-01\t2016-07-01\t\t第二党小组\n\
    郑凯\t正式党员\t2016-07-01\t2017-07-01\t\t第二党小组\n\
    单玉兰\t正式党员\t2017-07-01\t2018-07-01\t\t第二党小组\n\
    冯雪\t预备党员\t2026年3月10日\t\t\t第一党小组\n\
    欧阳宁\t预备党员\t2026年5月12日\t\t\t第二党小组\n\
    陈晓雨\t发展对象\t\t\t\t\n\
    高翔\t群众\t\t\t\t\n";

fn suda() -> (Laptop, People) {
    let laptop = Laptop::new("2026-10-13");
    let mut request = branch("中国共产党泰安速达物流有限公司支部委员会", "速达物流");
    request["committee_seats"] = json!(3);
    request["groups"] = json!(["第一党小组", "第二党小组"]);
    laptop.call("create_branch", request);
    let people = people(&laptop, SUDA);
    (laptop, people)
}

fn attendance(people: &People, present: &[&str], others: &[Value]) -> Value {
    let came = present.iter().map(|name| json!({ "person": people[*name], "status": "present" }));
    came.chain(others.iter().cloned()).collect()
}

fn leave(people: &People, name: &str, reason: &str, approver: &str) -> Value {
    json!({ "person": people[name], "status": "leave", "leave": "work", "reason": reason, "approver": people[approver] })
}

fn first_record(people: &People) -> Value {
    let present =
        ["周海东", "李秀英", "马超", "王立军", "张桂兰", "赵鹏", "吴涛", "郑凯", "单玉兰", "冯雪", "欧阳宁"];
    let others = [
        leave(people, "孙明", "出差济南", "周海东"),
        leave(people, "刘建华", "夜班", "周海东"),
        json!({ "person": people["韩德福"], "status": "absent", "reason": "长期卧床" }),
    ];
    let speech =
        |id: &str, name: &str, text: &str| json!({ "id": id, "speaker": people[name], "text": text });
    json!({
        "types": ["theme_day", "lecture"], "title": "十月主题党日",
        "theme": "学习贯彻全市非公经济组织党建工作现场推进会精神，推动物流园区党建与业务融合",
        "date": "2026-10-13", "start": "14:00", "end": "16:20", "place": "公司二楼党员活动室", "form": "onsite", "plan": "planned",
        "chair": people["周海东"], "chair_capacity": "secretary", "recorder": people["李秀英"],
        "decided_body": "committee", "decided_date": "2026-10-09",
        "attendance": attendance(people, &present, &others),
        "guests": [
            { "id": "guest1", "name": "陈晓雨", "person": people["陈晓雨"], "capacity": "发展对象" },
            { "id": "guest2", "name": "高翔", "person": people["高翔"], "unit": "公司工会", "capacity": "主席" },
        ],
        "agenda": [
            { "id": "item1", "kind": "ceremony", "topic": "交纳党费、重温入党誓词", "minutes": 10 },
            { "id": "item2", "kind": "study", "topic": "领学《中国共产党支部工作条例（试行）》第十五条至第十七条", "presenter": people["李秀英"] },
            { "id": "item3", "kind": "lecture", "topic": "货运一线的党员怎么亮身份", "presenter": people["周海东"], "minutes": 45 },
            { "id": "item4", "kind": "discussion", "topic": "讨论", "speeches": [
                speech("s1", "王立军", "夜班装卸组三名党员调不开班，建议把责任区牌挂到七号库门口，谁当班谁负责。"),
                speech("s2", "张桂兰", "不同意只挂牌，上次挂牌半年没人看，要写清每周检查什么。"),
                speech("s3", "赵鹏", "赞成张桂兰的意见，检查结果贴公开栏。"),
            ] },
        ],
        "summary": "先在七号库试一个月，检查项由宣传委员列出，下次主题党日汇报。",
        "actions": [{ "id": "action1", "task": "七号库设党员责任区，完成检查表", "owner": people["王立军"], "due": "2026-11-13" }],
        "makeups": [
            { "id": "m1", "person": people["孙明"], "date": "2026-10-20", "way": "delivered", "by": people["李秀英"] },
            { "id": "m2", "person": people["刘建华"], "date": "2026-10-16", "way": "self" },
            { "id": "m3", "person": people["韩德福"], "date": "2026-10-21", "way": "delivered", "by": people["张桂兰"] },
        ],
    })
}

#[test]
fn record_1_a_theme_day_that_is_also_a_lecture() {
    let (laptop, people) = suda();
    let (id, derived) = record(&laptop, &first_record(&people));
    let counts = json!({ "due": 14, "present": 11, "leave": 2, "absent": 1, "unregistered": 0, "guests": 2, "rate": "78.6%" });
    assert_eq!(derived["counts"], counts, "韩德福 counts among those due, guests count nowhere");
    let meets: Vec<(&str, &str, &str)> = derived["meets"]
        .as_array()
        .expect("duties")
        .iter()
        .map(|met| {
            (
                met["id"].as_str().unwrap_or(""),
                met["from"].as_str().unwrap_or(""),
                met["to"].as_str().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(meets, [("F4", "2026-10-01", "2026-12-31"), ("F5", "2026-10-01", "2026-10-31")]);
    assert_eq!(derived["study_minutes"], 140);
    assert_eq!(derived["votes"], json!([]));
    let prior = findings(&derived, "prior_meeting_not_recorded");
    assert_eq!(prior.len(), 1);
    assert_eq!(prior[0]["params"]["date"], "2026-10-09");
    assert_eq!(derived["late"], false);
    for (duty, state) in [("F4", "done"), ("F5", "done")] {
        let listed = duties(&laptop, "2026-10", duty);
        assert_eq!(listed[0]["state"], state, "{duty}");
        assert_eq!(listed[0]["met_by"], json!([id]));
    }
    laptop.call("finalise_meeting", json!({ "id": id }));
    let page = laptop.call("get_meeting", json!({ "id": id }));
    assert_eq!(page["state"], "final");
    assert_eq!(page["number"], "速达物流-2026-党日-A01");
    assert_eq!(page["derived"]["counts"], counts, "定稿 changes no number");
}

fn second_record(people: &People) -> Value {
    let present = [
        "周海东",
        "李秀英",
        "马超",
        "王立军",
        "张桂兰",
        "赵鹏",
        "孙明",
        "刘建华",
        "单玉兰",
        "冯雪",
        "欧阳宁",
    ];
    let others = [
        json!({ "person": people["吴涛"], "status": "leave", "leave": "private", "reason": "因事", "approver": people["周海东"] }),
        leave(people, "郑凯", "出差", "周海东"),
    ];
    json!({
        "types": ["assembly"], "title": "讨论接收陈晓雨为预备党员", "plan": "planned",
        "date": "2026-10-27", "start": "15:00", "end": "16:10", "place": "公司二楼党员活动室",
        "chair": people["周海东"], "chair_capacity": "secretary", "recorder": people["李秀英"],
        "attendance": attendance(people, &present, &others),
        "exclusions": [{ "person": people["韩德福"], "ground": "bedridden", "approval": "泰岱非公〔2026〕31号", "assembly": true }],
        "guests": [{ "id": "guest1", "name": "陈晓雨", "person": people["陈晓雨"] }],
        "agenda": [{
            "id": "item1", "kind": "topic", "topic": "讨论接收陈晓雨为预备党员", "important": true, "committee_review": "2026-10-20",
            "first_sponsor": people["李秀英"], "second_sponsor": people["王立军"], "resolution": "同意接收陈晓雨为预备党员。",
            "speeches": [{ "id": "s1", "speaker": people["李秀英"], "text": "介绍陈晓雨的培养考察情况。" }],
            "vote": {
                "rule": "admit", "method": "ballot", "subject": "陈晓雨", "issued": 9, "returned": 9, "yes": 9, "no": 0, "abstain": 0, "invalid": 0,
                "written": [{ "person": people["吴涛"], "agrees": true, "on": "2026-10-26" }],
            },
        }],
    })
}

#[test]
fn record_2_an_admission_with_a_written_opinion() {
    let (laptop, people) = suda();
    record(&laptop, &first_record(&people));
    laptop.evening_of("2026-10-27");
    let form = second_record(&people);

    let mut without = form.clone();
    without["exclusions"][0]["approval"] = json!("");
    let (id, derived) = draft(&laptop, &without);
    assert!(
        !findings(&derived, "exclusion_no_approval").is_empty(),
        "an exclusion without its basis is named"
    );
    let vote = &derived["votes"][0];
    assert_eq!(
        (&vote["voters_due"], &vote["quorate"], &vote["passed"]),
        (&json!(12), &json!(true), &json!(true))
    );

    let derived = laptop.call("save_draft", json!({ "draft": id, "form": form }))["derived"].clone();
    let vote = &derived["votes"][0];
    let expected = [
        ("members_due", 13),
        ("members_present", 11),
        ("voters_due", 11),
        ("voters_present", 9),
        ("yes", 10),
    ];
    for (number, value) in expected {
        assert_eq!(vote[number], value, "{number}");
    }
    assert_eq!((&vote["quorate"], &vote["passed"]), (&json!(true), &json!(true)));
    assert_eq!(derived["counts"]["guests"], 1, "预备党员 are no guests");
    assert_eq!(derived["counts"]["present"], 11);
    let prior = findings(&derived, "prior_meeting_not_recorded");
    assert_eq!(prior[0]["params"]["date"], "2026-10-20");
    laptop.call("commit_draft", json!({ "draft": id }));
    laptop.call("finalise_meeting", json!({ "id": id }));

    let committee = duties(&laptop, "2026-10", "F2");
    assert_eq!(
        committee[0]["state"], "not_recorded",
        "it was held, other records say so, but nobody recorded it"
    );
}

fn third_record(people: &People, first: &str) -> Value {
    json!({
        "types": ["committee"], "title": "支委会", "plan": "planned",
        "date": "2026-11-03", "start": "09:00", "end": "09:50", "place": "公司二楼党员活动室",
        "chair": people["周海东"], "chair_capacity": "secretary", "recorder": people["李秀英"],
        "attendance": attendance(people, &["周海东", "李秀英"], &[leave(people, "马超", "公出", "周海东")]),
        "guests": [{ "id": "guest1", "name": "王立军", "person": people["王立军"] }],
        "agenda": [
            { "id": "item1", "kind": "topic", "topic": "研究11月主题党日", "speeches": [{ "id": "s1", "speaker": people["李秀英"], "text": "建议安排在11月12日。" }] },
            { "id": "item2", "kind": "topic", "topic": "研究七号库责任区检查表" },
        ],
        "links": [{ "id": "link1", "record": first, "item": "action1", "relation": "follow_up" }],
    })
}

#[test]
fn record_3_a_committee_meeting_that_follows_up() {
    let (laptop, people) = suda();
    let (first, _) = record(&laptop, &first_record(&people));
    laptop.evening_of("2026-11-03");
    let (id, derived) = record(&laptop, &third_record(&people, &first));
    assert_eq!((&derived["counts"]["due"], &derived["counts"]["present"]), (&json!(3), &json!(2)));
    assert_eq!(findings(&derived, "meeting_quorate").len(), 1);
    let follow_up = &derived["follow_ups"][0];
    assert_eq!((&follow_up["due"], &follow_up["overdue"]), (&json!("2026-11-13"), &json!(false)), "未到期");
    assert!(!findings(&derived, "action_not_due").is_empty());
    let duty = duties(&laptop, "2026-11", "F2");
    assert_eq!((&duty[0]["state"], &duty[0]["met_by"]), (&json!("done"), &json!([id])));
    let home = laptop.call("home", json!({ "month": null }));
    assert_eq!(home["open_actions"][0]["task"], "七号库设党员责任区，完成检查表");
}

#[test]
fn record_4_a_branch_without_committee() {
    let laptop = Laptop::new("2026-11-05");
    laptop.call("create_branch", branch("中国共产党泰安云桥信息技术有限公司支部", "云桥信息"));
    let people = people(
        &laptop,
        "姓名\t人员类别\t入党时间\t转正日期\t党内职务\n\
         覃志远\t正式党员\t2008-07-01\t2009-07-01\t书记\n杨帆\t正式党员\t2011-07-01\t2012-07-01\t\n\
         许丽\t正式党员\t2012-07-01\t2013-07-01\t\n何勇\t正式党员\t2013-07-01\t2014-07-01\t\n\
         梁倩\t正式党员\t2014-07-01\t2015-07-01\t\n区文斌\t预备党员\t2026-04-01\t\t\n",
    );
    let form = json!({
        "types": ["committee"], "title": "支委会", "date": "2026-11-05", "start": "09:00", "end": "10:00", "place": "会议室",
        "chair": people["覃志远"], "chair_capacity": "secretary", "recorder": people["杨帆"],
    });
    let (id, derived) = draft(&laptop, &form);
    let advice = findings(&derived, "committee_absent");
    assert_eq!(advice.len(), 1, "said while it is typed");
    assert_eq!((&advice[0]["severity"], &advice[0]["params"]["members"]), (&json!("E"), &json!(5)));
    assert!(text(&advice[0]["article"]).contains("支部工作条例"), "with the article");
    let error = laptop.refused_as("commit_draft", json!({ "draft": id }), Code::RulesNotMet);
    assert!(error.findings.iter().any(|finding| finding.code == "committee_absent"));
    for month in ["2026-10", "2026-11"] {
        for duty in ["F2", "F3"] {
            assert_eq!(duties(&laptop, month, duty), Vec::<Value>::new(), "{duty} is not owed in {month}");
        }
    }
    let mut advised = form;
    advised["types"] = json!(["assembly"]);
    laptop.call("save_draft", json!({ "draft": id, "form": advised }));
    laptop.call("commit_draft", json!({ "draft": id }));
    let list =
        laptop.call("list_people", json!({ "text": "qzy", "include_left": false, "members_only": true }));
    assert_eq!(list["rows"][0]["name"], "覃志远", "the surname is read as one");
    assert_eq!(list["rows"][0]["letter"], "Q");
}

fn luyue() -> (Laptop, People) {
    let laptop = Laptop::new("2026-10-19");
    let mut request = branch("中国共产党泰安鲁岳建材有限公司支部委员会", "鲁岳建材");
    request["committee_seats"] = json!(3);
    laptop.call("create_branch", request);
    let names = ["尉迟敬", "曹峰", "缪芳", "丁强", "魏东", "薛梅", "叶青", "阎军", "余波", "潘辉"];
    let post = |name: &str| match name {
        "尉迟敬" => "书记",
        "曹峰" => "组织委员",
        "缪芳" => "宣传委员",
        _ => "",
    };
    let rows: Vec<String> =
        names.iter().map(|name| format!("{name}\t2010-07-01\t2011-07-01\t{}", post(name))).collect();
    let people = people(&laptop, &format!("姓名\t入党时间\t转正日期\t党内职务\n{}\n", rows.join("\n")));
    for name in ["叶青", "阎军"] {
        let page = laptop.call("get_person", json!({ "id": people[name] }));
        let mut form = page["form"].clone();
        form["member_to"] = json!("2026-10-10");
        laptop.call("save_person", json!({ "id": people[name], "form": form, "base": page["base"] }));
    }
    (laptop, people)
}

#[test]
fn record_5_quorate_and_not_passed() {
    let (laptop, people) = luyue();
    laptop.evening_of("2026-11-06");
    let form = json!({
        "types": ["assembly"], "title": "支部党员大会", "plan": "planned", "date": "2026-11-06", "start": "09:00", "end": "10:00", "place": "会议室",
        "chair": people["尉迟敬"], "chair_capacity": "secretary", "recorder": people["曹峰"],
        "attendance": attendance(&people, &["尉迟敬", "曹峰", "缪芳", "丁强"], &[]),
        "agenda": [{ "id": "item1", "kind": "topic", "topic": "购置党员活动室设备",
            "vote": { "rule": "ordinary", "method": "hands", "subject": "购置党员活动室设备", "yes": 4, "no": 0, "abstain": 0 } }],
    });
    let (_, derived) = draft(&laptop, &form);
    let vote = &derived["votes"][0];
    assert_eq!(
        (&vote["voters_due"], &vote["voters_present"], &vote["yes"]),
        (&json!(8), &json!(4), &json!(4))
    );
    assert_eq!(
        (&vote["quorate"], &vote["passed"]),
        (&json!(true), &json!(false)),
        "half is quorate and never a majority of 8"
    );
    let why: Vec<&str> =
        vote["why"].as_array().expect("reasons").iter().filter_map(|why| why["code"].as_str()).collect();
    assert!(why.contains(&"not_adopted"), "{why:?}");
}

#[test]
fn record_6_an_election_too_few_came_to_entered_late() {
    let (laptop, people) = luyue();
    let mut form = json!({
        "types": ["assembly"], "title": "换届选举", "plan": "planned", "date": "2026-09-25", "start": "14:00", "end": "16:00", "place": "会议室",
        "chair": people["尉迟敬"], "chair_capacity": "secretary", "recorder": people["曹峰"],
        "attendance": attendance(&people, &["尉迟敬", "曹峰", "缪芳", "丁强", "魏东", "叶青", "阎军"], &[
            leave(&people, "薛梅", "出差", "尉迟敬"), leave(&people, "余波", "出差", "尉迟敬"), leave(&people, "潘辉", "出差", "尉迟敬"),
        ]),
        "agenda": [{ "id": "item1", "kind": "topic", "topic": "换届选举", "resolution": "未形成选举结果。", "committee_review": "2026-09-20",
            "vote": { "rule": "election", "method": "ballot", "issued": 7, "returned": 7, "invalid": 0, "seats": 3,
                "candidates": [{ "name": "尉迟敬", "person": people["尉迟敬"], "votes": 7 }, { "name": "曹峰", "person": people["曹峰"], "votes": 6 },
                    { "name": "缪芳", "person": people["缪芳"], "votes": 5 }, { "name": "丁强", "person": people["丁强"], "votes": 3 }] } }],
    });
    let (id, derived) = draft(&laptop, &form);
    assert_eq!(findings(&derived, "late_reason_missing").len(), 1, "补录 without a reason is an error");
    form["late_reason"] = json!("电脑送修");
    let derived = laptop.call("save_draft", json!({ "draft": id, "form": form }))["derived"].clone();
    assert_eq!(derived["late"], true);
    let late = findings(&derived, "recorded_late");
    assert_eq!(late[0]["params"]["reason"], "电脑送修");
    let vote = &derived["votes"][0];
    assert_eq!((&vote["voters_due"], &vote["voters_present"]), (&json!(10), &json!(7)));
    assert_eq!(
        (&vote["quorate"], &vote["elected"]),
        (&json!(false), &json!([])),
        "four fifths of ten are eight"
    );
    let why: Vec<&str> =
        vote["why"].as_array().expect("reasons").iter().filter_map(|why| why["code"].as_str()).collect();
    assert!(why.contains(&"quorum_short") && why.contains(&"election_incomplete"), "{why:?}");

    laptop.call("commit_draft", json!({ "draft": id }));
    laptop.evening_of("2026-10-20");
    laptop.call("finalise_meeting", json!({ "id": id }));
    let page = laptop.call("get_meeting", json!({ "id": id }));
    let times = &page["times"];
    assert_eq!(times["event_start"], "2026-09-25T14:00");
    assert!(text(&times["recorded_at"]).starts_with("2026-10-19T20:00"), "{times}");
    assert!(text(&times["finalised_at"]).starts_with("2026-10-20T20:00"), "{times}");
    assert_eq!(times["received_at"], Value::Null, "nothing was reported");
    let list = laptop.call("list_meetings", json!({ "year": 2026, "type": null, "state": null, "page": 0 }));
    assert_eq!(
        (&list["rows"][0]["late"], &list["rows"][0]["due"]),
        (&json!(true), &json!(10)),
        "the roster of the day, not of today"
    );
}
