use crate::world::{Laptop, Said, TestCity, promise};
use axum::http::StatusCode;
use replica::{Change, Ruling, ruling_path};
use serde_json::{Value, json};
use wire::{Answer, Have, RefusedPart, StreamState};

async fn enrolled(seed: u8) -> (TestCity, Laptop) {
    let (town, mut laptop) = (TestCity::new(), Laptop::new(seed));
    laptop.join(&town, "O003").await;
    (town, laptop)
}

fn code(said: &Said) -> (StatusCode, &str) {
    match said {
        Said::Refused(status, code) => (*status, code),
        Said::Answer(_) => panic!("answered"),
    }
}

#[tokio::test]
async fn what_was_taken_in_is_stored_folded_and_receipted() {
    let (town, mut laptop) = enrolled(1).await;
    let change = laptop.write("promise", "p1", &promise("亮身份"));
    let answer = laptop.exchange(&town, &[&change]).await.answer();
    assert_eq!(answer.refused, []);
    let receipt = answer.receipt.unwrap();
    assert!(receipt.is_signed() && receipt.device == laptop.device() && receipt.at == crate::world::START);
    let StreamState::Differs { frontier, .. } = &answer.streams[0].state else {
        panic!("told nothing of ours")
    };
    assert!(frontier.ends(&laptop.device()).any(|(_, id)| id == change.id));
    let report = town.city.check().unwrap();
    assert_eq!(report.findings, [], "{report}");
    assert_eq!((report.changes, report.receipts), (3, 1));
}

#[tokio::test]
async fn a_request_is_read_only_if_all_of_it_is_right() {
    let (town, laptop) = enrolled(1).await;
    let good = laptop.request(&town, &[], town.root(), 0, Have::Digest([0; 16]));
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let late = 6 * 60 * 1000;
    let table = [
        ("empty", Vec::new(), StatusCode::BAD_REQUEST, "malformed"),
        ("a head and nothing", good[..wire::HEAD_LEN].to_vec(), StatusCode::UNAUTHORIZED, "bad_signature"),
        ("cut", good[..good.len() - 1].to_vec(), StatusCode::UNAUTHORIZED, "bad_signature"),
        ("another nonce", flipped(40), StatusCode::UNAUTHORIZED, "bad_signature"),
        ("another body", flipped(good.len() - 1), StatusCode::UNAUTHORIZED, "bad_signature"),
        (
            "another city",
            laptop.request(&town, &[], [9; 32], 0, Have::Digest([0; 16])),
            StatusCode::UNAUTHORIZED,
            "bad_signature",
        ),
        (
            "too early",
            laptop.request(&town, &[], town.root(), -late, Have::Digest([0; 16])),
            StatusCode::CONFLICT,
            "clock",
        ),
        (
            "too late",
            laptop.request(&town, &[], town.root(), late, Have::Digest([0; 16])),
            StatusCode::CONFLICT,
            "clock",
        ),
    ];
    for (name, bytes, status, expected) in table {
        assert_eq!(code(&laptop.send(&town, bytes).await), (status, expected), "{name}");
    }
    laptop.send(&town, good.clone()).await.answer();
    assert_eq!(code(&laptop.send(&town, good.clone()).await), (StatusCode::CONFLICT, "replayed"));
    town.pass(11 * 60 * 1000);
    assert_eq!(
        code(&laptop.send(&town, good).await),
        (StatusCode::CONFLICT, "clock"),
        "when its nonce is forgotten, its time is over"
    );
}

#[tokio::test]
async fn a_stranger_gets_and_leaves_nothing() {
    let (town, _) = enrolled(1).await;
    let mut stranger = Laptop::new(2);
    let change = stranger.write("promise", "p1", &promise("冒充"));
    let founding = stranger.founding.clone();
    let said = stranger.exchange(&town, &[&founding, &change]).await;
    assert_eq!(code(&said), (StatusCode::FORBIDDEN, "not_enrolled"));
    assert_eq!(town.city.check().unwrap().changes, 2);
}

#[tokio::test]
async fn a_stranger_may_bring_what_a_laptop_that_is_let_in_wrote_first() {
    let (town, _) = enrolled(1).await;
    let mut other = Laptop::new(2);
    other.join(&town, "O003").await;
    let before = town.city.check().unwrap().changes;
    let first = other.write("promise", "p1", &promise("承诺"));
    let said = Laptop::new(3).exchange(&town, &[&first]).await;
    assert_eq!(code(&said), (StatusCode::FORBIDDEN, "not_enrolled"));
    assert_eq!(town.city.check().unwrap().changes, before + 1, "it is judged by who wrote it");
}

#[tokio::test]
async fn a_chain_with_a_gap_waits_and_what_is_broken_is_named() {
    let (town, mut laptop) = enrolled(1).await;
    let first = laptop.write("promise", "p1", &promise("一"));
    let second = laptop.write("promise", "p2", &promise("二"));
    let answer = laptop.exchange(&town, &[&second]).await.answer();
    assert_eq!(answer.refused, [], "nothing is wrong with it");
    assert_eq!(town.city.check().unwrap().changes, 2, "it is not held");

    let mut broken = first.clone();
    broken.raw.signature[0] ^= 1;
    let answer = laptop.exchange(&town, &[&broken, &second]).await.answer();
    assert_eq!(answer.refused, [RefusedPart::Change { change: first.id, code: "bad_change".into() }]);

    laptop.exchange(&town, &[&second, &first, &second]).await.answer();
    let report = town.city.check().unwrap();
    assert_eq!((report.changes, report.findings.len()), (4, 0), "in any order, twice");
}

#[tokio::test]
async fn who_lacks_something_and_says_what_it_has_gets_the_rest() {
    let (town, mut a) = enrolled(1).await;
    let changes: Vec<Change> =
        (0..30).map(|at| a.write("promise", &format!("p{at}"), &promise("承诺"))).collect();
    a.exchange(&town, &changes.iter().collect::<Vec<_>>()).await.answer();
    let mut b = Laptop::new(2);
    b.join(&town, "O003").await;
    let digest = b.ask(&town, Have::Digest([1; 16]), 1 << 20).await;
    let by: Vec<_> = digest.changes.iter().map(|raw| raw.clone().verify().unwrap().header.device).collect();
    let operating = town.city.operating().unwrap().device();
    assert_eq!(by, [operating], "a digest that differs is answered with the frontier, and who signs");
    let all = b.ask(&town, Have::Full(Default::default()), 1 << 20).await;
    assert_eq!(
        (all.changes.len(), all.more),
        (33, false),
        "both foundings are not there, both enrolments are"
    );
    let few = b.ask(&town, Have::Full(Default::default()), 1024).await;
    assert!(
        few.more && !few.changes.is_empty() && few.changes.len() < 33,
        "{} within 1 KiB",
        few.changes.len()
    );
    let held: Vec<Change> = all.changes.into_iter().map(|raw| raw.verify().unwrap()).collect();
    assert!(changes.iter().all(|change| held.iter().any(|it| it.id == change.id)));
}

#[tokio::test]
async fn an_end_that_the_city_does_not_know_is_answered_with_places_of_its_own_chain() {
    let (town, mut laptop) = enrolled(1).await;
    let known: Vec<Change> =
        (0..9).map(|at| laptop.write("promise", &format!("p{at}"), &promise("一"))).collect();
    laptop.exchange(&town, &known.iter().collect::<Vec<_>>()).await.answer();
    let mut theirs = replica::Frontier::default();
    theirs.advance(laptop.device(), 12, replica::ChangeId([7; 32]), None);
    let answer = laptop.ask(&town, Have::Full(theirs), 1 << 20).await;
    let StreamState::Differs { traces, .. } = &answer.streams[0].state else { panic!("the same?") };
    let numbers: Vec<u64> = traces[&laptop.device()].iter().map(|(n, _)| *n).collect();
    assert_eq!(numbers, [10, 9, 8, 6, 2, 1]);
}

#[tokio::test]
async fn a_revoked_laptop_is_turned_away_and_the_others_learn_it() {
    let (town, mut lost) = enrolled(1).await;
    let mut kept = Laptop::new(2);
    kept.join(&town, "O003").await;
    let before = lost.write("promise", "p1", &promise("以前"));
    lost.exchange(&town, &[&before]).await.answer();
    let after = lost.write("promise", "p2", &promise("以后"));
    let ends = vec![(before.header.n, before.id)];
    let ruling = Ruling::Revoke { device: lost.device(), ends }.to_value();
    let ruling = town.citys_change(&lost.stream, &ruling_path("r1"), &ruling);
    kept.exchange(&town, &[&ruling]).await.answer();
    let answer = lost.exchange(&town, &[&after]).await.answer();
    assert!(answer.is_to_revoked(&lost.device()) && answer.changes.is_empty(), "it is given nothing");
    assert_eq!(town.city.quarantine(&lost.stream).unwrap().len(), 1, "and what it sent is held");
    // A copy of it went another way from the same place.
    let mut copy = lost.copy_before(&after);
    let other = copy.write("promise", "p3", &promise("另一台"));
    assert!(copy.exchange(&town, &[&other]).await.answer().is_to_revoked(&lost.device()));
    assert_eq!(town.city.quarantine(&lost.stream).unwrap().len(), 2, "two ends, both held");
    // Another holder brings what the lost laptop wrote: held, and ignored.
    kept.exchange(&town, &[&after]).await.answer();
    let report = town.city.check().unwrap();
    assert_eq!(report.findings, [], "{report}");
    assert!(town.stored(&lost.stream, "promise", "p1").unwrap().is_live());
    assert!(!town.stored(&lost.stream, "promise", "p2").unwrap().is_live(), "in quarantine");
}

#[tokio::test]
async fn what_an_author_redacts_is_erased_and_does_not_come_back() {
    let (town, mut laptop) = enrolled(1).await;
    let change = laptop.write("promise", "p1", &promise("不该写的话"));
    laptop.exchange(&town, &[&change]).await.answer();
    let drop = Ruling::Drop { change: change.id }.to_value();
    let drop = laptop.change(&[("stream", "~stream", &ruling_path("d1"), drop)]);
    laptop.exchange(&town, &[&drop]).await.answer();
    laptop.exchange(&town, &[&change]).await.answer();
    let held = laptop.ask(&town, Have::Full(Default::default()), 1 << 20).await.changes;
    let held = held.into_iter().find(|raw| raw.id() == change.id).unwrap();
    assert_eq!(held.payload, None);
    assert_eq!(held.verify().unwrap().id, change.id, "the header and its place in the chain stay");
    let report = town.city.check().unwrap();
    assert_eq!(report.findings, [], "{report}");
}

#[tokio::test]
async fn hostile_bytes_are_held_and_fold_as_nothing() {
    let (town, mut laptop) = enrolled(1).await;
    let hostile = laptop.hostile(r#"[1.5,{"a":1,"a":2}]"#);
    let next = laptop.write("promise", "p1", &promise("之后"));
    let answer = laptop.exchange(&town, &[&hostile, &next]).await.answer();
    assert_eq!(answer.refused, [], "the chain goes on");
    let report = town.city.check().unwrap();
    assert_eq!((report.changes, report.findings.len()), (4, 0), "{report}");
    assert!(town.stored(&laptop.stream, "promise", "p1").unwrap().is_live());
}

#[tokio::test]
async fn a_change_that_names_one_before_it_of_another_place_is_not_held() {
    let (town, mut laptop) = enrolled(1).await;
    let first = laptop.write("promise", "p1", &promise("一"));
    laptop.exchange(&town, &[&first]).await.answer();
    let builder = |lamport| {
        let end = Some(replica::End { n: first.header.n + 5, id: first.id });
        replica::ChangeBuilder::new(
            Some(laptop.stream),
            end,
            laptop.device(),
            lamport,
            crate::world::START,
            "周海东",
            "save",
        )
    };
    let skips = builder(20).write("p2", "promise", "text", &json!("跳号"), &[]).sign(&laptop.key).unwrap();
    let answer = laptop.exchange(&town, &[&skips]).await.answer();
    assert_eq!(answer.refused, [RefusedPart::Change { change: skips.id, code: "bad_change".into() }]);
    let held = laptop.ask(&town, Have::Full(Default::default()), 1 << 20).await.changes;
    assert!(held.iter().all(|raw| raw.id() != skips.id));
}

#[tokio::test]
async fn a_branch_reads_its_superiors_office_and_not_its_neighbour() {
    let (town, branch) = enrolled(1).await;
    let (mut office, mut neighbour) = (Laptop::new(2), Laptop::new(3));
    office.join(&town, "O002").await;
    neighbour.join(&town, "O004").await;
    let reads = |of: replica::StreamId| {
        let (town, branch) = (&town, &branch);
        async move {
            let answer: Answer = branch.ask_of(town, of, Have::Full(Default::default()), 1 << 20).await;
            (answer.changes.len(), answer.streams[0].state == StreamState::Refused)
        }
    };
    assert_eq!(reads(office.stream).await, (2, false), "notices of the committee above");
    assert_eq!(reads(neighbour.stream).await, (0, true), "not the branch beside");
    assert_eq!(reads(replica::StreamId([5; 32])).await, (0, true), "not what nobody has");
}

#[tokio::test]
async fn the_console_shows_a_record_field_by_field_with_four_times() {
    let (town, mut laptop) = enrolled(1).await;
    let cookie = crate::console::sign_in(&town).await;
    let person = json!({ "name": "周海东", "category": "member", "id_number": "379999196305240890",
        "memberships/m1": { "from": "2010-01-01" } });
    let organisation = json!({ "name": "速达物流支部", "type": "branch", "records_since": "2026-09-01" });
    let meeting = json!({ "types": ["theme_day"], "title": "主题党日", "place": "党员活动室", "recorder": "zhd",
        "time": { "start": "2026-10-13T14:00", "end": "2026-10-13T16:20" }, "attendance/zhd/status": "present" });
    let changes = [
        laptop.write("organisation", "org", &organisation),
        laptop.write("person", "zhd", &person),
        laptop.write("meeting", "m1", &meeting),
    ];
    town.pass(60_000);
    laptop.exchange(&town, &changes.iter().collect::<Vec<_>>()).await.answer();

    let stream = laptop.stream;
    let (status, said) = town.get(&format!("/console/api/branches/{stream}/records"), Some(&cookie)).await;
    assert_eq!(status, StatusCode::OK);
    let titles: Vec<&str> =
        said["records"].as_array().unwrap().iter().filter_map(|it| it["title"].as_str()).collect();
    assert_eq!(titles, ["主题党日", "速达物流支部", "周海东"]);

    let path = format!("/console/api/branches/{stream}/records/meeting/m1");
    let (_, said) = town.get(&path, Some(&cookie)).await;
    let start = crate::world::START;
    let times = json!({ "event": "2026-10-13T14:00", "recorded": start, "finalised": null, "received": start + 60_000 });
    assert_eq!(said["record"]["times"], times);
    let field = |record: &Value, path: &str| {
        let fields = record["fields"].as_array().unwrap();
        fields.iter().find(|it| it["path"] == path).cloned().unwrap()
    };
    assert_eq!(field(&said["record"], "recorder")["text"], "周海东");
    let attendance = field(&said["record"], "attendance/zhd/status");
    assert_eq!((&attendance["label"], &attendance["item"]), (&json!("到会情况"), &json!("周海东")));
    assert!(said["figures"]["attendance"].is_object(), "{}", said["figures"]);

    let path = format!("/console/api/branches/{stream}/records/person/zhd");
    let (_, said) = town.get(&path, Some(&cookie)).await;
    assert_eq!(field(&said["record"], "id_number")["text"], "379***********0890");
    let (status, _) =
        town.get(&format!("/console/api/branches/{stream}/records/person/none"), Some(&cookie)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
