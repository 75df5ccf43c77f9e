// What a person does with a page, by the words that stand on it.
import assert from 'node:assert/strict'

const quoted = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The label alone, or with the mark that it must be filled in. */
const label = (text) => new RegExp(`^${quoted(text)}(（必填）)?$`)

/** The control under a label; a radio may carry the same word. */
export function field(scope, text) {
  const page = scope.page?.() ?? scope
  return scope.getByLabel(label(text)).and(page.locator('input:not([type=radio], [type=checkbox]), textarea'))
}

/** A group of radios or boxes under a question. */
export function group(scope, text) {
  const page = scope.page?.() ?? scope
  return scope.locator('fieldset').filter({ has: page.locator('legend', { hasText: label(text) }) })
}

/** One item of a list in a form, by its heading; the last one when several carry it. */
export const item = (scope, heading) => scope.getByRole('group', { name: heading, exact: true }).last()

/** Types into the field with this label and leaves it. */
export async function type(scope, text, value) {
  const control = field(scope, text)
  await control.fill(value)
  await control.blur()
}

/** Fills several fields in one go; what is undefined is left alone. */
export async function typeAll(scope, values) {
  for (const [text, value] of Object.entries(values)) if (value !== undefined) await type(scope, text, value)
}

/** Ticks one radio or box of a question. */
export async function choose(scope, question, ...answers) {
  for (const answer of answers) await group(scope, question).getByText(answer, { exact: true }).click()
}

/** Takes a person (or one of a long list) by typing and Enter, as the keyboard does it. */
export async function pick(scope, text, value) {
  const control = field(scope, text)
  await control.click()
  await control.pressSequentially(value)
  await control.press('Enter')
}

export const button = (scope, name) => scope.getByRole('button', { name, exact: true })
export const press = (scope, name) => button(scope, name).click()
export const link = (scope, name) => scope.getByRole('link', { name, exact: true })
export const follow = (scope, name) => link(scope, name).click()

/** The part of a page under a heading. */
export const part = (page, heading) => page.locator('section, fieldset').filter({ has: page.getByRole('heading', { name: heading, exact: true }) }).last()

/** Waits until the text stands on the page. */
export const sees = (scope, text) => scope.getByText(text).first().waitFor()

/** Goes to a page by the rail. */
export const goTo = (page, place) => page.getByRole('navigation', { name: '主要页面' }).getByRole('link', { name: place }).click()

/** Says yes in the dialog, with a reason where it asks for one. */
export async function agree(page, action, reason) {
  const dialog = page.getByRole('dialog')
  if (reason !== undefined) await dialog.getByRole('textbox').fill(reason)
  await dialog.getByRole('button', { name: action, exact: true }).click()
  await dialog.waitFor({ state: 'hidden' })
}

/** Waits until a part shows all these texts, white space apart; says what it showed instead if it never does. */
export async function reads(scope, ...texts) {
  const wanted = texts.map((text) => text.replace(/\s+/g, ''))
  const shows = ([part, all]) => all.every((text) => part.innerText.replace(/\s+/g, '').includes(text))
  await scope.page().waitForFunction(shows, [await scope.elementHandle(), wanted]).catch(() => {})
  const found = (await scope.innerText()).replace(/\s+/g, '')
  for (const text of wanted) assert.ok(found.includes(text), `“${text}” is missing in:\n${found}`)
}
