import { expect, it } from 'vitest'
import type { Matter, MatterSide } from '@/host'
import { cardOf, optionsOf, resultOf, sideName, useChoices } from './conflicts'

const side = (take: number, text: string, more: Partial<MatterSide> = {}): MatterSide => ({ take, says: 'value', here: false, who: '', computer: '', at: '', text, masked: null, reason: '', ...more })
const matter = (more: Partial<Matter> = {}): Matter => ({
  key: 'place',
  about: 'field',
  label: '地点',
  sides: [side(1, '一楼', { here: true }), side(0, '三楼')],
  both: false,
  joined: '',
  parts: [],
  proposed: null,
  ...more,
})

it('shows what each choice comes to, and nothing before there is one', () => {
  const place = matter()
  expect(resultOf(place, [null])).toBeUndefined()
  expect(resultOf(place, [1])).toBe('一楼')
  expect(resultOf(matter({ both: true, joined: '一楼\n三楼' }), [2])).toBe('一楼\n三楼')
  const text = matter({ parts: [{ is: 'merged', text: '一。' }, { is: 'open', texts: ['甲。', '乙。', '甲。乙。'] }, { is: 'merged', text: '三。' }] })
  expect(resultOf(text, [null])).toBeUndefined()
  expect([0, 1, 2].map(take => resultOf(text, [take]))).toEqual(['一。甲。三。', '一。乙。三。', '一。甲。乙。三。'])
})

it('sends what the sides say, whatever order they stand in', () => {
  expect(optionsOf(matter(), false).map(({ take, label }) => [take, label])).toEqual([
    [1, '用本机的'],
    [0, '用对方的'],
  ])
  const life = matter({ about: 'deleted', sides: [side(1, '', { says: 'removes', here: true }), side(0, '', { says: 'keeps' })] })
  expect(optionsOf(life, false).map(option => option.label)).toEqual(['确认删除', '恢复记录'])
  expect(optionsOf(life, true)[0]?.label).toBe('确认作废')
  const withheld = matter({ sides: [side(0, '', { says: 'withheld' }), side(1, '三楼')] })
  expect(optionsOf(withheld, false).map(option => option.disabled)).toEqual([true, false])
})

it('names three sides apart', () => {
  const three = matter({ sides: [side(1, '一', { here: true }), side(0, '二'), side(2, '三')] })
  expect(three.sides.map(one => sideName(three, one))).toEqual(['本机', '对方 1', '对方 2'])
})

it('decides only what is decided as a whole', () => {
  const { take, decisions } = useChoices()
  const text = matter({ key: 'summary', parts: [{ is: 'open', texts: ['甲', '乙', ''] }, { is: 'open', texts: ['丙', '丁', ''] }] })
  expect(decisions([matter(), text])).toEqual([])
  take(matter(), 0, 0)
  take(text, 0, 1)
  expect(decisions([matter(), text])).toEqual([{ key: 'place', takes: [0] }])
  take(text, 1, 2)
  expect(decisions([matter(), text])).toHaveLength(2)
  expect(decisions([matter({ key: 'theme', proposed: 1 })])).toEqual([{ key: 'theme', takes: [1] }])
})

it('leads to the card of a record, or of a pair', () => {
  expect(cardOf({ kind: 'meeting', id: 'a' })).toEqual({ name: 'conflict', params: { kind: 'meeting', id: 'a' } })
  expect(cardOf({ kind: 'meeting', id: 'a', other: 'b' })).toEqual({ name: 'same-event', params: { keep: 'a', other: 'b' } })
})
