// Every page that no other story looks at: what the shell links to, with a branch that has people and a meeting.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pasteRoster, setUp } from '../lib/branch.mjs'
import { browser, open, pictures, sound } from '../lib/browser.mjs'
import { agenda, attendance, basics, begin, saved } from '../lib/editor.mjs'
import { button, goTo, link, press, sees } from '../lib/hands.mjs'
import { YUNQIAO } from '../lib/paper.mjs'
import { folder, shell } from '../lib/programs.mjs'

test('every page at every size, without a serious finding', async (t) => {
  const program = await shell(folder(t), { at: '2026-10-13T20:00' })
  t.after(() => program.stop())
  const page = await open(await browser(t), program.address)
  await setUp(page, YUNQIAO)
  await pasteRoster(page, YUNQIAO.roster)
  const look = async (name) => {
    await pictures(page, name)
    await sound(page, name)
  }

  await t.test('the roster', () => look('people-pasted'))

  await t.test('a new meeting', async () => {
    await goTo(page, '会议')
    await look('meetings-empty')
    await press(page, '新建会议')
    await sees(page, '选择活动类型')
    await look('new-meeting')
  })

  await t.test('a draft that has no date yet offers nobody', async () => {
    await begin(page, '支部党员大会')
    await sees(page, '先填日期和类型，这里会列出当天的应到人员。')
    assert.equal(await button(page, '添加不计入应到会的党员').count(), 0)
    await look('editor-no-date')
  })

  await t.test('the sign-in sheet of a draft', async () => {
    await basics(page, { name: '十月党员大会', date: '2026-10-13', start: '14:00', end: '15:00', place: '会议室' })
    await attendance(page, {})
    await agenda(page, 1, { topic: '学习' })
    await saved(page)
    await press(page, '打印签到表')
    await sees(page, '签到')
    await look('sign-in-sheet')
    await page.goBack()
  })

  await t.test('核对', async () => {
    await saved(page)
    await press(page, '核对')
    await sees(page, '返回修改')
    await look('check')
    await press(page, '返回修改')
  })

  await t.test('the list of meetings', async () => {
    await saved(page)
    await press(page, '保存到记录')
    await sees(page, '四个时间')
    await goTo(page, '会议')
    await sees(page, '十月党员大会')
    await look('meetings')
  })

  await t.test('支部资料', async () => {
    await link(page, YUNQIAO.short).first().click()
    await sees(page, '支部资料')
    await look('branch')
  })

  await t.test('上报 before enrolment', async () => {
    await goTo(page, '上报')
    await sees(page, '还没有接入市级平台')
    await look('sync-alone')
  })
})
