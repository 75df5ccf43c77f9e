//! Votes that do not add up, and people who had no vote.

use super::Case;
use crate::finding::{Code, Finding};
use crate::meeting::{Activity, VoteMethod, VoteRule};
use crate::person::Standing;
use crate::roster::RosterLine;
use crate::votes::{Hall, OpinionFault, by_ballot, opinions, word};

pub(super) fn check(case: &Case, findings: &mut Vec<Finding>) {
    for item in &case.meeting.agenda {
        let Some(vote) = &item.vote else { continue };
        let hall = Hall::of(case.branch, case.meeting, item, vote, case.pack);
        held_properly(case, &hall, findings);
        sums(&hall, findings);
        election(case, &hall, findings);
        written(case, &hall, findings);
        sponsors(case, &hall, findings);
    }
}

fn article<'a>(hall: &Hall<'a>) -> &'a str {
    &hall.thresholds.passes.share.article
}

fn held_properly(case: &Case, hall: &Hall, findings: &mut Vec<Finding>) {
    let meeting = case.meeting;
    if hall.thresholds.assembly_only && !meeting.is(Activity::Assembly) {
        findings.push(hall.finding(Finding::error(Code::AssemblyRequired), article(hall)));
    }
    if hall.vote.rule == VoteRule::Committee && !meeting.is(Activity::Committee) {
        findings.push(hall.finding(Finding::error(Code::CommitteeVoteElsewhere), article(hall)));
    }
    if hall.thresholds.secret && hall.vote.method == Some(VoteMethod::Hands) {
        findings.push(hall.finding(Finding::warning(Code::SecretBallotRequired), article(hall)));
    }
}

/// By hands the answers are as many as the voters present; by ballot as many as came back, and no more came back than went out.
fn sums(hall: &Hall, findings: &mut Vec<Finding>) {
    let vote = hall.vote;
    let mut add = |finding: Finding| findings.push(hall.finding(finding, article(hall)));
    let answers = [vote.yes, vote.no, vote.abstain];
    let sum: u32 = answers.iter().flatten().fold(0, |sum, answer| sum.saturating_add(*answer));
    let known = |finding: Finding| {
        finding
            .with("yes", vote.yes.unwrap_or(0))
            .with("no", vote.no.unwrap_or(0))
            .with("abstain", vote.abstain.unwrap_or(0))
    };
    let answered = vote.yes.is_some() && hall.rule != VoteRule::Election;
    if by_ballot(vote) {
        let invalid = vote.invalid.unwrap_or(0);
        let sum = sum.saturating_add(invalid);
        if answered && vote.returned.is_some_and(|returned| returned != sum) {
            let finding = known(Finding::error(Code::BallotsDoNotAdd)).with("invalid", invalid);
            add(finding.with("sum", sum).with("returned", vote.returned));
        }
        // An election with more ballots back than out is void and may be recorded so; elsewhere it is a slip of the pen.
        if hall.ballots_void() && hall.rule != VoteRule::Election {
            add(Finding::error(Code::ReturnedOverIssued)
                .with("returned", vote.returned)
                .with("issued", vote.issued));
        }
        if vote.issued.is_some_and(|issued| issued > hall.present) {
            add(Finding::error(Code::IssuedOverPresent)
                .with("issued", vote.issued)
                .with("present", hall.present));
        }
        if vote.returned.is_some_and(|returned| invalid > returned) {
            add(Finding::error(Code::InvalidOverReturned)
                .with("invalid", invalid)
                .with("returned", vote.returned));
        }
    } else if answered && sum != hall.present {
        add(known(Finding::error(Code::HandsDoNotAdd)).with("sum", sum).with("present", hall.present));
    }
}

fn election(case: &Case, hall: &Hall, findings: &mut Vec<Finding>) {
    if hall.rule != VoteRule::Election {
        return;
    }
    let vote = hall.vote;
    let mut add = |finding: Finding| findings.push(hall.finding(finding, article(hall)));
    let quorate = hall.thresholds.quorum.reached(hall.present, hall.eligible);
    let counted = vote.candidates.iter().all(|candidate| candidate.votes.is_some());
    if quorate && (vote.seats.is_none() || vote.candidates.is_empty() || !counted) {
        add(Finding::error(Code::ElectionNumbersMissing));
    }
    for candidate in &vote.candidates {
        if let (Some(votes), Some(valid)) = (candidate.votes, hall.valid_ballots())
            && votes > valid
        {
            add(Finding::error(Code::CandidateOverValid)
                .with("name", candidate.name.as_str())
                .with("votes", votes)
                .with("valid", valid));
        }
        if candidate.person.as_deref().is_some_and(|person| !may_stand(case, hall, person)) {
            add(Finding::error(Code::CandidateIneligible).with("name", candidate.name.as_str()));
        }
    }
    if let (Some(seats), Some(valid)) = (vote.seats, hall.valid_ballots()) {
        let marks: u64 = vote.candidates.iter().filter_map(|candidate| candidate.votes).map(u64::from).sum();
        if marks > u64::from(seats) * u64::from(valid) {
            add(Finding::error(Code::MarksOverSeats)
                .with("marks", marks)
                .with("seats", seats)
                .with("valid", valid));
        }
    }
}

/// Whoever is not counted in 应到会 keeps the right to be elected.
fn may_stand(case: &Case, hall: &Hall, person: &str) -> bool {
    let mut lines = hall.due.members.iter().chain(&hall.due.excluded);
    lines.any(|line| line.person == person && line.may_elect)
        || (case.meeting.is(Activity::Committee)
            && branch_line(case, person).is_some_and(|line| line.may_elect))
}

fn branch_line(case: &Case, person: &str) -> Option<RosterLine> {
    let lines = crate::attendance::meeting_roster(case.branch, case.meeting);
    lines.into_iter().find(|line| line.person == person)
}

fn written(case: &Case, hall: &Hall, findings: &mut Vec<Finding>) {
    for (opinion, fault) in hall.vote.written.iter().zip(opinions(hall)) {
        let same_day = opinion.on.is_some() && opinion.on == case.meeting.date();
        let finding = match fault {
            Some(OpinionFault::NotAllowed) => Finding::error(Code::OpinionNotAllowed),
            Some(OpinionFault::Nobody | OpinionFault::Ineligible) => {
                Finding::error(Code::OpinionFromIneligible)
            }
            Some(OpinionFault::Twice) => Finding::error(Code::OpinionTwice),
            Some(OpinionFault::Present) => Finding::error(Code::OpinionFromPresent),
            Some(OpinionFault::Undated) => Finding::error(Code::OpinionUndated),
            Some(OpinionFault::Late) => Finding::error(Code::OpinionLate),
            None if same_day => Finding::hint(Code::OpinionSameDay),
            None => continue,
        };
        let name = opinion.person.as_deref().map(|person| case.branch.name(person)).unwrap_or_default();
        let finding = finding.with("name", name).with("on", opinion.on.map(|on| on.to_string()));
        findings.push(hall.finding(finding, article(hall)));
    }
}

/// 介绍人 are two 正式党员 with their rights.
fn sponsors(case: &Case, hall: &Hall, findings: &mut Vec<Finding>) {
    if hall.vote.rule != VoteRule::Admit {
        return;
    }
    let path = format!("agenda/{}/sponsors", hall.item.id);
    let cite = case.pack.cite("admission-16");
    let mut names = hall.item.sponsors.clone();
    names.dedup();
    if names.len() < 2 {
        findings.push(Finding::warning(Code::SponsorsMissing).at(path.clone()).on(cite));
    }
    for person in names {
        let line = branch_line(case, &person);
        if line.is_none_or(|line| line.standing != Standing::Full || !line.may_vote) {
            let finding = Finding::error(Code::SponsorNotFull).with("name", case.branch.name(&person));
            findings
                .push(finding.with("person", person).with("rule", word(hall.rule)).at(path.clone()).on(cite));
        }
    }
}
