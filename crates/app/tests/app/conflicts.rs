//! What two computers of one branch say differently: nothing is lost, and a person decides.

use crate::reporting::{City, edit, two_computers};
use crate::world::{Laptop, findings, text};
use app::Code;
use serde_json::{Value, json};

/// Both computers hold what the other wrote.
pub fn exchanged(first: &Laptop, second: &Laptop) {
    for laptop in [first, second, first] {
        laptop.call("exchange", json!({}));
    }
}

/// One edit here, one there, neither knowing of the other.
fn crossed(city: &City, field: &str, here: &str, there: &str) -> (Laptop, Laptop, String) {
    let (first, second, id) = two_computers(city);
    for (laptop, value) in [(&first, here), (&second, there)] {
        edit(laptop, &id, field, value);
        laptop.call("commit_draft", json!({ "draft": id }));
    }
    exchanged(&first, &second);
    (first, second, id)
}

fn card(laptop: &Laptop, id: &str) -> Value {
    laptop.call("conflict_card", json!({ "kind": "meeting", "id": id }))
}

pub fn page(laptop: &Laptop, id: &str) -> Value {
    laptop.call("get_meeting", json!({ "id": id }))
}

pub fn listed(laptop: &Laptop) -> Vec<Value> {
    laptop.call("list_conflicts", json!({}))["rows"].as_array().expect("rows").clone()
}

/// What a person sends who takes the side that satisfies this, in the matter with this key.
pub fn taking(card: &Value, key: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let matter = matter(card, key);
    let side = matter["sides"].as_array().expect("sides").iter().find(|side| wanted(side));
    let take = side.unwrap_or_else(|| panic!("no such side in {matter}"))["take"].clone();
    decided(card, key, json!([take]))
}

fn decided(card: &Value, key: &str, takes: Value) -> Value {
    json!({ "kind": card["kind"], "id": card["id"], "seen": card["seen"], "reason": "",
            "decisions": [{ "key": key, "takes": takes }] })
}

fn with_reason(mut request: Value, reason: &str) -> Value {
    request["reason"] = json!(reason);
    request
}

pub fn matter<'a>(card: &'a Value, key: &str) -> &'a Value {
    let all = card["matters"].as_array().expect("matters");
    all.iter().find(|matter| matter["key"] == key).unwrap_or_else(|| panic!("no {key} in {card}"))
}

pub fn says(text: &str) -> impl Fn(&Value) -> bool {
    let text = text.to_owned();
    move |side| side["text"] == json!(text) || side["says"] == json!(text)
}

#[test]
fn a_field_that_crossed_is_shown_on_one_card_and_decided_once() {
    let city = City::new();
    let (first, second, id) = crossed(&city, "place", "一楼", "三楼");
    for laptop in [&first, &second] {
        assert_eq!(page(laptop, &id)["state"], "conflict");
        laptop.refused_as("finalise_meeting", json!({ "id": id }), Code::InConflict);
        laptop.refused_as("ready_to_print", json!({ "id": id }), Code::InConflict);
        let rows = listed(laptop);
        assert_eq!(rows.len(), 1);
        assert_eq!((&rows[0]["title"], &rows[0]["date"]), (&json!("主题党日"), &json!("2026-10-13")));
        assert_eq!(rows[0]["matters"], json!([{ "about": "field", "label": "地点" }]));
        assert_eq!(laptop.call("list_meetings", json!({ "state": "conflict", "page": 0 }))["total"], 1);
    }
    let shown = card(&first, &id);
    let place = matter(&shown, "place");
    let side = |at: usize| &place["sides"][at];
    assert_eq!((&side(0)["here"], &side(0)["text"]), (&json!(true), &json!("一楼")), "this computer first");
    assert_eq!((&side(1)["here"], &side(1)["text"]), (&json!(false), &json!("三楼")));
    assert_eq!(side(0)["computer"], "A");
    assert_eq!((&side(1)["who"], text(&side(1)["at"]).is_empty()), (&json!("记录员"), false));
    assert_eq!((&place["both"], &place["proposed"]), (&json!(false), &Value::Null), "no guess");

    let settled = first.call("settle_conflict", taking(&shown, "place", says("三楼")));
    assert_eq!(settled["left"], 0);
    exchanged(&first, &second);
    for laptop in [&first, &second] {
        let page = page(laptop, &id);
        assert_eq!((&page["state"], &page["form"]["place"]), (&json!("recorded"), &json!("三楼")));
        assert!(listed(laptop).is_empty());
    }
}

#[test]
fn a_decision_over_something_else_than_what_was_shown_is_not_stored() {
    let city = City::new();
    let (first, second, id) = crossed(&city, "place", "一楼", "三楼");
    let shown = card(&first, &id);
    second.call("settle_conflict", taking(&card(&second, &id), "place", says("三楼")));
    edit(&second, &id, "theme", "主题");
    second.call("commit_draft", json!({ "draft": id }));
    exchanged(&first, &second);
    first.refused_as("settle_conflict", taking(&shown, "place", says("一楼")), Code::Changed);
    assert_eq!(page(&first, &id)["form"]["place"], "三楼");
    assert_eq!(card(&first, &id)["matters"], json!([]), "the page shows that nothing is left");
    let wrong = decided(&card(&first, &id), "place", json!([0]));
    first.refused_as("settle_conflict", wrong, Code::BadRequest);
}

#[test]
fn sides_that_do_not_exist_are_refused() {
    let city = City::new();
    let (first, _, id) = crossed(&city, "place", "一楼", "三楼");
    let shown = card(&first, &id);
    for (key, takes) in
        [("place", json!([2])), ("place", json!([])), ("place", json!([0, 1])), ("title", json!([0]))]
    {
        first.refused_as("settle_conflict", decided(&shown, key, takes), Code::BadRequest);
    }
    let mut none = decided(&shown, "place", json!([0]));
    none["decisions"] = json!([]);
    first.refused_as("settle_conflict", none, Code::BadRequest);
    first.refused_as("conflict_card", json!({ "kind": "stream", "id": "stream" }), Code::NotFound);
}

/// A text that both hold, then one edit of it here and one there.
fn crossed_texts(city: &City, here: &str, there: &str) -> (Laptop, Laptop, String) {
    let (first, second, id) = two_computers(city);
    edit(&first, &id, "summary", "一。二。三。四。");
    first.call("commit_draft", json!({ "draft": id }));
    exchanged(&first, &second);
    for (laptop, value) in [(&first, here), (&second, there)] {
        edit(laptop, &id, "summary", value);
        laptop.call("commit_draft", json!({ "draft": id }));
    }
    exchanged(&first, &second);
    (first, second, id)
}

#[test]
fn a_text_that_merges_asks_nobody_and_is_saved_before_print() {
    let city = City::new();
    let (first, second, id) = crossed_texts(&city, "一改。二。三。四。", "一。二。三。四改。");
    for laptop in [&first, &second] {
        let page = page(laptop, &id);
        assert_eq!((&page["state"], &page["undecided"]), (&json!("recorded"), &json!(0)));
        assert_eq!(page["form"]["summary"], "一改。二。三。四改。");
        assert!(listed(laptop).is_empty());
    }
    first.call("edit_meeting", json!({ "id": id }));
    assert_eq!(first.call("get_draft", json!({ "draft": id }))["form"]["summary"], "一改。二。三。四改。");
    first.call("discard_draft", json!({ "draft": id }));
    let waiting = |laptop: &Laptop| laptop.call("sync_page", json!({}))["waiting_total"].clone();
    assert_eq!(waiting(&first), 0, "a merge is not a change until a person saves it");
    first.call("ready_to_print", json!({ "id": id }));
    assert_eq!(waiting(&first), 1);
    first.call("ready_to_print", json!({ "id": id }));
    exchanged(&first, &second);
    assert_eq!(waiting(&first), 0);
    assert_eq!(page(&second, &id)["form"]["summary"], "一改。二。三。四改。");
}

#[test]
fn of_a_text_only_the_places_that_met_are_decided() {
    let cases = [
        (json!([0]), "一。二甲。三。四改。"),
        (json!([1]), "一。二乙。三。四改。"),
        (json!([2]), "一。二甲。二乙。三。四改。"),
    ];
    for (takes, expected) in cases {
        let city = City::new();
        let (first, second, id) = crossed_texts(&city, "一。二甲。三。四。", "一。二乙。三。四改。");
        assert_eq!(page(&first, &id)["state"], "conflict");
        let shown = card(&first, &id);
        let summary = matter(&shown, "summary");
        assert_eq!((&summary["about"], &summary["both"]), (&json!("text"), &json!(true)));
        // Which side is the left one is the same on both computers; the test says it by text.
        let texts = &summary["parts"][1]["texts"];
        let left_is_first = texts[0] == "二甲。";
        let takes = match takes[0].as_u64() {
            Some(0 | 1) if !left_is_first => json!([1 - takes[0].as_u64().unwrap_or(0)]),
            _ => takes,
        };
        assert_eq!(summary["parts"][0], json!({ "is": "merged", "text": "一。" }));
        first.call("settle_conflict", decided(&shown, "summary", takes.clone()));
        exchanged(&first, &second);
        let found = text(&page(&second, &id)["form"]["summary"]);
        let same = found == expected || takes == json!([2]) && found == "一。二乙。二甲。三。四改。";
        assert!(same, "{takes}: {found}");
    }
}

#[test]
fn deleted_here_and_edited_there_is_a_card_and_nothing_comes_or_goes_by_itself() {
    for (stays, state) in [(true, "recorded"), (false, "")] {
        let city = City::new();
        let (first, second, id) = two_computers(&city);
        first.call("delete_meeting", json!({ "id": id }));
        edit(&second, &id, "place", "三楼");
        second.call("commit_draft", json!({ "draft": id }));
        exchanged(&first, &second);
        for laptop in [&first, &second] {
            assert_eq!(listed(laptop)[0]["matters"][0]["about"], "deleted");
            assert_eq!(page(laptop, &id)["state"], "conflict");
        }
        let shown = card(&first, &id);
        let life = matter(&shown, "~life");
        let keeps = life["sides"].as_array().unwrap().iter().find(|side| side["says"] == "keeps").unwrap();
        assert_eq!(
            (&keeps["text"], &keeps["here"]),
            (&json!("地点：三楼"), &json!(false)),
            "what was edited"
        );
        let wanted = if stays { "keeps" } else { "removes" };
        first.call("settle_conflict", taking(&shown, "~life", says(wanted)));
        exchanged(&first, &second);
        for laptop in [&first, &second] {
            assert!(listed(laptop).is_empty());
            if stays {
                let page = page(laptop, &id);
                assert_eq!((&page["state"], &page["form"]["place"]), (&json!(state), &json!("三楼")));
            } else {
                laptop.refused_as("get_meeting", json!({ "id": id }), Code::NotFound);
            }
        }
    }
}

#[test]
fn an_item_that_was_removed_here_and_edited_there_is_decided() {
    for (wanted, left) in [("keeps", 1), ("removes", 0)] {
        let city = City::new();
        let (first, second, id) = two_computers(&city);
        let typed = |laptop: &Laptop, agenda: Value| {
            laptop.call("edit_meeting", json!({ "id": id }));
            let mut form = laptop.call("get_draft", json!({ "draft": id }))["form"].clone();
            form["agenda"] = agenda;
            laptop.call("save_draft", json!({ "draft": id, "form": form }));
            laptop.call("commit_draft", json!({ "draft": id }));
        };
        typed(&first, json!([{ "id": "a1", "topic": "讨论七号库" }]));
        exchanged(&first, &second);
        typed(&first, json!([]));
        typed(&second, json!([{ "id": "a1", "topic": "讨论七号库", "resolution": "设责任区" }]));
        exchanged(&first, &second);
        let rows = listed(&second);
        assert_eq!(rows[0]["matters"], json!([{ "about": "item_removed", "label": "议题“讨论七号库”" }]));
        let derived = page(&second, &id)["derived"].clone();
        assert_eq!(findings(&derived, "item_in_conflict")[0]["params"]["field"], "议题“讨论七号库”");
        let shown = card(&second, &id);
        second.call("settle_conflict", taking(&shown, "agenda/a1/~life", says(wanted)));
        exchanged(&first, &second);
        for laptop in [&first, &second] {
            let page = page(laptop, &id);
            assert_eq!(page["state"], "recorded");
            assert_eq!(page["form"]["agenda"].as_array().map(Vec::len), Some(left), "{wanted}");
        }
    }
}

/// A record that can be closed, on both computers.
fn closable(city: &City) -> (Laptop, Laptop, String) {
    let (first, second, id) = two_computers(city);
    let people = crate::world::people(
        &first,
        "姓名\t入党时间\t转正日期\t党内职务\n周海东\t2001.7\t2002.7\t书记\n李秀英\t2005.7\t2006.7\t\n",
    );
    let present = |name: &str| json!({ "person": people[name], "status": "present" });
    let whole = json!({ "types": ["assembly"], "title": "支部党员大会", "plan": "planned", "date": "2026-10-13",
        "start": "14:00", "end": "15:00", "place": "二楼", "chair": people["周海东"], "chair_capacity": "secretary",
        "recorder": people["李秀英"], "attendance": [present("周海东"), present("李秀英")],
        "agenda": [{ "id": "a1", "topic": "学习", "speeches": [{ "id": "s1", "speaker": people["李秀英"], "text": "发言" }] }] });
    first.call("edit_meeting", json!({ "id": id }));
    first.call("save_draft", json!({ "draft": id, "form": whole }));
    first.call("commit_draft", json!({ "draft": id }));
    exchanged(&first, &second);
    (first, second, id)
}

#[test]
fn what_arrives_after_the_closing_waits_beside_it_until_it_is_adopted_or_given_up() {
    for (take, place) in [(json!([1]), "三楼"), (json!([0]), "二楼")] {
        let city = City::new();
        let (first, second, id) = closable(&city);
        first.call("finalise_meeting", json!({ "id": id }));
        edit(&second, &id, "place", "三楼");
        second.call("commit_draft", json!({ "draft": id }));
        exchanged(&first, &second);
        for laptop in [&first, &second] {
            let page = page(laptop, &id);
            assert_eq!(
                (&page["state"], &page["form"]["place"]),
                (&json!("final"), &json!("二楼")),
                "what was closed"
            );
            assert_eq!(page["undecided"], 1);
            assert_eq!(listed(laptop)[0]["matters"], json!([{ "about": "late", "label": "地点" }]));
        }
        let shown = card(&first, &id);
        assert_eq!(shown["correction"], true);
        let sides = &matter(&shown, "~late/place")["sides"];
        assert_eq!(sides.as_array().map(Vec::len), Some(2), "{sides}");
        let request = decided(&shown, "~late/place", take);
        first.refused_as("settle_conflict", request.clone(), Code::Invalid);
        first.call("settle_conflict", with_reason(request, "会后核对"));
        exchanged(&first, &second);
        for laptop in [&first, &second] {
            let page = page(laptop, &id);
            assert_eq!((&page["state"], &page["form"]["place"]), (&json!("final"), &json!(place)));
            assert_eq!(
                (&page["undecided"], &page["corrections"][0]["reason"]),
                (&json!(0), &json!("会后核对"))
            );
        }
    }
}

#[test]
fn an_item_that_arrives_after_the_closing_is_taken_or_left_as_a_whole() {
    for (take, items) in [(json!([1]), 2), (json!([0]), 1)] {
        let city = City::new();
        let (first, second, id) = closable(&city);
        first.call("finalise_meeting", json!({ "id": id }));
        second.call("edit_meeting", json!({ "id": id }));
        let mut form = second.call("get_draft", json!({ "draft": id }))["form"].clone();
        form["agenda"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "id": "a2", "topic": "补一项", "resolution": "同意" }));
        second.call("save_draft", json!({ "draft": id, "form": form }));
        second.call("commit_draft", json!({ "draft": id }));
        exchanged(&first, &second);
        let shown = card(&first, &id);
        assert_eq!(shown["matters"].as_array().map(Vec::len), Some(1), "{shown}");
        let side = &matter(&shown, "~late/agenda/a2/~")["sides"];
        assert!(side.to_string().contains("补一项") && side.to_string().contains("同意"), "{side}");
        first.call("settle_conflict", with_reason(decided(&shown, "~late/agenda/a2/~", take), "会后核对"));
        exchanged(&first, &second);
        let page = page(&second, &id);
        assert_eq!((&page["state"], &page["undecided"]), (&json!("final"), &json!(0)));
        assert_eq!(page["form"]["agenda"].as_array().map(Vec::len), Some(items));
    }
}

#[test]
fn of_two_closings_a_correction_says_which_stands_with_all_that_it_closed() {
    for stands_here in [true, false] {
        let city = City::new();
        let (first, second, id) = closable(&city);
        for (laptop, place) in [(&first, "一楼"), (&second, "三楼")] {
            edit(laptop, &id, "place", place);
            laptop.call("commit_draft", json!({ "draft": id }));
        }
        edit(&second, &id, "theme", "只在那边");
        second.call("commit_draft", json!({ "draft": id }));
        for laptop in [&first, &second] {
            laptop.call("finalise_meeting", json!({ "id": id }));
        }
        let number = |laptop: &Laptop| text(&page(laptop, &id)["number"]);
        let (here, there) = (number(&first), number(&second));
        assert_ne!(here, there, "two computers never give the same number");
        exchanged(&first, &second);
        for laptop in [&first, &second] {
            assert_eq!(page(laptop, &id)["state"], "conflict");
            laptop.refused_as("ready_to_print", json!({ "id": id }), Code::InConflict);
        }
        let shown = card(&first, &id);
        let keys: Vec<&Value> =
            shown["matters"].as_array().unwrap().iter().map(|matter| &matter["key"]).collect();
        assert_eq!(keys, ["~final"], "one decision for all of it: {shown}");
        let (wanted, place, theme) = match stands_here {
            true => (&here, "一楼", ""),
            false => (&there, "三楼", "只在那边"),
        };
        let request = taking(&shown, "~final", |side| {
            let text = text(&side["text"]);
            text.contains(wanted.as_str()) && text.contains(place)
        });
        first.refused_as("settle_conflict", request.clone(), Code::Invalid);
        first.call("settle_conflict", with_reason(request, "两人同时定稿"));
        exchanged(&first, &second);
        for laptop in [&first, &second] {
            let page = page(laptop, &id);
            assert_eq!((&page["state"], &page["number"]), (&json!("final"), &json!(wanted)));
            assert_eq!((&page["form"]["place"], &page["form"]["theme"]), (&json!(place), &json!(theme)));
            assert_eq!(page["corrections"][0]["reason"], "两人同时定稿");
            assert!(listed(laptop).is_empty());
        }
    }
}

#[test]
fn an_annulment_against_an_edit_keeps_its_reason() {
    let city = City::new();
    let (first, second, id) = closable(&city);
    first.call("finalise_meeting", json!({ "id": id }));
    first.call("annul_meeting", json!({ "id": id, "reason": "会议没有开" }));
    edit(&second, &id, "place", "三楼");
    second.call("commit_draft", json!({ "draft": id }));
    exchanged(&first, &second);
    let shown = card(&second, &id);
    let removes =
        matter(&shown, "~life")["sides"].as_array().unwrap().iter().find(|side| side["says"] == "removes");
    assert_eq!(removes.unwrap()["reason"], "会议没有开");
    second.call("settle_conflict", taking(&shown, "~life", says("removes")));
    exchanged(&first, &second);
    let page = page(&first, &id);
    assert_eq!((&page["state"], &page["annulled"]["reason"]), (&json!("annulled"), &json!("会议没有开")));
}

#[test]
fn the_rules_run_again_after_every_merge() {
    let city = City::new();
    let (first, second, id) = closable(&city);
    for (laptop, end) in [(&first, "13:30"), (&second, "15:30")] {
        edit(laptop, &id, "end", end);
        laptop.call("commit_draft", json!({ "draft": id }));
    }
    exchanged(&first, &second);
    let shown = card(&first, &id);
    let side = |wanted: &'static str| move |side: &Value| text(&side["text"]).contains(wanted);
    let settled = first.call("settle_conflict", taking(&shown, "time", side("13:30")));
    assert_eq!(findings(&settled, "end_not_after_start").len(), 1, "{settled}");
    first.refused_as("finalise_meeting", json!({ "id": id }), Code::RulesNotMet);
}

#[test]
fn other_kinds_have_the_same_cards_and_secrets_stay_masked() {
    let city = City::new();
    let (first, second, _) = two_computers(&city);
    let values = |phone: &str| {
        json!({ "name": "泰安速达物流有限公司", "uscc": "91350100M000100Y43", "state": "operating",
                "party_built": "own", "owner_phone": phone })
    };
    let save = |laptop: &Laptop, id: Value, phone: &str| {
        let base = match id.as_str() {
            Some(id) => {
                laptop.call("ledger_entry", json!({ "kind": "enterprise", "id": id }))["base"].clone()
            }
            None => Value::Null,
        };
        let request = json!({ "kind": "enterprise", "id": id, "values": values(phone), "base": base });
        laptop.call("save_ledger_entry", request)["id"].clone()
    };
    let id = save(&first, Value::Null, "13900983959");
    exchanged(&first, &second);
    save(&first, id.clone(), "13900980001");
    save(&second, id.clone(), "13900980002");
    exchanged(&first, &second);
    assert_eq!(listed(&first)[0]["kind_label"], "非公企业台账");
    let shown = first.call("conflict_card", json!({ "kind": "enterprise", "id": id }));
    let sides = &matter(&shown, "owner_phone")["sides"];
    assert_eq!((&sides[0]["text"], &sides[0]["masked"]), (&json!("13900980001"), &json!("139****0001")));
    first.call("settle_conflict", taking(&shown, "owner_phone", says("13900980002")));
    exchanged(&first, &second);
    let entry = second.call("ledger_entry", json!({ "kind": "enterprise", "id": id }));
    assert_eq!((&entry["values"]["owner_phone"], &entry["undecided"]), (&json!("13900980002"), &json!(0)));
}
