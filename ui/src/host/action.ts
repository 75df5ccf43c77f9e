import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { callFailed, type CallFailed } from './error'

export interface Action<A extends unknown[], T> {
  /** Runs it; answers `undefined` when it was refused, with the reason in `error`. A second run waits for nothing: it is ignored. */
  run: (...args: A) => Promise<T | undefined>
  busy: Readonly<Ref<boolean>>
  error: ShallowRef<CallFailed | undefined>
}

/** One thing that a button does: never twice at once, its refusal kept for the page to show. */
export function useAction<A extends unknown[], T>(work: (...args: A) => Promise<T>): Action<A, T> {
  const busy = ref(false)
  const error = shallowRef<CallFailed>()
  async function run(...args: A): Promise<T | undefined> {
    if (busy.value) return undefined
    busy.value = true
    error.value = undefined
    try {
      return await work(...args)
    } catch (thrown) {
      error.value = callFailed(thrown)
      return undefined
    } finally {
      busy.value = false
    }
  }
  return { run, busy, error }
}
