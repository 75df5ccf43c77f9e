import { nextTick } from 'vue'

/** Opens the print dialog once the page is drawn. */
export async function printPage(): Promise<void> {
  await nextTick()
  requestAnimationFrame(() => print())
}
