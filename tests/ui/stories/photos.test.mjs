// 照片与附件: brought by button, paste and drop, kept through a crash, looked at, printed; never asked for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setUp, unlock } from '../lib/branch.mjs'
import { browser, open, pictures, settled, sound } from '../lib/browser.mjs'
import { basics, begin, finding, record, saved } from '../lib/editor.mjs'
import { button, field, goTo, item, part, press, sees, type } from '../lib/hands.mjs'
import { YUNQIAO } from '../lib/paper.mjs'
import { PLACE, byButton, byDrop, byPaste, fromCamera, picture } from '../lib/photos.mjs'
import { folder, shell } from '../lib/programs.mjs'

const AT = '2026-10-13T20:00'
const HEIC = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0mif1heic', 'latin1')])
const SCAN = Buffer.from('%PDF-1.4\n1 0 obj\nendobj\ntrailer\n%%EOF\n')
const card = (page) => part(page, /^\d?照片与附件$/)
const items = (page) => page.getByRole('group', { name: '已加入的照片与附件' }).getByRole('group')
const names = (page) => items(page).locator('.about').allInnerTexts()

/** Waits until so many files are in, all their small pictures drawn. */
async function holds(page, count) {
  await items(page).nth(count - 1).waitFor()
  assert.equal(await items(page).count(), count)
  await page.waitForFunction(() => [...document.images].every((image) => image.complete && image.naturalWidth > 0))
}

/** The card as a whole at each size: it is longer than a screen. */
async function tall(page, name) {
  for (const [size, width] of [['laptop', 1366], ['scaled', 1093], ['large', 840]]) {
    await page.setViewportSize({ width, height: 768 })
    await settled(page)
    await card(page).screenshot({ path: new URL(`../../../target/screenshots/${name}-${size}.png`, import.meta.url).pathname })
  }
  await page.setViewportSize({ width: 1366, height: 768 })
}

test('photos of a meeting', async (t) => {
  const data = folder(t)
  let program = await shell(data, { at: AT })
  t.after(() => program.stop())
  const context = await browser(t)
  let page = await open(context, program.address)
  await setUp(page, YUNQIAO)
  await begin(page, '主题党日')
  await basics(page, { name: '重温入党誓词', date: '10月13日', start: '14:00', end: '16:00' })
  const held = fromCamera(await picture(page, { hue: 20, text: '主题党日' }), { orientation: 6, taken: '2026:10:12 09:30:00' })
  const room = await picture(page, { hue: 120, text: '集中学习', width: 3000, height: 2000 })
  const chat = await picture(page, { hue: 220, text: '志愿服务', width: 900, height: 1200 })

  await t.test('the empty card warns, invites and asks for nothing', async () => {
    await sees(card(page), '严禁录入、存储、传输国家秘密和工作秘密')
    await sees(card(page), '还没有照片或附件')
    await tall(page, 'photos-empty')
    await sound(page, 'photos, empty')
    const checklist = page.getByRole('complementary', { name: '核对清单' })
    assert.equal(await checklist.locator('[data-code]').filter({ hasText: '照片' }).count(), 0, 'no photo is ever missing')
  })

  await t.test('by button: upright, without its place, and of another day', async () => {
    await byButton(page, { name: 'IMG_2031.JPG', bytes: held })
    await holds(page, 1)
    const { width, height } = await items(page).locator('img').evaluate(({ naturalWidth: width, naturalHeight: height }) => ({ width, height }))
    assert.ok(height > width, `held upright: ${width} × ${height}`)
    await sees(card(page), '拍摄于')
    assert.match(await finding(page, 'photo_other_day', 'W'), /1 张照片拍摄于 2026-10-12/)
    const served = await page.evaluate(async (address) => [...new Uint8Array(await (await fetch(address)).arrayBuffer())], await items(page).locator('img').getAttribute('src'))
    assert.equal(Buffer.from(served).includes(PLACE), false, 'the place is gone')
    assert.equal(held.includes(PLACE), true, 'and it was there')
  })

  await t.test('by paste and by drop', async () => {
    await byPaste(page, { name: 'image.png', type: 'image/png', bytes: chat })
    await holds(page, 2)
    await byDrop(page, { name: '会场.jpg', bytes: room })
    await holds(page, 3)
    await byDrop(page, { name: '签到表.pdf', type: 'application/pdf', bytes: SCAN })
    await holds(page, 4)
    assert.match((await names(page))[1], /粘贴的图片/)
    await byPaste(page, { name: 'image.png', type: 'image/png', bytes: room, text: '一段从 Word 复制的文字' })
    assert.equal(await page.getByRole('list', { name: '正在加入的文件' }).count(), 0, 'where there is text, the text is meant')
  })

  await t.test('what cannot be kept says why, and the rest is safe', async () => {
    await byDrop(page, { name: 'IMG_2032.HEIC', type: 'image/heic', bytes: HEIC })
    await sees(card(page), '设置→相机→格式')
    await byButton(page, { name: '会场.jpg', bytes: room })
    await sees(card(page), '已经在本次会议里')
    await tall(page, 'photos-refused')
    await sound(page, 'photos, refused')
    for (const left of [1, 0]) {
      await button(card(page), '知道了').first().click()
      assert.equal(await button(card(page), '知道了').count(), left)
    }
    await holds(page, 4)
  })

  await t.test('captions, order by keyboard and mouse, removal with a way back', async () => {
    await type(card(page), '附件 1 的说明', '重温入党誓词')
    await button(page, '附件 1 后移').focus()
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === '附件 2 后移')
    assert.deepEqual(await names(page), ['粘贴的图片.png', 'IMG_2031.JPG', '会场.jpg', '签到表.pdf'])
    await item(page, '附件 3').locator('[draggable=true]').first().dragTo(item(page, '附件 1'))
    assert.deepEqual(await names(page), ['会场.jpg', '粘贴的图片.png', 'IMG_2031.JPG', '签到表.pdf'])
    await press(page, '移除附件 2')
    await holds(page, 3)
    await press(page, '撤销')
    await holds(page, 4)
    await tall(page, 'photos')
    await sound(page, 'photos')
    await saved(page)
  })

  await t.test('a crash loses nothing', async () => {
    await byDrop(page, { name: '最后一张.jpg', bytes: await picture(page, { hue: 300, text: '最后' }) })
    await holds(page, 5)
    const address = page.url().split('#')[1]
    await program.stop('SIGKILL')
    await page.close()
    program = await shell(data, { at: AT })
    page = await open(context, program.address)
    await unlock(page)
    await sees(page, '本月要做')
    await page.goto(`${program.origin}/#${address}`)
    await holds(page, 5)
    assert.equal(await field(page, '附件 3 的说明').inputValue(), '重温入党誓词')
    assert.match((await names(page))[4], /最后一张/)
  })

  await t.test('one after the other over the whole page, by keyboard', async () => {
    await button(page, '放大看附件 1').click()
    const viewer = page.getByRole('dialog', { name: '看照片' })
    await sees(viewer, '第 1 张，共 4 张')
    await page.waitForFunction(() => [...document.images].every((image) => image.complete && image.naturalWidth > 0))
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    await sees(viewer, '第 3 张，共 4 张')
    await sees(viewer, '重温入党誓词')
    await pictures(page, 'photos-viewer')
    await sound(page, 'viewer')
    await page.keyboard.press('End')
    await page.keyboard.press('ArrowRight')
    await sees(viewer, '第 4 张，共 4 张')
    await page.keyboard.press('Home')
    await sees(viewer, '第 1 张，共 4 张')
    await page.keyboard.press('Escape')
    await viewer.waitFor({ state: 'hidden' })
  })

  await t.test('the record and the paper show them with their captions, the list counts them', async () => {
    await record(page)
    const sheet = page.locator('article.sheet')
    await sheet.locator('figure').nth(3).waitFor()
    await sees(sheet.locator('figcaption'), '重温入党誓词')
    await sees(sheet, '签到表.pdf')
    await page.waitForFunction(() => [...document.images].every((image) => image.complete && image.naturalWidth > 0))
    await pictures(page, 'photos-record')
    await page.emulateMedia({ media: 'print' })
    await settled(page)
    await page.screenshot({ path: new URL('../../../target/screenshots/photos-print.png', import.meta.url).pathname, fullPage: true })
    await page.emulateMedia({ media: 'screen' })
    await sound(page, 'record with photos')
    await goTo(page, '会议')
    await sees(page.locator('tr[data-record]'), '5 个附件')
    await pictures(page, 'photos-list')
    await sound(page, 'list with photos')
  })

  await t.test('nobody else gets to see them', async () => {
    const stranger = await fetch(`${program.origin}/photo/${'0'.repeat(64)}`)
    assert.equal(stranger.status, 403)
  })
})
