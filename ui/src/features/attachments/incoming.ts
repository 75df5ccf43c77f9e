import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'
import { words } from '@/words'

/** Takes files that are pasted or dropped anywhere on the page; `dragging` while some hang over it. */
export function useIncoming(add: (files: File[]) => void): { dragging: Readonly<Ref<boolean>> } {
  const dragging = ref(false)

  function paste(event: ClipboardEvent) {
    const files = [...(event.clipboardData?.files ?? [])]
    // A copied paragraph may carry a picture of itself: where there is text, the text is meant.
    if (files.length === 0 || event.clipboardData?.types.includes('text/plain')) return
    event.preventDefault()
    add(files.map(named))
  }
  function over(event: DragEvent) {
    dragging.value = carriesFiles(event)
  }
  function leave(event: DragEvent) {
    if (event.relatedTarget === null) dragging.value = false
  }
  function drop(event: DragEvent) {
    dragging.value = false
    if (carriesFiles(event)) add([...(event.dataTransfer?.files ?? [])])
  }

  const heard = [['paste', paste], ['dragover', over], ['dragleave', leave], ['drop', drop]] as const
  onMounted(() => heard.forEach(([name, hear]) => addEventListener(name, hear as EventListener)))
  onBeforeUnmount(() => heard.forEach(([name, hear]) => removeEventListener(name, hear as EventListener)))
  return { dragging }
}

/** A file that is dropped beside its place must not take the page away. */
export function keepPageOnDrop(): void {
  for (const name of ['dragover', 'drop'] as const) {
    addEventListener(name, event => {
      if (carriesFiles(event)) event.preventDefault()
    })
  }
}

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false
}

/** Browsers call every pasted picture `image.png`. */
function named(file: File): File {
  if (!/^image\.\w+$/.test(file.name)) return file
  return new File([file], file.name.replace('image', words.attachments.pasted), { type: file.type })
}
