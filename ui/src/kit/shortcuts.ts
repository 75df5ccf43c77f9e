import { onBeforeUnmount, onMounted } from 'vue'

/** Ctrl with a letter, wherever the cursor is. */
export function useShortcuts(actions: Readonly<Record<string, () => void>>): void {
  function press(event: KeyboardEvent) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return
    const action = actions[event.key.toLowerCase()]
    if (!action) return
    event.preventDefault()
    action()
  }
  onMounted(() => addEventListener('keydown', press))
  onBeforeUnmount(() => removeEventListener('keydown', press))
}
