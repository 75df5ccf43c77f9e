//! What does not count: keys of the city, devices that are let in, rulings, redactions.

use ed25519_dalek::SigningKey;
use replica::{Change, Ruling, certify, ruling_path};
use serde_json::{Value, json};

use super::Case;
use crate::world::Device;

pub fn root() -> SigningKey {
    SigningKey::from_bytes(&[99; 32])
}

/// A branch laptop that founded its stream with a meeting, the city with its certificate, a second laptop that the city
/// let in.
struct Town {
    laptop: Device,
    second: Device,
    city: Device,
    born: Change,
    keyed: Change,
    let_in: Change,
}

fn certificate(key: &Device) -> (String, Value) {
    (format!("~key/{}", key.id), certify(&root(), &key.id, "2026-01-01", "2027-01-01"))
}

fn town() -> Town {
    let mut laptop = Device::new(1, None);
    let born = laptop.m1(&[("~born", json!(true), &[]), ("place", json!("甲"), &[])]);
    let mut city = Device::new(50, Some(born.stream));
    let (path, value) = certificate(&city);
    let keyed = city.rule(&path, value, &[]);
    let second = Device::new(2, Some(born.stream));
    let let_in = city.rule(&format!("~device/{}", second.id), json!({"name": "二号机"}), &[]);
    Town { laptop, second, city, born, keyed, let_in }
}

impl Town {
    fn rule(&mut self, name: &str, ruling: &Ruling, over: &[&Change]) -> Change {
        rule(&mut self.city, name, ruling, over)
    }

    /// The place of the meeting, by the laptop.
    fn edit(&mut self, value: &str, over: &Change) -> Change {
        self.laptop.m1(&[("place", json!(value), &[over.id])])
    }

    fn case(&self, name: &'static str, about: &'static str, more: &[&Change]) -> Case {
        let pool: Vec<&Change> =
            [&self.born, &self.keyed, &self.let_in].into_iter().chain(more.iter().copied()).collect();
        Case::new(name, about, &pool).pinned()
    }
}

fn rule(device: &mut Device, name: &str, ruling: &Ruling, over: &[&Change]) -> Change {
    let over: Vec<_> = over.iter().map(|change| change.id).collect();
    device.rule(&ruling_path(name), ruling.to_value(), &over)
}

fn void(change: &Change) -> Ruling {
    Ruling::Void { change: change.id, code: "bad_value".into(), words: "人数不对".into(), at: None }
}

fn drop(change: &Change) -> Ruling {
    Ruling::Drop { change: change.id }
}

pub fn cases() -> Vec<Value> {
    vec![
        void_and_lift(),
        voided_in_between(),
        who_rules(),
        no_root(),
        rotated(),
        let_in_later(),
        introduced(),
        no_founder(),
        lost_laptop(),
        ends_not_held(),
        revoked_twice(),
        released_stranger(),
        dropped(),
        dropped_by_a_successor(),
        rulings_are_not_dropped(),
        the_city_is_not_voided(),
    ]
}

fn void_and_lift() -> Value {
    let mut town = town();
    let born = town.born.clone();
    let edit = town.edit("乙", &born);
    let voided = town.rule("r1", &void(&edit), &[]);
    let lifted = town.rule("r1", &Ruling::Lift, &[&voided]);
    let again = town.rule("r1", &void(&edit), &[&voided]);
    let about = "A voided change does not count until a lift is over the ruling; a void beside a lift holds.";
    town.case("void-and-lift", about, &[&edit, &voided, &lifted, &again])
        .given(&["0 1 2 3 4", "4 3 2 1 0"])
        .given(&["0 1 2 3 4 5"])
        .all()
}

fn voided_in_between() -> Value {
    let mut town = town();
    let born = town.born.clone();
    let bad = town.edit("坏", &born);
    let worse = town.edit("更坏", &bad);
    let good = town.second.m1(&[("place", json!("好"), &[worse.id])]);
    let first = town.rule("r1", &void(&bad), &[]);
    let second = town.rule("r2", &void(&worse), &[]);
    let about = "A write over voided ones is over what those were over; without it, what was before stands.";
    town.case("over-voided", about, &[&bad, &worse, &first, &second, &good]).given(&["0 1 2 3 4 5 6"]).all()
}

fn who_rules() -> Value {
    let mut town = town();
    let born = town.born.clone();
    let edit = town.edit("乙", &born);
    let by_laptop = rule(&mut town.laptop, "r1", &void(&edit), &[]);
    let mut imposter = Device::new(60, Some(born.stream));
    let (_, anothers) = certificate(&town.city);
    let stolen = imposter.rule(&format!("~key/{}", imposter.id), anothers, &[]);
    let other_root = certify(&SigningKey::from_bytes(&[98; 32]), &imposter.id, "2026-01-01", "2027-01-01");
    let forged = imposter.rule(&format!("~key/{}", imposter.id), other_root, &[stolen.id]);
    let ruled = rule(&mut imposter, "r2", &void(&edit), &[]);
    let citys = town.rule("r3", &void(&edit), &[]);
    let vain = rule(&mut town.laptop, "r3", &Ruling::Lift, &[&citys]);
    let about = "Rulings of a laptop (4), of a key with another's certificate (5, 7) or another root's (6, 7) do not hold; \
                 the city's does (8), and no laptop lifts it (9).";
    town.case("who-rules", about, &[&edit, &by_laptop, &stolen, &forged, &ruled, &citys, &vain])
        .whole()
        .given(&["0 1 2 3 4 5 6 7"])
        .all()
}

fn no_root() -> Value {
    let mut town = town();
    let born = town.born.clone();
    let edit = town.edit("乙", &born);
    let voided = town.rule("r1", &void(&edit), &[]);
    let about = "A side that has not pinned a root believes no ruling, and no city that lets devices in.";
    Case::new("no-root", about, &[&born, &town.keyed, &town.let_in, &edit, &voided]).all()
}

fn rotated() -> Value {
    let mut town = town();
    let born = town.born.clone();
    let edit = town.edit("乙", &born);
    let mut next = Device::new(51, Some(born.stream));
    let (path, value) = certificate(&next);
    let keyed = next.rule(&path, value.clone(), &[]);
    let voided = rule(&mut next, "r1", &void(&edit), &[]);
    // Whoever holds a certificate may write it down.
    let by_laptop = town.laptop.rule(&path, value, &[]);
    let about = "The city's next key rules once its certificate is held, whoever wrote that down, and the old one goes on \
                 to count.";
    town.case("rotated-key", about, &[&edit, &keyed, &voided, &by_laptop]).given(&["0 1 2 3 5"]).all()
}

fn let_in_later() -> Value {
    let mut town = town();
    let mut third = Device::new(3, Some(town.born.stream));
    let edit = third.m1(&[("place", json!("丙"), &[town.born.id])]);
    let let_in = town.city.rule(&format!("~device/{}", third.id), Value::Null, &[]);
    let about = "What a device wrote before it was let in counts from then on. The value that lets it in does not matter.";
    town.case("let-in-later", about, &[&edit, &let_in]).given(&["0 1 2 3", "3 0 1 2"]).all()
}

fn introduced() -> Value {
    let mut town = town();
    let mut next = Device::new(3, Some(town.born.stream));
    let edit = next.m1(&[("place", json!("丙"), &[town.born.id])]);
    let mut stranger = Device::new(4, Some(town.born.stream));
    let claim = stranger.rule(&format!("~device/{}", next.id), json!({}), &[]);
    let by_laptop = town.laptop.rule(&format!("~device/{}", next.id), json!({"name": "新身份"}), &[claim.id]);
    let about = "A device that is in introduces its successor; a stranger introduces nobody.";
    town.case("introduced", about, &[&edit, &claim, &by_laptop]).given(&["0 1 2 3 4"]).all()
}

fn no_founder() -> Value {
    let mut town = town();
    let edit = town.second.m1(&[("topic", json!("议题"), &[])]);
    let about =
        "While the first change of the stream is not held, nobody is known to be in it, not even the city.";
    town.case("no-first-change", about, &[&edit]).given(&["1 2 3", "3 2 1"]).given(&["3"]).all()
}

fn lost_laptop() -> Value {
    let mut town = town();
    let before = town.second.m1(&[("place", json!("乙"), &[town.born.id])]);
    let end = town.second.end.unwrap();
    let mut thief = Device::new(5, Some(town.born.stream));
    let successor = town.second.rule(&format!("~device/{}", thief.id), json!({}), &[]);
    let after = town.second.m1(&[("place", json!("丙"), &[before.id])]);
    let stolen = thief.m1(&[("topic", json!("丁"), &[])]);
    let revoke = Ruling::Revoke { device: town.second.id, ends: vec![(end.n, end.id)] };
    let revoked = town.rule("r1", &revoke, &[]);
    let released = town.rule("r2", &Ruling::Release { changes: vec![after.id] }, &[]);
    let lifted = town.rule("r1", &Ruling::Lift, &[&revoked]);
    let about = "A revoked device counts up to its ends, its later successor not at all; what review releases counts; a \
                 lift lets everything count again.";
    town.case("revoked-device", about, &[&before, &successor, &after, &stolen, &revoked, &released, &lifted])
        .given(&["0 1 2 3 4 5 6"])
        .given(&["0 1 2 3 4 5 6 7", "7 6 5 4 3 2 1 0", "0 1 2 7 3 4 5 6"])
        .given(&["0 1 2 3 4 5 6 7 8"])
        .all()
}

fn ends_not_held() -> Value {
    let mut town = town();
    let first = town.second.m1(&[("place", json!("乙"), &[town.born.id])]);
    let second = town.second.m1(&[("topic", json!("题"), &[])]);
    let end = town.second.end.unwrap();
    let revoke = Ruling::Revoke { device: town.second.id, ends: vec![(end.n, end.id)] };
    let revoked = town.rule("r1", &revoke, &[]);
    let about = "An end that is not held yet keeps nothing; once it is, all before it counts.";
    town.case("revoked-with-ends-to-come", about, &[&first, &second, &revoked]).given(&["0 1 2 3 5"]).all()
}

fn revoked_twice() -> Value {
    let mut town = town();
    let first = town.second.m1(&[("place", json!("乙"), &[town.born.id])]);
    let early = town.second.end.unwrap();
    let second = town.second.m1(&[("topic", json!("题"), &[])]);
    let late = town.second.end.unwrap();
    let device = town.second.id;
    let one = town.rule("r1", &Ruling::Revoke { device, ends: vec![(late.n, late.id)] }, &[]);
    let other = town.rule("r2", &Ruling::Revoke { device, ends: vec![(early.n, early.id)] }, &[]);
    let about = "Of a device that two rulings revoke, only what both keep counts.";
    town.case("revoked-twice", about, &[&first, &second, &one, &other]).given(&["0 1 2 3 4 5"]).all()
}

fn released_stranger() -> Value {
    let mut town = town();
    let mut stranger = Device::new(9, Some(town.born.stream));
    let edit = stranger.m1(&[("place", json!("外人"), &[town.born.id])]);
    let other = stranger.m1(&[("topic", json!("题"), &[])]);
    let released = town.rule("r1", &Ruling::Release { changes: vec![edit.id] }, &[]);
    let about = "A change of a device that nobody let in is released alone.";
    town.case("released-stranger", about, &[&edit, &other, &released]).given(&["0 1 2 3 4"]).all()
}

fn dropped() -> Value {
    let mut town = town();
    let secret = town.laptop.m1(&[("note", json!("某人的病情"), &[])]);
    let vain = rule(&mut town.second, "r9", &drop(&secret), &[]);
    let by_city = town.rule("r1", &drop(&secret), &[]);
    let lifted = town.rule("r1", &Ruling::Lift, &[&by_city]);
    let by_author = rule(&mut town.laptop, "r2", &drop(&secret), &[]);
    let about = "Another's device redacts nothing; the city and the author do, for ever: lifted or sent again, the payload \
                 is not held.";
    town.case("redacted", about, &[&secret, &vain, &by_city, &lifted, &by_author])
        .given(&["0 1 2 3 4"])
        .given(&["0 1 2 3 4 5", "0 1 2 5 4 3", "5 4 3 2 1 0 3"])
        .given(&["0 1 2 3 4 5 6"])
        .given(&["0 1 2 3 7"])
        .finish()
}

fn dropped_by_a_successor() -> Value {
    let mut town = town();
    let secret = town.laptop.m1(&[("note", json!("某人的病情"), &[])]);
    let mut next = Device::new(3, Some(town.born.stream));
    let dropped = rule(&mut next, "r1", &drop(&secret), &[]);
    let introduced = town.laptop.rule(&format!("~device/{}", next.id), json!({"name": "新身份"}), &[]);
    let about = "An author redacts under a new identity too, once the old one introduced it.";
    town.case("redacted-by-a-successor", about, &[&secret, &dropped, &introduced]).given(&["0 1 2 3 4"]).all()
}

fn rulings_are_not_dropped() -> Value {
    let mut town = town();
    let (keyed, let_in) = (town.keyed.clone(), town.let_in.clone());
    let one = town.rule("r1", &drop(&keyed), &[]);
    let other = town.rule("r2", &drop(&let_in), &[]);
    let about = "What rules, certifies or lets in is never redacted, not even by the city.";
    town.case("rulings-are-not-redacted", about, &[&one, &other]).all()
}

fn the_city_is_not_voided() -> Value {
    let mut town = town();
    let note = town.city.m1(&[("place", json!("市里改的"), &[town.born.id])]);
    let voided = town.rule("r1", &void(&note), &[]);
    town.case("the-city-is-not-voided", "Changes of the city's keys always count.", &[&note, &voided]).all()
}
