// A new laptop: the branch is set up, locked, opened again; wrong words are told apart and nothing is lost.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PASSWORD, setUp, unlock } from '../lib/branch.mjs'
import { browser, open, pictures, sound } from '../lib/browser.mjs'
import { field, press, sees, type } from '../lib/hands.mjs'
import { folder, shell } from '../lib/programs.mjs'

const SUDA = {
  name: '中国共产党泰安速达物流有限公司支部委员会',
  short: '速达物流',
  superior: '中国共产党岱岳区非公有制经济组织委员会',
  since: '2026-09',
  seats: 3,
  groups: ['第一党小组', '第二党小组'],
  author: '李秀英',
}

test('a branch is set up, locked and opened again', async (t) => {
  const data = folder(t)
  const program = await shell(data, { at: '2026-10-13T20:00' })
  t.after(() => program.stop())
  const page = await open(await browser(t), program.address)

  await t.test('set-up asks, says what is missing and warns of secrets', async () => {
    await sees(page, '严禁录入、存储、传输国家秘密和工作秘密')
    await press(page, '下一步')
    await sees(page, '请改正以下问题')
    await pictures(page, 'set-up')
    await sound(page, 'set-up')
  })

  await t.test('the branch opens on its first page', async () => {
    await setUp(page, SUDA)
    await sees(page, '速达物流')
    await sees(page, '开始使用')
    await pictures(page, 'home-empty')
    await sound(page, 'home')
  })

  await t.test('a wrong password opens nothing, the right one does', async () => {
    await press(page, '锁定')
    await unlock(page, `${PASSWORD}x`)
    await sees(page, '密码不对，支部没有打开')
    await pictures(page, 'unlock')
    await sound(page, 'unlock')
    await field(page, '密码').fill(PASSWORD)
    await press(page, '打开')
    await sees(page, '本月要做')
  })
})

test('the recovery code opens a branch whose password is lost', async (t) => {
  const data = folder(t)
  const program = await shell(data)
  t.after(() => program.stop())
  const page = await open(await browser(t), program.address)
  const code = await setUp(page, SUDA)
  await press(page, '锁定')
  await press(page, '忘记密码')
  await type(page, '恢复码', code.replaceAll('-', ' ').toLowerCase())
  await type(page, '新密码', 'yi-ge-xin-mima')
  await press(page, '打开')
  await sees(page, '恢复码')
})

test('the window and the browser shell cannot both have a branch open', async (t) => {
  const data = folder(t)
  const first = await shell(data)
  t.after(() => first.stop())
  const context = await browser(t)
  await setUp(await open(context, first.address), SUDA)

  const second = await shell(data)
  t.after(() => second.stop())
  const page = await open(context, second.address)
  await sees(page, '已在另一个窗口打开')
  await unlock(page)
  await sees(page, '这个支部已经在另一个窗口打开了')
})

test('an address is good once', async (t) => {
  const program = await shell(folder(t))
  t.after(() => program.stop())
  const page = await open(await browser(t), program.address)
  await sees(page, '新建支部')
  const stranger = await fetch(program.address)
  assert.equal(stranger.status, 403)
  assert.match(await stranger.text(), /已经用过或已经过期/)
})
