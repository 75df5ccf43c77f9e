import { computed, ref, watch, type ComputedRef } from 'vue'
import { useLive, type ExchangeProgress } from '@/host'

/** What is over sooner is not worth a look. */
const MOMENT = 1000

/** The exchange that runs; `shown` once it takes longer than a moment. */
export function useRunning(): { running: ComputedRef<ExchangeProgress | undefined>; shown: ComputedRef<ExchangeProgress | undefined> } {
  const live = useLive('exchange_progress', () => ({}))
  const running = computed(() => live.data.value ?? undefined)
  const long = ref(false)
  watch(
    () => running.value !== undefined,
    (is, _, cleanup) => {
      long.value = false
      if (!is) return
      const timer = setTimeout(() => (long.value = true), MOMENT)
      cleanup(() => clearTimeout(timer))
    },
  )
  return { running, shown: computed(() => (long.value ? running.value : undefined)) }
}
