import { describe, expect, it } from 'vitest'
import { longDate, readDate, readMonth, readTime, today, weekday } from './civil'

const now = '2026-11-23'

describe('readDate', () => {
  const check = (typed: string, wanted: string, anyYear = false) => {
    const read = readDate(typed, now, anyYear)
    expect('value' in read ? read.value : read.problem, `typed ${typed}`).toBe(wanted)
  }
  it('reads what people type', () => {
    for (const [typed, wanted] of [
      ['2026-10-13', '2026-10-13'],
      ['2026年11月7日', '2026-11-07'],
      ['11-08', '2026-11-08'], // the year is this year, never 2001
      ['11月8日', '2026-11-08'],
      ['11.8', '2026-11-08'],
      ['１１／８', '2026-11-08'],
      ['1108', '2026-11-08'],
      ['20261108', '2026-11-08'],
      ['26-11-08', '2026-11-08'],
      ['二〇二六年十月二十三日', '2026-10-23'],
      ['十月三日', '2026-10-03'],
      ['10月三十日', '2026-10-30'],
      ['8号', '2026-11-08'],
      ['昨天', '2026-11-22'],
      ['2024-02-29', '2024-02-29'],
    ] as const) check(typed, wanted)
  })
  it('refuses what is not a date', () => {
    for (const [typed, wanted] of [
      ['', 'unreadable'],
      ['下周', 'unreadable'],
      ['2026', 'impossible'], // month 20
      ['2026-2-29', 'impossible'],
      ['13-1', 'impossible'],
      ['2023-11-08', 'far'],
      ['2029-01-01', 'far'],
    ] as const) check(typed, wanted)
  })
  it('takes any year for a birthday', () => {
    check('1998.07.01', '1998-07-01', true)
    check('75-3-2', '1975-03-02', true)
  })
})

describe('readTime', () => {
  it('reads what people type', () => {
    for (const [typed, wanted] of [
      ['14:00', '14:00'],
      ['14：20', '14:20'],
      ['1430', '14:30'],
      ['900', '09:00'],
      ['9', '09:00'],
      ['14点', '14:00'],
      ['14时05分', '14:05'],
      ['下午2点半', '14:30'],
      ['下午两点', '14:00'],
      ['上午9点一刻', '09:15'],
      ['十四点二十', '14:20'],
      ['晚上7:30', '19:30'],
      ['中午12点', '12:00'],
      ['25:00', 'impossible'],
      ['1270', 'impossible'],
      ['', 'unreadable'],
    ] as const) {
      const read = readTime(typed)
      expect('value' in read ? read.value : read.problem, `typed ${typed}`).toBe(wanted)
    }
  })
})

it('is told the day at +08:00', () => {
  expect(today(Date.UTC(2026, 9, 12, 16, 0))).toBe('2026-10-13')
  expect(weekday('2026-10-13')).toBe('周二')
  expect(longDate('2026-10-03')).toBe('2026年10月3日')
})

it('reads months', () => {
  for (const [typed, wanted] of [
    ['2026-09', '2026-09'],
    ['2026年9月', '2026-09'],
    ['202609', '2026-09'],
    ['9月', '2026-09'],
    ['2026-9-15', '2026-09'],
    ['2026-13', 'impossible'],
    ['去年', 'unreadable'],
  ] as const) {
    const read = readMonth(typed, now)
    expect('value' in read ? read.value : read.problem, `typed ${typed}`).toBe(wanted)
  }
})
