import { callFailed } from './error'
import { chosen, download, fileName } from './files'

/** Takes in the file that was chosen; `again` after a question about it was answered. */
export type ReadUsb = (again: boolean) => Promise<void>

/** What a shell must offer to the pages. */
export interface Transport {
  call(name: string, payload: unknown): Promise<unknown>
  /** The address of the file of that hash, for `img` and links. */
  photo(hash: string): string
  /** Tells the kinds that a commit touched; answers a function that stops it. */
  listen(tell: (kinds: ReadonlySet<string>) => void): () => void
  /** Zooms the whole page; answers by how much its own pixels grew, 1 where the window itself zooms. */
  zoom(factor: number): number
  /** Makes a file for the city and brings it where the person wants it; false: they changed their mind. */
  exportUsb(everything: boolean): Promise<boolean>
  /** Lets the person choose a file from the city; answers what takes it in, also once more. */
  chooseUsb(): Promise<ReadUsb | undefined>
}

interface Changed {
  kinds: string[]
}

/** The desktop window. */
export async function tauriTransport(): Promise<Transport> {
  const [{ invoke, convertFileSrc }, { listen }, { getCurrentWebview }] = await Promise.all([
    import('@tauri-apps/api/core'),
    import('@tauri-apps/api/event'),
    import('@tauri-apps/api/webview'),
  ])
  return {
    call: (name, payload) => invoke('call', { name, payload }),
    photo: hash => convertFileSrc(hash, 'photo'),
    listen(tell) {
      const stopped = listen<Changed>('changed', event => tell(new Set(event.payload.kinds)))
      return () => void stopped.then(stop => stop())
    },
    zoom(factor) {
      void getCurrentWebview().setZoom(factor)
      return 1
    },
    exportUsb: everything => invoke<boolean>('usb_export', { everything }),
    // The dialog is part of the command: what it answers is whether anything was chosen.
    chooseUsb: () => Promise.resolve(async again => void (await invoke('usb_import', { again }))),
  }
}

/** The browser shell: the same calls over loopback HTTP. */
export function webTransport(): Transport {
  return {
    async call(name, payload) {
      const response = await fetch(`/call/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(payload),
      })
      const body: unknown = await response.json()
      if (!response.ok) throw callFailed(body)
      return body
    },
    photo: hash => `/photo/${hash}`,
    listen(tell) {
      const source = new EventSource('/events')
      source.addEventListener('changed', event => {
        const changed = JSON.parse((event as MessageEvent<string>).data) as Changed
        tell(new Set(changed.kinds))
      })
      return () => source.close()
    },
    zoom: factor => factor,
    async exportUsb(everything) {
      const response = await fetch(`/usb/export?everything=${everything}`, { method: 'POST' })
      if (!response.ok) throw callFailed(await response.json())
      download(await response.blob(), fileName(response.headers.get('content-disposition') ?? ''))
      return true
    },
    async chooseUsb() {
      const file = await chosen('.jishi')
      return async () => {
        const response = await fetch('/usb/import', { method: 'POST', body: file })
        if (!response.ok) throw callFailed(await response.json())
      }
    },
  }
}

export function inWindow(): boolean {
  return '__TAURI_INTERNALS__' in window
}
