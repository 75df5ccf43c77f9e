import { onScopeDispose, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import { call, useLive, type AttachmentForm, type FileState, type MeetingForm } from '@/host'
import { toast } from '@/kit/toast'
import { words } from '@/words'

/** Where the files of a meeting are, by hash; empty until it is known. */
export function useWhereabouts(meeting: () => string): Readonly<ShallowRef<ReadonlyMap<string, FileState>>> {
  const live = useLive('attachment_states', () => ({ meeting: meeting() }))
  const states = shallowRef<ReadonlyMap<string, FileState>>(new Map())
  // What was said of a file that was taken out still holds when it comes back.
  watch(live.data, data => (states.value = new Map([...states.value, ...(data?.files ?? []).map(file => [file.hash, file] as const)])), { immediate: true })
  return states
}

export const isPicture = (file: AttachmentForm) => file.media.startsWith('image/')

/** The attached files of the form that is being typed. */
export function useAttached({ draft, form }: { draft: string; form: Ref<MeetingForm> }) {
  let here = true
  onScopeDispose(() => (here = false))

  function arrived(file: AttachmentForm) {
    if (form.value.attachments.every(other => other.id !== file.id)) form.value.attachments.push(file)
  }

  function move(from: number, to: number) {
    const files = form.value.attachments
    if (to < 0 || to >= files.length) return
    const [file] = files.splice(from, 1)
    if (file) files.splice(to, 0, file)
  }

  function remove(at: number) {
    const [file] = form.value.attachments.splice(at, 1)
    if (file) toast(words.attachments.removed(file.name || words.attachments.item(at + 1)), () => putBack(file, at))
  }

  /** The way back works after the editor was left, too. */
  async function putBack(file: AttachmentForm, at: number) {
    if (here) {
      form.value.attachments.splice(at, 0, file)
      return
    }
    const kept = (await call('get_draft', { draft })).form
    kept.attachments.splice(at, 0, file)
    await call('save_draft', { draft, form: kept })
  }

  return { arrived, move, remove }
}
