import { effectScope, nextTick } from 'vue'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { connect, type ExchangeProgress } from '@/host'
import { stub } from '@/host/stub'
import { useRunning } from './running'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('an exchange is shown once it takes longer than a moment', async () => {
  let now: ExchangeProgress | null = null
  const program = stub(() => Promise.resolve(now))
  await connect(program)
  const scope = effectScope()
  const { running, shown } = scope.run(() => useRunning())!
  async function told(progress: ExchangeProgress | null) {
    now = progress
    program.tell('progress')
    await vi.advanceTimersByTimeAsync(0)
    await nextTick()
  }
  const progress = { by_itself: true, stopping: false, bytes_out: 1, bytes_in: 0, files: null }

  await told(progress)
  expect(running.value).toEqual(progress)
  await vi.advanceTimersByTimeAsync(900)
  expect(shown.value).toBeUndefined()
  await told({ ...progress, bytes_out: 2 })
  await vi.advanceTimersByTimeAsync(100)
  expect(shown.value?.bytes_out).toBe(2)
  await told(null)
  expect(shown.value).toBeUndefined()

  await told(progress)
  expect(shown.value, 'the next one has its own moment').toBeUndefined()
  await told(null)
  await vi.advanceTimersByTimeAsync(5000)
  expect(shown.value).toBeUndefined()
  scope.stop()
})
