import { computed, shallowRef, type ComputedRef } from 'vue'
import { call, useAction, type AttachmentForm, type CallFailed } from '@/host'

/** Fetches the photo that is looked at, one at a time; `busy` while any is on its way. What came of another one is not told. */
export function useFetching(looked: () => AttachmentForm | undefined): {
  fetch: (file: AttachmentForm) => Promise<void>
  stop: () => Promise<void>
  busy: ComputedRef<boolean>
  fetching: ComputedRef<boolean>
  stopping: ComputedRef<boolean>
  error: ComputedRef<CallFailed | undefined>
} {
  const hash = shallowRef('')
  const fetched = useAction(() => call('fetch_photo', { hash: hash.value }))
  const stopped = shallowRef(false)
  const isLooked = computed(() => looked()?.hash === hash.value)

  async function fetch(file: AttachmentForm) {
    if (fetched.busy.value) return
    hash.value = file.hash
    stopped.value = false
    await fetched.run()
  }
  async function stop() {
    stopped.value = true
    await call('stop_exchange', {})
  }
  return {
    fetch,
    stop,
    busy: computed(() => fetched.busy.value),
    fetching: computed(() => fetched.busy.value && isLooked.value),
    stopping: computed(() => fetched.busy.value && stopped.value),
    error: computed(() => (isLooked.value && fetched.error.value?.code !== 'stopped' ? fetched.error.value : undefined)),
  }
}
