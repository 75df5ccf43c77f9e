import { effectScope, nextTick, ref } from 'vue'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { useDraft } from './draft'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function editor(save: (form: { text: string }) => Promise<unknown>) {
  const form = ref<{ text: string }>()
  const scope = effectScope()
  const draft = scope.run(() => useDraft({ form, save }))!
  const type = async (text: string) => {
    form.value!.text = text
    await nextTick()
  }
  const read = async (text: string) => {
    form.value = { text }
    await nextTick()
  }
  return { draft, type, read, scope }
}

describe('useDraft', () => {
  it('saves within a second of each keystroke, also while typing goes on', async () => {
    const kept: string[] = []
    const { type, read } = editor(async form => void kept.push(form.text))
    await read('')
    await vi.advanceTimersByTimeAsync(5000)
    expect(kept, 'reading is not typing').toEqual([])
    for (const text of ['会', '会议', '会议开', '会议开始']) {
      await type(text)
      await vi.advanceTimersByTimeAsync(400)
    }
    expect(kept.at(-1)).not.toBe('会')
    await vi.advanceTimersByTimeAsync(1000)
    expect(kept.at(-1)).toBe('会议开始')
  })

  it('never saves twice at once, and the last state goes last', async () => {
    const kept: string[] = []
    let open = 0
    const { type, read } = editor(async form => {
      expect(++open).toBe(1)
      const text = form.text
      await new Promise(resolve => setTimeout(resolve, 3000))
      kept.push(text)
      open--
    })
    await read('')
    await type('一')
    await vi.advanceTimersByTimeAsync(1000)
    await type('一二')
    await vi.advanceTimersByTimeAsync(10000)
    expect(kept).toEqual(['一', '一二'])
  })

  it('says when it could not save and tries again with the next keystroke', async () => {
    let full = true
    const { draft, type, read } = editor(async () => {
      if (full) throw { code: 'disk_full' }
    })
    await read('')
    await type('一')
    await vi.advanceTimersByTimeAsync(1000)
    expect(draft.error.value?.code).toBe('disk_full')
    expect(draft.pending.value, 'the text is not safe').toBe(true)
    full = false
    expect(await draft.flush()).toBe(true)
    expect(draft.error.value).toBeUndefined()
  })
})
