import { onScopeDispose, readonly, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import { callFailed, type CallFailed } from './error'

/** A keystroke is on disk this long after it at the latest, plus the time of one save. */
const settle = 600

export interface DraftSaver<S> {
  /** What the last successful save answered. */
  saved: Readonly<ShallowRef<S | undefined>>
  error: Readonly<ShallowRef<CallFailed | undefined>>
  /** Something is typed that is not on disk yet. */
  pending: Readonly<Ref<boolean>>
  /** Saves now what is not on disk yet; answers whether all of it is. */
  flush: () => Promise<boolean>
}

/** Saves a form while it is typed: never two saves at once, the last state always goes last. `form` is empty until it was read. */
export function useDraft<F, S>({ form, save }: { form: Ref<F | undefined>; save: (form: F) => Promise<S> }): DraftSaver<S> {
  const saved = shallowRef<S>()
  const error = shallowRef<CallFailed>()
  const pending = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  let running: Promise<void> | undefined

  watch(
    form,
    (now, before) => {
      if (now === undefined || now !== before) return // just read, not typed
      pending.value = true
      timer ??= setTimeout(() => void flush(), settle)
    },
    { deep: true },
  )

  async function flush(): Promise<boolean> {
    clearTimeout(timer)
    timer = undefined
    while (running) await running
    if (!pending.value) return error.value === undefined
    running = store()
    await running
    return error.value === undefined
  }

  async function store() {
    const typed = form.value
    if (typed === undefined) return
    pending.value = false
    try {
      saved.value = await save(typed)
      error.value = undefined
    } catch (thrown) {
      error.value = callFailed(thrown)
      pending.value = true
    } finally {
      running = undefined
    }
  }

  onScopeDispose(() => void flush())
  return { saved, error, pending: readonly(pending), flush }
}
