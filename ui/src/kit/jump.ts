/**
 * Scrolls to the field of a record path and puts the cursor in it; without such a field, to the nearest one above it.
 * What the field is folded away in is opened.
 */
export function jumpTo(path: string): void {
  const parts = path.split('/')
  for (let length = parts.length; length > 0; length--) {
    const wanted = CSS.escape(parts.slice(0, length).join('/'))
    const place = document.querySelector<HTMLElement>(`[data-path="${wanted}"]`)
    if (!place) continue
    for (let box = place.closest('details'); box; box = box.parentElement?.closest('details') ?? null) box.open = true
    place.scrollIntoView({ block: 'center' })
    const control = place.querySelector<HTMLElement>('input, textarea') ?? place.querySelector<HTMLElement>('button') ?? place
    control.focus({ preventScroll: true })
    return
  }
}
