//! A row of a laptop's log whose bytes changed on the disk: fetched again where the city has it, else issued again.

use crate::town::{Laptop, Town, promise};
use rusqlite::{Connection, params};
use serde_json::json;

/// Does something to the database behind the program's back.
fn meddle(laptop: &Laptop, sql: &str, record: &str) {
    let db = Connection::open(laptop.store.file()).unwrap();
    db.pragma_update(None, "key", format!("x'{}'", replica::to_hex(&laptop.store.database_key()))).unwrap();
    let touched =
        "SELECT touch.change FROM touch JOIN record ON record.seq = touch.record WHERE record.id = ?1";
    let changed = db.execute(&format!("{sql} WHERE seq IN ({touched})"), params![record]).unwrap();
    assert!(changed > 0, "{record} has changes");
}

const DAMAGES: [(&str, &str); 4] = [
    ("the signature", "UPDATE change SET signature = zeroblob(64)"),
    ("the payload", "UPDATE change SET payload = CAST('[1' AS BLOB)"),
    ("the header", "UPDATE change SET header = CAST('x' || substr(CAST(header AS TEXT), 2) AS BLOB)"),
    ("everything", "UPDATE change SET header = X'00', signature = X'00', payload = X'00'"),
];

#[test]
fn a_damaged_row_that_the_city_lacks_is_issued_again_with_all_after_it() {
    for (what, damage) in DAMAGES {
        let town = Town::new();
        let a = Laptop::enrolled(&town, "a");
        a.write("r1", promise(1));
        a.exchange().unwrap();
        a.write("r2", promise(2));
        a.write("r1", json!({ "text": "改过" }));
        a.write("r3", promise(3));
        a.write("r2", json!({ "text": "也改过" }));
        let before = a.store.device().unwrap();
        meddle(&a, damage, "r3");
        let report = a.exchange().unwrap();
        assert_eq!(report.issued_again, 2, "{what}");
        assert_eq!(report.renewed, Some(a.store.device().unwrap()), "{what}");
        assert_ne!(a.store.device().unwrap(), before, "{what}");
        a.has(&["r1", "r2", "r3"]);
        let text = |id: &str| a.store.record("promise", id).unwrap().unwrap().value("text").cloned();
        assert_eq!(text("r1"), Some(json!("改过")), "{what}");
        assert_eq!(text("r2"), Some(json!("也改过")), "{what}");
        assert_eq!(text("r3"), promise(3).get("text").cloned(), "{what}");
        a.agrees_with(&town);
        let b = Laptop::joined(&town, "b");
        b.has(&["r1", "r2", "r3"]);
        a.write("r4", promise(4));
        a.exchange().unwrap();
        a.agrees_with(&town);
        assert_eq!(town.city.check().unwrap().findings, [], "{what}");
    }
}

#[test]
fn a_damaged_row_that_the_city_has_is_fetched_again() {
    for (what, damage) in DAMAGES {
        let town = Town::new();
        let a = Laptop::enrolled(&town, "a");
        a.write("r1", promise(1));
        a.write("r2", promise(2));
        a.write("r3", promise(3));
        a.exchange().unwrap();
        a.write("r4", promise(4));
        let before = a.store.device().unwrap();
        meddle(&a, damage, "r2");
        let healed = a.store.heal_damage().unwrap();
        assert_eq!((healed.to_fetch, healed.issued_again), (1, 0), "{what}");
        a.exchange().unwrap();
        assert_eq!(a.store.device().unwrap(), before, "{what}: no new identity is needed");
        a.has(&["r1", "r2", "r3", "r4"]);
        a.agrees_with(&town);
        assert!(a.store.heal_damage().unwrap().is_nothing(), "{what}: nothing is left to heal");
    }
}

#[test]
fn a_damaged_row_is_noticed_by_the_next_save_of_its_record_and_healed_by_the_next_exchange() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write("r1", promise(1));
    a.exchange().unwrap();
    meddle(&a, DAMAGES[2].1, "r1");
    let fields = [("text".to_owned(), json!("改"))].into();
    let refused = a.store.write(&store::Author::new("zhd"), "save", |w| w.put("promise", "r1", &fields));
    assert_eq!(refused.unwrap_err().code(), "damaged");
    a.store.heal_damage().unwrap();
    a.exchange().unwrap();
    a.has(&["r1"]);
    a.write("r1", json!({ "text": "改" }));
    a.exchange().unwrap();
    a.agrees_with(&town);
}
