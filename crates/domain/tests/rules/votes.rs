//! Votes: who counts, what is valid, what passes. The numbers are those of the worked examples.

use crate::fixture::{Minutes, World, codes, findings, full, minutes, organisation, pack, person, the};
use domain::votes::Candidacy;
use domain::{Code, Outcome, Severity, VoteResult, votes};
use serde_json::{Value, json};

const OF: [&str; 14] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"];

/// A branch of so many full members, the first of them its secretary, with a committee of three.
fn branch(full_members: usize) -> World {
    let post = |name| match name {
        "a" => vec![("posts/1", json!({"post": "secretary"}))],
        "b" | "c" => vec![("posts/1", json!({"post": "member"}))],
        _ => Vec::new(),
    };
    World {
        org: organisation(&[("committee/1", json!({"from": "2020-01-01"}))]),
        persons: OF[..full_members].iter().map(|name| full(name, &post(name))).collect(),
    }
}

fn assembly(world: &World, came: usize, vote: Value) -> Minutes {
    minutes("m", &["assembly"], "2026-11-06", "15:00", "16:00")
        .chaired("a", "secretary")
        .status(&OF[..came], "present")
        .vote(vote)
        .others(world, "leave")
}

fn result(world: &World, minutes: &Minutes) -> VoteResult {
    votes(world.branch(), &minutes.read(), pack()).remove(0)
}

fn hands(yes: u32, no: u32, abstain: u32) -> Value {
    json!({"rule": "ordinary", "method": "hands", "yes": yes, "no": no, "abstain": abstain})
}

#[test]
fn an_ordinary_vote_is_measured_by_those_due() {
    use Outcome::{Invalid, NotPassed, Passed};
    let check = |due: usize, came: usize, yes: u32, expected: Outcome, why: &str| {
        let world = branch(due);
        let minutes = assembly(&world, came, hands(yes, u32::try_from(came).expect("few") - yes, 0));
        let result = result(&world, &minutes);
        assert_eq!(result.outcome, expected, "{due} due, {came} came, {yes} yes: {why}");
        assert_eq!(result.quorate, expected != Invalid);
        assert_eq!(result.passed(), expected == Passed);
    };
    check(8, 4, 4, NotPassed, "half may meet, but four is not more than half of eight");
    check(8, 3, 3, Invalid, "fewer than half");
    check(8, 5, 5, Passed, "more than half of those due");
    check(8, 8, 4, NotPassed, "exactly half");
    check(9, 5, 5, Passed, "five of nine");
    check(9, 4, 4, Invalid, "four of nine is under half");
    check(9, 6, 4, NotPassed, "a majority of those who came is not enough");
    check(1, 1, 1, Passed, "one of one");
}

#[test]
fn an_admission_needs_more_than_half_to_come_and_counts_written_opinions() {
    use Outcome::{Invalid, NotPassed, Passed};
    let check = |came: usize, yes: u32, written: Value, expected: (Outcome, Option<u32>), why: &str| {
        let world = branch(8);
        let vote = json!({
            "rule": "admit", "method": "ballot", "issued": came, "returned": came, "yes": yes,
            "no": u32::try_from(came).expect("few") - yes, "abstain": 0, "invalid": 0, "written": written,
        });
        let result = result(&world, &assembly(&world, came, vote));
        assert_eq!((result.outcome, result.yes), expected, "{why}");
    };
    let by = |name: &str, agrees: bool, on: &str| json!({"person": name, "agrees": agrees, "on": on});
    check(4, 4, json!([]), (Invalid, Some(4)), "half of eight is not more than half");
    check(5, 4, json!([]), (NotPassed, Some(4)), "four of eight");
    check(5, 4, json!([by("h", true, "2026-11-05")]), (Passed, Some(5)), "a written agreement adds");
    check(5, 4, json!([by("h", false, "2026-11-05")]), (NotPassed, Some(4)), "a written no does not");
    check(5, 4, json!([by("h", true, "2026-11-07")]), (NotPassed, Some(4)), "sent after the meeting");
    check(5, 4, json!([{"person": "h", "agrees": true}]), (NotPassed, Some(4)), "not known when");
    check(5, 4, json!([by("a", true, "2026-11-05")]), (NotPassed, Some(4)), "from somebody who came");
    let twice = json!([by("h", true, "2026-11-05"), by("h", true, "2026-11-05")]);
    check(5, 4, twice, (Passed, Some(5)), "one person, one opinion");
    check(4, 4, json!([by("h", true, "2026-11-05")]), (Invalid, Some(5)), "opinions do not make a quorum");
}

#[test]
fn what_is_wrong_with_a_written_opinion_is_said() {
    let mut world = branch(8);
    world.persons.push(person("p", &[("joined", json!("2026-01-01"))]));
    let check = |rule: &str, opinions: Value, expected: Code, severity: Severity| {
        let vote = json!({"rule": rule, "method": "ballot", "issued": 5, "returned": 5, "yes": 5, "no": 0,
            "abstain": 0, "invalid": 0, "written": opinions});
        let found = findings(&world, &assembly(&world, 5, vote), &[]);
        assert_eq!(the(expected, &found).severity, severity, "{expected:?}");
    };
    let by = |name: &str, on: Option<&str>| json!({"person": name, "agrees": true, "on": on});
    check("admit", json!([by("h", Some("2026-11-07"))]), Code::OpinionLate, Severity::E);
    check("admit", json!([by("h", None)]), Code::OpinionUndated, Severity::E);
    check("admit", json!([by("h", Some("2026-11-06"))]), Code::OpinionSameDay, Severity::H);
    check("admit", json!([by("a", Some("2026-11-05"))]), Code::OpinionFromPresent, Severity::E);
    check("confirm", json!([by("p", Some("2026-11-05"))]), Code::OpinionFromIneligible, Severity::E);
    check("ordinary", json!([by("h", Some("2026-11-05"))]), Code::OpinionNotAllowed, Severity::E);
    let twice = json!([by("h", Some("2026-11-05")), by("h", Some("2026-11-04"))]);
    check("admit", twice, Code::OpinionTwice, Severity::E);
}

#[test]
fn probationary_members_are_due_and_have_no_vote() {
    let mut world = branch(8);
    world.persons.push(person("p", &[("joined", json!("2026-01-01"))]));
    let minutes = assembly(&world, 5, hands(5, 0, 0)).status(&["p"], "present");
    let result = result(&world, &minutes);
    assert_eq!((result.due_members, result.present_members), (9, 6));
    assert_eq!((result.eligible, result.present_eligible), (8, 5));
    let six = assembly(&world, 5, hands(6, 0, 0)).status(&["p"], "present");
    assert_eq!(the(Code::HandsDoNotAdd, &findings(&world, &six, &[])).params["present"], json!(5));
}

#[test]
fn an_election_needs_four_fifths_of_those_with_the_right() {
    for (due, least) in [(3, 3), (4, 4), (5, 4), (6, 5), (7, 6), (8, 7), (10, 8)] {
        for (came, valid) in [(least - 1, false), (least, true)] {
            let world = branch(due);
            let vote = json!({"rule": "election", "method": "ballot"});
            let result = result(&world, &assembly(&world, came, vote));
            assert_eq!(result.quorate, valid, "{came} of {due}");
            assert_eq!(result.least_present as usize, least, "of {due}");
            let expected = if valid { Outcome::Incomplete } else { Outcome::Invalid };
            assert_eq!(result.outcome, expected, "{came} of {due}");
        }
    }
}

/// Ten due, eight came; the candidates with their votes, those elected, and what is said of it.
fn elect(seats: u32, votes: &[(&str, u32)], elected: &[&str], outcome: Outcome, said: &[Code]) {
    let world = branch(10);
    let candidates: Vec<Value> =
        votes.iter().map(|(name, votes)| json!({"name": name, "votes": votes})).collect();
    let vote = json!({"rule": "election", "method": "ballot", "issued": 8, "returned": 8, "invalid": 0,
        "seats": seats, "candidates": candidates});
    let result = result(&world, &assembly(&world, 8, vote));
    let won = |candidacy: &&Candidacy| candidacy.elected;
    let names: Vec<&str> = result.candidates.iter().filter(won).map(|won| won.name.as_str()).collect();
    assert_eq!(names, elected, "{votes:?}");
    assert_eq!(result.outcome, outcome, "{votes:?}");
    for code in said {
        assert!(codes(&result.why).contains(code), "{code:?} in {:#?}", result.why);
    }
}

#[test]
fn whoever_has_more_than_half_of_those_present_is_elected() {
    use Outcome::{NotPassed, Passed};
    elect(1, &[("甲", 5), ("乙", 3)], &["甲"], Passed, &[Code::Elected, Code::NotElected]);
    elect(1, &[("甲", 4), ("乙", 4)], &[], NotPassed, &[Code::NotElected, Code::SeatsShort]);
    elect(2, &[("甲", 5), ("乙", 8), ("丙", 3)], &["乙", "甲"], Passed, &[Code::Elected]);
    elect(
        2,
        &[("甲", 8), ("乙", 4), ("丙", 4)],
        &["甲"],
        NotPassed,
        &[Code::SeatsShort, Code::ElectionIncomplete],
    );
    elect(2, &[("甲", 7), ("乙", 6), ("丙", 5)], &["甲", "乙"], Passed, &[Code::SeatsFull]);
    elect(2, &[("甲", 6), ("乙", 5), ("丙", 5)], &["甲"], NotPassed, &[Code::Tie, Code::SeatsShort]);
    elect(3, &[("甲", 6), ("乙", 5), ("丙", 5)], &["甲", "乙", "丙"], Passed, &[Code::Elected]);
    elect(1, &[("甲", 6), ("乙", 6), ("丙", 2)], &[], NotPassed, &[Code::Tie]);
}

#[test]
fn more_ballots_back_than_out_void_an_election() {
    let world = branch(10);
    let vote = json!({"rule": "election", "method": "ballot", "issued": 8, "returned": 9, "seats": 1,
        "candidates": [{"name": "甲", "votes": 8}]});
    let minutes = assembly(&world, 8, vote);
    let result = result(&world, &minutes);
    assert_eq!(result.outcome, Outcome::Invalid);
    assert!(codes(&result.why).contains(&Code::BallotsVoid));
}

#[test]
fn ballots_that_cannot_be_are_errors() {
    let world = branch(10);
    let check = |vote: Value, expected: Option<Code>| {
        let found = findings(&world, &assembly(&world, 8, vote.clone()), &[]);
        let errors: Vec<Code> = found
            .iter()
            .filter(|finding| finding.severity == Severity::E)
            .map(|finding| finding.code)
            .collect();
        assert_eq!(errors, Vec::from_iter(expected), "{vote}");
    };
    let ballot = |issued: u32, returned: u32, yes: u32, no: u32, abstain: u32, invalid: u32| {
        json!({"rule": "ordinary", "method": "ballot", "issued": issued, "returned": returned,
            "yes": yes, "no": no, "abstain": abstain, "invalid": invalid})
    };
    check(hands(6, 1, 1), None);
    check(hands(6, 1, 0), Some(Code::HandsDoNotAdd));
    check(hands(7, 1, 1), Some(Code::HandsDoNotAdd));
    check(ballot(8, 8, 5, 1, 1, 1), None);
    check(ballot(8, 7, 5, 1, 0, 1), None);
    check(ballot(8, 7, 5, 1, 1, 1), Some(Code::BallotsDoNotAdd));
    check(ballot(7, 8, 8, 0, 0, 0), Some(Code::ReturnedOverIssued));
    check(ballot(9, 8, 8, 0, 0, 0), Some(Code::IssuedOverPresent));
}

#[test]
fn marks_beyond_the_seats_are_errors() {
    let world = branch(10);
    let check = |invalid: u32, seats: u32, votes: [u32; 2], expected: Option<Code>| {
        let vote = json!({"rule": "election", "method": "ballot", "issued": 8, "returned": 8, "invalid": invalid,
            "seats": seats, "candidates": [{"name": "甲", "votes": votes[0]}, {"name": "乙", "votes": votes[1]}]});
        let found = findings(&world, &assembly(&world, 8, vote), &[]);
        let errors: Vec<Code> = found
            .iter()
            .filter(|finding| finding.severity == Severity::E)
            .map(|finding| finding.code)
            .collect();
        assert_eq!(errors, Vec::from_iter(expected), "{votes:?}");
    };
    check(0, 1, [5, 3], None);
    check(0, 1, [6, 3], Some(Code::MarksOverSeats));
    check(1, 1, [5, 3], Some(Code::MarksOverSeats));
    check(0, 2, [8, 8], None);
    check(2, 2, [7, 2], Some(Code::CandidateOverValid));
}

#[test]
fn a_committee_decides_by_its_own_size() {
    let world = branch(10);
    let check = |came: &[&str], yes: u32, outcome: Outcome| {
        let minutes = minutes("m", &["committee"], "2026-11-06", "15:00", "16:00")
            .chaired("a", "secretary")
            .status(came, "present")
            .vote(json!({"rule": "committee", "method": "hands", "yes": yes, "no": 0, "abstain": 0}))
            .others(&world, "leave");
        let result = result(&world, &minutes);
        assert_eq!((result.due_members, result.eligible), (3, 3));
        assert_eq!(result.outcome, outcome, "{came:?}");
    };
    check(&["a"], 1, Outcome::Invalid);
    check(&["a", "b"], 2, Outcome::Passed);
    check(&["a", "b"], 1, Outcome::NotPassed);
}

#[test]
fn votes_stand_where_they_belong() {
    let world = branch(10);
    let check = |types: &[&str], vote: Value, expected: Code, severity: Severity| {
        let minutes = minutes("m", types, "2026-11-06", "15:00", "16:00")
            .chaired("a", "secretary")
            .vote(vote)
            .others(&world, "present");
        assert_eq!(the(expected, &findings(&world, &minutes, &[])).severity, severity, "{types:?}");
    };
    let vote = |rule: &str, method: &str| json!({"rule": rule, "method": method});
    check(&["committee"], vote("admit", "ballot"), Code::AssemblyRequired, Severity::E);
    check(&["theme_day"], vote("confirm", "ballot"), Code::AssemblyRequired, Severity::E);
    check(&["assembly"], vote("committee", "hands"), Code::CommitteeVoteElsewhere, Severity::E);
    check(&["assembly"], vote("admit", "hands"), Code::SecretBallotRequired, Severity::W);
    check(&["assembly"], vote("admit", "ballot"), Code::SponsorsMissing, Severity::W);
    check(&["assembly"], vote("election", "ballot"), Code::ElectionNumbersMissing, Severity::E);
    check(&["assembly"], vote("ordinary", "hands"), Code::VoteIncomplete, Severity::W);
}

#[test]
fn only_full_members_sponsor_and_stand() {
    let mut world = branch(10);
    world.persons.push(person("p", &[("joined", json!("2026-01-01"))]));
    world.persons.push(full("w", &[("limits/1", json!({"kind": "probation", "from": "2026-01-01"}))]));
    let sponsored = |first: &str, second: &str| {
        assembly(&world, 10, json!({"rule": "admit", "method": "ballot"}))
            .set("agenda/a/sponsors", json!({"first": first, "second": second}))
    };
    for (first, second, expected) in [
        ("a", "b", None),
        ("a", "p", Some(Code::SponsorNotFull)),
        ("w", "b", Some(Code::SponsorNotFull)),
        ("a", "a", Some(Code::SponsorsMissing)),
    ] {
        let found = codes(&findings(&world, &sponsored(first, second), &[]));
        for code in [Code::SponsorNotFull, Code::SponsorsMissing] {
            assert_eq!(found.contains(&code), expected == Some(code), "{first} and {second}: {code:?}");
        }
    }
    for (candidate, allowed) in [("b", true), ("p", false), ("w", false), ("nobody", false)] {
        let vote = json!({"rule": "election", "method": "ballot", "seats": 1, "returned": 10, "issued": 10,
            "candidates": [{"name": candidate, "person": candidate, "votes": 9}]});
        let found = codes(&findings(&world, &assembly(&world, 10, vote), &[]));
        assert_eq!(!found.contains(&Code::CandidateIneligible), allowed, "{candidate}");
    }
}
