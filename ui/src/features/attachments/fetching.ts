import { computed, nextTick, shallowRef, useTemplateRef, type ComputedRef } from 'vue'
import { call, useAction, type AttachmentForm, type FileState } from '@/host'
import { errorWords, words } from '@/words'

/** Fetches the photo that is looked at, one at a time; `busy` while any is on its way. What came of another one is not told. */
export function useFetching(looked: () => AttachmentForm | undefined): {
  fetch: (file: AttachmentForm) => Promise<void>
  stop: () => Promise<void>
  busy: ComputedRef<boolean>
  fetching: ComputedRef<boolean>
  stopping: ComputedRef<boolean>
  problem: ComputedRef<string | undefined>
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
    problem: computed(() => {
      const error = fetched.error.value
      if (!error || !isLooked.value || error.code === 'stopped') return undefined
      return error.code === 'cut_off' ? words.attachments.fetchCut : errorWords(error)
    }),
  }
}

/** A document's state while it is not here, and the focus handed on to the element whose ref is `link` once it has come. */
export function useAbsence(state: () => FileState | undefined) {
  const link = useTemplateRef<HTMLElement>('link')
  return {
    absent: computed(() => (state()?.whereabouts === 'on_its_way' ? state() : undefined)),
    toLink: () => void nextTick(() => link.value?.focus()),
  }
}
