// One Chromium per story, which can reach nothing but this computer; pages that fail a story by themselves when the
// console reports an error; pictures at the sizes that matter; what axe finds.
import { AxeBuilder } from '@axe-core/playwright'
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const PICTURES = fileURLToPath(new URL('../../../target/screenshots/', import.meta.url))

/** The laptop at 100 %, at 125 %, and at 大字 130 %. */
export const SIZES = {
  laptop: { width: 1366, height: 768 },
  scaled: { width: 1093, height: 614 },
  large: { width: 840, height: 472 },
}

const OPTIONS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
]

/** A browser that has never been used. */
export async function browser(t) {
  const profile = mkdtempSync(join(tmpdir(), 'jishi-chromium-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: OPTIONS,
    viewport: SIZES.laptop,
    locale: 'zh-CN',
    timezoneId: 'America/Los_Angeles',
  })
  context.setDefaultTimeout(20_000)
  // As the window does it: every page must live with prototypes that nothing can be added to.
  await context.addInitScript(() => Object.freeze(Object.prototype))
  t.after(async () => {
    await context.close()
    rmSync(profile, { recursive: true, force: true })
  })
  return context
}

/** A page of the shell; `problems` collects what must not happen on any page. */
export async function open(context, address) {
  const page = await context.newPage()
  page.problems = []
  page.on('pageerror', (error) => page.problems.push(`error: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' && !refusedCall(message)) page.problems.push(`console: ${message.text()} ${message.location().url}`)
  })
  await page.goto(address)
  return page
}

// The browser reports every answer 4xx to its console; a refused call is an answer, and the page puts it in words.
function refusedCall(message) {
  const refused = { '/call/': '422', '/usb/': '422', '/console/api/': '401' }
  return Object.entries(refused).some(([path, status]) => message.location().url.includes(path) && message.text().includes(status))
}

/** Fails when the page reported an error, or when axe finds something serious. */
export async function sound(page, where) {
  assert.deepEqual(page.problems, [], `${where}: the page reported errors`)
  const { violations } = await new AxeBuilder({ page }).analyze()
  const heavy = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  const told = heavy.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`)
  assert.deepEqual(told, [], `${where}: axe`)
}

/** The screen of an office. */
export const OFFICE = { office: { width: 1440, height: 900 } }

/** Pictures at every size, from the top or with `of` in sight, and that nothing is cut off sideways at any of them. */
export async function pictures(page, name, sizes = SIZES, of = undefined) {
  mkdirSync(PICTURES, { recursive: true })
  await toasts(page, 'hidden')
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport)
    await page.evaluate(() => scrollTo(0, 0))
    if (of) await of.evaluate((it) => it.scrollIntoView({ block: 'center' }))
    await settled(page)
    await page.screenshot({ path: `${PICTURES}${name}-${size}.png` })
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    assert.ok(wider <= 0, `${name} at ${viewport.width} px: ${wider} px are cut off`)
  }
  await page.setViewportSize(SIZES.laptop)
  await toasts(page, 'visible')
}

// What was said a moment ago would stand over what the picture is of.
function toasts(page, visibility) {
  return page.evaluate((value) => {
    for (const place of document.querySelectorAll('.toasts')) place.style.visibility = value
  }, visibility)
}

/** Two frames: what was asked for is drawn. */
export function settled(page) {
  return page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
}
