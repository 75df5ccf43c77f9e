//! Findings: what a rule has to say, as a code with parameters. The words live in the UI.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// Error: blocks 定稿.
    E,
    /// Warning: 定稿 is possible, a note is expected.
    W,
    /// Hint: shown to the branch only; also carries the reasons of results.
    H,
}

/// One finding about one record or duty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub code: Code,
    pub severity: Severity,
    /// The article it rests on, as cited by the pack.
    pub article: Option<String>,
    pub params: BTreeMap<String, Value>,
    /// The field it speaks about, so that a page can jump there.
    pub path: Option<String>,
}

impl Finding {
    pub(crate) fn new(code: Code, severity: Severity) -> Self {
        Self { code, severity, article: None, params: BTreeMap::new(), path: None }
    }

    pub(crate) fn error(code: Code) -> Self {
        Self::new(code, Severity::E)
    }

    pub(crate) fn warning(code: Code) -> Self {
        Self::new(code, Severity::W)
    }

    pub(crate) fn hint(code: Code) -> Self {
        Self::new(code, Severity::H)
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn with_date(self, name: &str, date: chrono::NaiveDate) -> Self {
        self.with(name, date.to_string())
    }

    pub(crate) fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    pub(crate) fn on(mut self, article: &str) -> Self {
        self.article = Some(article.to_owned());
        self
    }
}

macro_rules! codes {
    ($($(#[$words:meta])+ $name:ident,)+) => {
        /// Every code a finding can carry. The doc line of each gives the sentence in Chinese with its parameters in braces.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Code { $($(#[$words])+ $name,)+ }

        impl Code {
            /// All codes, in the order of their declaration.
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];
        }
    };
}

codes! {
    // Mandatory fields.
    /// 缺：{field}（types、title、start、end、place、chair、capacity、recorder、agenda、theme、decided_by、lecturer、plan、speeches、resolution）
    FieldMissing,
    /// 结束时间不晚于开始时间
    EndNotAfterStart,
    /// 活动超过 {hours} 小时，请核对起止时间
    TooLong,
    /// 活动在 {from} 以后或 {to} 以前进行，请核对时间
    OddHour,
    /// 活动 {end} 才结束，今天是 {today}：请核对活动时间和这台电脑的日期
    NotYetEnded,

    // 补录.
    /// 补录：活动 {event} 结束，{recorded} 录入，相隔 {days} 天（一般不超过 {allowed} 天）；原因：{reason}
    RecordedLate,
    /// 活动 {event} 结束，{recorded} 才录入，相隔 {days} 天，超过 {allowed} 天，须填写补录原因
    LateReasonMissing,

    // People.
    /// {names} 共 {count} 人未登记到会情况
    Unregistered,
    /// {name} 请假，未写明原因
    LeaveReasonMissing,
    /// {name} 请假，未写明批准人
    LeaveApproverMissing,
    /// {name} 缺席，未写明原因
    AbsenceReasonMissing,
    /// {name} 在 {date} 还不是本支部党员（{since} 起）
    AttendsBeforeJoining,
    /// {name} 已于 {left} 离开本支部，不应登记到会
    AttendsAfterLeaving,
    /// {name} 不是本支部党员，应登记为列席
    AttendsNotMember,
    /// {name} 不在本次会议应到名单中，应登记为列席
    AttendsNotDue,
    /// {name} 是应到会党员，不能登记为列席（预备党员到会不是列席）
    MemberListedAsGuest,
    /// 定稿时固定的应到名册与现在的花名册不一致：多 {added}，少 {removed}
    RosterChanged,
    /// {name} 缺席已超过 {days} 天，还没有补课记录
    MakeupMissing,
    /// {name} 同一时间还登记在另一场活动（{title}）
    PersonInTwoPlaces,
    /// 两条记录时间重叠且计入同一义务（{duty}）：{title}，只计一次
    OverlappingRecords,

    // Exclusions.
    /// 把 {name} 不计算在应到会人数之内，缺少上级党委同意的依据；仍按应到计算
    ExclusionNoApproval,
    /// 把 {name} 不计算在应到会人数之内，未注明经党员大会通过；仍按应到计算
    ExclusionNoAssembly,
    /// 把 {name} 不计算在应到会人数之内，未写明情形；仍按应到计算
    ExclusionNoGround,
    /// 本次会议没有选举或接收预备党员的表决，{name} 不能除外，仍按应到计算
    ExclusionNotApplicable,
    /// {name} 已到会，不能又不计算在应到会人数之内
    ExclusionPresent,
    /// {name} 经 {approval} 同意并经党员大会通过，不计算在应到会人数之内
    ExclusionInEffect,

    // Capacity and organisation.
    /// 本支部不设支部委员会（正式党员 {members} 人，不足 {threshold} 人），不登记支委会；建议记为支部党员大会
    CommitteeAbsent,
    /// 本支部没有设支部委员会的记载（正式党员 {members} 人），先在支部资料中登记支委会
    CommitteeNotRecorded,
    /// 名册中没有支部委员会委员
    CommitteeEmpty,
    /// 党小组会没有选择党小组
    GroupMissing,
    /// 本支部在 {date} 没有这个党小组
    GroupUnknown,
    /// 主持人 {name} 在 {date} 不是{capacity}
    ChairWithoutCapacity,
    /// 主持人 {name} 不在本支部名册中
    ChairNotMember,
    /// 书记不能参加时由{capacity}主持，应写明受委托情况
    DelegationNoteMissing,
    /// 党小组会应由党小组组长主持，{name} 没有组长职务的记载
    GroupChairNotLeader,

    // Meeting quorum.
    /// 应到 {due}，实到 {present}，达到半数（至少 {least}），会议有效
    MeetingQuorate,
    /// 应到 {due}，实到 {present}，不足半数（至少 {least}），会议无效
    MeetingNotQuorate,

    // Votes: reasons of a result.
    /// 有表决权（选举权）应到 {eligible}，实到 {present}，达到要求（至少 {least}），有效
    QuorumMet,
    /// 有表决权（选举权）应到 {eligible}，实到 {present}，未达到要求（至少 {least}），无效
    QuorumShort,
    /// 赞成 {yes}（其中书面意见 {written}），超过应到会 {eligible} 的半数（至少 {least}），通过
    Adopted,
    /// 赞成 {yes}（其中书面意见 {written}），未超过应到会 {eligible} 的半数（至少 {least}），未通过
    NotAdopted,
    /// {name} 得票 {votes}，超过实到会 {present} 的半数（至少 {least}），当选
    Elected,
    /// {name} 得票 {votes}，未超过实到会 {present} 的半数（至少 {least}），未当选
    NotElected,
    /// {name} 得票 {votes}，超过半数，但名额 {seats} 已满，未当选
    SeatsFull,
    /// {names} 得票相等（{votes}），须再次投票
    Tie,
    /// 应选 {seats}，当选 {elected}，不足名额
    SeatsShort,
    /// 选举未完成，换届仍未完成
    ElectionIncomplete,
    /// 收回 {returned} 多于发出 {issued}，选举（表决）无效
    BallotsVoid,
    /// 表决数字未填全，不能得出结果
    VoteIncomplete,

    // Votes: errors.
    /// 举手表决：赞成 {yes}＋反对 {no}＋弃权 {abstain}＝{sum}，与到会有表决权人数 {present} 不符
    HandsDoNotAdd,
    /// 无记名：赞成 {yes}＋反对 {no}＋弃权 {abstain}＋废票 {invalid}＝{sum}，与收回 {returned} 不符
    BallotsDoNotAdd,
    /// 收回 {returned} 多于发出 {issued}
    ReturnedOverIssued,
    /// 发出 {issued} 多于到会有表决权人数 {present}
    IssuedOverPresent,
    /// 废票 {invalid} 多于收回 {returned}
    InvalidOverReturned,
    /// {name} 得票 {votes}，多于有效票 {valid}
    CandidateOverValid,
    /// 各候选人得票合计 {marks}，多于有效票 {valid} × 名额 {seats}：所选人数多于名额的票应作废
    MarksOverSeats,
    /// 选举应写明应选名额和候选人得票
    ElectionNumbersMissing,
    /// {rule} 应采取无记名投票
    SecretBallotRequired,
    /// {rule} 应由支部党员大会表决
    AssemblyRequired,
    /// 只有支部委员会会议才有支委会表决
    CommitteeVoteElsewhere,
    /// {name} 的书面意见是会后（{on}）提交的，不计入
    OpinionLate,
    /// {name} 的书面意见没有写明提交日期，不计入
    OpinionUndated,
    /// {name} 的书面意见与会议同日提交，请确认在会前
    OpinionSameDay,
    /// {name} 已到会，书面意见不计入
    OpinionFromPresent,
    /// {name} 没有表决权，书面意见不计入
    OpinionFromIneligible,
    /// {name} 的书面意见重复
    OpinionTwice,
    /// {rule} 不计书面意见（{name}）
    OpinionNotAllowed,
    /// 介绍人 {name} 不是正式党员（没有表决权），不能作介绍人
    SponsorNotFull,
    /// 应有两名介绍人
    SponsorsMissing,
    /// 候选人 {name} 没有被选举权
    CandidateIneligible,

    // Order of things.
    /// 本次活动依据的 {date} {body} 没有记录
    PriorMeetingNotRecorded,
    /// 本支部不设支部委员会，{date} 的“支委会研究”应为党员大会
    PriorBodyAbsent,
    /// 重要事项提交党员大会前一般应当经支委会研究：{topic}
    ImportantWithoutCommittee,
    /// 学习材料日期 {material_date} 晚于活动日期
    MaterialAfterMeeting,
    /// 议定事项“{task}”（{owner}，{due} 前）未到期
    ActionNotDue,
    /// 议定事项“{task}”（{owner}，{due} 前）已到期，没有完成情况
    ActionOverdue,
    /// 议定事项“{task}”（{owner}）没有期限，尚未完成
    ActionOpen,
    /// 议定事项“{task}”（{owner}）已于 {done_on} 完成
    ActionDone,
    /// 议定事项“{task}”没有责任人或期限
    ActionIncomplete,

    // Photos: questions, never verdicts.
    /// {count} 张照片拍摄于 {taken}，活动日期是 {date}，请核对（相机的时间也可能不准）
    PhotoOtherDay,
    /// {count} 个附件与另一条记录（{date} {title}）的相同，请核对是否放错
    PhotoInTwoMeetings,

    // Duties; the reason of a state also carries the period as {from} and {to}.
    /// 应在 {due_by} 前完成
    DutyOpen,
    /// 已由 {date} 的记录完成
    DutyMet,
    /// 未达标（可说明）
    DutyNotMetExplainable,
    /// 未达标
    DutyNotMet,
    /// 早于开始记录的日期 {since}，未记录
    DutyBeforeRecords,
    /// 未记录：{dates} 的会议被其他记录提到，但没有记录
    DutyHeldNotRecorded,
    /// 不设支部委员会（正式党员 {members} 人）
    DutyNoCommittee,
    /// 没有党小组
    DutyNoGroups,
    /// 支部于 {founded} 成立
    DutyBeforeFounding,
    /// 这类党组织不适用
    DutyOtherKind,
    /// {date} 的支委会到会不足半数，不计入
    DutyMeetingNotQuorate,

    // The branch itself.
    /// 正式党员 {members} 人，应当设立支部委员会
    CommitteeDue,
    /// 正式党员 {members} 人，不足 {threshold} 人，不设支部委员会
    CommitteeBelowThreshold,
    /// 支部没有书记（{date}）
    SecretaryVacant,
    /// 本届任期 {ends} 届满，应当换届
    TermExpired,
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::collections::BTreeSet;

    #[test]
    fn codes_travel_as_snake_case_and_are_distinct() {
        let words: BTreeSet<String> =
            Code::ALL.iter().map(|code| serde_json::to_string(code).expect("a code is a string")).collect();
        assert_eq!(words.len(), Code::ALL.len());
        assert!(words.contains("\"exclusion_no_approval\""));
    }
}
