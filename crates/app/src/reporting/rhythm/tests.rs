use super::{CAP, FLOOR, MOST_ASKED, Outcome, PATIENCE, REST, Rhythm, SOON, SPREAD};
use std::time::Duration;

const LEAST: u64 = 0;
const MOST: u64 = u64::MAX;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A minute after the program began, an exchange ended like this.
fn ended(outcome: Outcome, asked: Option<u64>, chance: u64) -> Rhythm {
    let mut rhythm = Rhythm::default();
    rhythm.ended(at(60), outcome, asked.map(at), chance);
    rhythm
}

/// Seconds from the end of the last exchange to the next one.
fn wait(rhythm: &Rhythm) -> Option<u64> {
    rhythm.next().map(|next| (next - at(60)).as_secs())
}

#[test]
fn every_outcome_has_its_wait() {
    let rest = REST.as_secs();
    let table = [
        (Outcome::Done, None, Some(rest * 4 / 5), Some(rest * 6 / 5 - 1)),
        (Outcome::Stopped, None, Some(rest * 4 / 5), Some(rest * 6 / 5 - 1)),
        (Outcome::Failed, None, Some(30), Some(59)),
        (Outcome::Left, None, Some(30), Some(59)),
        (Outcome::Asks, None, None, None),
        (Outcome::Stuck, None, None, None),
        // What the city asks for is a minimum, spread a little so that not everybody comes back at once.
        (Outcome::Done, Some(7), Some(7), Some(36)),
        (Outcome::Done, Some(3600), Some(3600), Some(3629)),
        (Outcome::Failed, Some(3600), Some(3600), Some(3629)),
        (Outcome::Failed, Some(7), Some(30), Some(59)),
        (Outcome::Failed, Some(u64::MAX), Some(86_400), Some(86_429)),
    ];
    for (outcome, asked, least, most) in table {
        assert_eq!(wait(&ended(outcome, asked, LEAST)), least, "{outcome:?} {asked:?}");
        assert_eq!(wait(&ended(outcome, asked, MOST)), most, "{outcome:?} {asked:?}");
    }
}

#[test]
fn failures_in_a_row_wait_longer_up_to_the_cap_and_never_below_the_floor() {
    let mut rhythm = Rhythm::default();
    let mut most = Vec::new();
    for _ in 0..9 {
        rhythm.ended(at(60), Outcome::Failed, None, MOST);
        most.extend(wait(&rhythm).map(|wait| wait + 1));
    }
    assert_eq!(most, [60, 120, 240, 480, 960, 1800, 1800, 1800, 1800]);
    for _ in 0..u16::MAX {
        rhythm.ended(at(60), Outcome::Failed, None, LEAST);
        assert_eq!(wait(&rhythm), Some(FLOOR.as_secs()), "by chance it may be early, for ever");
    }
    rhythm.ended(at(60), Outcome::Failed, None, MOST);
    assert!(rhythm.next() <= Some(at(60) + CAP));
    rhythm.ended(at(60), Outcome::Done, None, LEAST);
    rhythm.ended(at(60), Outcome::Failed, None, MOST);
    assert_eq!(wait(&rhythm), Some(59), "a success starts it over");
}

#[test]
fn records_go_out_together_soon_and_in_any_case() {
    let mut rhythm = ended(Outcome::Done, None, MOST);
    rhythm.recorded(at(100));
    assert_eq!(rhythm.next(), Some(at(100) + SOON));
    rhythm.recorded(at(103));
    assert_eq!(rhythm.next(), Some(at(103) + SOON), "one more, one exchange");
    for second in 104..200 {
        rhythm.recorded(at(second));
    }
    assert_eq!(rhythm.next(), Some(at(100) + PATIENCE), "who never pauses is reported nevertheless");
    rhythm.began();
    rhythm.ended(at(131), Outcome::Done, None, LEAST);
    rhythm.recorded(at(140));
    assert_eq!(rhythm.next(), Some(at(140) + SOON), "a new one begins");
}

#[test]
fn a_plan_that_is_nearer_than_soon_stays() {
    let mut rhythm = ended(Outcome::Done, None, LEAST);
    let next = rhythm.next().expect("a plan");
    rhythm.recorded(next - at(1));
    rhythm.online(next - at(1), MOST);
    assert_eq!(rhythm.next(), Some(next));
}

#[test]
fn neither_typing_nor_a_flapping_network_makes_a_storm() {
    let mut rhythm = Rhythm::default();
    for _ in 0..9 {
        rhythm.ended(at(60), Outcome::Failed, None, MOST);
    }
    rhythm.recorded(at(61));
    assert_eq!(
        rhythm.next(),
        Some(at(60) + FLOOR),
        "a record is tried before the backoff ends, above the floor"
    );
    for second in 62..80 {
        rhythm.online(at(second), LEAST);
        assert_eq!(rhythm.next(), Some(at(60) + FLOOR));
    }
    rhythm.ended(at(95), Outcome::Failed, None, MOST);
    rhythm.online(at(300), MOST);
    let soon = at(300) + SOON + SPREAD;
    assert!(rhythm.next() <= Some(soon) && rhythm.next() > Some(soon - at(1)), "{:?}", rhythm.next());
}

#[test]
fn what_the_city_asks_for_holds_against_everything_but_a_person() {
    let mut rhythm = ended(Outcome::Failed, Some(3600), LEAST);
    rhythm.recorded(at(70));
    rhythm.online(at(80), LEAST);
    rhythm.changed(at(90), LEAST);
    assert_eq!(wait(&rhythm), Some(3600));
    // A person reported nevertheless, and the city no longer asks.
    rhythm.ended(at(200), Outcome::Done, None, LEAST);
    rhythm.recorded(at(201));
    assert_eq!(rhythm.next(), Some(at(201) + SOON));
    let hostile = ended(Outcome::Done, Some(u64::MAX), LEAST);
    assert_eq!(hostile.next(), Some(at(60) + MOST_ASKED), "nobody makes it wait for years");
}

#[test]
fn what_only_a_person_can_mend_waits_for_one() {
    let mut rhythm = ended(Outcome::Stuck, None, LEAST);
    rhythm.recorded(at(70));
    rhythm.online(at(80), LEAST);
    assert_eq!(rhythm.next(), None);
    assert!(!rhythm.is_due(at(1_000_000)));
    rhythm.changed(at(90), LEAST);
    assert_eq!(rhythm.next(), Some(at(90) + SOON));

    let mut asks = ended(Outcome::Asks, None, LEAST);
    asks.online(at(80), LEAST);
    assert_eq!(asks.next(), None, "the question stands, and asking again changes nothing");
    asks.recorded(at(90));
    assert_eq!(asks.next(), Some(at(90) + SOON), "what does not depend on the answer goes out");
}

#[test]
fn a_computer_that_slept_is_late_and_not_lost() {
    let mut rhythm = ended(Outcome::Failed, None, MOST);
    let slept = at(60) + Duration::from_secs(60 * 60 * 24 * 365);
    assert!(rhythm.is_due(slept), "a steady clock that counts sleep");
    rhythm.online(at(70), LEAST);
    assert_eq!(rhythm.next(), Some(at(60) + FLOOR), "and one that does not, told of it");
    rhythm.began();
    assert_eq!(rhythm.next(), None, "nothing is begun twice");
}
