//! What a branch may not write is stored, voided by a ruling that says why and where, and kept from everybody else.

use crate::world::{Laptop, TestCity, promise};
use replica::{Change, DeviceId, Ruling, StreamId, Verdicts, ruling_path};
use serde_json::{Value, json};
use wire::Have;

/// The code and place of the ruling over a change, if there is one.
fn ruling(town: &TestCity, stream: &StreamId, change: &Change) -> Option<(String, String)> {
    let path = ruling_path(&change.id.to_string()[..32]);
    let state = town.stored(stream, "stream", "~stream")?;
    let value = state.value(&path)?.clone();
    assert_eq!(value["void"], json!(change.id.to_string()), "it names the change");
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    assert!(!text("words").is_empty(), "and says why in words: {value}");
    Some((text("code"), text("path")))
}

/// What each case writes, over what is there, and the code and path of the ruling.
type Case =
    (&'static str, Vec<(&'static str, &'static str, String, Value)>, Option<(&'static str, &'static str)>);

fn cases(own: DeviceId, other: DeviceId, others_change: &Change) -> Vec<Case> {
    let drop = Ruling::Drop { change: others_change.id }.to_value();
    let void =
        Ruling::Void { change: others_change.id, code: "x".into(), words: "x".into(), at: None }.to_value();
    let one = |kind, record, path: &str, value| vec![(kind, record, path.to_owned(), value)];
    let device = |device: DeviceId| format!("~device/{device}");
    let certificate = json!({ "from": "2026", "until": "2027", "root_sig": "00" });
    vec![
        ("a good value", one("promise", "p1", "text", json!("好")), None),
        (
            "a bad value",
            one("promise", "p1", "promised_on", json!("三月")),
            Some(("not_a_date", "promised_on")),
        ),
        (
            "a field of the city's",
            one("stream", "~stream", "~city/address", json!({ "address": "https://x.cn" })),
            Some(("city_only", "~city/address")),
        ),
        (
            "a key of the city's",
            one("stream", "~stream", "~key/x", certificate),
            Some(("city_only", "~key/x")),
        ),
        ("a ruling", one("stream", "~stream", "~ruling/mine", void), Some(("city_only", "~ruling/mine"))),
        (
            "a seal",
            one("stream", "~stream", "~seal/promise/p1", json!({ "from": 1 })),
            Some(("city_only", "~seal/promise/p1")),
        ),
        ("a sealed record", one("promise", "sealed", "text", json!("改")), Some(("sealed", "text"))),
        (
            "a sealed record among others",
            vec![
                ("promise", "p2", "~born".into(), json!(true)),
                ("promise", "sealed", "~gone".into(), json!({})),
            ],
            Some(("sealed", "~gone")),
        ),
        (
            "another's redaction",
            one("stream", "~stream", "~ruling/drop", drop),
            Some(("not_yours", "~ruling/drop")),
        ),
        (
            "another's registration",
            one("stream", "~stream", &device(other), json!({ "name": "我的" })),
            Some(("not_yours", "")),
        ),
        ("its own registration", one("stream", "~stream", &device(own), json!({ "name": "我的" })), None),
        (
            "a successor",
            one("stream", "~stream", &device(DeviceId([9; 32])), json!({ "name": "新的" })),
            None,
        ),
        ("a kind that is not known here", one("of_tomorrow", "x", "text", json!(1)), None),
        ("a field that is not known here", one("promise", "p1", "of_tomorrow", json!(1)), None),
    ]
}

#[tokio::test]
async fn each_sort_of_refusal_has_its_code_its_words_and_its_place() {
    let town = TestCity::new();
    let mut first = Laptop::new(1);
    first.join(&town, "O003").await;
    let mut second = Laptop::new(2);
    second.join(&town, "O003").await;
    let others = second.write("promise", "others", &promise("别人写的"));
    second.exchange(&town, &[&others]).await.answer();
    let made =
        [first.write("promise", "p1", &promise("一")), first.write("promise", "sealed", &promise("二"))];
    first.exchange(&town, &[&first.founding.clone(), &made[0], &made[1]]).await.answer();
    town.city.seal(&first.stream, "promise", "sealed").unwrap();

    for (name, writes, expected) in cases(first.device(), second.device(), &others) {
        let writes: Vec<_> = writes
            .iter()
            .map(|(kind, record, path, value)| (*kind, *record, path.as_str(), value.clone()))
            .collect();
        let change = first.change(&writes);
        first.exchange(&town, &[&change]).await.answer();
        let found = ruling(&town, &first.stream, &change);
        let found = found.as_ref().map(|(code, path)| (code.as_str(), path.as_str()));
        let expected = expected.map(|(code, path)| match path {
            "" => (code, writes[0].2),
            path => (code, path),
        });
        assert_eq!(found, expected, "{name}");
    }
    let after = first.change(&[("promise", "p1", "text", json!("照样收下"))]);
    first.exchange(&town, &[&after]).await.answer();
    let state = town.stored(&first.stream, "promise", "p1").unwrap();
    assert!(state.heads("text").contains(&after.id), "what comes after a refused change counts");
    assert!(town.city.check().unwrap().findings.is_empty());
}

#[tokio::test]
async fn a_ruling_goes_out_before_the_change_whose_values_it_withholds() {
    let town = TestCity::new();
    let mut author = Laptop::new(1);
    author.join(&town, "O003").await;
    let mut reader = Laptop::new(2);
    reader.join(&town, "O003").await;
    let good: Vec<Change> =
        (0..20).map(|at| author.write("promise", &format!("p{at}"), &promise("承诺"))).collect();
    let bad = author.change(&[("promise", "p1", "promised_on", json!("三月"))]);
    author.exchange(&town, &good.iter().chain([&bad]).collect::<Vec<_>>()).await.answer();
    assert!(ruling(&town, &author.stream, &bad).is_some());

    let sent = reader.ask(&town, Have::Full(Default::default()), 1 << 20).await.changes;
    let sent: Vec<Change> = sent.into_iter().map(|raw| raw.verify().unwrap()).collect();
    let place = |of: &dyn Fn(&Change) -> bool| sent.iter().position(of).unwrap();
    let bare = place(&|change| change.id == bad.id);
    let path = ruling_path(&bad.id.to_string()[..32]);
    let ruled = place(&|change| change.header.writes.iter().any(|write| write.path == path));
    assert!(sent[bare].raw.payload.is_none() && ruled < bare, "the ruling is {ruled}th, the change {bare}th");
}

#[tokio::test]
async fn a_seal_can_be_taken_off_and_only_the_city_sets_one() {
    let town = TestCity::new();
    let mut laptop = Laptop::new(1);
    laptop.join(&town, "O003").await;
    let made = laptop.write("promise", "p", &promise("一"));
    laptop.exchange(&town, &[&made]).await.answer();
    let edit = |laptop: &mut Laptop| laptop.change(&[("promise", "p", "text", json!("改"))]);

    let mine = laptop.change(&[("stream", "~stream", "~seal/promise/p", json!({ "from": 1 }))]);
    let free = edit(&mut laptop);
    laptop.exchange(&town, &[&mine, &free]).await.answer();
    assert_eq!(ruling(&town, &laptop.stream, &free), None, "a seal of one's own seals nothing");

    town.city.seal(&laptop.stream, "promise", "p").unwrap();
    let refused = edit(&mut laptop);
    laptop.exchange(&town, &[&refused]).await.answer();
    assert!(ruling(&town, &laptop.stream, &refused).is_some());

    town.city.unseal(&laptop.stream, "promise", "p").unwrap();
    let accepted = edit(&mut laptop);
    laptop.exchange(&town, &[&accepted]).await.answer();
    assert_eq!(ruling(&town, &laptop.stream, &accepted), None);
}

#[tokio::test]
async fn a_successor_gets_back_what_was_refused_of_the_one_before_it_and_nobody_else_does() {
    let town = TestCity::new();
    let mut laptop = Laptop::new(1);
    laptop.join(&town, "O003").await;
    let mut other = Laptop::new(2);
    other.join(&town, "O003").await;
    let next = Laptop::new(3);
    let bad = laptop.change(&[("promise", "p", "promised_on", json!("三月"))]);
    let path = format!("~device/{}", next.device());
    let introduction = laptop.change(&[("stream", "~stream", &path, json!({ "name": "换了身份" }))]);
    laptop.exchange(&town, &[&bad, &introduction]).await.answer();
    let everything = || wire::Have::Full(replica::Frontier::default());
    for (who, gets) in [(&laptop, true), (&next, true), (&other, false)] {
        let answer = who.ask_of(&town, laptop.stream, everything(), 1 << 20).await;
        let carried =
            answer.changes.iter().find(|raw| raw.id() == bad.id).expect("the header is for everybody");
        assert_eq!(carried.payload.is_some(), gets, "{}", who.device());
    }
    let nobody = Verdicts::nobody();
    assert!(
        !nobody.succeeds(next.device(), laptop.device()),
        "without the introduction it is nobody's successor"
    );
}
