import type { Transport } from './transport'

/** A shell for tests: calls are answered by the test, which also says what changed. */
export function stub(call: Transport['call']): Transport & { tell(...kinds: string[]): void } {
  let listener: (kinds: ReadonlySet<string>) => void = () => undefined
  return {
    call,
    listen(told) {
      listener = told
      return () => undefined
    },
    tell: (...kinds) => listener(new Set(kinds)),
    photo: hash => hash,
    zoom: () => 1,
    exportUsb: () => Promise.resolve(false),
    chooseUsb: () => Promise.resolve(undefined),
  }
}
