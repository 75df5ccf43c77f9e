import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { findingSentences } from './findings'
import { findingWords } from '.'

it('has a sentence for every code of the rules', () => {
  const source = readFileSync('../crates/domain/src/finding.rs', 'utf8')
  const list = source.slice(source.indexOf('codes! {\n'), source.indexOf('#[cfg(test)]'))
  const codes = [...list.matchAll(/^ {4}([A-Z]\w+),$/gm)].map(([, name = '']) => name.replace(/(?!^)[A-Z]/g, c => `_${c}`).toLowerCase())
  expect(codes.length).toBeGreaterThan(80)
  expect(codes.filter(code => !findingSentences[code])).toEqual([])
  expect(Object.keys(findingSentences).filter(code => !codes.includes(code)), 'sentences of codes that are gone').toEqual([])
})

it('puts codes among the parameters into words', () => {
  expect(findingWords({ code: 'prior_meeting_not_recorded', params: { date: '2026-10-09', body: 'committee' } })).toBe('本次活动依据的 2026-10-09 支部委员会会议 没有记录')
  expect(findingWords({ code: 'field_missing', params: { field: 'place' } })).toBe('缺：地点')
  expect(findingWords({ code: 'unregistered', params: { names: ['孙明', '吴涛'], count: 2 } })).toBe('孙明、吴涛 共 2 人未登记到会情况')
})
