import { effectScope, nextTick, ref } from 'vue'
import { describe, expect, it } from 'vitest'
import { connect, useLive } from '.'
import { stub } from './stub'

/** A shell whose answers are given by the test, in the order it likes. */
async function shell() {
  const asked: { payload: unknown; answer: (value: unknown) => void; refuse: (error: unknown) => void }[] = []
  const transport = stub((_, payload) => new Promise((answer, refuse) => asked.push({ payload, answer, refuse })))
  await connect(transport)
  return { asked, changed: transport.tell }
}

const settled = async () => {
  await nextTick()
  await new Promise(resolve => setTimeout(resolve))
}

describe('useLive', () => {
  it('drops a late answer to an old question', async () => {
    const { asked } = await shell()
    const text = ref('a')
    const scope = effectScope()
    const live = scope.run(() => useLive('search', () => ({ text: text.value })))!
    text.value = 'ab'
    await nextTick()
    asked[1]!.answer({ hits: ['new'], more: false })
    asked[0]!.answer({ hits: ['old'], more: false })
    await settled()
    expect(live.data.value).toEqual({ hits: ['new'], more: false })
    scope.stop()
  })

  it('asks again after a write to what it reads, and only then', async () => {
    const { asked, changed } = await shell()
    const scope = effectScope()
    scope.run(() => useLive('list_people', () => ({ text: '', include_left: false, members_only: false })))
    changed('meeting')
    expect(asked).toHaveLength(1)
    changed('person')
    expect(asked).toHaveLength(2)
    scope.stop()
    changed('person')
    expect(asked, 'a page that is gone asks nothing').toHaveLength(2)
  })

  it('keeps the last good answer when a later one fails', async () => {
    const { asked, changed } = await shell()
    const scope = effectScope()
    const live = scope.run(() => useLive('list_people', () => ({ text: '', include_left: false, members_only: false })))!
    asked[0]!.answer({ rows: [] })
    await settled()
    changed('person')
    asked[1]!.refuse({ code: 'damaged' })
    await settled()
    expect(live.data.value).toEqual({ rows: [] })
    expect(live.error.value?.code).toBe('damaged')
    scope.stop()
  })
})
