import { onScopeDispose, shallowRef, watch, type ShallowRef } from 'vue'
import { call, onChanged, type Name, type Req, type Res } from '.'
import { reads } from './contract'
import { callFailed, type CallFailed } from './error'

export interface Live<T> {
  /** The last good answer; it stays on screen when a later one fails. */
  data: Readonly<ShallowRef<T | undefined>>
  error: Readonly<ShallowRef<CallFailed | undefined>>
  again: () => Promise<void>
}

/**
 * Answers a query now and after every write to what it reads. A late answer to an old question is dropped.
 * While `resting`, nothing is asked: a page that is about to be left must not ask for what it just took away.
 */
export function useLive<N extends Name>(name: N, req: () => Req<N>, resting = () => false): Live<Res<N>> {
  const data = shallowRef<Res<N>>()
  const error = shallowRef<CallFailed>()
  let turn = 0

  async function again() {
    const mine = ++turn
    try {
      const answer = await call(name, req())
      if (mine !== turn) return
      data.value = answer
      error.value = undefined
    } catch (thrown) {
      if (mine === turn) error.value = callFailed(thrown)
    }
  }

  watch(() => JSON.stringify(req()), again, { immediate: true })
  const stop = onChanged(kinds => {
    if (!resting() && readBy(name).some(kind => kinds.has(kind))) void again()
  })
  onScopeDispose(() => {
    turn++
    stop()
  })
  return { data, error, again }
}

/** The kinds whose change makes the answer stale; of a write, none. */
function readBy(name: Name): readonly string[] {
  return (reads as Partial<Record<Name, readonly string[]>>)[name] ?? []
}
