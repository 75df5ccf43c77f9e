import { onScopeDispose } from 'vue'
import { call } from '@/host'

/** Tells the program that the network came back, so that it does not wait for its next try. */
export function tellNetwork(): void {
  // What cannot be told now is found out at the next try.
  const tell = () => void call('network_is_back', {}).catch(() => undefined)
  addEventListener('online', tell)
  onScopeDispose(() => removeEventListener('online', tell))
}
