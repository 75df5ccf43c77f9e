import { ref } from 'vue'

/** Moving the things of a list by the mouse: what is dragged takes the place of what it is dropped on. */
export function useReorder(move: (from: number, to: number) => void) {
  const dragged = ref<number>()

  function begin(event: DragEvent, at: number) {
    dragged.value = at
    // Without data, some browsers drag nothing.
    event.dataTransfer?.setData('application/x-place', String(at))
  }
  function over(event: DragEvent) {
    if (dragged.value !== undefined) event.preventDefault()
  }
  function drop(event: DragEvent, at: number) {
    const from = dragged.value
    if (from === undefined) return
    event.preventDefault()
    dragged.value = undefined
    if (from !== at) move(from, at)
  }
  const end = () => (dragged.value = undefined)
  return { dragged, begin, over, drop, end }
}
