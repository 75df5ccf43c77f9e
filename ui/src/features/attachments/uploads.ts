import { onScopeDispose, ref, type Ref } from 'vue'
import { call, callFailed, type AttachmentForm, type CallFailed } from '@/host'

/** A file on its way into the draft, or one that was refused. */
export interface Coming {
  id: number
  name: string
  size: number
  sent: number
  state: 'waiting' | 'sending' | 'preparing' | 'refused'
  error: CallFailed | undefined
}

export interface Uploads {
  coming: Ref<Coming[]>
  add: (files: Iterable<File>) => void
  /** Cancels what is on its way, or dismisses what was refused. */
  drop: (id: number) => void
}

/** Sends files one after the other, in chunks: memory stays small and each can be cancelled. */
export function useUploads({ draft, arrived }: { draft: string; arrived: (file: AttachmentForm) => void }): Uploads {
  const coming = ref<Coming[]>([])
  const sources = new Map<number, File>()
  let last = 0
  let running = false

  function add(files: Iterable<File>) {
    for (const file of files) {
      sources.set(++last, file)
      coming.value.push({ id: last, name: file.name, size: file.size, sent: 0, state: 'waiting', error: undefined })
    }
    void work()
  }

  function drop(id: number) {
    sources.delete(id)
    coming.value = coming.value.filter(one => one.id !== id)
  }

  async function work() {
    if (running) return
    running = true
    for (let next = waiting(); next; next = waiting()) await send(next)
    running = false
  }
  const waiting = () => coming.value.find(one => one.state === 'waiting')

  async function send(one: Coming) {
    one.state = 'sending'
    try {
      const kept = await carried(one)
      if (kept) arrived(kept)
      drop(one.id)
    } catch (thrown) {
      one.state = 'refused'
      one.error = callFailed(thrown)
    }
  }

  /** The file as it is kept; none when it was cancelled. */
  async function carried(one: Coming): Promise<AttachmentForm | undefined> {
    const { upload, chunk } = await call('begin_attachment', { draft, name: one.name, len: one.size })
    for (let at = 0; at < one.size; at += chunk) {
      const source = sources.get(one.id)
      if (!source) {
        await call('cancel_attachment', { upload })
        return undefined
      }
      await call('put_attachment', { upload, at, data: await base64(source.slice(at, at + chunk)) })
      one.sent = Math.min(at + chunk, one.size)
    }
    one.state = 'preparing'
    return call('finish_attachment', { upload })
  }

  onScopeDispose(() => sources.clear())
  return { coming, add, drop }
}

function base64(bytes: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    // A file that was moved or a stick that was pulled: as broken as one that was cut off.
    reader.onerror = () => reject({ code: 'broken_file' })
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ''))
    reader.readAsDataURL(bytes)
  })
}
