import { shallowRef } from 'vue'

export interface Toast {
  id: number
  text: string
  /** Takes back what was just done. */
  undo?: () => unknown
}

const shown = 6000
/** A way back takes longer to decide on. */
const shownWithUndo = 15000
const toasts = shallowRef<readonly Toast[]>([])
let last = 0

/** Says that something was done, with a way back. */
export function toast(text: string, undo?: () => unknown): void {
  const id = ++last
  toasts.value = [...toasts.value, { id, text, ...(undo && { undo }) }]
  setTimeout(() => dismiss(id), undo ? shownWithUndo : shown)
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter(t => t.id !== id)
}

export function useToasts() {
  return { toasts, dismiss }
}
