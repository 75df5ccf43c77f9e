// The main job without a mouse: set up a branch, add a person, record a meeting, look at what was saved.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PASSWORD } from '../lib/branch.mjs'
import { browser, open } from '../lib/browser.mjs'
import { saved } from '../lib/editor.mjs'
import { sees } from '../lib/hands.mjs'
import { enterAt, radioAt, spaceAt, tabTo, typeAt } from '../lib/keyboard.mjs'
import { folder, shell } from '../lib/programs.mjs'

test('the main job by keyboard alone', async (t) => {
  const program = await shell(folder(t), { at: '2026-10-13T20:00' })
  t.after(() => program.stop())
  const page = await open(await browser(t), program.address)
  await sees(page, '新建支部')

  await t.test('set-up', async () => {
    await typeAt(page, '支部全称', '中国共产党泰安速达物流有限公司支部委员会')
    await typeAt(page, '简称', '速达物流')
    await radioAt(page, '设支部委员会', '不设支部委员会')
    await typeAt(page, '您的姓名', '李秀英')
    await enterAt(page, '下一步')
    await typeAt(page, '密码', PASSWORD)
    await typeAt(page, '再输入一次密码', PASSWORD)
    await enterAt(page, '建立支部')
    await sees(page, '照着纸再输入一遍恢复码')
    await enterAt(page, '以后再核对')
    await sees(page, '本月要做')
  })

  await t.test('a person', async () => {
    await enterAt(page, '党员')
    await enterAt(page, '添加人员')
    await typeAt(page, '姓名', '周海东')
    await typeAt(page, '入党日期', '2015-07-01')
    await typeAt(page, '转正日期', '2016-07-01')
    await enterAt(page, '保存')
    await sees(page, '周海东 已保存')
  })

  await t.test('a meeting, saved while typing and put on record', async () => {
    await enterAt(page, '会议')
    await enterAt(page, '新建会议')
    await spaceAt(page, '支部党员大会')
    await enterAt(page, '开始记录')
    await sees(page, '核对清单')
    await typeAt(page, '名称', '十月党员大会')
    await typeAt(page, '日期', '10月13日')
    await typeAt(page, '开始时间', '1400')
    await typeAt(page, '结束时间', '15点')
    await tabTo(page, '其余全部到会')
    await page.keyboard.press('Enter')
    await saved(page)
    await enterAt(page, '保存到记录')
    await sees(page, '四个时间')
    await sees(page, '十月党员大会')
    assert.deepEqual(page.problems, [])
  })
})
