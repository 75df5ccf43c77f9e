import type { ActionLine } from '@/host'
import { newItemId } from '@/kit/ids'
import { useEditor } from './editor'

/** Links from this meeting to the 议定事项 that it follows up. */
export function useFollowUps() {
  const { form } = useEditor()
  const isFor = (line: ActionLine) => (link: { record: string; item: string; relation: string }) =>
    link.relation === 'follow_up' && link.record === line.record && link.item === line.item
  const followed = (line: ActionLine) => form.value.links.some(isFor(line))

  function toggle(line: ActionLine) {
    if (followed(line)) form.value.links = form.value.links.filter(link => !isFor(line)(link))
    else form.value.links.push({ id: newItemId(), record: line.record, item: line.item, relation: 'follow_up' })
  }
  return { followed, toggle }
}
