//! Study time out of attendance: minutes are kept, hours follow by the pack's conversion.

use crate::attendance::due;
use crate::meeting::Meeting;
use crate::pack::{Pack, StudyRule};
use crate::roster::Branch;
use chrono::TimeDelta;

/// The study minutes of each member who was due and came.
pub fn study_minutes(branch: Branch, meeting: &Meeting, pack: &Pack) -> Vec<(String, u32)> {
    let minutes = meeting_minutes(meeting, &pack.study);
    if minutes == 0 {
        return Vec::new();
    }
    let due = due(branch, meeting, pack);
    due.members
        .into_iter()
        .filter(|line| meeting.attended(&line.person))
        .map(|line| (line.person, minutes))
        .collect()
}

/// The study minutes of an event: all of a 党课 or 主题党日, of others the agenda items for study.
pub fn meeting_minutes(meeting: &Meeting, rule: &StudyRule) -> u32 {
    if rule.whole_event.iter().any(|activity| meeting.is(*activity)) {
        let length = match (meeting.start, meeting.end) {
            (Some(start), Some(end)) => end - start,
            _ => TimeDelta::zero(),
        };
        return u32::try_from(length.num_minutes()).unwrap_or(0);
    }
    let studied = meeting
        .agenda
        .iter()
        .filter(|item| item.kind.as_ref().is_some_and(|kind| rule.agenda_kinds.contains(kind)));
    studied.filter_map(|item| item.minutes).fold(0, u32::saturating_add)
}

/// The 学时 of one event's minutes: the longest step reached, else whole hours.
pub fn study_hours(minutes: u32, rule: &StudyRule) -> u32 {
    let step = rule.steps.iter().find(|step| minutes >= step.from_minutes);
    step.map_or(minutes / rule.minutes_per_hour.max(1), |step| step.hours)
}

#[cfg(test)]
mod tests {
    use super::study_hours;
    use crate::pack::Pack;

    #[test]
    fn minutes_become_hours_by_the_pack() {
        let rule = &Pack::builtin()[0].study;
        for (minutes, hours) in
            [(0, 0), (59, 0), (60, 1), (140, 2), (209, 3), (210, 4), (359, 4), (360, 8), (600, 8)]
        {
            assert_eq!(study_hours(minutes, rule), hours, "{minutes} minutes");
        }
    }
}
