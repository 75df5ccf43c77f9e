// 被退回, the receipts, the city's new address and the question before many records are lost, as a secretary sees them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pasteRoster, setUp } from '../lib/branch.mjs'
import { signIn } from '../lib/console.mjs'
import { browser, open, pictures, sound } from '../lib/browser.mjs'
import { agree, field, follow, goTo, press, reads, sees, type } from '../lib/hands.mjs'
import { YUNQIAO } from '../lib/paper.mjs'
import { city, folder, shell } from '../lib/programs.mjs'

const AT = '2026-10-13T20:00'
const ORGANISATION = 'YQ01'

test('what the city refuses comes back to its author', async (t) => {
  const { name } = YUNQIAO
  const town = await city(folder(t), { at: AT, organisations: [`${ORGANISATION},${name},党支部,,2015-01-01,`] })
  t.after(() => town.stop())
  const program = await shell(folder(t), { at: AT })
  t.after(() => program.stop())
  const page = await open(await browser(t), program.address)
  await setUp(page, YUNQIAO)

  let person
  const report = async () => {
    await goTo(page, '上报')
    await press(page, '立即上报')
    await sees(page, '上报完成')
  }

  await t.test('a roster is pasted and reported', async () => {
    await pasteRoster(page, YUNQIAO.roster)
    await goTo(page, '上报')
    await type(page, '市级平台地址', town.origin)
    await type(page, '接入码', await town.enrol(ORGANISATION))
    await press(page, '接入')
    await sees(page, '已接入市级平台')
    await report()
  })

  await t.test('the receipt is kept, with its proof', async () => {
    await follow(page, '查看全部回执')
    await reads(page.getByTestId('receipt').first(), YUNQIAO.author, '（本机）', '条记录', '有效')
    await pictures(page, 'receipts')
    await sound(page, 'receipts')
  })

  await t.test('an edit of an archived record comes back with the reason', async () => {
    const { read } = await signIn(town)
    const { stream } = (await read('branches')).branches.find(({ id }) => id === ORGANISATION)
    const { records } = await read(`branches/${stream}/records`)
    person = records.find(({ title }) => title === '杨帆').id
    await town.seal(ORGANISATION, 'person', person)
    await goTo(page, '党员')
    await press(page, '杨帆')
    const drawer = page.getByRole('dialog')
    await drawer.getByText('个人信息').click()
    await type(drawer, '工作岗位', '会计')
    await press(drawer, '保存')
    await report()
    await goTo(page, '首页')
    const top = page.getByTestId('returned-top')
    await reads(top, '市级平台退回了 1 条记录', '杨帆', '记录已归档', '到“工作岗位”这一栏')
    await pictures(page, 'home-returned')
    await sound(page, 'home with a returned record')
    await follow(page, '全部查看')
    await page.getByText('查看写的内容').click()
    await reads(page.locator('[data-returned]'), '工作岗位', '会计', '修改后重报', '复制', '放弃')
    await pictures(page, 'returned')
    await sound(page, 'returned')
  })

  await t.test('giving up can be taken back', async () => {
    await press(page, '放弃')
    await agree(page, '放弃')
    await sees(page, '没有被退回的内容')
    await press(page, '撤销')
    await reads(page.locator('[data-returned]'), '杨帆')
  })

  await t.test('put right in its own form, it is sent again and accepted', async () => {
    await town.seal(ORGANISATION, 'person', person, '--off')
    await press(page, '到“工作岗位”这一栏')
    const drawer = page.getByRole('dialog')
    await sees(drawer, '正在修改被退回的内容')
    assert.equal(await field(drawer, '工作岗位').inputValue(), '会计', 'the refused value is in the form')
    await pictures(page, 'returned-form')
    await sound(page, 'the form of a returned record')
    await type(drawer, '工作岗位', '主办会计')
    await press(drawer, '保存')
    await report()
    await goTo(page, '首页')
    await sees(page, '本月要做')
    assert.equal(await page.getByTestId('returned-top').count(), 0, 'nothing is returned any more')
  })

  await t.test('the address of the city can be changed, but not to somebody else', async () => {
    await goTo(page, '上报')
    await press(page, '修改地址')
    await type(page, '市级平台地址', program.origin)
    await press(page, '保存')
    await sees(page, '不是市级平台')
    await pictures(page, 'address')
    await sound(page, 'the address form')
    await type(page, '市级平台地址', town.origin)
    await press(page, '保存')
    await sees(page, '地址已改')
  })
})
