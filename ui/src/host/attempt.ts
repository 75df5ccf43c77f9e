import { shallowRef, type ShallowRef } from 'vue'
import { callFailed, type CallFailed } from './error'

/** Several things that buttons of one page do, with one place for the last refusal. */
export function useAttempt(): { attempt: (work: () => Promise<unknown>) => Promise<void>; failure: ShallowRef<CallFailed | undefined> } {
  const failure = shallowRef<CallFailed>()
  async function attempt(work: () => Promise<unknown>) {
    failure.value = undefined
    try {
      await work()
    } catch (thrown) {
      failure.value = callFailed(thrown)
    }
  }
  return { attempt, failure }
}
