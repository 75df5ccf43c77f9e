// 上报 by itself: what is put on record reaches the city without a hand; photos wait on a line that is paid by the byte;
// a line that is gone is said calmly, with the time of the next try.
import { test } from 'node:test'
import { setUp } from '../lib/branch.mjs'
import { browser, open, pictures, sound } from '../lib/browser.mjs'
import { basics, begin, record } from '../lib/editor.mjs'
import { button, goTo, press, reads, sees, type } from '../lib/hands.mjs'
import { YUNQIAO } from '../lib/paper.mjs'
import { byButton } from '../lib/photos.mjs'
import { city, folder, shell } from '../lib/programs.mjs'

const AT = '2026-10-13T20:00'
const ORGANISATION = 'YQ01'
/** Enough for the moment that the program leaves to whoever goes on writing. */
const PATIENCE = { timeout: 60_000 }
/** More than what travels in any case. */
const scan = (of) => Buffer.from(`%PDF-1.4\n${of.padEnd(300_000)}%%EOF`)

test('it reports by itself', async (t) => {
  const town = await city(folder(t), { at: AT, organisations: [`${ORGANISATION},${YUNQIAO.name},党支部,,2015-01-01,`] })
  t.after(() => town.stop())
  const program = await shell(folder(t), { at: AT, byItself: true })
  t.after(() => program.stop())
  const page = await open(await browser(t), program.address)
  const state = (text) => page.getByTestId('sync-state').filter({ hasText: text }).waitFor(PATIENCE)
  await setUp(page, YUNQIAO)

  await t.test('what waits goes out soon after the branch is let in', async () => {
    await goTo(page, '上报')
    await type(page, '市级平台地址', town.origin)
    await type(page, '接入码', await town.enrol(ORGANISATION))
    await press(page, '接入')
    await sees(page, '已接入市级平台')
    await state('全部已上报到市级平台')
  })

  await t.test('流量节省 keeps photos until they are sent for', async () => {
    await page.getByText('先传文字，照片和附件等我来传').click()
    await begin(page, '主题党日')
    await basics(page, { name: '重温入党誓词', date: '10月13日', start: '14:00', end: '16:00' })
    for (const name of ['签到表.pdf', '决议.pdf']) await byButton(page, { name, bytes: scan(name) })
    await page.getByRole('group', { name: '已加入的照片与附件' }).getByRole('group').nth(1).waitFor()
    await record(page)
    await goTo(page, '上报')
    await state('记录已全部上报，照片和附件还没有传完')
    await sees(page, '2 个照片和附件还没有送出')
    await pictures(page, 'sync-metered')
    await sound(page, 'sync, metered')
    await press(page, '传照片')
    await state('全部已上报到市级平台')
  })

  await t.test('an exchange that takes long shows how far it is, and can be ended', async () => {
    const progress = {
      by_itself: true,
      stopping: false,
      bytes_out: 1_480_000,
      bytes_in: 12_000,
      files: { done: 2, of: 8, bytes: 1_460_000, of_bytes: 4_200_000 },
    }
    await page.route('**/call/exchange_progress', (route) => route.fulfill({ json: progress }))
    await goTo(page, '首页')
    await goTo(page, '上报')
    const card = page.getByTestId('running')
    await card.waitFor()
    await reads(card, '正在自动上报', '第 3 个，共 8 个', '取消')
    await button(page, '立即上报').and(page.locator(':enabled')).waitFor()
    await pictures(page, 'sync-running')
    await sound(page, 'sync, running')
    await page.unroute('**/call/exchange_progress')
  })

  await t.test('a line that is gone is tried again by itself', async () => {
    await town.stop()
    await begin(page, '主题党日')
    await basics(page, { name: '看望困难群众', date: '10月12日', start: '14:00', end: '16:00' })
    await record(page)
    await goTo(page, '上报')
    await page.getByText('会自动再试，下次').waitFor(PATIENCE)
    await state('1 条等待上报')
    await reads(page.getByRole('main'), '连不上市级平台', '记录都保存在本机')
    await pictures(page, 'sync-offline')
    await sound(page, 'sync, offline')
  })
})
