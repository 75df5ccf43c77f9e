/** A new id for an item that a person adds to a form. */
export function newItemId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return Array.from(bytes, b => (b % 36).toString(36)).join('')
}
