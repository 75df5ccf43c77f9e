use ed25519_dalek::SigningKey;
use replica::{Change, Field, Replica, RootKey, Ruling, Standing, StreamId, certify, device_of, ruling_path};
use serde_json::json;

use crate::world::Device;

/// A branch laptop that founded its stream, a second laptop, and the city.
struct Town {
    replica: Replica,
    stream: StreamId,
    laptop: Device,
    second: Device,
    city: Device,
    born: Change,
}

fn root() -> SigningKey {
    SigningKey::from_bytes(&[99; 32])
}

fn town() -> Town {
    let mut laptop = Device::new(1, None);
    let born = laptop.m1(&[("~born", json!(true), &[]), ("place", json!("甲"), &[])]);
    let stream = born.stream;
    let mut city = Device::new(50, Some(stream));
    let certificate = certify(&root(), &city.id, "2026-01-01", "2027-01-01");
    let keyed = city.rule(&format!("~key/{}", city.id), certificate, &[]);
    let mut replica = Replica::new(Some(RootKey(device_of(&root()).0)));
    replica.insert([born.clone(), keyed]);
    Town { replica, stream, laptop, second: Device::new(2, Some(stream)), city, born }
}

impl Town {
    fn take(&mut self, changes: &[&Change]) {
        self.replica.insert(changes.iter().map(|change| (*change).clone()));
        let incremental = self.replica.state_bytes();
        self.replica.refold();
        assert_eq!(self.replica.state_bytes(), incremental, "the incremental fold is the fold from scratch");
    }

    fn place(&self) -> Option<String> {
        let state = self.replica.record(&self.stream, "meeting", "m1")?;
        Some(state.value("place")?.as_str()?.to_string())
    }

    fn rule(&mut self, ruling: &Ruling, over: &[&Change]) -> Change {
        let over: Vec<_> = over.iter().map(|change| change.id).collect();
        let change = self.city.rule(&ruling_path("r1"), ruling.to_value(), &over);
        self.take(&[&change]);
        change
    }

    fn let_in(&mut self) {
        let enrolled = self.city.rule(&format!("~device/{}", self.second.id), json!({"name": "二号机"}), &[]);
        self.take(&[&enrolled]);
    }
}

fn void(change: &Change) -> Ruling {
    Ruling::Void { change: change.id, code: "bad_value".into(), words: "人数不对".into(), at: None }
}

#[test]
fn a_ruling_voids_until_it_is_lifted() {
    let mut town = town();
    let edit = town.laptop.m1(&[("place", json!("乙"), &[town.born.id])]);
    town.take(&[&edit]);
    let ruling = town.rule(&void(&edit), &[]);
    assert_eq!(town.place().as_deref(), Some("甲"));
    let verdicts = town.replica.verdicts(&town.stream);
    let Standing::Voided(why) = verdicts.standing(&edit) else { panic!("not voided") };
    assert_eq!((why.code.as_str(), why.words.as_str(), why.by), ("bad_value", "人数不对", ruling.id));
    town.rule(&Ruling::Lift, &[&ruling]);
    assert_eq!(town.place().as_deref(), Some("乙"));
}

#[test]
fn rulings_that_disagree_mean_void() {
    let mut town = town();
    let edit = town.laptop.m1(&[("place", json!("乙"), &[town.born.id])]);
    town.take(&[&edit]);
    let ruling = town.rule(&void(&edit), &[]);
    town.rule(&Ruling::Lift, &[&ruling]);
    town.rule(&void(&edit), &[&ruling]);
    assert_eq!(town.place().as_deref(), Some("甲"));
}

#[test]
fn only_the_certified_city_rules() {
    let mut town = town();
    let edit = town.laptop.m1(&[("place", json!("乙"), &[town.born.id])]);
    town.take(&[&edit]);
    // A device of the stream, one with a certificate for another key, one certified by another root.
    let mut imposter = Device::new(60, Some(town.stream));
    let by_laptop = town.laptop.rule(&ruling_path("r1"), void(&edit).to_value(), &[]);
    let others = certify(&root(), &town.city.id, "2026-01-01", "2027-01-01");
    let stolen = imposter.rule(&format!("~key/{}", imposter.id), others, &[]);
    let wrong_root = certify(&SigningKey::from_bytes(&[98; 32]), &imposter.id, "2026-01-01", "2027-01-01");
    let forged = imposter.rule(&format!("~key/{}", imposter.id), wrong_root, &[stolen.id]);
    let ruled = imposter.rule(&ruling_path("r2"), void(&edit).to_value(), &[]);
    town.take(&[&by_laptop, &stolen, &forged, &ruled]);
    assert_eq!(town.place().as_deref(), Some("乙"));
    // Nor can a laptop lift by writing over the city's ruling.
    let ruling = town.rule(&void(&edit), &[]);
    let lifted = town.laptop.rule(&ruling_path("r1"), Ruling::Lift.to_value(), &[ruling.id]);
    town.take(&[&lifted]);
    assert_eq!(town.place().as_deref(), Some("甲"));
}

#[test]
fn without_a_root_nobody_rules() {
    let mut town = town();
    let edit = town.laptop.m1(&[("place", json!("乙"), &[town.born.id])]);
    town.take(&[&edit]);
    town.rule(&void(&edit), &[]);
    let mut alone = Replica::new(None);
    alone.insert(town.replica.changes(&town.stream).into_iter().cloned());
    let state = alone.record(&town.stream, "meeting", "m1").unwrap();
    assert_eq!(state.value("place"), Some(&json!("乙")));
}

#[test]
fn a_device_writes_once_it_is_let_in() {
    let mut town = town();
    let edit = town.second.m1(&[("place", json!("乙"), &[town.born.id])]);
    town.take(&[&edit]);
    assert_eq!(town.replica.verdicts(&town.stream).standing(&edit), Standing::NotEnrolled);
    assert_eq!(town.place().as_deref(), Some("甲"));
    town.let_in();
    assert_eq!(town.place().as_deref(), Some("乙"), "what it wrote before counts from then on");
}

#[test]
fn a_device_introduces_its_successor_and_a_stranger_nobody() {
    let mut town = town();
    let mut next = Device::new(3, Some(town.stream));
    let edit = next.m1(&[("place", json!("丙"), &[town.born.id])]);
    let mut stranger = Device::new(4, Some(town.stream));
    let claim = stranger.rule(&format!("~device/{}", next.id), json!({}), &[]);
    town.take(&[&edit, &claim]);
    assert_eq!(town.place().as_deref(), Some("甲"));
    let introduced =
        town.laptop.rule(&format!("~device/{}", next.id), json!({"name": "新身份"}), &[claim.id]);
    town.take(&[&introduced]);
    assert_eq!(town.place().as_deref(), Some("丙"));
}

#[test]
fn a_lost_laptop_counts_up_to_its_ends_and_its_later_successors_do_not() {
    let mut town = town();
    town.let_in();
    let before = town.second.m1(&[("place", json!("乙"), &[town.born.id])]);
    let end = town.second.end.unwrap();
    let mut thief = Device::new(5, Some(town.stream));
    let successor = town.second.rule(&format!("~device/{}", thief.id), json!({}), &[]);
    let after = town.second.m1(&[("place", json!("丙"), &[before.id])]);
    let stolen = thief.m1(&[("topic", json!("丁"), &[])]);
    town.take(&[&before, &successor, &after, &stolen]);
    assert_eq!(town.place().as_deref(), Some("丙"));

    let revoke = Ruling::Revoke { device: town.second.id, ends: vec![(end.n, end.id)] };
    let ruling = town.rule(&revoke, &[]);
    assert_eq!(town.place().as_deref(), Some("乙"));
    let verdicts = town.replica.verdicts(&town.stream);
    assert_eq!(verdicts.standing(&after), Standing::Quarantined);
    assert_eq!(verdicts.standing(&stolen), Standing::NotEnrolled);

    // A change of the lost laptop that arrives after the ruling is judged by it too.
    let again = town.second.m1(&[("place", json!("戊"), &[after.id])]);
    town.take(&[&again]);
    assert_eq!(town.place().as_deref(), Some("乙"));
    // Review lets one through.
    let release =
        town.city.rule(&ruling_path("r2"), Ruling::Release { changes: vec![again.id] }.to_value(), &[]);
    town.take(&[&release]);
    assert_eq!(town.place().as_deref(), Some("戊"));
    town.rule(&Ruling::Lift, &[&ruling]);
    assert_eq!(town.replica.verdicts(&town.stream).standing(&after), Standing::Counts);
}

#[test]
fn a_change_of_a_device_that_nobody_let_in_is_released_alone() {
    let mut town = town();
    let edit = town.second.m1(&[("place", json!("乙"), &[town.born.id])]);
    let other = town.second.m1(&[("topic", json!("题"), &[])]);
    town.take(&[&edit, &other]);
    assert_eq!(town.place().as_deref(), Some("甲"));
    let released = town.rule(&Ruling::Release { changes: vec![edit.id] }, &[]);
    assert_eq!(town.place().as_deref(), Some("乙"));
    assert_eq!(town.replica.verdicts(&town.stream).standing(&other), Standing::NotEnrolled);
    town.rule(&Ruling::Lift, &[&released]);
    assert_eq!(town.place().as_deref(), Some("甲"));
}

#[test]
fn ends_that_are_not_held_yet_keep_nothing_until_they_are() {
    let mut town = town();
    town.let_in();
    let first = town.second.m1(&[("place", json!("乙"), &[town.born.id])]);
    let second = town.second.m1(&[("topic", json!("题"), &[])]);
    let end = town.second.end.unwrap();
    town.take(&[&first]);
    town.rule(&Ruling::Revoke { device: town.second.id, ends: vec![(end.n, end.id)] }, &[]);
    town.take(&[&second]);
    assert_eq!(town.place().as_deref(), Some("乙"), "the end arrived, so all before it counts");
}

#[test]
fn redaction_is_for_ever_and_for_the_city_or_the_author() {
    for by_city in [true, false] {
        let mut town = town();
        town.let_in();
        let secret = town.laptop.m1(&[("note", json!("某人的病情"), &[])]);
        town.take(&[&secret]);
        let drop = Ruling::Drop { change: secret.id };
        // Somebody else's device asks in vain.
        let vain = town.second.rule(&ruling_path("r9"), drop.to_value(), &[]);
        town.take(&[&vain]);
        assert!(town.replica.change(&town.stream, &secret.id).unwrap().raw.payload.is_some());

        let dropper = if by_city { &mut town.city } else { &mut town.laptop };
        let dropped = dropper.rule(&ruling_path("r1"), drop.to_value(), &[]);
        let lifted = dropper.rule(&ruling_path("r1"), Ruling::Lift.to_value(), &[dropped.id]);
        town.take(&[&dropped, &lifted, &secret]);
        let held = town.replica.change(&town.stream, &secret.id).unwrap();
        assert_eq!(held.raw.payload, None, "not even when it is sent again");
        let state = town.replica.record(&town.stream, "meeting", "m1").unwrap();
        assert_eq!(state.fields["note"], Field::Withheld { by: vec![secret.id] });
        let text = String::from_utf8(town.replica.state_bytes()).unwrap();
        assert!(!text.contains("病情"));

        // A replica that gets the redaction first never shows the value.
        let mut other = Replica::new(Some(RootKey(device_of(&root()).0)));
        let mut changes: Vec<Change> = town.replica.changes(&town.stream).into_iter().cloned().collect();
        changes.retain(|change| change.id != secret.id);
        other.insert(changes);
        other.insert([secret.clone()]);
        assert_eq!(other.state_bytes(), town.replica.state_bytes());
        assert_eq!(other.change(&town.stream, &secret.id).unwrap().raw.payload, None);
    }
}

#[test]
fn an_author_redacts_under_a_new_identity_too() {
    let mut town = town();
    let secret = town.laptop.m1(&[("note", json!("某人的病情"), &[])]);
    let mut next = Device::new(3, Some(town.stream));
    let dropped = next.rule(&ruling_path("r1"), Ruling::Drop { change: secret.id }.to_value(), &[]);
    town.take(&[&secret, &dropped]);
    let payload = |town: &Town| town.replica.change(&town.stream, &secret.id).unwrap().raw.payload.clone();
    assert!(payload(&town).is_some(), "a stranger redacts nothing");
    let introduced = town.laptop.rule(&format!("~device/{}", next.id), json!({"name": "新身份"}), &[]);
    town.take(&[&introduced]);
    assert_eq!(payload(&town), None);
}

#[test]
fn the_citys_own_writes_are_not_voided_by_rulings() {
    let mut town = town();
    let note = town.city.m1(&[("place", json!("市里改的"), &[town.born.id])]);
    town.take(&[&note]);
    town.rule(&void(&note), &[]);
    assert_eq!(town.place().as_deref(), Some("市里改的"), "the city writes over its own values instead");
}
