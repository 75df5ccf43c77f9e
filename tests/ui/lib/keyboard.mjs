// The keyboard alone: Tab to a control by the words it carries, never a click.
import assert from 'node:assert/strict'

const LIMIT = 200

/** Presses Tab until the control with these words has the focus. */
export async function tabTo(page, name) {
  const passed = []
  for (let count = 0; count < LIMIT; count += 1) {
    const focused = await page.evaluate(wordsOfFocus)
    if (focused.some((words) => words === name)) return
    passed.push(focused.join('/'))
    await page.keyboard.press('Tab')
  }
  assert.fail(`Tab never comes to “${name}”; it passes ${[...new Set(passed)].join(', ')}`)
}

/** Tabs to a field and types into it. */
export async function typeAt(page, name, text) {
  await tabTo(page, name)
  await page.keyboard.insertText(text)
}

/** Tabs to a button or link and presses Enter. */
export async function enterAt(page, name) {
  await tabTo(page, name)
  await page.keyboard.press('Enter')
}

/** Tabs into a group of radios, which has one stop for all of them, and goes on with the arrow to the one wanted. */
export async function radioAt(page, stop, wanted) {
  await tabTo(page, stop)
  await page.keyboard.press('Space')
  for (let count = 0; count < LIMIT; count += 1) {
    if ((await page.evaluate(wordsOfFocus)).includes(wanted)) return
    await page.keyboard.press('ArrowDown')
  }
  assert.fail(`the arrow never comes to “${wanted}”`)
}

/** Tabs to a box and presses Space. */
export async function spaceAt(page, name) {
  await tabTo(page, name)
  await page.keyboard.press('Space')
}

// Runs in the page.
function wordsOfFocus() {
  const control = document.activeElement
  if (!control || control === document.body) return []
  const plain = (text) => (text ?? '').replace('（必填）', '').replace(/\s+/g, ' ').trim()
  const labels = [...(control.labels ?? [])].map((label) => plain(label.textContent))
  return [...labels, plain(control.getAttribute('aria-label')), plain(control.textContent)].filter(Boolean)
}
