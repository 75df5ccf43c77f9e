/** Civil dates and times as people type them. Dates are `YYYY-MM-DD`, times `HH:MM`; both mean +08:00 and carry no zone. */

export type Read<T> = { value: T } | { problem: 'unreadable' | 'impossible' | 'far' }

const weekdays = ['周日', '周一', '周二', '周三', '周四', '周五', '周六']
const digits = '〇一二三四五六七八九'
const nearbyYears = 2

/** Today at +08:00, whatever the zone of the computer. */
export function today(now: number): string {
  return new Date(now + 8 * 3_600_000).toISOString().slice(0, 10)
}

export function weekday(date: string): string {
  const day = new Date(`${date}T00:00:00Z`).getUTCDay()
  return weekdays[day] ?? ''
}

export function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate()
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}

/** `2026年10月13日`. */
export function longDate(date: string): string {
  const [y, m, d] = date.split('-').map(Number)
  return `${y}年${m}月${d}日`
}

/** Reads a date. Without a year it is the year of `now`; a year more than two away is refused unless `anyYear`. */
export function readDate(typed: string, now: string, anyYear: boolean): Read<string> {
  const text = plain(typed)
  const spoken = { 今天: 0, 今日: 0, 昨天: -1, 昨日: -1, 前天: -2, 明天: 1, 明日: 1, 后天: 2 }[text]
  if (spoken !== undefined) return { value: addDays(now, spoken) }
  const [thisYear = 0, thisMonth = 0] = now.split('-').map(Number)
  const parts = dateParts(text, thisYear, thisMonth, anyYear)
  if (!parts) return { problem: 'unreadable' }
  const [year, month, day] = parts
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return { problem: 'impossible' }
  if (!anyYear && Math.abs(year - thisYear) > nearbyYears) return { problem: 'far' }
  return { value: `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}` }
}

/** Reads a month as `YYYY-MM`; a full date gives its month. */
export function readMonth(typed: string, now: string): Read<string> {
  const match = /^(?:(\d{4})[年\-/.]?)?(\d{1,2})月?$/.exec(plain(typed))
  const [, year, month = ''] = match ?? []
  const read = readDate(match ? `${year ?? now.slice(0, 4)}-${month}-1` : typed, now, true)
  return 'value' in read ? { value: read.value.slice(0, 7) } : read
}

/** Reads a time of day: `14:00`, `1430`, `14点30`, `下午2点半`. */
export function readTime(typed: string): Read<string> {
  const text = plain(typed)
  const match = /^(凌晨|早上|上午|中午|下午|晚上|晚)?(?:(\d{1,2})(?:[:点时.](\d{1,2}|半)?分?)?|(\d{1,2})(\d{2}))$/.exec(text)
  if (!match) return { problem: 'unreadable' }
  const [, half, h, m, h2, m2] = match
  let hour = Number(h ?? h2)
  const minute = minutes(m ?? m2)
  if (half && ['下午', '晚上', '晚'].includes(half) && hour < 12) hour += 12
  if (half === '中午' && hour < 3) hour += 12
  if (hour > 23 || minute > 59) return { problem: 'impossible' }
  return { value: `${two(hour)}:${two(minute)}` }
}

/** What Chinese keyboards and pasted text put between the digits, made plain. */
function plain(typed: string): string {
  return typed
    .normalize('NFKC')
    .replace(/[\s']/g, '')
    .replace(/[。·]/g, '.')
    .replace(/一刻/g, '15')
    .replace(/三刻/g, '45')
    .replace(/两/g, '二')
    .replace(/[〇零○一二三四五六七八九十]+/g, numeral)
}

/** `二〇二六` and `二十三` as digits. */
function numeral(text: string): string {
  const even = text.replace(/[零○]/g, '〇')
  if (!even.includes('十')) return [...even].map(c => digits.indexOf(c)).join('')
  const [tens = '', ones = ''] = even.split('十')
  return String((tens ? digits.indexOf(tens) : 1) * 10 + (ones ? digits.indexOf(ones) : 0))
}

function dateParts(text: string, thisYear: number, thisMonth: number, anyYear: boolean): [number, number, number] | undefined {
  const marked = /^(?:(\d{4}|\d{2})[年\-/.])?(\d{1,2})[月\-/.](\d{1,2})[日号]?$/.exec(text)
  if (marked) return [fullYear(marked[1], thisYear, anyYear), Number(marked[2]), Number(marked[3])]
  const run = /^(\d{4})?(\d{2})(\d{2})$/.exec(text)
  if (run) return [fullYear(run[1], thisYear, anyYear), Number(run[2]), Number(run[3])]
  const day = /^(\d{1,2})[日号]$/.exec(text)
  return day ? [thisYear, thisMonth, Number(day[1])] : undefined
}

/** A two-digit year of a birthday that would lie ahead belongs to the century before. */
function fullYear(typed: string | undefined, thisYear: number, anyYear: boolean): number {
  if (typed === undefined) return thisYear
  if (typed.length === 4) return Number(typed)
  const near = Math.floor(thisYear / 100) * 100 + Number(typed)
  return anyYear && near > thisYear ? near - 100 : near
}

function minutes(typed: string | undefined): number {
  if (typed === undefined) return 0
  return typed === '半' ? 30 : Number(typed)
}

function two(n: number): string {
  return String(n).padStart(2, '0')
}
