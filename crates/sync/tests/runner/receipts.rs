//! Receipts are kept so that they still prove something, and a change that claims to be older than it can be is marked.

use crate::town::{Laptop, START, Town, promise};
use rusqlite::Connection;
use sync::{Proof, receipts};

const HOUR: i64 = 60 * 60 * 1000;

fn meddle(laptop: &Laptop, sql: &str) {
    let db = Connection::open(laptop.store.file()).unwrap();
    db.pragma_update(None, "key", format!("x'{}'", replica::to_hex(&laptop.store.database_key()))).unwrap();
    assert!(db.execute(sql, []).unwrap() > 0);
}

#[test]
fn a_kept_receipt_proves_what_it_covered_and_nothing_else() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write_many("r", 3);
    a.exchange().unwrap();
    let proved = |a: &Laptop| receipts(&a.store, 9).unwrap().remove(0);
    let receipt = proved(&a);
    assert_eq!((receipt.proof, receipt.device), (Proof::Whole, Some(a.store.device().unwrap())));
    assert_eq!(
        (receipt.kept.at, receipt.kept.records),
        (START, 4),
        "three promises and the stream's own record"
    );
    assert!(receipt.kept.changes >= 4);

    let table = [
        ("kept by an earlier program", "UPDATE receipt SET frontiers = NULL", Proof::Signature),
        ("said to be of another time", "UPDATE receipt SET at = at + 1", Proof::None),
        ("said to cover nothing", "UPDATE receipt SET at = at - 1, frontiers = X'00'", Proof::None),
        ("signed by nobody", "UPDATE receipt SET frontiers = NULL, body = zeroblob(185)", Proof::None),
    ];
    for (what, sql, expected) in table {
        meddle(&a, sql);
        assert_eq!(proved(&a).proof, expected, "{what}");
    }
}

#[test]
fn a_change_that_claims_to_lie_before_a_receipt_that_was_there_is_doubtful() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write("before", promise(1));
    a.exchange().unwrap();
    let doubtful = |id: &str| a.store.history("promise", id).unwrap()[0].doubtful;
    a.later(HOUR);
    a.write("after", promise(2));
    a.later(-3 * HOUR);
    a.write("back-dated", promise(3));
    a.later(2 * HOUR - 60_000);
    a.write("slow-clock", promise(4));
    let expected = [("before", false), ("after", false), ("back-dated", true), ("slow-clock", false)];
    for (id, expected) in expected {
        assert_eq!(doubtful(id), expected, "{id}");
    }
    a.exchange().unwrap();
    for (id, expected) in expected {
        assert_eq!(doubtful(id), expected, "{id}, and a receipt of its own does not clear it");
    }
}

#[test]
fn what_is_issued_again_keeps_its_time_and_is_not_doubted() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.exchange().unwrap();
    let b = Laptop::new(&town, "b");
    b.later(-100 * HOUR);
    b.write("old", promise(1));
    b.later(100 * HOUR);
    b.enrol(&town, "O003").unwrap();
    b.exchange().unwrap();
    sync::reissue(&b.store, &Default::default(), START, "zhd").unwrap();
    assert!(!b.store.history("promise", "old").unwrap()[0].doubtful);
}
