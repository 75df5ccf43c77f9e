// On a line that is paid by the byte the second computer shows small pictures; whoever looks at one may have just that.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setUp } from '../lib/branch.mjs'
import { browser, open, pictures, sound } from '../lib/browser.mjs'
import { basics, begin, record } from '../lib/editor.mjs'
import { button, follow, goTo, press, reads, sees, type } from '../lib/hands.mjs'
import { YUNQIAO, registered } from '../lib/paper.mjs'
import { byButton, picture } from '../lib/photos.mjs'
import { city, folder, shell } from '../lib/programs.mjs'

const AT = { at: '2026-10-13T20:00' }
const CODE = 'O777'
/** Too large to travel with the words. */
const SCAN = Buffer.from(`%PDF-1.4\n${'% 签到表\n'.repeat(30_000)}1 0 obj\nendobj\ntrailer\n%%EOF\n`)
const NAME = '重温入党誓词'

async function computer(t) {
  const program = await shell(folder(t), AT)
  t.after(() => program.stop())
  const page = await open(await browser(t), program.address)
  await setUp(page, YUNQIAO)
  return page
}

async function enrol(page, town) {
  await goTo(page, '上报')
  await type(page, '市级平台地址', town.origin)
  await type(page, '接入码', await town.enrol(CODE))
  await press(page, '接入')
}

async function report(page) {
  await goTo(page, '上报')
  await press(page, '立即上报')
  await page.getByTestId('sync-state').filter({ hasText: '已全部上报' }).or(page.getByTestId('sync-state').filter({ hasText: '全部已上报' })).waitFor()
}

/** The picture that is looked at is drawn, and as large as it should be. */
const drawn = (viewer, least) =>
  viewer.locator('img').evaluate((image, least) => image.decode().then(() => (image.naturalWidth >= least ? true : Promise.reject(new Error(`${image.naturalWidth} px`)))), least)

test('one photo on demand', async (t) => {
  const town = await city(folder(t), { ...AT, organisations: [registered(YUNQIAO, CODE)] })
  t.after(() => town.stop())
  const first = await computer(t)
  await enrol(first, town)
  await sees(first, '已接入市级平台')
  const second = await computer(t)
  await enrol(second, town)
  await press(second, '确认并接入')
  await sees(second, '已接入市级平台')
  await second.getByText('先传文字，照片和附件等我来传').click()

  await begin(first, '主题党日')
  await basics(first, { name: NAME, date: '10月13日', start: '14:00', end: '16:00' })
  for (const [at, text] of ['重温誓词', '集中学习'].entries()) {
    await byButton(first, { name: `${text}.jpg`, bytes: await picture(first, { width: 2560, height: 1700, hue: 40 + 160 * at, text, spots: 60_000 }) })
    await button(first, `放大看附件 ${at + 1}`).waitFor()
  }
  await byButton(first, { name: '签到表.pdf', type: 'application/pdf', bytes: SCAN })
  await first.getByRole('link', { name: '另存 签到表.pdf' }).waitFor()
  await record(first)
  await report(first)
  await report(second)
  await goTo(second, '会议')
  await follow(second, NAME)
  const viewer = second.getByRole('dialog', { name: '看照片' })
  const absent = second.getByTestId('absent')

  await t.test('a document comes by keyboard from where its name stands, and can be saved then', async () => {
    await sees(second.getByTestId('absent-document'), /^352 KB，还没有取到本机$/)
    await pictures(second, 'document-absent', undefined, second.getByTestId('absent-document'))
    await sound(second, 'document, absent')
    await button(second, '取回 签到表.pdf').focus()
    await second.keyboard.press('Enter')
    const save = second.getByRole('link', { name: '另存 签到表.pdf' })
    await save.waitFor()
    await second.waitForFunction(() => document.activeElement?.getAttribute('download') === '签到表.pdf')
    const waiting = second.waitForEvent('download')
    await second.keyboard.press('Enter')
    assert.deepEqual(readFileSync(await (await waiting).path()), SCAN)
  })

  await t.test('the small picture says what is missing and how large that is', async () => {
    await press(second, '放大看附件 1')
    await sees(absent, /^这张照片 [\d.]+ [KM]B，还没有取到本机。$/)
    await drawn(viewer, 100)
    await pictures(second, 'photo-absent')
    await sound(second, 'photo, absent')
  })

  await t.test('it comes by keyboard, and the keys go on', async () => {
    await button(viewer, '取回这张照片').focus()
    await second.keyboard.press('Enter')
    await absent.waitFor({ state: 'detached' })
    await drawn(viewer, 2560)
    await second.keyboard.press('ArrowRight')
    await sees(viewer, '第 2 张，共 2 张')
    await sees(absent, '还没有取到本机')
  })

  await t.test('on a slow line it can be given up', async () => {
    await second.route('**/call/attachment_states', async (route) => {
      const { files } = await (await route.fetch()).json()
      await route.fulfill({ json: { files: files.map((file) => (file.whereabouts === 'on_its_way' ? { ...file, have: 350_000 } : file)) } })
    })
    await second.keyboard.press('Escape')
    await goTo(second, '会议')
    await follow(second, NAME)
    await press(second, '放大看附件 2')
    let held
    const begun = new Promise((begins) => {
      void second.route('**/call/fetch_photo', (route) => {
        held = route
        begins()
      })
    })
    await button(viewer, '取回这张照片').focus()
    await second.keyboard.press('Enter')
    await begun
    await reads(absent, '正在取回这张照片', '已到 342 KB')
    await pictures(second, 'photo-coming')
    await sound(second, 'photo, coming')
    await second.keyboard.press('Enter')
    await sees(absent, '正在停下')
    await held.fulfill({ status: 422, json: { code: 'stopped', params: {}, findings: [], problems: [] } })
    await second.unroute('**/call/fetch_photo')
    await sees(absent, '还没有取到本机')
  })

  await t.test('without a network it says so, and what is here stays', async () => {
    await town.stop()
    await press(viewer, '取回这张照片')
    await reads(absent, '连不上市级平台', '还没有取到本机')
    await pictures(second, 'photo-offline')
    await sound(second, 'photo, offline')
    await second.keyboard.press('ArrowLeft')
    await drawn(viewer, 2560)
    await second.keyboard.press('ArrowRight')
    await reads(absent, '还没有取到本机')
    await second.keyboard.press('Escape')
    await viewer.waitFor({ state: 'hidden' })
  })
})
