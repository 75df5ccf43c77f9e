import { ref, shallowRef, watch } from 'vue'
import type { Live } from '@/host'
import { CallFailed } from '@/host'
import { Refused } from './api'

/** Answers a question to the city now and when it changes, in the shape that `kit/Page` shows. */
export function useAsked<T>(question: () => string, ask: () => Promise<T>): Live<T> {
  const data = shallowRef<T>()
  const error = shallowRef<CallFailed>()
  const turn = ref(0)
  async function again() {
    const mine = ++turn.value
    try {
      const answer = await ask()
      if (mine === turn.value) [data.value, error.value] = [answer, undefined]
    } catch (thrown) {
      const code = thrown instanceof Refused ? thrown.code : 'city_fault'
      if (code === 'not_signed_in') location.reload() // the session is over: the sign-in page comes
      if (mine === turn.value) error.value = new CallFailed(code)
    }
  }
  watch(question, again, { immediate: true })
  return { data, error, again }
}
