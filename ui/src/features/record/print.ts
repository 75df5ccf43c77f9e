import { nextTick } from 'vue'

/** Opens the print dialog once the page is drawn and its pictures are there. */
export async function printPage(): Promise<void> {
  await nextTick()
  // A picture that cannot be shown must not keep the rest from the paper.
  await Promise.allSettled([...document.images].map(image => image.decode()))
  requestAnimationFrame(() => print())
}
