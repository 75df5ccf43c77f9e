// The two ledgers that exist only as kind files: their form, their checks, their table and their search.
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setUp } from '../lib/branch.mjs'
import { browser, open, pictures, sound } from '../lib/browser.mjs'
import { choose, follow, goTo, pick, press, reads, sees, type } from '../lib/hands.mjs'
import { YUNQIAO } from '../lib/paper.mjs'
import { folder, shell } from '../lib/programs.mjs'

const kind = (name) => JSON.parse(readFileSync(new URL(`../../../schemas/kinds/${name}.json`, import.meta.url), 'utf8'))
const labelOf = (definition, path) => definition.fields.find((field) => field.path === path).label

/** The first answer of a choice, in the list or among the radios. */
async function answer(drawer, { label, choices }) {
  if (choices.length > 6) await pick(drawer, label, choices[0].label)
  else await choose(drawer, label, choices[0].label)
}

test('a ledger comes from its kind file', async (t) => {
  const program = await shell(folder(t), { at: '2026-10-13T20:00' })
  t.after(() => program.stop())
  const page = await open(await browser(t), program.address)
  await setUp(page, YUNQIAO)
  const enterprise = kind('enterprise')
  const title = labelOf(enterprise, enterprise.title)

  await t.test('both are listed with their numbers', async () => {
    await goTo(page, '台账')
    for (const name of ['enterprise', 'promise']) await sees(page, kind(name).label)
    await pictures(page, 'ledgers')
    await sound(page, 'ledgers')
  })

  await t.test('a code that is not one is refused beside its field', async () => {
    await page.getByRole('link', { name: new RegExp(enterprise.label) }).click()
    await press(page, `添加${enterprise.label}`)
    const drawer = page.getByRole('dialog')
    await type(drawer, title, '泰安速达物流有限公司')
    const uscc = enterprise.fields.find((field) => field.pattern === 'uscc')
    await type(drawer, uscc.label, '91370900MA3C00000X')
    await press(drawer, '保存')
    await sees(drawer, '统一社会信用代码不正确')
    await pictures(page, 'ledger-form')
    await sound(page, 'ledger form')
    await type(drawer, uscc.label, '91350100M000100Y43')
    for (const path of ['state', 'party_built']) await answer(drawer, enterprise.fields.find((field) => field.path === path))
    await press(drawer, '保存')
    await sees(page, '已保存')
  })

  await t.test('the entry stands in the table and is found by a part of its name', async () => {
    await reads(page.locator('tr[data-record]'), '泰安速达物流有限公司', '待上报')
    await pictures(page, 'ledger')
    await page.getByLabel('搜索姓名、主题、正文').fill('速达')
    await page.getByLabel('搜索姓名、主题、正文').press('Enter')
    await sees(page, '“速达”找到')
    await reads(page.locator('main'), enterprise.label, '泰安速达物流有限公司')
    await sound(page, 'search')
    await follow(page, '泰安速达物流有限公司')
  })
})
