import { useRouter } from 'vue-router'
import { call, useAttempt, type ReturnedCard } from '@/host'
import { confirm } from '@/kit/confirm'
import { copyText } from '@/kit/copy'
import { toast } from '@/kit/toast'
import { words } from '@/words'

/** What an author can do with what came back: put it right in its own form, copy it, give it up. */
export function useReturned() {
  const w = words.returned
  const router = useRouter()
  const { attempt, failure } = useAttempt()

  /** Opens the form with the refused values, at the field at fault. */
  const edit = ({ kind, id, reasons }: ReturnedCard, at = reasons.find(reason => reason.path)?.path ?? undefined) =>
    attempt(async () => {
      const form = await call('edit_returned', { kind, id })
      if (form.editor === 'meeting') return router.push({ name: 'editor', params: { draft: form.draft }, query: { at } })
      const query = { open: id, returned: '1', at }
      return router.push(form.editor === 'person' ? { name: 'people', query } : { name: 'ledger', params: { kind }, query })
    })

  async function copy(card: ReturnedCard) {
    const lines = card.values.map(({ label, text }) => `${label}：${text}`)
    const copied = await copyText([card.title, ...lines].filter(Boolean).join('\n'))
    toast(copied ? w.copied : w.notCopied)
  }

  async function discard({ kind, id, title, kind_label }: ReturnedCard) {
    if (!(await confirm({ title: w.discardAsk, text: w.discardText(title || kind_label), action: w.discard }))) return
    await attempt(async () => {
      await call('discard_returned', { kind, id })
      toast(w.discarded, () => call('undiscard_returned', { kind, id }))
    })
  }

  const resendAlong = () =>
    attempt(async () => {
      const { records } = await call('resend_along', {})
      toast(w.resent(records.length))
    })

  return { edit, copy, discard, resendAlong, failure }
}
