import { effectScope, type EffectScope } from 'vue'
import { expect, it } from 'vitest'
import { connect, type AttachmentForm } from '@/host'
import { stub } from '@/host/stub'
import { useUploads, type Uploads } from './uploads'

interface Asked {
  name: string
  payload: { upload?: string; at?: number; data?: string; name?: string }
  answer: (value: unknown) => void
  refuse: (error: unknown) => void
}

/** A program whose answers the test gives, one call at a time. */
async function program() {
  const asked: Asked[] = []
  let told: (() => void) | undefined
  const answered = stub(
    (name, payload) =>
      new Promise((answer, refuse) => {
        asked.push({ name, payload: payload as Asked['payload'], answer, refuse })
        told?.()
      }),
  )
  await connect(answered)
  /** The next call, which must be of that name. */
  async function next(name: string): Promise<Asked> {
    while (asked.length === 0) await new Promise<void>(resolve => (told = resolve))
    const call = asked.shift()!
    expect(call.name).toBe(name)
    return call
  }
  return { next, asked }
}

function uploads(): { scope: EffectScope; up: Uploads; arrived: AttachmentForm[] } {
  const arrived: AttachmentForm[] = []
  const scope = effectScope()
  const up = scope.run(() => useUploads({ draft: 'd', arrived: file => arrived.push(file) }))!
  return { scope, up, arrived }
}

const file = (name: string, text: string) => new File([text], name)

it('sends chunk after chunk, one file after the other', async () => {
  const { next, asked } = await program()
  const { up, arrived } = uploads()
  up.add([file('a.jpg', 'abcde'), file('b.jpg', 'x')])
  const begun = await next('begin_attachment')
  expect(begun.payload).toEqual({ draft: 'd', name: 'a.jpg', len: 5 })
  begun.answer({ upload: 'u', chunk: 3 })
  for (const [at, text] of [[0, 'abc'], [3, 'de']] as const) {
    const put = await next('put_attachment')
    expect(put.payload).toEqual({ upload: 'u', at, data: btoa(text) })
    put.answer({})
  }
  const finish = await next('finish_attachment')
  expect(up.coming.value.map(one => one.state)).toEqual(['preparing', 'waiting'])
  expect(asked, 'the second waits').toEqual([])
  finish.answer({ id: 'f' })
  expect((await next('begin_attachment')).payload.name).toBe('b.jpg')
  expect(arrived).toEqual([{ id: 'f' }])
})

it('cancels what is on its way and goes on with the next', async () => {
  const { next } = await program()
  const { up, arrived } = uploads()
  up.add([file('a.jpg', 'abcde'), file('b.jpg', 'x')])
  ;(await next('begin_attachment')).answer({ upload: 'u', chunk: 1 })
  const put = await next('put_attachment')
  up.drop(up.coming.value[0]!.id)
  put.answer({})
  const cancel = await next('cancel_attachment')
  expect(cancel.payload).toEqual({ upload: 'u' })
  cancel.answer({})
  expect((await next('begin_attachment')).payload.name).toBe('b.jpg')
  expect(arrived).toEqual([])
})

it('keeps a refused file on the page with the reason until it is dismissed', async () => {
  const { next } = await program()
  const { up } = uploads()
  up.add([file('a.heic', 'abc'), file('b.jpg', 'x')])
  ;(await next('begin_attachment')).refuse({ code: 'heic_photo' })
  const second = await next('begin_attachment')
  expect(up.coming.value.map(one => [one.state, one.error?.code])).toEqual([['refused', 'heic_photo'], ['sending', undefined]])
  up.drop(up.coming.value[0]!.id)
  expect(up.coming.value.map(one => one.name)).toEqual(['b.jpg'])
  second.refuse({ code: 'too_many_files' })
})

it('stops when the editor is left', async () => {
  const { next } = await program()
  const { up, scope } = uploads()
  up.add([file('a.jpg', 'abc')])
  ;(await next('begin_attachment')).answer({ upload: 'u', chunk: 1 })
  const put = await next('put_attachment')
  scope.stop()
  put.answer({})
  ;(await next('cancel_attachment')).answer({})
})
