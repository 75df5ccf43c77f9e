// A branch as its secretary sets it up: its facts, a password, the recovery code, the roster pasted from a table.
import { choose, field, follow, goTo, press, sees, type } from './hands.mjs'

export const PASSWORD = 'hao-jide-mima-1'

/** Of the folders that are kept as fixtures. */
export const KEPT_PASSWORD = '泰山脚下的石榴树'

/** Goes through the three steps of set-up. */
export async function setUp(page, { name, short, superior, since, seats, groups = [], author }) {
  await sees(page, '新建支部')
  await type(page, '支部全称', name)
  await type(page, '简称', short)
  await type(page, '上级党组织', superior)
  await choose(page, '是否设支部委员会', seats ? '设支部委员会' : '不设支部委员会')
  if (seats) await type(page, '支委会人数', String(seats))
  await type(page, '党小组', groups.join('\n'))
  await type(page, '从哪个月开始在这里记录', since)
  await type(page, '您的姓名', author)
  await press(page, '下一步')
  await type(page, '密码', PASSWORD)
  await type(page, '再输入一次密码', PASSWORD)
  await press(page, '建立支部')
  const code = await page.getByTestId('recovery-code').innerText()
  await type(page, '照着纸再输入一遍恢复码', code.trim())
  await press(page, '核对恢复码')
  await sees(page, '本月要做')
  return code.trim()
}

/** Opens a branch that is on this computer. */
export async function unlock(page, password = PASSWORD) {
  await field(page, '密码').fill(password)
  await press(page, '打开')
}

/** Pastes a table with a header and imports the rows that are right. */
export async function pasteRoster(page, rows) {
  await goTo(page, '党员')
  await press(page, '从 Excel 粘贴')
  await field(page, '粘贴到这里').fill(rows.map((row) => row.join('\t')).join('\n'))
  await press(page, '读取')
  await press(page, `只导入正确的 ${rows.length - 1} 行`)
  await sees(page, `已导入 ${rows.length - 1} 人`)
  await follow(page, '查看党员')
  await sees(page, '正式党员')
}
