// A branch without a network: let in by file, reported by file; the stick goes to the city's console and back.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pasteRoster, setUp } from '../lib/branch.mjs'
import { OFFICE, browser, open, pictures, sound } from '../lib/browser.mjs'
import { button, follow, goTo, press, reads, sees, type } from '../lib/hands.mjs'
import { YUNQIAO } from '../lib/paper.mjs'
import { city, folder, shell } from '../lib/programs.mjs'

const AT = '2026-10-13T20:00'
const BRANCH = 'O004'
const state = (page) => page.getByTestId('usb-state')
const says = (page, text) => state(page).filter({ hasText: text }).waitFor()

/** Presses a button and keeps what the browser saves on the stick. */
async function saves(page, stick, name) {
  const waiting = page.waitForEvent('download')
  await press(page, name)
  const file = await waiting
  const path = join(stick, file.suggestedFilename())
  await file.saveAs(path)
  return path
}

/** Presses a button and chooses a file of the stick. */
async function chooses(page, name, path) {
  const waiting = page.waitForEvent('filechooser')
  await press(page, name)
  await (await waiting).setFiles(path)
}

/** Leaves the page and comes back. */
async function reopened(page) {
  await follow(page, '返回上报')
  await follow(page, '用 U 盘上报')
  await state(page).waitFor()
}

/** Runs in the page: deletes so many people of the roster. */
async function deletePeople(count) {
  const call = async (name, payload) => {
    const headers = { 'content-type': 'application/json' }
    return (await fetch(`/call/${name}`, { method: 'POST', headers, body: JSON.stringify(payload) })).json()
  }
  const { rows } = await call('list_people', { text: '', include_left: false, members_only: false })
  for (const { id } of rows.slice(-count)) await call('delete_person', { id })
}

/** What the operator does with a stick: one file in, one file back. */
async function atTheCity(console, stick, path) {
  await chooses(console, '选择文件导入', path)
  await console.getByTestId('usb-done').waitFor()
  return saves(console, stick, '取带回去的文件')
}

test('a stick carries everything', async (t) => {
  const stick = folder(t)
  const office = await city(folder(t), { at: AT })
  t.after(() => office.stop())
  const program = await shell(folder(t), { at: AT })
  t.after(() => program.stop())
  const context = await browser(t)
  const page = await open(context, program.address)
  await setUp(page, YUNQIAO)
  await pasteRoster(page, [
    ['姓名', '入党时间', '转正日期', '党内职务'],
    ['周海东', '2001.7', '2002.7', '书记'],
    ['李秀英', '2005.7', '2006.7', ''],
  ])
  const console = await open(context, office.origin)
  await type(console, '口令', office.password)
  await press(console, '登录')
  await follow(console, 'U 盘文件')
  await sees(console, '还没有导入过文件')

  await t.test('the page warns before anything else, and takes the code', async () => {
    await goTo(page, '上报')
    await follow(page, '用 U 盘上报')
    await sees(page, '仅限非涉密计算机和非涉密 U 盘使用')
    await sees(page, '严禁录入、存储、传输国家秘密和工作秘密')
    await says(page, '还没有接入市级平台')
    await pictures(page, 'usb-code')
    await sound(page, 'usb-code')
    await type(page, '接入码', 'ABCD-EFGH-JKMN-PQRS')
    await press(page, '使用这个接入码')
    await sees(page, '接入码不对')
    await type(page, '接入码', await office.enrol(BRANCH))
    await press(page, '使用这个接入码')
    await says(page, '接入申请还没有得到答复')
    await pictures(page, 'usb-asked')
    await sound(page, 'usb-asked')
  })

  await t.test('the ask goes out and the yes comes back', async () => {
    const ask = await saves(page, stick, '导出申请')
    assert.match(ask, /支部纪实接入申请 .*\.jishi$/)
    const yes = await atTheCity(console, stick, ask)
    await sees(console, '这台电脑已接入')
    await chooses(page, '选择文件导入', yes)
    await sees(page, '这台电脑已接入市级平台')
    await says(page, '3 条还没有导出')
    await pictures(page, 'usb-enrolled')
    await sound(page, 'usb-enrolled')
  })

  await t.test('exported is not reported: the receipt makes it so', async () => {
    const file = await saves(page, stick, '导出')
    await says(page, '3 条已导出，等待回执')
    await pictures(page, 'usb-waiting')
    await sound(page, 'usb-waiting')
    await follow(page, '返回上报')
    await sees(page, '已导出，等待回执')
    await page.goBack()
    const receipt = await atTheCity(console, stick, file)
    await sees(console, '新收到')
    await pictures(console, 'usb-console', OFFICE)
    await sound(console, 'usb-console')
    await chooses(page, '选择文件导入', receipt)
    await says(page, '全部已上报到市级平台')
    await sees(page, '3 条记录已上报')
    await pictures(page, 'usb-done')
    await sound(page, 'usb-done')
    await chooses(page, '选择文件导入', receipt)
    await sees(page, '没有新的内容')
    await says(page, '全部已上报到市级平台')
  })

  await t.test('a file that would take many records away is asked about first', async () => {
    const titles = ['重温入党誓词', '十月主题党日', '讨论发展对象', '学习会议精神', '民主评议党员']
    const question = { incoming: true, count: 23, titles, at: '2026-10-13T20:00:00+08:00', refused: false }
    await page.route('**/call/usb_page', async (route) => {
      const answer = await route.fetch()
      await route.fulfill({ json: { ...(await answer.json()), question } })
    })
    await reopened(page)
    await reads(page.getByTestId('loss-question'), '23 条记录', '还有 18 条', '不同意，先停下')
    await pictures(page, 'usb-losses')
    await sound(page, 'usb-losses')
    question.refused = true
    await reopened(page)
    await reads(page.getByTestId('loss-question'), '已按您的决定停下')
    await pictures(page, 'usb-losses-refused')
    await sound(page, 'usb-losses-refused')
    await page.unroute('**/call/usb_page')
    await reopened(page)
  })

  await t.test('so is one that would take many away at the city, before it is made', async () => {
    const names = [...'甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥'].map((name) => [`张${name}`, '2005.7', '2006.7', ''])
    await pasteRoster(page, [['姓名', '入党时间', '转正日期', '党内职务'], ...names])
    await goTo(page, '上报')
    await follow(page, '用 U 盘上报')
    await chooses(page, '选择文件导入', await atTheCity(console, stick, await saves(page, stick, '导出')))
    await says(page, '全部已上报到市级平台')
    await page.evaluate(deletePeople, 21)
    await says(page, '21 条还没有导出')
    await press(page, '导出')
    const question = page.getByTestId('loss-question')
    await reads(question, '市级平台上的 21 条记录', '还有 16 条', '不同意，先停下')
    await pictures(page, 'usb-losses-out')
    await sound(page, 'usb-losses-out')
    await press(page, '不同意，先停下')
    await reads(question, '本机的内容没有送出')
    const file = await saves(page, stick, '同意，这 21 条可以这样处理')
    await question.waitFor({ state: 'detached' })
    await chooses(page, '选择文件导入', await atTheCity(console, stick, file))
    await says(page, '全部已上报到市级平台')
  })

  await t.test('wrong, damaged and foreign files are named on both sides', async () => {
    const file = await saves(page, stick, '导出')
    await chooses(page, '选择文件导入', file)
    await sees(page, '这是要交给市级平台的文件')
    const minutes = join(stick, '会议记录.jishi')
    writeFileSync(minutes, '这是一份会议记录，不是上报文件。')
    await chooses(page, '选择文件导入', minutes)
    await sees(page, '这不是本系统的文件')
    await pictures(page, 'usb-refused')
    await sound(page, 'usb-refused')
    const half = join(stick, '没拷完.jishi')
    writeFileSync(half, readFileSync(file).subarray(0, 150))
    await chooses(console, '选择文件导入', half)
    await sees(console, '文件损坏或没有拷贝完整')
    await chooses(console, '选择文件导入', minutes)
    await sees(console, '这不是本系统的文件')
  })

  await t.test('by keyboard alone', async () => {
    await button(page, '导出').focus()
    const waiting = page.waitForEvent('download')
    await page.keyboard.press('Enter')
    await waiting
  })
  assert.match(await office.check(), /没有发现问题|0/, 'the city proves what it holds')
})
