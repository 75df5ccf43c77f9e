use crate::world::{Laptop, TestCity, promise};
use serde_json::json;

#[tokio::test]
async fn whatever_is_altered_in_the_database_is_found() {
    let town = TestCity::new();
    let mut laptop = Laptop::new(1);
    laptop.join(&town, "O003").await;
    let meeting = json!({ "types": ["theme_day"], "title": "主题党日",
        "time": { "start": "2026-10-13T14:00", "end": "2026-10-13T16:20" } });
    let changes = [laptop.write("meeting", "m1", &meeting), laptop.write("promise", "p1", &promise("一"))];
    laptop.exchange(&town, &changes.iter().collect::<Vec<_>>()).await.answer();
    assert_eq!(town.city.check().unwrap().findings, []);

    let table: [(&str, &[&str]); 11] = [
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
        ("UPDATE receipt SET bytes = zeroblob(185)", &["receipt"]),
    ];
    for (statements, expected) in table {
        let found = town.altered(statements).check().unwrap();
        let codes: Vec<&str> = found.findings.iter().map(|finding| finding.code).collect();
        assert!(expected.iter().all(|code| codes.contains(code)), "{statements}: {found}");
    }
}
