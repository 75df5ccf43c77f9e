// Record 5 of tests/fixtures/town/paper-records.md in the real window: typed, counted, kept over a restart.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Hands, folder, start, windowManager } from './driver.mjs'

const PASSWORD = 'hao-jide-mima-1'
const PRESENT = ['尉迟敬', '曹峰', '缪芳', '丁强']
const ABSENT = ['魏东', '薛梅', '余波', '潘辉']
const PICTURES = fileURLToPath(new URL('../../target/screenshots/', import.meta.url))

async function picture(window, name) {
  // Two frames: a picture right after an assertion still shows what was there before.
  await window.executeAsync((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))
  mkdirSync(PICTURES, { recursive: true })
  await window.saveScreenshot(`${PICTURES}window-${name}.png`)
}

test('a vote that is valid and not passed, in the window', async (t) => {
  const home = folder(t)
  windowManager(t)
  const first = await start(t, home)
  const hands = new Hands(first.window)

  await t.test('the branch is set up', async () => {
    await hands.type('支部全称', '中国共产党泰安鲁岳建材有限公司支部委员会')
    await hands.type('简称', '鲁岳建材')
    await hands.choose('是否设支部委员会', '设支部委员会')
    await hands.type('支委会人数', '3')
    await hands.type('您的姓名', '尉迟敬')
    await hands.press('下一步')
    await hands.type('密码', PASSWORD)
    await hands.type('再输入一次密码', PASSWORD)
    await hands.press('建立支部')
    await hands.sees('照着纸再输入一遍恢复码')
    await hands.press('以后再核对')
    await hands.sees('本月要做')
    await picture(first.window, 'home')
  })

  await t.test('the roster is pasted', async () => {
    const rows = [...PRESENT, ...ABSENT].map((name, index) => `${name}\t2015-07-01\t2016-07-01\t${index === 0 ? '书记' : ''}`)
    await hands.press('党员')
    await hands.press('从 Excel 粘贴')
    await hands.paste('粘贴到这里', ['姓名\t入党日期\t转正日期\t党内职务', ...rows].join('\n'))
    await hands.press('读取')
    await hands.press('只导入正确的 8 行')
    await hands.sees('已导入 8 人')
  })

  await t.test('the meeting is typed and the vote is judged', async () => {
    await hands.press('会议')
    await hands.press('新建会议')
    await hands.choose('选择活动类型', '支部党员大会')
    await hands.press('开始记录')
    await hands.type('名称', '购置党员活动室设备')
    await hands.type('日期', '今天')
    await hands.type('开始时间', '0000')
    await hands.type('结束时间', '0040')
    for (const name of PRESENT) {
      await hands.type('按姓名或拼音首字母查找', name, 'Enter')
    }
    await hands.press('添加议题')
    await hands.type('议题', '购置党员活动室设备')
    await hands.press('添加表决')
    await hands.type('赞成', '4')
    await hands.type('反对', '0')
    await hands.type('弃权', '0')
    await hands.sees('未通过')
    assert.equal(await hands.number('voters_due'), '8')
    assert.equal(await hands.number('voters_present'), '4')
    await picture(first.window, 'vote')
    await hands.press('保存到记录')
    await hands.sees('四个时间')
    await picture(first.window, 'record')
  })

  await t.test('it is there when the program is started again', async () => {
    await first.quit()
    const second = await start(t, home)
    const again = new Hands(second.window)
    await again.type('密码', PASSWORD)
    await again.press('打开')
    await again.sees('本月要做')
    await again.goTo('会议')
    await again.sees('购置党员活动室设备')
    await picture(second.window, 'meetings')
  })
})
