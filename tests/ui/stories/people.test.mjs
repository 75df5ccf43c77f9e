// The roster: pasted from a table with mistakes in it, corrected, searched by pinyin; nobody else's rows are taken.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setUp, unlock } from '../lib/branch.mjs'
import { browser, open, pictures, sound } from '../lib/browser.mjs'
import { field, follow, goTo, press, reads, sees, type } from '../lib/hands.mjs'
import { YUNQIAO } from '../lib/paper.mjs'
import { folder, shell } from '../lib/programs.mjs'

const PASTED = [
  ['姓名', '性别', '身份证号', '入党日期', '转正日期', '党内职务'],
  ['覃志远', '男', '', '1998年7月', '1999.07', '书记'],
  ['杨帆', '女', '379999198001011235', '2005-07-01', '2006-07-01', ''],
  ['许丽', '女', '3.79999E+17', '2005-07-01', '2006-07-01', ''],
  ['', '男', '', '2005-07-01', '2006-07-01', ''],
  ['何勇', '男', '', '2005-13-01', '2006-07-01', ''],
  ['尉迟敬', '男', '', '2010-07-01', '2011-07-01', ''],
]

test('a roster with mistakes', async (t) => {
  const data = folder(t)
  const program = await shell(data, { at: '2026-10-13T20:00' })
  t.after(() => program.stop())
  const page = await open(await browser(t), program.address)
  await setUp(page, YUNQIAO)

  await t.test('every row says what is wrong with it, and only the right ones come in', async () => {
    await goTo(page, '党员')
    await sound(page, 'people, empty')
    await press(page, '从 Excel 粘贴')
    await sees(page, '严禁录入、存储、传输国家秘密和工作秘密')
    await field(page, '粘贴到这里').fill(PASTED.map((row) => row.join('\t')).join('\n'))
    await press(page, '读取')
    await reads(page.getByTestId('preview-summary'), '2 行正确，4 行有问题')
    const rows = page.locator('tr[data-line]')
    await reads(rows.nth(0), '“1998年7月”读作 1998-07-01')
    await reads(rows.nth(1), '身份证号校验不通过')
    await reads(rows.nth(2), '末几位已经丢失')
    await reads(rows.nth(3), '姓名：必须填写')
    await reads(rows.nth(4), '日期不正确')
    await pictures(page, 'paste')
    await sound(page, 'paste')
    await press(page, '只导入正确的 2 行')
    await sees(page, '已导入 2 人，4 行没有导入')
    await follow(page, '查看党员')
    await reads(page.getByTestId('summary'), '正式党员 2 人')
  })

  await t.test('a name is found by its initials, also where the surname reads unusually', async () => {
    await type(page, '按姓名或拼音首字母查找', 'qzy')
    await page.locator('[data-person="尉迟敬"]').waitFor({ state: 'detached' })
    await page.locator('[data-person="覃志远"]').waitFor()
    await type(page, '按姓名或拼音首字母查找', 'yuchi')
    await page.locator('[data-person="尉迟敬"]').waitFor()
    await type(page, '按姓名或拼音首字母查找', '')
    await pictures(page, 'people')
  })

  await t.test('a person is added by hand', async () => {
    await press(page, '添加人员')
    const drawer = page.getByRole('dialog')
    await type(drawer, '姓名', '欧阳宁')
    await type(drawer, '入党日期', '2026年5月20日')
    await pictures(page, 'person')
    await sound(page, 'person')
    await press(drawer, '保存')
    await sees(page, '欧阳宁 已保存')
    await reads(page.getByTestId('summary'), '正式党员 2 人，预备党员 1 人')
  })

  await t.test('everything is still there after a power cut', async () => {
    await program.stop('SIGKILL')
    const again = await shell(data, { at: '2026-10-14T08:00' })
    t.after(() => again.stop())
    const next = await open(page.context(), again.address)
    await unlock(next)
    await goTo(next, '党员')
    await reads(next.getByTestId('summary'), '正式党员 2 人，预备党员 1 人')
    assert.deepEqual(next.problems, [])
  })
})
