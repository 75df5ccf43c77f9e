use crate::world::{Laptop, TestCity, promise};
use city::Subject;
use serde_json::json;

#[tokio::test]
async fn whatever_is_altered_in_the_database_is_found() {
    let town = TestCity::new();
    let mut laptop = Laptop::new(1);
    laptop.join(&town, "O003").await;
    let meeting = json!({ "types": ["theme_day"], "title": "主题党日",
        "time": { "start": "2026-10-13T14:00", "end": "2026-10-13T16:20" } });
    let changes = [
        laptop.write("meeting", "m1", &meeting),
        laptop.write("promise", "p1", &promise("一")),
        laptop.write("promise", "p2", &promise("二")),
    ];
    laptop.exchange(&town, &changes.iter().collect::<Vec<_>>()).await.answer();
    assert_eq!(town.city.check().unwrap().findings, []);

    town.city.add_operator("李建国").unwrap();
    let subject = Subject::Record { kind: "promise".into(), record: "p2".into() };
    let id = town.city.ask_redaction("operator", &laptop.stream, &subject, "写错了人").unwrap();
    town.city.confirm_redaction("李建国", id).unwrap();
    town.city.announce("operator", "https://city.example.cn").unwrap();
    town.city.rotate(&town.root_key()).unwrap();
    assert_eq!(town.city.check().unwrap().findings, []);

    let table: [(&str, &[&str]); 21] = [
        ("UPDATE change SET payload = x'5b315d' WHERE seq = 3", &["bad_change", "fold"]),
        ("UPDATE change SET signature = zeroblob(64) WHERE seq = 4", &["bad_change", "fold"]),
        ("UPDATE change SET n = 9 WHERE seq = 3", &["wrong_place"]),
        ("DELETE FROM touch WHERE kind = 'promise'", &["wrong_place"]),
        ("DELETE FROM touch WHERE seq = 3; DELETE FROM change WHERE seq = 3", &["gap", "fold"]),
        ("DELETE FROM chain_end WHERE n = 3", &["frontier"]),
        ("UPDATE record SET state = replace(state, '主题', '主提') WHERE kind = 'meeting'", &["fold"]),
        ("DELETE FROM record WHERE kind = 'promise'", &["fold"]),
        ("UPDATE tally SET met = met + 1", &["tally"]),
        ("DELETE FROM signer", &["signer"]),
        ("INSERT INTO blob_name VALUES ((SELECT id FROM stream), zeroblob(32), 3, 5)", &["blob_name"]),
        ("INSERT INTO blob VALUES (zeroblob(32), 5, 5, 49)", &["blob"]),
        ("UPDATE receipt SET bytes = zeroblob(185)", &["receipt"]),
        ("UPDATE signer SET revoked = 1", &["signer"]),
        ("UPDATE operating_key SET certificate = '{}' WHERE turn IS NULL", &["operating_key"]),
        ("UPDATE operating_key SET secret = zeroblob(32) WHERE turn IS NULL", &["operating_key"]),
        ("UPDATE operating_key SET secret = zeroblob(32) WHERE turn = 1", &["operating_key"]),
        ("UPDATE redaction SET decided_by = asked_by", &["redaction"]),
        ("DELETE FROM redacted", &["redaction"]),
        (
            "UPDATE meta SET value = CAST('https://elsewhere.example.cn' AS BLOB) WHERE name = 'address'",
            &["address"],
        ),
        ("UPDATE audit SET who = 'nobody' WHERE what = 'redaction confirmed'", &["audit"]),
    ];
    for (statements, expected) in table {
        let found = town.altered(statements).check().unwrap();
        let codes: Vec<&str> = found.findings.iter().map(|finding| finding.code).collect();
        assert!(expected.iter().all(|code| codes.contains(code)), "{statements}: {found}");
    }
}
