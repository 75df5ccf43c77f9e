import { inject, provide, readonly, ref, type InjectionKey, type Ref } from 'vue'
import { today } from './civil'

const key: InjectionKey<Readonly<Ref<string>>> = Symbol('today')

/** Makes the host's civil date known to every date field below. */
export function provideToday(day: Readonly<Ref<string>>): void {
  provide(key, day)
}

/** Today by the host's clock; the page's own only where no host has said it yet. */
export function useToday(): Readonly<Ref<string>> {
  return inject(key, () => readonly(ref(today(Date.now()))), true)
}
