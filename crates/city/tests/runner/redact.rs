//! Values that must not be kept: one operator asks, another confirms, and they are nowhere any more.

use crate::world::{Laptop, TestCity, promise};
use city::{RedactError, Subject};
use replica::{Change, Closing};
use serde_json::json;
use wire::Have;

const OTHER: &str = "李建国";

async fn two_operators() -> (TestCity, Laptop) {
    let (town, mut laptop) = (TestCity::new(), Laptop::new(1));
    laptop.join(&town, "O003").await;
    town.city.add_operator(OTHER).unwrap();
    (town, laptop)
}

fn field(path: &str) -> Subject {
    Subject::Field { kind: "person".into(), record: "zhd".into(), path: path.into() }
}

#[tokio::test]
async fn one_person_alone_redacts_nothing() {
    let (town, mut laptop) = two_operators().await;
    let change = laptop.write("promise", "p1", &promise("不该写的话"));
    laptop.exchange(&town, &[&change]).await.answer();
    let subject = Subject::Record { kind: "promise".into(), record: "p1".into() };
    let city = &town.city;
    let reason = |reason: &str| city.ask_redaction("operator", &laptop.stream, &subject, reason);
    assert!(matches!(reason(" "), Err(RedactError::Reason)));
    let nothing = Subject::Record { kind: "promise".into(), record: "none".into() };
    let asked = city.ask_redaction("operator", &laptop.stream, &nothing, "理由");
    assert!(matches!(asked, Err(RedactError::Nothing)));
    let ruling = Subject::Record { kind: "stream".into(), record: "~stream".into() };
    let asked = city.ask_redaction("operator", &laptop.stream, &ruling, "理由");
    assert!(matches!(asked, Err(RedactError::NotRedactable)));

    let id = reason("写了他人的病情").unwrap();
    assert!(matches!(city.confirm_redaction("operator", id), Err(RedactError::SamePerson)));
    assert_eq!(town.count("SELECT count(*) FROM change WHERE payload IS NULL"), 0);
    city.decline_redaction(OTHER, id).unwrap();
    assert!(matches!(city.confirm_redaction(OTHER, id), Err(RedactError::Decided)));
    assert!(matches!(city.confirm_redaction(OTHER, id + 1), Err(RedactError::Unknown(_))));
    assert_eq!(town.count("SELECT count(*) FROM change WHERE payload IS NULL"), 0);
    assert_eq!(town.count("SELECT count(*) FROM audit WHERE what LIKE 'redaction%'"), 2);
}

#[tokio::test]
async fn a_confirmed_record_is_gone_and_never_comes_back() {
    let (town, mut laptop) = two_operators().await;
    let first = laptop.write("promise", "p1", &promise("不该写的话"));
    let second = laptop.change(&[("promise", "p1", "text", json!("改了，可旧的还在"))]);
    let other = laptop.write("promise", "p2", &promise("留下的"));
    laptop.exchange(&town, &[&first, &second, &other]).await.answer();
    let subject = Subject::Record { kind: "promise".into(), record: "p1".into() };
    let id = town.city.ask_redaction("operator", &laptop.stream, &subject, "写了他人的病情").unwrap();
    assert_eq!(town.city.confirm_redaction(OTHER, id).unwrap(), 2);

    laptop.exchange(&town, &[&first, &second]).await.answer();
    let all = laptop.ask(&town, Have::Full(Default::default()), 1 << 20).await.changes;
    let held = |change: &Change| all.iter().find(|raw| raw.id() == change.id).unwrap().payload.clone();
    assert_eq!((held(&first), held(&second)), (None, None));
    assert!(held(&other).is_some());
    let texts = "SELECT count(*) FROM record WHERE state LIKE '%不该写%' OR state LIKE '%可旧的%'";
    assert_eq!(town.count(texts), 0);
    let redaction = town.city.redactions().unwrap().remove(0);
    let decision = redaction.decided.unwrap();
    assert_eq!((redaction.asked_by.as_str(), decision.by.as_str(), decision.done), ("operator", OTHER, true));
    let report = town.city.check().unwrap();
    assert_eq!(report.findings, [], "{report}");
}

#[tokio::test]
async fn a_field_goes_from_all_of_its_history_and_the_rest_of_its_changes_stays() {
    let (town, mut laptop) = two_operators().await;
    let person = json!({ "name": "周海东", "category": "member", "id_number": "379999196305240890" });
    let born = laptop.write("person", "zhd", &person);
    laptop.exchange(&town, &[&born]).await.answer();
    let id = town.city.ask_redaction("operator", &laptop.stream, &field("id_number"), "本人要求").unwrap();
    let (changes, records) = town.city.reach(&laptop.stream, &field("id_number")).unwrap();
    assert_eq!((changes, records.len()), (1, 1));
    town.city.confirm_redaction(OTHER, id).unwrap();

    let state = town.stored(&laptop.stream, "person", "zhd").unwrap();
    assert!(state.is_live());
    assert_eq!(state.value("name"), Some(&json!("周海东")));
    assert_eq!(state.value("category"), Some(&json!("member")));
    assert_eq!(state.value("id_number"), None);
    assert_eq!(town.count("SELECT count(*) FROM change WHERE instr(payload, '196305240890')"), 0);
    assert_eq!(town.city.check().unwrap().findings, []);
}

#[tokio::test]
async fn a_closed_record_stays_closed_without_the_field() {
    let (town, mut laptop) = two_operators().await;
    let born = laptop.write("promise", "p1", &promise("不该写的话"));
    let closed = laptop.change_over("promise", "p1", "~final", json!({}), &[born.id]);
    laptop.exchange(&town, &[&born, &closed]).await.answer();
    let subject = Subject::Field { kind: "promise".into(), record: "p1".into(), path: "text".into() };
    let id = town.city.ask_redaction("operator", &laptop.stream, &subject, "写了他人的病情").unwrap();
    town.city.confirm_redaction(OTHER, id).unwrap();
    let state = town.stored(&laptop.stream, "promise", "p1").unwrap();
    assert!(matches!(state.closing, Closing::Final { .. }), "{:?}", state.closing);
    assert_eq!(state.value("promised_on"), Some(&json!("2026-10-13")));
    assert_eq!((state.value("text"), state.late.len()), (None, 0));
    assert_eq!(town.city.check().unwrap().findings, []);
}
