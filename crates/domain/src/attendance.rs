//! Who was due at a meeting and who came: derived, never typed.

use crate::finding::{Code, Finding};
use crate::meeting::{Activity, Exclusion, Meeting, Status, VoteRule};
use crate::organisation::Organisation;
use crate::pack::{Audience, Pack};
use crate::roster::{Branch, RosterLine, roster};
use serde::{Deserialize, Serialize};

/// Who was due, and who is left out of 应到会 with effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub audience: Audience,
    pub members: Vec<RosterLine>,
    pub excluded: Vec<RosterLine>,
}

/// The numbers of a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Attendance {
    /// 应到.
    pub due: u32,
    /// 实到, late and early leavers included.
    pub present: u32,
    pub leave: u32,
    pub absent: u32,
    /// Due, and nothing entered yet.
    pub unregistered: u32,
    /// 出勤率 in thousandths, rounded half up; none where nobody is due.
    pub rate_permille: Option<u32>,
    /// 列席, in no other number.
    pub guests: u32,
}

/// The result of [`count`]: the numbers and the people behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    pub numbers: Attendance,
    pub due: Due,
}

/// A meeting's own quorum.
#[derive(Debug, Clone, PartialEq)]
pub struct MeetingQuorum {
    pub due: u32,
    pub present: u32,
    pub least: u32,
    pub quorate: bool,
    pub why: Finding,
}

/// The branch's roster for a meeting: the one frozen by 定稿, else the one of its day.
pub fn meeting_roster(branch: Branch, meeting: &Meeting) -> Vec<RosterLine> {
    match (&meeting.frozen, meeting.date()) {
        (Some(frozen), _) => frozen.clone(),
        (None, Some(date)) => roster(branch, date),
        (None, None) => Vec::new(),
    }
}

/// Who was due at a meeting. A member is left out only where the pack knows exclusions for one of its votes and the basis is complete.
pub fn due(branch: Branch, meeting: &Meeting, pack: &Pack) -> Due {
    due_of(branch.org, meeting, pack, meeting_roster(branch, meeting), None)
}

/// Who was due for one vote: exclusions take effect only if the vote's own rule knows them.
pub(crate) fn due_for_vote(branch: Branch, meeting: &Meeting, pack: &Pack, rule: VoteRule) -> Due {
    due_of(branch.org, meeting, pack, meeting_roster(branch, meeting), Some(rule))
}

fn due_of(
    org: &Organisation,
    meeting: &Meeting,
    pack: &Pack,
    lines: Vec<RosterLine>,
    rule: Option<VoteRule>,
) -> Due {
    let audience = audience(meeting, pack);
    let has_committee = meeting.date().is_some_and(|date| org.committee_on(date).is_some());
    let invited = |line: &RosterLine| match audience {
        Audience::Committee => has_committee && line.in_committee(),
        Audience::Group => line.group.is_some() && line.group == meeting.group,
        Audience::Branch | Audience::Any => true,
    };
    let known = rule.is_none_or(|rule| pack.exclusions.votes.contains(&rule));
    let left_out = |line: &RosterLine| {
        known
            && meeting
                .exclusions
                .get(&line.person)
                .is_some_and(|exclusion| exclusion_faults(meeting, &line.person, exclusion, pack).is_empty())
    };
    let (excluded, members) = lines.into_iter().filter(invited).partition(left_out);
    Due { audience, members, excluded }
}

/// The widest audience that one of the event's activities asks for.
pub fn audience(meeting: &Meeting, pack: &Pack) -> Audience {
    let asked = meeting.types.iter().filter_map(|activity| pack.audience.get(activity));
    match asked.copied().max() {
        Some(Audience::Any) | None => Audience::Branch,
        Some(audience) => audience,
    }
}

/// What keeps an exclusion from taking effect; empty if it does.
pub fn exclusion_faults(meeting: &Meeting, person: &str, exclusion: &Exclusion, pack: &Pack) -> Vec<Code> {
    let mut votes = meeting.agenda.iter().filter_map(|item| item.vote.as_ref());
    let applies = votes.any(|vote| pack.exclusions.votes.contains(&vote.rule));
    let known = exclusion.ground.as_ref().is_some_and(|ground| pack.exclusions.grounds.contains(ground));
    [
        (!applies, Code::ExclusionNotApplicable),
        (exclusion.approval.is_none(), Code::ExclusionNoApproval),
        (!exclusion.assembly, Code::ExclusionNoAssembly),
        (!known, Code::ExclusionNoGround),
        (meeting.attended(person), Code::ExclusionPresent),
    ]
    .into_iter()
    .filter_map(|(fault, code)| fault.then_some(code))
    .collect()
}

/// Counts a meeting's attendance.
pub fn count(branch: Branch, meeting: &Meeting, pack: &Pack) -> Count {
    let due = due(branch, meeting, pack);
    let mut numbers = Attendance {
        due: size(due.members.len()),
        guests: size(meeting.guests.len()),
        ..Attendance::default()
    };
    for line in &due.members {
        let status = meeting.attendance.get(&line.person).and_then(|entry| entry.status);
        let number = match status {
            Some(Status::Present | Status::Late | Status::Early) => &mut numbers.present,
            Some(Status::Leave) => &mut numbers.leave,
            Some(Status::Absent) => &mut numbers.absent,
            None => &mut numbers.unregistered,
        };
        *number += 1;
    }
    numbers.rate_permille = rate_permille(numbers.present, numbers.due);
    Count { numbers, due }
}

/// Says whether [`count`], 补录 or the number of attachments rests on the field at this path. Whoever lists meetings need
/// not read the others, of which the minutes are long.
pub fn counts_on(path: &str) -> bool {
    let mut steps = path.split('/');
    let (field, part) = (steps.next().unwrap_or_default(), steps.nth(1));
    match field {
        "types" | "time" | "group" | "roster" | "exclusions" | "guests" => true,
        "attendance" => part == Some("status"),
        "agenda" => part == Some("vote"),
        "attachments" => part == Some("file"),
        _ => false,
    }
}

/// A share in thousandths, rounded half up in whole numbers.
fn rate_permille(present: u32, due: u32) -> Option<u32> {
    let (present, due) = (u64::from(present), u64::from(due));
    (due > 0).then(|| u32::try_from((2000 * present + due) / (2 * due)).unwrap_or(u32::MAX))
}

/// Whether a 支部党员大会 or 支委会 could be held at all; other activities, and bodies without members, have no quorum.
pub fn meeting_quorum(branch: Branch, meeting: &Meeting, pack: &Pack) -> Option<MeetingQuorum> {
    let due = due(branch, meeting, pack);
    let (rule, counts): (_, fn(&RosterLine) -> bool) = match due.audience {
        Audience::Committee => (VoteRule::Committee, |_| true),
        Audience::Branch if meeting.is(Activity::Assembly) => (VoteRule::Ordinary, |line| line.may_vote),
        Audience::Branch | Audience::Group | Audience::Any => return None,
    };
    let share = &pack.thresholds(rule).quorum;
    let voters: Vec<_> = due.members.iter().filter(|line| counts(line)).collect();
    if voters.is_empty() {
        return None;
    }
    let eligible = size(voters.len());
    let present = size(voters.iter().filter(|line| meeting.attended(&line.person)).count());
    let (quorate, least) = (share.reached(present, eligible), share.least(eligible));
    let why =
        if quorate { Finding::hint(Code::MeetingQuorate) } else { Finding::warning(Code::MeetingNotQuorate) };
    let why = why.with("due", eligible).with("present", present).with("least", least);
    Some(MeetingQuorum {
        due: eligible,
        present,
        least,
        quorate,
        why: why.on(pack.cite(&share.article)).at("attendance"),
    })
}

pub(crate) fn size(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::rate_permille;

    #[test]
    fn the_rate_is_rounded_half_up_in_whole_numbers() {
        let cases = [
            (11, 14, Some(786)),
            (0, 14, Some(0)),
            (14, 14, Some(1000)),
            (2, 3, Some(667)),
            (1, 3, Some(333)),
            (1, 16, Some(63)),
            (1, 2000, Some(1)),
            (0, 0, None),
        ];
        for (present, due, expected) in cases {
            assert_eq!(rate_permille(present, due), expected, "{present} of {due}");
        }
    }
}
