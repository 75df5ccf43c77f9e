import { useRouter } from 'vue-router'
import { call, useAttempt } from '@/host'
import { askReason } from '@/kit/confirm'
import { toast } from '@/kit/toast'
import { words } from '@/words'
import { printPage } from './print'

/** What can be done to a record on file: edit it while open; once closed, 更正 or 作废, each with a reason. */
export function useRecordActions(id: string) {
  const w = words.record
  const router = useRouter()
  const { attempt, failure } = useAttempt()

  const openDraft = (draft: string) => router.push({ name: 'editor', params: { draft } })

  const edit = () => attempt(async () => openDraft((await call('edit_meeting', { id })).draft))

  const check = () => attempt(async () => router.push({ name: 'check', params: { draft: (await call('edit_meeting', { id })).draft } }))

  async function correct() {
    const reason = await askReason({ title: w.correctAsk, text: w.correctText, action: w.correct, reason: w.correctReason })
    if (reason) await attempt(async () => openDraft((await call('correct_meeting', { id, reason })).draft))
  }

  async function annul(title: string) {
    const reason = await askReason({ title: w.annulAsk, text: w.annulText(title), action: w.annul, reason: w.annulReason })
    if (!reason) return
    await attempt(async () => {
      await call('annul_meeting', { id, reason })
      toast(w.annulled)
    })
  }

  /** What merged by itself is saved as it will stand on paper; in conflict nothing is printed. */
  const print = () =>
    attempt(async () => {
      await call('ready_to_print', { id })
      await printPage()
    })

  return { edit, check, correct, annul, print, failure }
}
