use crate::world::{DAY, Laptop, TestCity};
use axum::http::StatusCode;
use city::City;
use wire::enrol::EnrolCode;

#[tokio::test]
async fn the_first_laptop_brings_its_stream_and_the_second_gets_it() {
    let town = TestCity::new();
    let (first, second) = (Laptop::new(1), Laptop::new(2));
    let yes = first.enrol(&town, &town.code()).await.unwrap();
    assert!(yes.adopted);
    assert_eq!(yes.stream, first.founding.stream);
    assert_eq!(yes.organisation, "O003");
    let change = yes.change.raw().unwrap().verify().unwrap();
    assert_eq!(change.header.device, yes.operating, "signed by the operating key");
    assert!(change.header.writes.iter().any(|w| w.path == format!("~device/{}", first.device())));
    assert!(change.header.writes.iter().any(|w| w.path == format!("~key/{}", yes.operating)));

    let other = second.enrol(&town, &town.code()).await.unwrap();
    assert!(!other.adopted);
    assert_eq!(other.stream, first.founding.stream, "one organisation has one stream");
    let report = town.city.check().unwrap();
    assert_eq!(report.findings, [], "{report}");
    assert_eq!((report.streams, report.changes), (1, 3), "founding change and two enrolments");
}

#[tokio::test]
async fn every_bad_code_has_a_word_of_its_own_and_changes_nothing() {
    let town = TestCity::new();
    let laptop = Laptop::new(1);
    let before = town.city.check().unwrap().changes;

    let never = EnrolCode::from_random([9; 10]);
    assert_eq!(
        laptop.enrol(&town, &never).await.unwrap_err(),
        (StatusCode::NOT_FOUND, "code_unknown".into())
    );

    let late = town.code();
    town.pass(7 * DAY);
    assert_eq!(laptop.enrol(&town, &late).await.unwrap_err(), (StatusCode::GONE, "code_expired".into()));

    let used = town.code();
    Laptop::new(3).enrol(&town, &used).await.unwrap();
    assert_eq!(laptop.enrol(&town, &used).await.unwrap_err(), (StatusCode::CONFLICT, "code_used".into()));
    assert_eq!(town.city.check().unwrap().changes, before + 2, "only the good enrolment wrote anything");
}

#[tokio::test]
async fn five_wrong_tries_an_hour_and_then_even_the_right_code_waits() {
    let town = TestCity::new();
    let laptop = Laptop::new(1);
    let code = town.code();
    // Another secret at the same place: what a guesser would send.
    let mut guess = code.key();
    guess.0[0] ^= 1;
    for _ in 0..5 {
        let sealed = laptop.sealed(&code, &guess, &town.root());
        let (status, _, answer) = town.post("/v1/enrol", &serde_json::to_value(&sealed).unwrap()).await;
        assert_eq!((status, answer["code"].as_str()), (StatusCode::NOT_FOUND, Some("code_unknown")));
    }
    let refused = laptop.enrol(&town, &code).await.unwrap_err();
    assert_eq!(refused, (StatusCode::TOO_MANY_REQUESTS, "code_too_many_tries".into()));
    town.pass(60 * 60 * 1000);
    assert!(laptop.enrol(&town, &code).await.unwrap().adopted, "an hour later the code still works");
}

#[tokio::test]
async fn an_answer_that_was_cut_is_given_again_to_the_same_laptop() {
    let town = TestCity::new();
    let laptop = Laptop::new(1);
    let code = town.code();
    let first = laptop.enrol(&town, &code).await.unwrap();
    // The server is started again in between.
    let city = City::open(&town.folder(), crate::world::world(&town.clock), false).unwrap();
    let town = TestCity { city: city.into(), ..town };
    assert_eq!(laptop.enrol(&town, &code).await.unwrap(), first);
    assert_eq!(town.city.check().unwrap().changes, 2, "nothing twice");
}

#[tokio::test]
async fn a_stream_belongs_to_one_organisation_and_must_be_shown() {
    let town = TestCity::new();
    let laptop = Laptop::new(1);
    laptop.enrol(&town, &town.code()).await.unwrap();
    let code = town.city.enrolment_code("O002", None).unwrap().1;
    let refused = laptop.enrol(&town, &code).await.unwrap_err();
    assert_eq!(refused, (StatusCode::CONFLICT, "stream_taken".into()));

    let mut thief = Laptop::new(4);
    thief.founding.stream = Laptop::new(5).founding.stream;
    let refused = thief.enrol(&town, &code).await.unwrap_err();
    assert_eq!(
        refused,
        (StatusCode::BAD_REQUEST, "founding_change".into()),
        "a name without its first change"
    );
}

#[tokio::test]
async fn a_revoked_laptop_does_not_come_back_by_a_code() {
    let (town, mut laptop) = (TestCity::new(), Laptop::new(1));
    laptop.join(&town, "O003").await;
    town.city.revoke(&laptop.stream, &laptop.device()).unwrap();
    let code = town.code();
    let refused = laptop.enrol(&town, &code).await.unwrap_err();
    assert_eq!(refused, (StatusCode::FORBIDDEN, "revoked".into()));
    let other = Laptop::new(2).enrol(&town, &code).await.unwrap();
    assert_eq!(other.stream, laptop.stream, "the code is still good for the next computer");
}

#[tokio::test]
async fn another_city_is_noticed_before_the_code_is_touched() {
    let town = TestCity::new();
    let laptop = Laptop::new(1);
    let code = town.code();
    let sealed = laptop.sealed(&code, &code.key(), &[7; 32]);
    let (status, _, answer) = town.post("/v1/enrol", &serde_json::to_value(&sealed).unwrap()).await;
    assert_eq!((status, answer["code"].as_str()), (StatusCode::CONFLICT, Some("other_city")));
    laptop.enrol(&town, &code).await.unwrap();
}

#[tokio::test]
async fn the_city_says_who_it_is() {
    let town = TestCity::new();
    let (status, hello) = town.get("/v1/city", None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(hello["what"], "jishi city");
    assert_eq!(hello["root"], replica::to_hex(&town.root()));
}
