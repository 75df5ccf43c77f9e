// What goes wrong on real computers, and the words that the page has for it.
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { KEPT_PASSWORD, pasteRoster, setUp, unlock } from '../lib/branch.mjs'
import { browser, open, pictures, sound } from '../lib/browser.mjs'
import { agenda, basics, begin, saved } from '../lib/editor.mjs'
import { needsRoot, smallDisk } from '../lib/faults.mjs'
import { field, item, press, sees } from '../lib/hands.mjs'
import { YUNQIAO } from '../lib/paper.mjs'
import { folder, shell } from '../lib/programs.mjs'

const AT = '2026-10-13T20:00'

/** The database of the one branch in a data folder. */
function database(data) {
  const found = readdirSync(data, { recursive: true }).filter((name) => name.endsWith('branch.db'))
  assert.equal(found.length, 1, `one branch is in ${data}`)
  return join(data, found[0])
}

test('a changed byte in a page of the database', async (t) => {
  const data = folder(t)
  const context = await browser(t)
  const first = await shell(data, { at: AT })
  const page = await open(context, first.address)
  await setUp(page, YUNQIAO)
  await pasteRoster(page, YUNQIAO.roster)
  await press(page, '锁定')
  await sees(page, '打开支部')
  await first.stop()

  const path = database(data)
  const bytes = readFileSync(path)
  for (let at = 2048; at < bytes.length; at += 4096) bytes[at] ^= 1
  writeFileSync(path, bytes)

  const again = await shell(data, { at: AT })
  t.after(() => again.stop())
  const next = await open(context, again.address)
  await unlock(next)
  await sees(next, '数据文件已损坏')
  await pictures(next, 'damaged')
  await sound(next, 'damaged')
  assert.deepEqual(readFileSync(path), bytes, 'a damaged file is left as it is')
})

test('a database of a newer program', async (t) => {
  const data = folder(t)
  cpSync(fileURLToPath(new URL('../../fixtures/newer/', import.meta.url)), data, { recursive: true })
  const path = database(data)
  const bytes = readFileSync(path)
  const program = await shell(data, { at: AT })
  t.after(() => program.stop())
  const page = await open(await browser(t), program.address)
  await unlock(page, KEPT_PASSWORD)
  await sees(page, '更新版本的程序')
  await pictures(page, 'newer')
  await sound(page, 'newer')
  assert.deepEqual(readFileSync(path), bytes, 'a file of a newer program is left as it is')
})

test('ten megabytes in one field', async (t) => {
  const program = await shell(folder(t), { at: AT })
  t.after(() => program.stop())
  const page = await open(await browser(t), program.address)
  await setUp(page, YUNQIAO)
  await begin(page, '支部党员大会')
  await basics(page, { name: '十月党员大会', date: '2026-10-13' })
  const frame = await agenda(page, 1, { topic: '学习' })
  await press(frame, '添加发言')
  const speech = field(item(frame, '发言 1'), '发言要点')
  await speech.evaluate((area) => {
    area.value = '长'.repeat(Math.ceil((10 * 1024 * 1024) / 3))
    area.dispatchEvent(new Event('input', { bubbles: true }))
  })
  await sees(page, '文字超过了这一栏的长度')
  await speech.fill('说得短一些。')
  await saved(page)
})

test('a computer whose clock is ten years ahead still records', async (t) => {
  const program = await shell(folder(t), { at: '2036-10-13T20:00' })
  t.after(() => program.stop())
  const page = await open(await browser(t), program.address)
  await setUp(page, { ...YUNQIAO, since: '2036-10' })
  await begin(page, '支部党员大会')
  await basics(page, { name: '十月党员大会', date: '2036-10-13' })
  await saved(page)
})

test('a full disk keeps the text on the page', { skip: needsRoot }, async (t) => {
  const disk = smallDisk(t)
  const program = await shell(disk.path, { at: AT })
  t.after(() => program.stop())
  const page = await open(await browser(t), program.address)
  await setUp(page, YUNQIAO)
  await begin(page, '支部党员大会')
  await basics(page, { name: '十月党员大会', date: '2026-10-13' })
  await saved(page)
  disk.fill()
  const frame = await agenda(page, 1, { topic: '很长的一段议题'.repeat(30) })
  await field(frame, '决议、决定事项').fill('决定事项'.repeat(2000))
  await sees(page, '磁盘已满')
  await pictures(page, 'disk-full')
  await sound(page, 'disk full')
  assert.match(await field(frame, '决议、决定事项').inputValue(), /^决定事项/, 'what was typed is still on the page')
  disk.clear()
  await field(frame, '决议、决定事项').fill('决定购置设备')
  await saved(page)
})

test('a folder that became read-only is said so', { skip: needsRoot }, async (t) => {
  const disk = smallDisk(t)
  const context = await browser(t)
  const first = await shell(disk.path, { at: AT })
  await setUp(await open(context, first.address), YUNQIAO)
  await first.stop()
  disk.close()
  const again = await shell(disk.path, { at: AT })
  t.after(() => again.stop())
  const page = await open(context, again.address)
  await unlock(page)
  await sees(page, '数据文件夹是只读的')
})

