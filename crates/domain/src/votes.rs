//! Votes in whole numbers: who could vote, whether it was valid, whether it passed, and why.

use crate::attendance::{Due, due_for_vote, size};
use crate::finding::{Code, Finding};
use crate::meeting::{Activity, AgendaItem, Candidate, Meeting, Vote, VoteMethod, VoteRule};
use crate::pack::{Of, Pack, VoteThresholds};
use crate::roster::{Branch, RosterLine};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// What became of a vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// 无效: too few came, or more ballots came back than were given out.
    Invalid,
    /// Valid so far, but the numbers are not complete.
    Incomplete,
    Passed,
    NotPassed,
}

/// One candidate's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidacy {
    pub name: String,
    pub person: Option<String>,
    pub votes: u32,
    pub elected: bool,
}

/// A vote's four numbers, its result and the reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoteResult {
    /// The agenda item.
    pub item: String,
    pub rule: VoteRule,
    pub subject: Option<String>,
    /// 应到会党员数.
    pub due_members: u32,
    /// 实到会党员数.
    pub present_members: u32,
    /// 应到会有表决权（选举权）.
    pub eligible: u32,
    /// 实到会有表决权（选举权）.
    pub present_eligible: u32,
    /// The fewest who had to come.
    pub least_present: u32,
    /// Yes, written agreement included; none while unknown.
    pub yes: Option<u32>,
    /// 书面意见 that agree and count.
    pub written_yes: u32,
    /// 书面意见 that disagree and count.
    pub written_no: u32,
    /// The fewest yes (or votes for a candidate) that pass.
    pub least_yes: u32,
    /// 有效.
    pub quorate: bool,
    pub outcome: Outcome,
    pub candidates: Vec<Candidacy>,
    /// The reasons of the result, then what the vote is short of.
    pub why: Vec<Finding>,
}

impl VoteResult {
    /// 通过.
    pub fn passed(&self) -> bool {
        self.outcome == Outcome::Passed
    }
}

/// The result of every vote of a meeting, in the order of the agenda.
pub fn votes(branch: Branch, meeting: &Meeting, pack: &Pack) -> Vec<VoteResult> {
    meeting
        .agenda
        .iter()
        .filter_map(|item| Some(result(&Hall::of(branch, meeting, item, item.vote.as_ref()?, pack))))
        .collect()
}

/// Everything a vote is judged by.
pub(crate) struct Hall<'a> {
    pub meeting: &'a Meeting,
    pub item: &'a AgendaItem,
    pub vote: &'a Vote,
    pub rule: VoteRule,
    pub thresholds: &'a VoteThresholds,
    pub pack: &'a Pack,
    pub due: Due,
    pub eligible: u32,
    pub present: u32,
}

impl<'a> Hall<'a> {
    pub fn of(
        branch: Branch,
        meeting: &'a Meeting,
        item: &'a AgendaItem,
        vote: &'a Vote,
        pack: &'a Pack,
    ) -> Self {
        let rule = rule_in_force(meeting, vote.rule);
        let due = due_for_vote(branch, meeting, pack, rule);
        let voters: Vec<&RosterLine> = due.members.iter().filter(|line| has_right(rule, line)).collect();
        Self {
            eligible: size(voters.len()),
            present: size(voters.iter().filter(|line| meeting.attended(&line.person)).count()),
            thresholds: pack.thresholds(rule),
            meeting,
            item,
            vote,
            rule,
            pack,
            due,
        }
    }

    /// The path of the vote block, where its findings point.
    pub fn path(&self) -> String {
        format!("agenda/{}/vote", self.item.id)
    }

    pub fn least_present(&self) -> u32 {
        self.thresholds.quorum.least(self.eligible)
    }

    fn base(&self) -> u32 {
        match self.thresholds.passes.of {
            Of::Due => self.eligible,
            Of::Present => self.present,
        }
    }

    fn least_yes(&self) -> u32 {
        self.thresholds.passes.share.least(self.base())
    }

    /// Ballots that were returned and are not void.
    pub fn valid_ballots(&self) -> Option<u32> {
        Some(self.vote.returned?.saturating_sub(self.vote.invalid.unwrap_or(0)))
    }

    pub fn ballots_void(&self) -> bool {
        matches!((self.vote.returned, self.vote.issued), (Some(returned), Some(issued)) if returned > issued)
    }

    pub fn finding(&self, finding: Finding, article: &str) -> Finding {
        finding.on(self.pack.cite(article)).at(self.path()).with("rule", word(self.rule))
    }
}

/// A 支委会 decides by its own rule whatever the block says; elections and votes of the whole branch keep theirs.
fn rule_in_force(meeting: &Meeting, rule: VoteRule) -> VoteRule {
    let committee_only = meeting.is(Activity::Committee) && !meeting.is(Activity::Assembly);
    match rule {
        VoteRule::Ordinary if committee_only => VoteRule::Committee,
        VoteRule::Ordinary
        | VoteRule::Admit
        | VoteRule::Confirm
        | VoteRule::Election
        | VoteRule::Committee => rule,
    }
}

fn has_right(rule: VoteRule, line: &RosterLine) -> bool {
    match rule {
        VoteRule::Election => line.may_elect,
        VoteRule::Ordinary | VoteRule::Admit | VoteRule::Confirm | VoteRule::Committee => line.may_vote,
    }
}

pub(crate) fn word(rule: VoteRule) -> Value {
    serde_json::to_value(rule).unwrap_or(Value::Null)
}

/// Why a written opinion does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpinionFault {
    NotAllowed,
    Nobody,
    Twice,
    Ineligible,
    Present,
    Undated,
    Late,
}

/// Each written opinion with what keeps it from counting, in the order they were entered.
pub(crate) fn opinions(hall: &Hall) -> Vec<Option<OpinionFault>> {
    let mut seen = BTreeSet::new();
    let voters: BTreeSet<&str> = hall
        .due
        .members
        .iter()
        .filter(|line| has_right(hall.rule, line))
        .map(|line| line.person.as_str())
        .collect();
    let fault = |opinion: &crate::meeting::Opinion| {
        let Some(person) = opinion.person.as_deref() else { return Some(OpinionFault::Nobody) };
        if !hall.thresholds.written {
            Some(OpinionFault::NotAllowed)
        } else if !seen.insert(person.to_owned()) {
            Some(OpinionFault::Twice)
        } else if !voters.contains(person) {
            Some(OpinionFault::Ineligible)
        } else if hall.meeting.attended(person) {
            Some(OpinionFault::Present)
        } else {
            match (opinion.on, hall.meeting.date()) {
                (None, _) => Some(OpinionFault::Undated),
                (Some(on), Some(date)) if on > date => Some(OpinionFault::Late),
                (Some(_), _) => None,
            }
        }
    };
    hall.vote.written.iter().map(fault).collect()
}

fn result(hall: &Hall) -> VoteResult {
    let counted = |agrees: bool| {
        let faults = opinions(hall);
        let opinions = hall.vote.written.iter().zip(faults);
        size(opinions.filter(|(opinion, fault)| fault.is_none() && opinion.agrees == agrees).count())
    };
    let written_yes = counted(true);
    let mut result = VoteResult {
        item: hall.item.id.clone(),
        rule: hall.rule,
        subject: hall.vote.subject.clone(),
        due_members: size(hall.due.members.len()),
        present_members: size(
            hall.due.members.iter().filter(|line| hall.meeting.attended(&line.person)).count(),
        ),
        eligible: hall.eligible,
        present_eligible: hall.present,
        least_present: hall.least_present(),
        yes: hall.vote.yes.map(|yes| yes.saturating_add(written_yes)),
        written_yes,
        written_no: counted(false),
        least_yes: hall.least_yes(),
        quorate: hall.thresholds.quorum.reached(hall.present, hall.eligible),
        outcome: Outcome::Incomplete,
        candidates: Vec::new(),
        why: vec![quorum_reason(hall)],
    };
    judge(hall, &mut result);
    result
}

fn quorum_reason(hall: &Hall) -> Finding {
    let share = &hall.thresholds.quorum;
    let finding = if share.reached(hall.present, hall.eligible) {
        Finding::hint(Code::QuorumMet)
    } else {
        Finding::warning(Code::QuorumShort)
    };
    let finding = finding
        .with("eligible", hall.eligible)
        .with("present", hall.present)
        .with("least", hall.least_present());
    hall.finding(finding, &share.article)
}

fn judge(hall: &Hall, result: &mut VoteResult) {
    let article = &hall.thresholds.passes.share.article;
    if hall.ballots_void() {
        let numbers = (hall.vote.returned.unwrap_or(0), hall.vote.issued.unwrap_or(0));
        let finding =
            Finding::warning(Code::BallotsVoid).with("returned", numbers.0).with("issued", numbers.1);
        result.why.push(hall.finding(finding, article));
    }
    let valid = result.quorate && !hall.ballots_void();
    match hall.rule {
        VoteRule::Election => elect(hall, result, valid),
        VoteRule::Ordinary | VoteRule::Admit | VoteRule::Confirm | VoteRule::Committee => {
            adopt(hall, result, valid)
        }
    }
}

fn adopt(hall: &Hall, result: &mut VoteResult, valid: bool) {
    let majority = &hall.thresholds.passes;
    if !valid {
        result.outcome = Outcome::Invalid;
        return;
    }
    let Some(yes) = result.yes else {
        result.why.push(hall.finding(Finding::warning(Code::VoteIncomplete), &majority.share.article));
        return;
    };
    let passed = majority.share.reached(yes, hall.base());
    result.outcome = if passed { Outcome::Passed } else { Outcome::NotPassed };
    let finding = if passed { Finding::hint(Code::Adopted) } else { Finding::hint(Code::NotAdopted) };
    let finding = finding
        .with("yes", yes)
        .with("written", result.written_yes)
        .with("eligible", hall.eligible)
        .with("present", hall.present)
        .with("least", result.least_yes);
    result.why.push(hall.finding(finding, &majority.share.article));
}

/// Elects the candidates with more than half, best first, up to the seats; a tie over the last seat elects nobody of it.
fn elect(hall: &Hall, result: &mut VoteResult, valid: bool) {
    let article = &hall.thresholds.passes.share.article;
    let seats = hall.vote.seats.unwrap_or(1);
    if !valid {
        result.outcome = Outcome::Invalid;
        result.why.push(hall.finding(Finding::warning(Code::ElectionIncomplete), article));
        return;
    }
    let counted: Option<Vec<(&Candidate, u32)>> =
        hall.vote.candidates.iter().map(|candidate| Some((candidate, candidate.votes?))).collect();
    let Some(mut ranked) = counted.filter(|ranked| !ranked.is_empty()) else {
        result.why.push(hall.finding(Finding::warning(Code::VoteIncomplete), article));
        return;
    };
    ranked.sort_by_key(|(_, votes)| Reverse(*votes));
    let tied = tie(&ranked, seats, result.least_yes);
    let winners = ranked.iter().filter(|(_, votes)| *votes >= result.least_yes).count();
    for (place, (candidate, votes)) in ranked.iter().enumerate() {
        let elected = place < winners && size(place) < seats && tied != Some(*votes);
        let code = match (elected, place < winners) {
            (true, _) => Code::Elected,
            (false, true) => Code::SeatsFull,
            (false, false) => Code::NotElected,
        };
        if elected || tied != Some(*votes) {
            result.why.push(candidate_reason(hall, code, candidate, *votes, result.least_yes));
        }
        result.candidates.push(Candidacy {
            name: candidate.name.clone(),
            person: candidate.person.clone(),
            votes: *votes,
            elected,
        });
    }
    conclude(hall, result, tied, seats);
}

/// The number of votes shared across the last seat, if more candidates with more than half have it than seats are left.
fn tie(ranked: &[(&Candidate, u32)], seats: u32, least: u32) -> Option<u32> {
    let last = usize::try_from(seats).ok()?.checked_sub(1)?;
    let (_, votes) = ranked.get(last)?;
    let (_, next) = ranked.get(last + 1)?;
    (votes == next && *votes >= least).then_some(*votes)
}

fn candidate_reason(hall: &Hall, code: Code, candidate: &Candidate, votes: u32, least: u32) -> Finding {
    let finding = Finding::hint(code)
        .with("name", candidate.name.as_str())
        .with("votes", votes)
        .with("present", hall.present)
        .with("seats", hall.vote.seats.unwrap_or(1))
        .with("least", least);
    hall.finding(finding, &hall.thresholds.passes.share.article)
}

fn conclude(hall: &Hall, result: &mut VoteResult, tied: Option<u32>, seats: u32) {
    let article = &hall.thresholds.passes.share.article;
    if let Some(votes) = tied {
        let names: Vec<&str> = result
            .candidates
            .iter()
            .filter(|candidacy| candidacy.votes == votes)
            .map(|candidacy| candidacy.name.as_str())
            .collect();
        let finding = Finding::warning(Code::Tie).with("names", names).with("votes", votes);
        result.why.push(hall.finding(finding, article));
    }
    let elected = size(result.candidates.iter().filter(|candidacy| candidacy.elected).count());
    result.outcome = if elected >= seats { Outcome::Passed } else { Outcome::NotPassed };
    if elected < seats {
        let finding = Finding::warning(Code::SeatsShort).with("seats", seats).with("elected", elected);
        result.why.push(hall.finding(finding, article));
        result.why.push(hall.finding(Finding::warning(Code::ElectionIncomplete), article));
    }
}

/// Whether the block is complete enough to be judged by ballots.
pub(crate) fn by_ballot(vote: &Vote) -> bool {
    vote.method == Some(VoteMethod::Ballot)
}
