/** The words of codes that the pages handle themselves, by field. Ledgers bring their own. */
import type { Choice, DutyState, RecordState, ReportState } from '@/host'

export const meetingTypes: Readonly<Record<string, string>> = {
  assembly: '支部党员大会',
  committee: '支部委员会会议',
  group: '党小组会',
  lecture: '党课',
  theme_day: '主题党日',
  life: '组织生活会',
  review: '民主评议党员',
}

export const meetingForms: Readonly<Record<string, string>> = { onsite: '现场', online: '线上', outing: '外出', visit: '走访' }
export const plans: Readonly<Record<string, string>> = { planned: '计划内', extra: '临时' }
export const capacities: Readonly<Record<string, string>> = {
  secretary: '书记',
  deputy: '副书记（受委托）',
  member: '委员（受委托）',
  group_leader: '党小组组长',
}
export const deciders: Readonly<Record<string, string>> = { committee: '支部委员会会议', assembly: '支部党员大会' }
export const attendances: Readonly<Record<string, string>> = {
  present: '到会',
  late: '迟到',
  early: '早退',
  leave: '请假',
  absent: '缺席',
}
export const leaves: Readonly<Record<string, string>> = { work: '因公', sick: '因病', private: '因事', away: '流动外出' }
export const grounds: Readonly<Record<string, string>> = {
  illness: '患有精神病或其他疾病，不能表达本人意志',
  abroad: '自费出国半年以上',
  sentence: '被判刑但未被留党察看以上处分、正在服刑',
  bedridden: '年老体弱卧床不起、长期生病生活不能自理',
  elsewhere: '工作调动、外派、学习等在外半年以上，应转未转组织关系',
  hometown: '退休后长期在原籍居住',
}
export const agendaKinds: Readonly<Record<string, string>> = {
  topic: '议题',
  study: '学习',
  lecture: '党课',
  ceremony: '重温誓词、交纳党费等',
  discussion: '讨论',
  service: '志愿服务',
}
export const sources: Readonly<Record<string, string>> = { superior: '上级要求', committee: '支委会研究', member: '党员提议' }
export const voteRules: Readonly<Record<string, string>> = {
  ordinary: '一般事项',
  admit: '接收预备党员',
  confirm: '预备党员转正',
  election: '选举',
  committee: '支委会表决',
}
export const voteMethods: Readonly<Record<string, string>> = { hands: '举手', ballot: '无记名投票' }
export const makeupWays: Readonly<Record<string, string>> = { delivered: '送学', self: '自学', relayed: '传达' }
export const branchTypes: Readonly<Record<string, string>> = {
  branch: '党支部',
  joint: '联合党支部',
  temporary: '临时党支部',
  functional: '功能型党支部',
  mobile: '流动党员党支部',
  project: '项目党支部',
}
export const personCategories: Readonly<Record<string, string>> = {
  member: '党员',
  candidate: '发展对象',
  activist: '入党积极分子',
  applicant: '入党申请人',
  mass: '群众',
  owner: '出资人',
  guide: '党建指导员',
}
export const standings: Readonly<Record<string, string>> = { full: '正式党员', probationary: '预备党员' }
export const sexes: Readonly<Record<string, string>> = { m: '男', f: '女' }
export const memberships: Readonly<Record<string, string>> = {
  normal: '正常',
  kept: '保留',
  restored: '恢复',
  stopped: '停止',
  expelled: '开除',
}
export const posts: Readonly<Record<string, string>> = {
  secretary: '书记',
  deputy: '副书记',
  organisation: '组织委员',
  publicity: '宣传委员',
  discipline: '纪检委员',
  member: '委员',
  group_leader: '党小组组长',
}
export const limits: Readonly<Record<string, string>> = { probation: '留党察看', detained: '留置、逮捕' }
export const moves: Readonly<Record<string, string>> = { out: '流出', in: '流入' }

export const recordStates: Readonly<Record<RecordState, string>> = {
  draft: '草稿',
  recorded: '已记录',
  final: '定稿',
  annulled: '作废',
  conflict: '有冲突',
}
export const reportStates: Readonly<Record<ReportState, string>> = { local: '仅在本机', waiting: '待上报', received: '已上报' }
export const dutyStates: Readonly<Record<DutyState, string>> = { done: '已完成', due: '待完成', overdue: '逾期', not_recorded: '未记录' }

/** A table of words as the choices of a field. */
export function choicesOf(table: Readonly<Record<string, string>>): Choice[] {
  return Object.entries(table).map(([code, label]) => ({ code, label }))
}

/** Words for a list of codes, joined as in print. */
export function typeWords(types: readonly string[]): string {
  return types.map(type => meetingTypes[type] ?? type).join('、')
}

/** A period in words: `2026年10月`, `2026年第四季度`, `2026年度`. */
export function periodWords({ period, from }: { period: string; from: string }): string {
  const year = from.slice(0, 4)
  const month = Number(from.slice(5, 7))
  if (period === 'month') return `${year}年${month}月`
  if (period === 'quarter') return `${year}年第${['一', '二', '三', '四'][Math.ceil(month / 3) - 1]}季度`
  return `${year}年度`
}
