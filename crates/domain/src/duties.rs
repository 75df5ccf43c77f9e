//! The calendar of duties: what a branch owed in a period, and which record met it.

use crate::attendance::meeting_quorum;
use crate::check::{Mention, mentions};
use crate::finding::{Code, Finding};
use crate::meeting::{Activity, Meeting};
use crate::organisation::OrganisationKind;
use crate::pack::{AppliesIf, AppliesOn, DutyId, DutyRule, Pack, Per};
use crate::period::{Period, Span};
use crate::roster::Branch;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How a duty stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DutyState {
    Done,
    /// Still to be done in time.
    Due,
    /// 未达标; where the rule is "一般" it can be explained.
    Overdue,
    /// 未记录: before records were kept here, or held according to another record but not recorded.
    NotRecorded,
    NotApplicable,
}

/// A record that met a duty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetBy {
    pub record: String,
    pub date: NaiveDate,
}

/// One duty of one period, of the branch or of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Duty {
    pub id: DutyId,
    pub activity: Activity,
    pub group: Option<String>,
    pub group_name: Option<String>,
    pub period: Period,
    /// The last day on which it may be met; later than the period where the pack grants time.
    pub due_by: NaiveDate,
    pub state: DutyState,
    pub times: usize,
    pub met_by: Vec<MetBy>,
    pub why: Vec<Finding>,
    pub article: String,
    /// "一般": explainable, never a breach.
    pub normal: bool,
    /// A policy value that is still to be confirmed.
    pub confirm: bool,
}

/// Every duty of the periods that touch the span and have begun by today, also those that do not apply, with the reason.
///
/// `meetings` are the branch's live ones; those of the span and of the months of grace after it are enough.
pub fn duties(branch: Branch, meetings: &[Meeting], pack: &Pack, span: Span, today: NaiveDate) -> Vec<Duty> {
    let begun = Span { from: span.from, to: span.to.min(today) };
    let unrecorded = unrecorded(meetings);
    let calendar = Calendar { branch, meetings, unrecorded, pack, today };
    pack.duties.iter().flat_map(|rule| calendar.of_rule(rule, begun)).collect()
}

/// The duties that apply: what a branch's list shows.
pub fn due_duties(
    branch: Branch,
    meetings: &[Meeting],
    pack: &Pack,
    span: Span,
    today: NaiveDate,
) -> Vec<Duty> {
    let mut duties = duties(branch, meetings, pack, span, today);
    duties.retain(|duty| duty.state != DutyState::NotApplicable);
    duties
}

/// What one record counts for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub id: DutyId,
    pub activity: Activity,
    pub group: Option<String>,
    pub period: Period,
}

/// The duties that a meeting counts for, given the branch's other live meetings: one event may meet several.
pub fn counts_for(branch: Branch, meeting: &Meeting, others: &[Meeting], pack: &Pack) -> Vec<Counted> {
    let Some(today) = meeting.date() else { return Vec::new() };
    let mut meetings: Vec<Meeting> = others.iter().filter(|other| other.id != meeting.id).cloned().collect();
    meetings.push(meeting.clone());
    let calendar = Calendar { branch, meetings: &meetings, unrecorded: BTreeSet::new(), pack, today };
    pack.duties.iter().flat_map(|rule| calendar.counted(rule, meeting, today)).collect()
}

/// The activity whose duty two records of one event would both be counted for: their times overlap and they share it.
pub fn same_event(one: &Meeting, other: &Meeting, pack: &Pack) -> Option<Activity> {
    if one.id == other.id || !one.overlaps(other) {
        return None;
    }
    let shared = |rule: &&DutyRule| {
        one.is(rule.activity)
            && other.is(rule.activity)
            && match rule.per {
                Per::Branch => true,
                Per::Group => one.group == other.group,
            }
    };
    pack.duties.iter().find(shared).map(|rule| rule.activity)
}

struct Calendar<'a> {
    branch: Branch<'a>,
    meetings: &'a [Meeting],
    /// Meetings that other records mention and nobody recorded.
    unrecorded: BTreeSet<(Activity, NaiveDate)>,
    pack: &'a Pack,
    today: NaiveDate,
}

/// The one who owes a duty.
#[derive(Clone, Copy)]
enum Owner<'a> {
    Branch,
    Group { id: &'a str, name: &'a str },
}

impl<'a> Calendar<'a> {
    fn of_rule(&self, rule: &'a DutyRule, span: Span) -> Vec<Duty> {
        let mut met: BTreeMap<Option<&str>, BTreeMap<Period, Vec<&Meeting>>> = BTreeMap::new();
        let mut duties = Vec::new();
        for period in Period::all(rule.every, span) {
            match self.owners(rule, period) {
                Err(reason) => duties.push(self.not_applicable(rule, period, reason)),
                Ok(owners) => duties.extend(owners.into_iter().map(|owner| {
                    let assigned = met.entry(owner.id()).or_insert_with(|| self.assign(rule, owner));
                    let held = assigned.get(&period).map(Vec::as_slice).unwrap_or_default();
                    self.judge(rule, owner, period, held)
                })),
            }
        }
        duties
    }

    fn counted(&self, rule: &DutyRule, meeting: &Meeting, date: NaiveDate) -> Vec<Counted> {
        let owners = Period::of(rule.every, date).and_then(|period| self.owners(rule, period).ok());
        let of_owner = |owner: Owner<'a>| {
            let assigned = self.assign(rule, owner);
            let period =
                assigned.into_iter().find(|(_, held)| held.iter().any(|held| held.id == meeting.id))?.0;
            let group = owner.id().map(str::to_owned);
            Some(Counted { id: rule.id, activity: rule.activity, group, period })
        };
        owners.into_iter().flatten().filter_map(of_owner).collect()
    }

    fn judged_on(&self, period: Period) -> NaiveDate {
        match self.pack.applies_on {
            AppliesOn::PeriodStart => period.from,
            AppliesOn::PeriodEnd => period.to,
        }
    }

    /// Who owes the duty in a period, by the branch as it was on the day the pack names; or why nobody does.
    fn owners(&self, rule: &DutyRule, period: Period) -> Result<Vec<Owner<'a>>, Finding> {
        let org = self.branch.org;
        let day = self.judged_on(period);
        if !rule.kinds.contains(&org.kind.unwrap_or(OrganisationKind::Branch)) {
            return Err(Finding::hint(Code::DutyOtherKind));
        }
        if let Some(founded) = org.founded.filter(|founded| *founded > day) {
            return Err(Finding::hint(Code::DutyBeforeFounding).with_date("founded", founded));
        }
        if rule.applies_if == AppliesIf::Committee && org.committee_on(day).is_none() {
            let threshold = self.pack.committee.from_full_members;
            let finding = Finding::hint(Code::DutyNoCommittee).with("members", self.branch.full_members(day));
            let finding = finding.with("threshold", threshold);
            return Err(finding.on(self.pack.cite(&self.pack.committee.article)));
        }
        let groups: Vec<Owner> =
            org.groups_on(day).map(|group| Owner::Group { id: &group.id, name: &group.name }).collect();
        if rule.applies_if == AppliesIf::Groups && groups.is_empty() {
            return Err(Finding::hint(Code::DutyNoGroups).on(self.pack.cite(&rule.article)));
        }
        Ok(match rule.per {
            Per::Branch => vec![Owner::Branch],
            Per::Group => groups,
        })
    }

    /// The meetings that count for a rule and owner, in order; records of one event count once.
    fn counting(&self, rule: &DutyRule, owner: Owner) -> Vec<&'a Meeting> {
        let mut meetings: Vec<&Meeting> = self
            .meetings
            .iter()
            .filter(|meeting| meeting.date().is_some() && self.is_for(meeting, rule, owner))
            .collect();
        meetings.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
        let mut kept: Vec<&Meeting> = Vec::new();
        for meeting in meetings {
            if self.quorate(meeting) && !kept.iter().rev().take(8).any(|other| other.overlaps(meeting)) {
                kept.push(meeting);
            }
        }
        kept
    }

    fn is_for(&self, meeting: &Meeting, rule: &DutyRule, owner: Owner) -> bool {
        let owned = match owner {
            Owner::Branch => true,
            Owner::Group { id, .. } => meeting.group.as_deref() == Some(id),
        };
        let mut listed = self.pack.duties.iter().filter(|rule| meeting.is(rule.activity));
        let counted = if self.pack.one_event_many_duties {
            meeting.is(rule.activity)
        } else {
            listed.next().is_some_and(|first| first.id == rule.id)
        };
        owned && counted
    }

    /// A 支委会 that fewer than half of the committee came to was not held.
    fn quorate(&self, meeting: &Meeting) -> bool {
        let only_committee = meeting.is(Activity::Committee) && !meeting.is(Activity::Assembly);
        !only_committee
            || meeting_quorum(self.branch, meeting, self.pack).is_some_and(|quorum| quorum.quorate)
    }

    /// Which period each meeting counts for. Where the pack grants months of grace, a meeting of those months fills the
    /// earlier period first, if records were kept then and it is not met yet; a stated year is taken at its word.
    fn assign(&self, rule: &DutyRule, owner: Owner) -> BTreeMap<Period, Vec<&'a Meeting>> {
        let mut assigned: BTreeMap<Period, Vec<&Meeting>> = BTreeMap::new();
        let counting = self.counting(rule, owner);
        let (stated, free): (Vec<_>, Vec<_>) =
            counting.into_iter().partition(|meeting| rule.grace_months > 0 && meeting.for_year.is_some());
        for meeting in stated {
            let day = meeting.for_year.and_then(|year| NaiveDate::from_ymd_opt(year, 1, 1));
            if let Some(period) = day.and_then(|day| Period::of(rule.every, day)) {
                assigned.entry(period).or_default().push(meeting);
            }
        }
        for meeting in free {
            let Some(period) = meeting.date().and_then(|date| self.period_for(rule, date, &assigned)) else {
                continue;
            };
            assigned.entry(period).or_default().push(meeting);
        }
        assigned
    }

    fn period_for(
        &self,
        rule: &DutyRule,
        date: NaiveDate,
        assigned: &BTreeMap<Period, Vec<&Meeting>>,
    ) -> Option<Period> {
        let own = Period::of(rule.every, date)?;
        let earlier = own.from.pred_opt().and_then(|day| Period::of(rule.every, day));
        let open = earlier.filter(|earlier| {
            let kept = self.branch.org.records_since.is_some_and(|since| earlier.to >= since);
            let applies = self.owners(rule, *earlier).is_ok();
            let met = assigned.get(earlier).is_some_and(|meetings| meetings.len() >= rule.times);
            date <= earlier.due_by(rule.grace_months) && kept && applies && !met
        });
        Some(open.unwrap_or(own))
    }

    fn judge(&self, rule: &DutyRule, owner: Owner, period: Period, held: &[&Meeting]) -> Duty {
        let mut duty = self.blank(rule, owner, period);
        duty.met_by = held
            .iter()
            .filter_map(|meeting| Some(MetBy { record: meeting.id.clone(), date: meeting.date()? }))
            .collect();
        let unrecorded = self.held_elsewhere(rule, owner, period);
        let since = self.branch.org.records_since;
        let article = self.pack.cite(&rule.article);
        let (state, why) = if let (true, Some(first)) = (duty.met_by.len() >= rule.times, duty.met_by.first())
        {
            (
                DutyState::Done,
                Finding::hint(Code::DutyMet)
                    .with("record", first.record.as_str())
                    .with_date("date", first.date),
            )
        } else if !unrecorded.is_empty() {
            let dates: Vec<String> = unrecorded.iter().map(NaiveDate::to_string).collect();
            (DutyState::NotRecorded, Finding::hint(Code::DutyHeldNotRecorded).with("dates", dates))
        } else if since.is_none_or(|since| period.to < since) {
            (DutyState::NotRecorded, before_records(since))
        } else if self.today <= duty.due_by {
            (DutyState::Due, Finding::hint(Code::DutyOpen).with_date("due_by", duty.due_by))
        } else if since.is_some_and(|since| period.from < since) {
            (DutyState::NotRecorded, before_records(since))
        } else if rule.normal {
            (DutyState::Overdue, Finding::warning(Code::DutyNotMetExplainable))
        } else {
            (DutyState::Overdue, Finding::warning(Code::DutyNotMet))
        };
        duty.state = state;
        duty.why.push(why.with_date("from", period.from).with_date("to", period.to).on(article));
        duty.why.extend(self.not_quorate(rule, period));
        duty
    }

    /// Days on which another record says that the meeting was held, while no record of it is kept.
    fn held_elsewhere(&self, rule: &DutyRule, owner: Owner, period: Period) -> Vec<NaiveDate> {
        if owner.id().is_some() {
            return Vec::new();
        }
        let of_period =
            |(activity, date): &&(Activity, NaiveDate)| *activity == rule.activity && period.holds(*date);
        self.unrecorded.iter().filter(of_period).map(|(_, date)| *date).collect()
    }

    fn not_quorate(&self, rule: &DutyRule, period: Period) -> Vec<Finding> {
        let held = self.meetings.iter().filter(|meeting| {
            meeting.is(rule.activity)
                && meeting.date().is_some_and(|date| period.holds(date))
                && !self.quorate(meeting)
        });
        held.filter_map(|meeting| {
            Some(Finding::hint(Code::DutyMeetingNotQuorate).with_date("date", meeting.date()?))
        })
        .collect()
    }

    fn not_applicable(&self, rule: &DutyRule, period: Period, reason: Finding) -> Duty {
        let mut duty = self.blank(rule, Owner::Branch, period);
        duty.state = DutyState::NotApplicable;
        duty.why.push(reason);
        duty
    }

    fn blank(&self, rule: &DutyRule, owner: Owner, period: Period) -> Duty {
        Duty {
            id: rule.id,
            activity: rule.activity,
            group: owner.id().map(str::to_owned),
            group_name: owner.name().map(str::to_owned),
            period,
            due_by: period.due_by(rule.grace_months),
            state: DutyState::Due,
            times: rule.times,
            met_by: Vec::new(),
            why: Vec::new(),
            article: self.pack.cite(&rule.article).to_owned(),
            normal: rule.normal,
            confirm: rule.confirm,
        }
    }
}

impl<'a> Owner<'a> {
    fn id(self) -> Option<&'a str> {
        match self {
            Owner::Branch => None,
            Owner::Group { id, .. } => Some(id),
        }
    }

    fn name(self) -> Option<&'a str> {
        match self {
            Owner::Branch => None,
            Owner::Group { name, .. } => Some(name),
        }
    }
}

fn unrecorded(meetings: &[Meeting]) -> BTreeSet<(Activity, NaiveDate)> {
    let held: BTreeSet<(Activity, NaiveDate)> = meetings
        .iter()
        .filter_map(|meeting| Some((meeting, meeting.date()?)))
        .flat_map(|(meeting, date)| meeting.types.iter().map(move |activity| (*activity, date)))
        .collect();
    let ids: BTreeSet<&str> = meetings.iter().map(|meeting| meeting.id.as_str()).collect();
    let mentioned = meetings.iter().flat_map(mentions);
    let named = |mention: &Mention| mention.record.as_deref().is_some_and(|record| ids.contains(record));
    mentioned
        .filter(|mention| !named(mention))
        .map(|mention| (mention.body, mention.date))
        .filter(|mentioned| !held.contains(mentioned))
        .collect()
}

fn before_records(since: Option<NaiveDate>) -> Finding {
    Finding::hint(Code::DutyBeforeRecords).with("since", since.map(|since| since.to_string()))
}
