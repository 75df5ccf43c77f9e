import { computed, inject, provide, ref, shallowRef, type ComputedRef, type InjectionKey, type Ref, type ShallowRef } from 'vue'
import { call, callFailed, useDraft, type CallFailed, type DraftSaver, type DraftSaved, type FindingLine, type MeetingDerived, type MeetingDraft, type MeetingForm } from '@/host'
import { findingWords, problemsByPath } from '@/words'

/** The meeting that is being typed, what the rules make of it, and its saving. */
export interface Editor {
  form: Ref<MeetingForm>
  derived: ComputedRef<MeetingDerived>
  /** What stands beside a field: errors about it, except that it is empty, which the checklist says. */
  problems: ComputedRef<Readonly<Record<string, string>>>
}

const key: InjectionKey<Editor> = Symbol('editor')

export function useEditor(): Editor {
  const editor = inject(key)
  if (!editor) throw new Error('the cards stand inside the editor page')
  return editor
}

export interface OpenEditor {
  draft: Readonly<ShallowRef<MeetingDraft | undefined>>
  refused: Readonly<ShallowRef<CallFailed | undefined>>
  derived: ComputedRef<MeetingDerived | undefined>
  saver: DraftSaver<DraftSaved>
  /** Reads the draft again, when the program changed it. */
  read: () => Promise<void>
}

/** Reads a draft and keeps saving it; the cards below find it by `useEditor`. */
export function openEditor(id: string): OpenEditor {
  const draft = shallowRef<MeetingDraft>()
  const refused = shallowRef<CallFailed>()
  const form = ref<MeetingForm>()
  const saver = useDraft<MeetingForm, DraftSaved>({ form, save: typed => call('save_draft', { draft: id, form: typed }) })
  const derived = computed(() => saver.saved.value?.derived ?? draft.value?.derived)

  async function read() {
    try {
      const answer = await call('get_draft', { draft: id })
      draft.value = answer
      form.value = answer.form
    } catch (thrown) {
      refused.value = callFailed(thrown)
    }
  }
  void read()

  provide(key, {
    form: form as Ref<MeetingForm>, // the cards are only shown once it was read
    derived: derived as ComputedRef<MeetingDerived>,
    problems: computed(() => ({ ...beside(derived.value?.findings ?? []), ...problemsByPath(saver.error.value?.problems ?? []) })),
  })
  return { draft, refused, derived, saver, read }
}

function beside(findings: readonly FindingLine[]): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const finding of findings) {
    if (!finding.path || finding.severity !== 'E' || finding.code === 'field_missing') continue
    const before = texts[finding.path]
    texts[finding.path] = before ? `${before}；${findingWords(finding)}` : findingWords(finding)
  }
  return texts
}
