import { ref } from 'vue'
import { toast } from '@/kit/toast'
import { consoleWords as w } from '@/words/console'
import { Refused } from './api'

/** Does one thing at a time at the city and says what came of it; then looks again. */
export function useDoing(again: () => unknown) {
  const busy = ref(false)
  async function act(done: string, work: () => Promise<unknown>) {
    busy.value = true
    try {
      await work()
      toast(done)
    } catch (thrown) {
      const code = thrown instanceof Refused ? thrown.code : 'city_fault'
      toast(w.errors[code] ?? w.errors.city_fault!)
    } finally {
      busy.value = false
      again()
    }
  }
  return { busy, act }
}
