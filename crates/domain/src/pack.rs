//! Packs: dated rules as data, from `schemas/packs`. No threshold, frequency or article stands in code.

use crate::finding::Severity;
use crate::meeting::{Activity, VoteRule};
use crate::organisation::OrganisationKind;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::OnceLock;

const BUILTIN: [&str; 1] = [include_str!("../../../schemas/packs/cn-2018-2026.json")];

/// The rules that hold for a stretch of time. `confirm` marks a policy value that a Party-affairs expert must confirm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    pub id: String,
    pub label: String,
    pub valid_from: NaiveDate,
    #[serde(default)]
    pub valid_to: Option<NaiveDate>,
    pub source: Vec<String>,
    pub articles: BTreeMap<String, Article>,
    pub committee: CommitteeRule,
    pub branch_size: BranchSize,
    pub duties: Vec<DutyRule>,
    pub applies_on: AppliesOn,
    /// Whether one event may meet several duties (一会多记).
    pub one_event_many_duties: bool,
    pub audience: BTreeMap<Activity, Audience>,
    pub votes: BTreeMap<VoteRule, VoteThresholds>,
    pub exclusions: ExclusionRule,
    pub rights: Vec<Rights>,
    pub late: LateRule,
    pub makeup: MakeupRule,
    pub time: TimeRule,
    pub study: StudyRule,
    pub review: ReviewRule,
    pub mandatory: Vec<Mandatory>,
}

/// What a rule rests on: how it is cited, and its sense.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Article {
    pub cite: String,
    pub text: String,
    #[serde(default)]
    pub confirm: bool,
}

/// When a branch has a 支部委员会, and how large it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitteeRule {
    pub from_full_members: usize,
    pub least: u32,
    pub usual_most: u32,
    pub most: u32,
    pub article: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BranchSize {
    pub form_from_full_members: u32,
    pub usual_most: u32,
    pub joint_units_most: u32,
    pub article: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DutyId {
    F1,
    F2,
    F3,
    F4,
    F5,
    F6,
    F7,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    Month,
    Quarter,
    Year,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    Branch,
    Group,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppliesIf {
    Always,
    /// Only a branch with a 支部委员会.
    Committee,
    /// Only groups that exist.
    Groups,
}

/// The day of a period on which a duty's condition is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppliesOn {
    PeriodStart,
    PeriodEnd,
}

/// An obligation: what, how often, for whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DutyRule {
    pub id: DutyId,
    pub activity: Activity,
    pub label: String,
    pub every: Every,
    pub times: usize,
    pub per: Per,
    pub applies_if: AppliesIf,
    /// "一般": not meeting it can be explained and is never called a breach.
    pub normal: bool,
    pub kinds: Vec<OrganisationKind>,
    pub article: String,
    /// Months after the period in which the duty may still be met.
    #[serde(default)]
    pub grace_months: u32,
    #[serde(default)]
    pub confirm: bool,
    #[serde(default)]
    pub note: Option<String>,
}

/// Who is due at an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Follows the other activities of the same event; alone it is the branch.
    Any,
    Committee,
    Group,
    Branch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// 应到会有表决权.
    Due,
    /// 实到会有表决权.
    Present,
}

/// A share that a count has to reach: `num/den`, or more than it when strict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    pub num: u64,
    pub den: u64,
    pub strict: bool,
    pub article: String,
    #[serde(default)]
    pub confirm: bool,
}

impl Share {
    /// Whether the count reaches the share of the whole. No one reaches a share of nobody.
    pub fn reached(&self, count: u32, whole: u32) -> bool {
        whole > 0 && count >= self.least(whole)
    }

    /// The smallest count that reaches the share.
    pub fn least(&self, whole: u32) -> u32 {
        let product = u64::from(whole) * self.num;
        let least = if self.strict { product / self.den + 1 } else { product.div_ceil(self.den) };
        u32::try_from(least).unwrap_or(u32::MAX)
    }
}

/// A share together with the number it is a share of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Majority {
    pub of: Of,
    #[serde(flatten)]
    pub share: Share,
}

/// When a vote is valid and when it passes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoteThresholds {
    pub quorum: Share,
    pub passes: Majority,
    /// Whether written opinions of absent voters count.
    pub written: bool,
    /// Whether it must be 无记名.
    pub secret: bool,
    /// Whether only a 支部党员大会 may hold it.
    pub assembly_only: bool,
}

/// Which votes know members who are not counted in 应到会.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExclusionRule {
    pub votes: Vec<VoteRule>,
    pub grounds: Vec<String>,
    pub article: String,
    #[serde(default)]
    pub confirm: bool,
}

/// The rights that go with a status, as they are shown and explained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rights {
    pub status: String,
    pub label: String,
    pub due: bool,
    pub vote: bool,
    pub elect: bool,
    /// Whether the person gets a grade at 民主评议.
    pub grade: bool,
    #[serde(default)]
    pub article: Option<String>,
    #[serde(default)]
    pub confirm: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LateRule {
    /// Days after the event within which entering it is not 补录.
    pub days: i64,
    pub article: String,
    #[serde(default)]
    pub confirm: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MakeupRule {
    pub days: i64,
    #[serde(default)]
    pub confirm: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeRule {
    pub longest_hours: i64,
    pub odd_from_hour: u32,
    pub odd_to_hour: u32,
}

/// How attended time becomes 学时.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyRule {
    /// Activities whose whole length counts.
    pub whole_event: Vec<Activity>,
    /// Agenda kinds that count in other activities.
    pub agenda_kinds: Vec<String>,
    pub minutes_per_hour: u32,
    /// From so many minutes in one event, so many hours (longest first).
    pub steps: Vec<StudyStep>,
    pub yearly_hours: u32,
    pub article: String,
    #[serde(default)]
    pub confirm: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyStep {
    pub from_minutes: u32,
    pub hours: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewRule {
    pub excellent: Fraction,
    /// Whether 预备党员 count among the members of whom a share may be 优秀.
    pub probationary_count: bool,
    pub article: String,
    #[serde(default)]
    pub confirm: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fraction {
    pub num: usize,
    pub den: usize,
}

impl ReviewRule {
    /// The most members who may be graded 优秀, rounded down.
    pub fn most_excellent(&self, full: usize, probationary: usize) -> usize {
        let members = if self.probationary_count { full + probationary } else { full };
        members * self.excellent.num / self.excellent.den
    }
}

/// A field that a record must have, and how much its absence weighs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mandatory {
    pub field: String,
    pub severity: Severity,
    #[serde(default)]
    pub confirm: bool,
}

impl Pack {
    /// The packs compiled in, oldest first.
    pub fn builtin() -> &'static [Pack] {
        static PACKS: OnceLock<Vec<Pack>> = OnceLock::new();
        PACKS.get_or_init(|| {
            let read =
                |text| serde_json::from_str(text).expect("a compiled-in pack is read by this crate's tests");
            let mut packs: Vec<Pack> = BUILTIN.into_iter().map(read).collect();
            packs.sort_by_key(|pack| pack.valid_from);
            packs
        })
    }

    /// The pack that holds on a day: the latest begun; before the first, the first.
    pub fn on(date: NaiveDate) -> &'static Pack {
        choose(Self::builtin(), date)
    }

    /// How an article is cited.
    pub fn cite<'a>(&'a self, article: &'a str) -> &'a str {
        self.articles.get(article).map_or(article, |article| &article.cite)
    }

    pub fn duty(&self, id: DutyId) -> Option<&DutyRule> {
        self.duties.iter().find(|duty| duty.id == id)
    }

    pub fn thresholds(&self, rule: VoteRule) -> &VoteThresholds {
        self.votes.get(&rule).expect("every pack is tested to hold every vote rule")
    }

    /// How much the absence of a field weighs, if the pack asks for it.
    pub fn mandatory(&self, field: &str) -> Option<Severity> {
        self.mandatory.iter().find(|known| known.field == field).map(|known| known.severity)
    }
}

fn choose(packs: &[Pack], date: NaiveDate) -> &Pack {
    packs.iter().rev().find(|pack| pack.valid_from <= date).or(packs.first()).expect("a pack is compiled in")
}

#[cfg(test)]
mod tests {
    use super::{Pack, Share, choose};
    use crate::meeting::{Activity, VoteRule};
    use crate::time::parse_date;
    use proptest::{prop_assert, proptest};

    #[test]
    fn every_reference_of_every_pack_resolves() {
        for pack in Pack::builtin() {
            let articles = pack
                .duties
                .iter()
                .map(|duty| &duty.article)
                .chain(
                    pack.votes.values().flat_map(|vote| [&vote.quorum.article, &vote.passes.share.article]),
                )
                .chain([&pack.committee.article, &pack.exclusions.article, &pack.late.article])
                .chain([&pack.study.article, &pack.review.article, &pack.branch_size.article]);
            for article in articles {
                assert!(pack.articles.contains_key(article), "{}: {article}", pack.id);
            }
        }
    }

    #[test]
    fn every_pack_knows_every_vote_and_activity() {
        use Activity::{Assembly, Committee, Group, Lecture, Life, Review, ThemeDay};
        for pack in Pack::builtin() {
            for rule in [
                VoteRule::Ordinary,
                VoteRule::Admit,
                VoteRule::Confirm,
                VoteRule::Election,
                VoteRule::Committee,
            ] {
                assert!(pack.votes.contains_key(&rule), "{}: {rule:?}", pack.id);
            }
            for activity in [Assembly, Committee, Group, Lecture, ThemeDay, Life, Review] {
                assert!(pack.audience.contains_key(&activity), "{}: {activity:?}", pack.id);
            }
        }
    }

    #[test]
    fn the_pack_of_a_day_is_the_latest_begun() {
        let day = |text| parse_date(text).expect("a date");
        let first = Pack::builtin()[0].clone();
        let mut second = first.clone();
        second.id = "next".to_owned();
        second.valid_from = day("2027-01-01");
        let packs = [first.clone(), second];
        for (date, expected) in
            [("2016-05-01", first.id.as_str()), ("2026-12-31", first.id.as_str()), ("2027-01-01", "next")]
        {
            assert_eq!(choose(&packs, day(date)).id, expected, "{date}");
        }
    }

    #[test]
    fn the_least_count_is_exact() {
        let pack = &Pack::builtin()[0];
        let election = &pack.thresholds(VoteRule::Election).quorum;
        for (whole, least) in [(3, 3), (4, 4), (5, 4), (6, 5), (7, 6), (8, 7), (10, 8), (12, 10)] {
            assert_eq!(election.least(whole), least, "election of {whole}");
            assert!(election.reached(least, whole) && !election.reached(least - 1, whole), "{whole}");
        }
        let ordinary = pack.thresholds(VoteRule::Ordinary);
        for (whole, quorum, passes) in [(1, 1, 1), (2, 1, 2), (3, 2, 2), (8, 4, 5), (9, 5, 5), (11, 6, 6)] {
            assert_eq!(ordinary.quorum.least(whole), quorum, "quorum of {whole}");
            assert_eq!(ordinary.passes.share.least(whole), passes, "majority of {whole}");
        }
        assert_eq!(pack.thresholds(VoteRule::Admit).quorum.least(8), 5, "more than half, not half");
        assert!(!ordinary.quorum.reached(0, 0), "nobody is no quorum");
    }

    proptest! {
        #[test]
        fn a_share_is_reached_exactly(num in 1u64..10, more in 0u64..10, whole in 1u32..10_000, strict: bool) {
            let article = String::new();
            let share = Share { num, den: num + more, strict, article, confirm: false };
            let least = share.least(whole);
            let reached = |count: u32| {
                let (count, part) = (u64::from(count) * share.den, u64::from(whole) * share.num);
                if strict { count > part } else { count >= part }
            };
            prop_assert!(reached(least) && share.reached(least, whole));
            prop_assert!(!reached(least - 1) && !share.reached(least - 1, whole));
        }
    }

    #[test]
    fn a_third_of_the_members_rounded_down_may_be_excellent() {
        let review = &Pack::builtin()[0].review;
        for (full, probationary, most) in [(2, 0, 0), (3, 0, 1), (10, 2, 3), (11, 1, 3), (12, 2, 4)] {
            assert_eq!(review.most_excellent(full, probationary), most, "{full}+{probationary}");
        }
        let mut counting = review.clone();
        counting.probationary_count = true;
        assert_eq!(counting.most_excellent(10, 2), 4);
    }

    #[test]
    fn policy_values_are_marked_to_confirm() {
        let pack = &Pack::builtin()[0];
        assert!(pack.late.confirm && pack.study.confirm && pack.review.confirm);
        assert!(pack.duties.iter().any(|duty| duty.activity == Activity::Lecture && duty.confirm));
    }
}
