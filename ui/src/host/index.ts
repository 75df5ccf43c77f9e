/** The only module that knows which shell the pages run in. Everything else uses `call`, `useLive` and `useAction`. */

import type { Calls } from './contract'
import { callFailed } from './error'
import { inWindow, tauriTransport, webTransport, type ReadUsb, type Transport } from './transport'

export type * from './contract'
export type { ReadUsb } from './transport'
export { callFailed, CallFailed } from './error'
export { useAction } from './action'
export { useAttempt } from './attempt'
export { useDraft, type DraftSaver } from './draft'
export { useLive, type Live } from './live'

export type Name = keyof Calls
export type Req<N extends Name> = Calls[N]['req']
export type Res<N extends Name> = Calls[N]['res']

type Tell = (kinds: ReadonlySet<string>) => void

let transport: Transport | undefined
const listeners = new Set<Tell>()

/** Connects to the shell; done once, before the first page. A test passes its own. */
export async function connect(given?: Transport): Promise<void> {
  transport = given ?? (inWindow() ? await tauriTransport() : webTransport())
  fitWidth()
  addEventListener('resize', fitWidth)
  transport.listen(kinds => listeners.forEach(tell => tell(kinds)))
}

/** Asks the program; throws a `CallFailed`. */
export async function call<N extends Name>(name: N, req: Req<N>): Promise<Res<N>> {
  if (!transport) throw new Error('connect() comes first')
  try {
    return (await transport.call(name, req)) as Res<N>
  } catch (thrown) {
    throw callFailed(thrown)
  }
}

/** Where the shell serves a photo or document, by the hash of its bytes. */
export function photoAddress(hash: string): string {
  if (!transport) throw new Error('connect() comes first')
  return transport.photo(hash)
}

/** Makes a file for the city and brings it where the person wants it; false: they changed their mind. */
export async function exportUsb(everything: boolean): Promise<boolean> {
  if (!transport) throw new Error('connect() comes first')
  return transport.exportUsb(everything)
}

/** Lets the person choose a file; answers what takes it in, also once more, and throws a `CallFailed`. */
export async function chooseUsb(): Promise<ReadUsb | undefined> {
  if (!transport) throw new Error('connect() comes first')
  return transport.chooseUsb()
}

/** Runs `tell` after every commit that touched something; answers a function that stops it. */
export function onChanged(tell: Tell): () => void {
  listeners.add(tell)
  return () => listeners.delete(tell)
}

let grown = 1

/** Zooms the whole page: in the window by the web view, in a browser by CSS. */
export function zoom(factor: number): void {
  grown = transport?.zoom(factor) ?? 1
  document.documentElement.style.setProperty('--zoom', String(grown))
  fitWidth()
}

/** Tells the sheets how wide the page is in its own pixels; media queries do not see CSS zoom. */
function fitWidth(): void {
  const width = innerWidth / grown
  document.documentElement.dataset.width = width <= 1000 ? 'narrow' : width <= 1240 ? 'medium' : 'wide'
}
