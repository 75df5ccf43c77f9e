import { weekday } from './civil'

/** `2026年10月13日 周二`. */
export function dayWords(date: string): string {
  const [y, m, d] = date.split('-').map(Number)
  return `${y}年${m}月${d}日 ${weekday(date)}`
}

/** `10月13日 周二`, for lists where the year is said elsewhere. */
export function shortDay(date: string): string {
  const [, m, d] = date.split('-').map(Number)
  return `${m}月${d}日 ${weekday(date)}`
}

/** An RFC 3339 instant as `2026-10-13 20:05`, at +08:00 whatever the zone of the computer. */
export function instantWords(instant: string): string {
  const at = new Date(Date.parse(instant) + 8 * 3_600_000).toISOString()
  return `${at.slice(0, 10)} ${at.slice(11, 16)}`
}

/** `2026-10-13T14:00` as `2026-10-13 14:00`. */
export function civilWords(civil: string): string {
  return civil.replace('T', ' ')
}
