import type { Router } from 'vue-router'
import { call, callFailed, type MeetingRow } from '@/host'
import { confirm } from '@/kit/confirm'
import { toast } from '@/kit/toast'
import { errorWords, words } from '@/words'
import { discardDraft } from './discard'

/** What the menu of a row offers and does. */
export function useMeetingMenu(router: Router) {
  const w = words.meetings

  function choicesFor(row: MeetingRow) {
    const open = { code: 'open', label: words.open }
    if (row.state === 'draft') return [open, { code: 'drop', label: words.editor.drop }]
    const kept = [open, { code: 'copy', label: w.copy }, { code: 'print', label: words.print }]
    return row.state === 'recorded' ? [...kept, { code: 'remove', label: words.delete }] : kept
  }

  async function choose(code: string, row: MeetingRow) {
    try {
      await act(code, row)
    } catch (thrown) {
      toast(errorWords(callFailed(thrown)))
    }
  }

  async function act(code: string, row: MeetingRow) {
    switch (code) {
      case 'open':
        await router.push(row.state === 'draft' ? { name: 'editor', params: { draft: row.id } } : { name: 'record', params: { id: row.id } })
        break
      case 'copy': {
        const { draft } = await call('new_meeting', { types: row.types, date: null, group: null, copy_of: row.id })
        await router.push({ name: 'editor', params: { draft } })
        break
      }
      case 'print':
        await router.push({ name: 'record', params: { id: row.id }, query: { print: '1' } })
        break
      case 'drop':
        if (await confirm({ title: words.editor.dropAsk, text: words.editor.dropText, action: words.editor.drop })) await discardDraft(row.id)
        break
      case 'remove':
        if (await confirm({ title: w.removeAsk, text: w.removeText(row.title), action: words.delete })) {
          await call('delete_meeting', { id: row.id })
          toast(w.removed, () => call('undelete_meeting', { id: row.id }))
        }
    }
  }

  return { choicesFor, choose }
}
