import { call } from '@/host'
import { toast } from '@/kit/toast'
import { words } from '@/words'

/** Gives up a draft; the toast brings it back. */
export async function discardDraft(draft: string): Promise<void> {
  const { form } = await call('get_draft', { draft })
  await call('discard_draft', { draft })
  toast(words.editor.dropped, () => call('restore_draft', { draft, form }))
}
