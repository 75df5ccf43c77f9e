// Two computers of one branch that do not know of each other: the second one joins through the matching page, both change
// the same records, and what they say differently waits until a person decides it with the keyboard.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pasteRoster, setUp } from '../lib/branch.mjs'
import { browser, open, pictures, sound } from '../lib/browser.mjs'
import { agenda, attendance, basics, begin, record, saved } from '../lib/editor.mjs'
import { agree, choose, follow, goTo, part, press, reads, sees, type } from '../lib/hands.mjs'
import { enterAt, radioAt, typeAt } from '../lib/keyboard.mjs'
import { YUNQIAO, registered } from '../lib/paper.mjs'
import { city, folder, shell } from '../lib/programs.mjs'

const AT = { at: '2026-10-13T20:00' }
const CODE = 'O777'
const SUMMARY = '先学习了文件。再讨论了七号库。最后交纳党费。'

/** A computer with this branch on it, in a browser of its own. */
async function computer(t, author) {
  const program = await shell(folder(t), AT)
  t.after(() => program.stop())
  const page = await open(await browser(t), program.address)
  await setUp(page, { ...YUNQIAO, author })
  await pasteRoster(page, YUNQIAO.roster)
  return page
}

async function enrol(page, server) {
  await goTo(page, '上报')
  await type(page, '市级平台地址', server.origin)
  await type(page, '接入码', await server.enrol(CODE))
  await press(page, '接入')
}

async function report(page) {
  await goTo(page, '上报')
  const answered = page.waitForResponse((answer) => answer.url().endsWith('/call/exchange') && answer.ok())
  await press(page, '立即上报')
  await answered
  await page.getByTestId('sync-state').filter({ hasText: '全部已上报' }).waitFor()
}

/** Both hold what the other wrote. */
async function meet(first, second) {
  for (const page of [first, second, first]) await report(page)
}

async function meeting(page, name, date, extra = {}) {
  await begin(page, '支部党员大会')
  await basics(page, { name, date, start: '14:00', end: '15:30', place: '二楼', chair: '覃志远', capacity: '书记', recorder: '杨帆', ...extra })
  await choose(part(page, /^\d?基本情况$/), '计划', '计划内')
  await attendance(page, {})
  await agenda(page, 1, { kind: '议题', topic: '讨论七号库', speeches: [{ speaker: '杨帆', text: '夜班要有人。' }], resolution: '设责任区。' })
  await type(page, '主持人小结', SUMMARY)
  await record(page)
}

/** Stands on the record's page. */
async function look(page, name) {
  await goTo(page, '会议')
  await follow(page, name)
  await sees(page, '四个时间')
}

/** Changes one thing of a record on file. */
async function change(page, name, edit) {
  await look(page, name)
  await press(page, '修改')
  await sees(page, '核对清单')
  await edit(page)
  await saved(page)
  await press(page, '保存到记录')
  await sees(page, '四个时间')
}

const inBasics = (label, value) => (page) => type(part(page, /^\d?基本情况$/), label, value)
const summary = (text) => (page) => type(page, '主持人小结', text)

/** Opens the card of a record from the list of conflicts, by keyboard. */
async function openCard(page, name) {
  await page.getByTestId('conflict-pill').focus()
  await page.keyboard.press('Enter')
  await sees(page, '两台电脑各自填写的内容都保存着')
  await enterAt(page, name)
  await sees(page, '保存选择')
}

const nothingLeft = (page) => page.getByTestId('conflict-pill').waitFor({ state: 'detached' })

test('two computers disagree and a person decides', async (t) => {
  const server = await city(folder(t), { ...AT, organisations: [registered(YUNQIAO, CODE)] })
  t.after(() => server.stop())
  const first = await computer(t, '杨帆')
  for (const [name, day] of [['九月大会', '2026-10-10'], ['十月大会', '2026-10-11'], ['补开大会', '2026-10-12'], ['专题大会', '2026-10-13']]) {
    await meeting(first, name, day)
  }
  await enrol(first, server)
  await sees(first, '等待上报')
  await report(first)
  const second = await computer(t, '许丽')

  await t.test('the second computer joins through the matching page', async () => {
    await enrol(second, server)
    await sees(second, '核对同一条记录')
    await pictures(second, 'matching')
    await sound(second, 'matching')
    await press(second, '确认并接入')
    await sees(second, '已接入市级平台')
    await report(second)
    await goTo(second, '党员')
    await reads(second.getByTestId('summary'), '正式党员 5 人，预备党员 1 人')
    await goTo(second, '会议')
    for (const name of ['九月大会', '专题大会']) await sees(second, name)
  })

  await t.test('a field: both values stand side by side, print and 定稿 wait', async () => {
    await change(first, '九月大会', inBasics('地点', '一楼会议室'))
    await change(second, '九月大会', inBasics('地点', '三楼活动室'))
    await meet(first, second)
    await goTo(first, '首页')
    await reads(first.getByTestId('conflicts'), '有 1 条记录在两台电脑上不一样')
    await pictures(first, 'home-conflict')
    await sound(first, 'home with a conflict')
    await look(first, '九月大会')
    await reads(first.locator('main'), '决定以前不能定稿和打印')
    assert.equal(await first.getByRole('button', { name: '打印', exact: true }).count(), 0)
    await pictures(first, 'record-conflict')
    await openCard(first, '九月大会')
    const place = first.locator('[data-matter=place]')
    await reads(place.locator('[data-side=here]'), '本机', '杨帆', '电脑A', '一楼会议室')
    await reads(place.locator('[data-side=there]'), '对方', '许丽', '三楼活动室', '2026-10-13')
    await reads(place.locator('.result'), '还没有选')
    await pictures(first, 'conflict-field')
    await radioAt(first, '用本机的', '用对方的')
    await reads(place.locator('.result'), '三楼活动室')
    await sound(first, 'conflict card')
    await enterAt(first, '保存选择')
    await sees(first, '已保存您的选择')
    await nothingLeft(first)
    await meet(first, second)
    await look(second, '九月大会')
    await reads(second.locator('main'), '三楼活动室')
  })

  await t.test('a text: what merges is merged, what meets is decided where it stands', async () => {
    await change(first, '十月大会', summary(SUMMARY.replace('先学习了', '先认真学习了')))
    await change(second, '十月大会', summary(SUMMARY.replace('最后交纳', '最后当场交纳')))
    await meet(first, second)
    assert.equal(await first.getByTestId('conflict-pill').count(), 0, 'different sentences ask nobody')
    await look(first, '十月大会')
    await reads(first.locator('main'), '先认真学习了文件。再讨论了七号库。最后当场交纳党费。')
    await change(first, '十月大会', summary('先认真学习了文件。再讨论了七号库夜班。最后当场交纳党费。'))
    await meet(first, second)
    await change(first, '十月大会', summary('先认真学习了文件。再讨论了七号库夜班问题。最后当场交纳党费。'))
    await change(second, '十月大会', summary('先认真学习了文件。再讨论了七号库值守。最后当场交纳党费。'))
    await meet(first, second)
    await openCard(second, '十月大会')
    await reads(second.locator('.merged'), '先认真学习了文件。', '第1处', '再讨论了七号库值守。', '最后当场交纳党费。')
    await pictures(second, 'conflict-text')
    await sound(second, 'conflict of a text')
    await second.locator('[data-place="0"]').getByText('两边都要').click()
    await reads(second.getByTestId('result'), '七号库值守。', '七号库夜班问题。')
    await enterAt(second, '保存选择')
    await nothingLeft(second)
    await meet(second, first)
    await look(first, '十月大会')
    await reads(first.locator('main'), '七号库值守。', '七号库夜班问题。')
  })

  await t.test('deleted here, changed there', async () => {
    await goTo(first, '会议')
    await press(first, '“补开大会”的操作')
    await first.getByRole('menuitem', { name: '删除', exact: true }).click()
    await agree(first, '删除')
    await sees(first, '已删除')
    await change(second, '补开大会', inBasics('主题', '安全生产'))
    await meet(first, second)
    await openCard(first, '补开大会')
    await reads(first.locator('[data-side=there]'), '保留', '主题：安全生产')
    await reads(first.locator('[data-side=here]'), '删除')
    await pictures(first, 'conflict-deleted')
    await sound(first, 'conflict of a deletion')
    await radioAt(first, '确认删除', '恢复记录')
    await enterAt(first, '保存选择')
    await nothingLeft(first)
    await meet(first, second)
    await look(second, '补开大会')
    await reads(second.locator('main'), '安全生产')
  })

  await t.test('what arrives after 定稿 is adopted as a 更正', async () => {
    await change(second, '专题大会', inBasics('地点', '党员活动室'))
    await look(first, '专题大会')
    await press(first, '核对')
    await sees(first, '返回修改')
    await press(first, '定稿')
    await agree(first, '定稿')
    await sees(first, '已定稿')
    await meet(first, second)
    await openCard(first, '专题大会')
    await reads(first.locator('main'), '定稿后到达的修改', '定稿内容', '二楼', '党员活动室')
    await pictures(first, 'conflict-late')
    await sound(first, 'late change')
    await radioAt(first, '放弃，保持定稿内容', '采纳为更正')
    await typeAt(first, '更正原因', '会后核对了签到表')
    await enterAt(first, '保存选择')
    await nothingLeft(first)
    await meet(first, second)
    await look(second, '专题大会')
    await reads(second.locator('main'), '党员活动室', '会后核对了签到表', '定稿')
  })

  await t.test('one 定稿 stands of two', async () => {
    for (const page of [first, second]) {
      await look(page, '十月大会')
      await press(page, '核对')
      await sees(page, '返回修改')
      await press(page, '定稿')
      await agree(page, '定稿')
      await sees(page, '已定稿')
    }
    await meet(first, second)
    await openCard(second, '十月大会')
    await reads(second.locator('main'), '两台电脑同时定稿', '序号')
    await pictures(second, 'conflict-closings')
    await sound(second, 'two closings')
    await radioAt(second, '以本机的定稿为准', '以对方的定稿为准')
    await typeAt(second, '更正原因', '两人同时定稿')
    await enterAt(second, '保存选择')
    await nothingLeft(second)
    await meet(second, first)
    await nothingLeft(first)
    await look(first, '十月大会')
    await reads(first.locator('main'), '云桥信息-2026-大会-A', '两人同时定稿')
  })

  await t.test('one event on two records', async () => {
    for (const [page, name] of [[first, '杨帆记的党课'], [second, '许丽记的党课']]) {
      await begin(page, '党课')
      await basics(page, { name, date: '2026-10-12', start: '09:00', end: '10:00', place: '二楼' })
      await record(page)
    }
    await meet(first, second)
    await look(first, '杨帆记的党课')
    await reads(first.locator('main'), '两条记录时间重叠', '许丽记的党课')
    await first.getByTestId('conflict-pill').click()
    await first.locator('main').getByRole('link', { name: /记的党课$/ }).first().click()
    await sees(first, '保留的一条')
    // Which comes first hangs on the two clocks; the person says which one stays.
    const kept = first.locator('[data-twin=keep]')
    if ((await kept.innerText()).includes('许丽记的党课')) await enterAt(first, '改为保留这一条')
    await kept.getByText('杨帆记的党课').waitFor()
    await pictures(first, 'same-event')
    await sound(first, 'same event')
    await enterAt(first, '保留一条，移除另一条')
    await agree(first, '保留一条，移除另一条')
    await sees(first, '已保留一条，另一条已移除')
    await nothingLeft(first)
    await meet(first, second)
    await goTo(second, '会议')
    await second.locator('tr', { hasText: '许丽记的党课' }).waitFor({ state: 'detached' })
  })

  assert.match(await server.check(), /./)
  assert.deepEqual([first.problems, second.problems], [[], []])
})
