//! A computer that exists twice, one that went back in time, one that was lost: exchange alone heals them all.

use crate::town::{Laptop, Town, promise};
use replica::DeviceId;

const DAY: i64 = 24 * 60 * 60 * 1000;

fn ends(laptop: &Laptop, device: &DeviceId) -> usize {
    let stream = laptop.store.own_stream().unwrap().unwrap();
    laptop.store.frontier(&stream).unwrap().ends(device).count()
}

#[test]
fn a_folder_that_was_copied_is_used_on_both_computers_for_weeks() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write("before", promise(0));
    a.exchange().unwrap();
    let (a, b) = a.copied(&town, "b");
    let one = a.store.device().unwrap();
    assert_eq!(one, b.store.device().unwrap(), "two computers with one identity");
    let mut ids = vec!["before".to_owned()];
    for day in 1..=15 {
        for (laptop, name) in [(&a, "a"), (&b, "b")] {
            laptop.later(DAY);
            let id = format!("{name}{day}");
            laptop.write(&id, promise(day));
            laptop.write("before", promise(day));
            ids.push(id);
            // Now and then one of them has no network for days.
            if day % 4 != 0 || name == "a" {
                laptop.exchange().unwrap();
            }
        }
    }
    for laptop in [&a, &b, &a, &b, &a] {
        laptop.exchange().unwrap();
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for laptop in [&a, &b] {
        laptop.has(&ids);
        laptop.agrees_with(&town);
        assert!(ends(laptop, &laptop.store.device().unwrap()) <= 1, "each grows a chain of its own now");
    }
    assert_ne!(a.store.device().unwrap(), b.store.device().unwrap());
    let shared = ends(&a, &one);
    assert!((2..=3).contains(&shared), "what both wrote to has {shared} ends, and grows no more");
    assert_eq!(ends(&b, &one), shared);
    assert_eq!(town.city.check().unwrap().findings, []);
}

#[test]
fn a_computer_restored_from_its_own_backup_takes_a_new_identity_once_it_wrote_on() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write("r1", promise(1));
    a.exchange().unwrap();
    let (a, backup) = a.backed_up(&town, "backup");
    a.write("r2", promise(2));
    a.exchange().unwrap();
    a.write("never-sent", promise(3));
    let before = a.store.device().unwrap();
    let a = a.restored(&backup);
    a.write("r3", promise(3));
    a.write("r1", promise(9));
    let report = a.exchange().unwrap();
    assert_eq!(report.renewed, Some(a.store.device().unwrap()));
    assert_ne!(a.store.device().unwrap(), before);
    a.has(&["r1", "r2", "r3"]);
    a.agrees_with(&town);
    a.write("r4", promise(4));
    assert_eq!(a.exchange().unwrap().renewed, None, "once is enough");
    a.agrees_with(&town);
}

#[test]
fn a_computer_restored_from_its_own_backup_goes_on_as_before_if_it_fetches_first() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write("r1", promise(1));
    a.exchange().unwrap();
    let (a, backup) = a.backed_up(&town, "backup");
    a.write("r2", promise(2));
    a.exchange().unwrap();
    let before = a.store.device().unwrap();
    let a = a.restored(&backup);
    assert_eq!(a.exchange().unwrap().renewed, None);
    a.write("r3", promise(3));
    a.exchange().unwrap();
    a.has(&["r1", "r2", "r3"]);
    assert_eq!(a.store.device().unwrap(), before, "its chain has one end");
    a.agrees_with(&town);
}

#[test]
fn a_lost_computer_is_replaced_and_what_it_sends_afterwards_is_kept_for_review() {
    let town = Town::new();
    let lost = Laptop::enrolled(&town, "lost");
    lost.write("r1", promise(1));
    lost.exchange().unwrap();
    let stream = lost.store.own_stream().unwrap().unwrap();
    let device = lost.store.device().unwrap();
    town.city.revoke(&stream, &device).unwrap();

    let new = Laptop::joined(&town, "new");
    new.has(&["r1"]);
    new.write("r2", promise(2));
    new.exchange().unwrap();
    new.agrees_with(&town);

    lost.write("forged", promise(7));
    assert_eq!(lost.exchange().unwrap_err().code(), "revoked");
    new.exchange().unwrap();
    new.agrees_with(&town);
    let held = new.store.changes(&stream).unwrap();
    assert!(held.iter().any(|change| change.touches("promise", "forged")), "it is held for review");
    let forged = new.store.record("promise", "forged").unwrap().unwrap();
    assert!(!forged.is_live(), "and does not count");
}

#[test]
fn a_copy_of_a_revoked_computer_is_as_little_believed() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write("r1", promise(1));
    a.exchange().unwrap();
    let (a, copy) = a.copied(&town, "copy");
    let stream = a.store.own_stream().unwrap().unwrap();
    town.city.revoke(&stream, &a.store.device().unwrap()).unwrap();
    copy.write("forged", promise(7));
    copy.store.renew_identity(&store::Author::new("zhd"), "copy").unwrap();
    copy.write("forged-again", promise(8));
    assert_eq!(copy.exchange().unwrap_err().code(), "revoked", "nobody who counts introduced it");
    assert_eq!(a.exchange().unwrap_err().code(), "revoked");
    let witness = Laptop::joined(&town, "witness");
    for id in ["forged", "forged-again"] {
        let state = witness.store.record("promise", id).unwrap();
        assert!(state.is_none_or(|state| !state.is_live()), "{id}");
    }
    witness.agrees_with(&town);
}

#[test]
fn a_city_set_back_is_told_a_history_of_any_size() {
    let mut town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.exchange().unwrap();
    let earlier = town.copy("earlier");
    for at in 0..300 {
        let mut fields = promise(at);
        // Minutes that do not pack away: more than one request holds.
        let noise: String = (0..60)
            .map(|part| blake3::hash(format!("{at} {part}").as_bytes()).to_hex().to_string())
            .collect();
        fields["evidence"] = serde_json::json!(noise);
        a.write(&format!("r{at}"), fields);
    }
    a.store.renew_identity(&store::Author::new("zhd"), "a").unwrap();
    a.exchange().unwrap();
    a.agrees_with(&town);
    town.set_back(earlier);
    let mut engine = a.engine();
    engine.budget = 16 * 1024;
    let report = engine.exchange(&a.store).unwrap();
    assert!(report.requests > 5, "it took many: {}", report.requests);
    a.agrees_with(&town);
}
