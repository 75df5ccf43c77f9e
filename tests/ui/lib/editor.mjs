// The meeting editor, used the way a secretary fills it from a paper record.
import assert from 'node:assert/strict'
import { agree, button, choose, field, follow, goTo, item, part, pick, press, sees, type, typeAll } from './hands.mjs'

/** Begins a meeting of these types and stands in its editor. */
export async function begin(page, ...types) {
  await goTo(page, '会议')
  await press(page, '新建会议')
  await choose(page, '选择活动类型', ...types)
  await press(page, '开始记录')
  await sees(page, '核对清单')
}

/** Card 1. */
export async function basics(page, { name, theme, date, start, end, place, chair, capacity, recorder, decided, lateReason }) {
  const card = part(page, /^\d?基本情况$/)
  await typeAll(card, { 名称: name, 主题: theme, 日期: date, 开始时间: start, 结束时间: end, 地点: place, 补录原因: lateReason })
  if (chair) await pick(card, '主持人', chair)
  if (recorder) await pick(card, '记录人', recorder)
  if (capacity) await choose(card, '主持人身份', capacity)
  if (decided) {
    await choose(card, '事前研究确定', decided.by)
    await type(card, '研究日期', decided.on)
  }
}

const people = (page) => part(page, /^\d?到会人员$/)

/** Marks one person of the roster by the chip's menu. */
export async function mark(page, name, status) {
  await people(page).getByRole('button', { name: new RegExp(`^${name}`) }).first().click()
  await page.getByRole('menu', { name: new RegExp(`^${name}`) }).getByRole('menuitem', { name: status, exact: true }).click()
}

/** Card 2: who was away and why; everybody else was there. */
export async function attendance(page, { leave = [], absent = [], guests = [], rest = true }) {
  const card = people(page)
  await card.getByRole('button', { name: '其余全部到会', exact: true }).waitFor()
  for (const { name, kind, reason, approver } of leave) {
    await mark(page, name, '请假')
    const row = item(card, `${name} · 请假`)
    if (kind) await choose(row, '请假类别', kind)
    await type(row, '原因', reason)
    await pick(row, '批准人', approver)
  }
  for (const { name, reason } of absent) {
    await mark(page, name, '缺席')
    await type(item(card, `${name} · 缺席`), '原因', reason)
  }
  if (rest) await press(card, '其余全部到会')
  for (const { name, known, unit, capacity } of guests) await guest(card, { name, known, unit, capacity })
}

async function guest(card, { name, known, unit, capacity }) {
  if (known) {
    await pick(card, '从本支部人员中选', name)
  } else {
    await press(card, '添加列席人员')
    await type(item(card, '列席'), '姓名', name)
  }
  const row = item(card, name)
  if (unit) await type(row, '单位', unit)
  if (capacity) await type(row, '身份', capacity)
}

/** Leaves one member out of the count. */
export async function exclude(page, { name, ground, approval, assembly }) {
  const card = people(page)
  await press(card, '添加不计入应到会的党员')
  await pick(item(card, '不计入应到会'), '党员', name)
  const row = item(card, name)
  await choose(row, '情形', ground)
  if (approval) await type(row, '上级党委同意的文号', approval)
  if (assembly) await row.getByText('经党员大会通过', { exact: true }).click()
}

/** Card 3: one more 议题; answers its frame. */
export async function agenda(page, number, { kind, topic, presenter, minutes, material, review, sponsors, speeches = [], resolution }) {
  const card = part(page, /^\d?议题与决议$/)
  await press(card, '添加议题')
  const frame = item(card, `议题 ${number}`)
  if (kind) await choose(frame, '类别', kind)
  await type(frame, '议题', topic)
  if (presenter) await pick(frame, presenter.as, presenter.name)
  await typeAll(frame, { '时长（分钟）': minutes, 学习材料: material })
  if (review) {
    await frame.getByText('重要事项（一般应当先经支委会研究）', { exact: true }).click()
    await type(frame, '支委会研究日期', review)
  }
  for (const [index, { speaker, text }] of speeches.entries()) {
    await press(frame, '添加发言')
    const speech = item(frame, `发言 ${index + 1}`)
    await pick(speech, '发言人', speaker)
    await type(speech, '发言要点', text)
  }
  if (resolution) await type(frame, '决议、决定事项', resolution)
  if (sponsors) frame.sponsors = sponsors
  return frame
}

/** The vote of a 议题; answers its frame. */
export async function vote(frame, { rule, method, subject, numbers = {}, written = [], sponsors = [] }) {
  await press(frame, '添加表决')
  const block = item(frame, '表决')
  await choose(block, '表决类型', rule)
  await choose(block, '表决方式', method)
  if (subject) await type(block, '表决对象', subject)
  await typeAll(block, numbers)
  for (const [index, { name, on }] of written.entries()) {
    await press(block, '添加书面意见')
    const row = item(block, `书面意见 ${index + 1}`)
    await pick(row, '提交人', name)
    await type(row, '提交日期', on)
  }
  for (const [index, name] of sponsors.entries()) await pick(frame, `第${'一二'[index]}介绍人`, name)
  return block
}

const after = (page) => part(page, /^\d?后续$/)

/** Card 3, 后续: one more 议定事项. */
export async function action(page, number, { task, owner, due }) {
  await press(after(page), '添加议定事项')
  const row = item(after(page), `议定事项 ${number}`)
  await type(row, '事项', task)
  await pick(row, '责任人', owner)
  await type(row, '期限', due)
}

/** Card 3, 后续: one more 补课. */
export async function makeup(page, number, { name, date, way, by, content }) {
  await press(after(page), '添加补课')
  const row = item(after(page), `补课 ${number}`)
  await pick(row, '党员', name)
  await type(row, '日期', date)
  if (by) await pick(row, '组织人', by)
  await choose(row, '方式', way)
  if (content) await type(row, '内容', content)
}

/** Waits until what was typed is on disk and the rules have answered for it. */
export async function saved(page) {
  await page.waitForFunction(() => /已自动保存/.test(document.querySelector('[data-testid=saved]')?.textContent ?? ''))
}

/** 保存到记录; stands on the record's page afterwards. */
export async function record(page) {
  await saved(page)
  await press(page, '保存到记录')
  await sees(page, '四个时间')
}

/** 核对, then 定稿. */
export async function finalise(page) {
  await saved(page)
  await press(page, '核对')
  await sees(page, '返回修改')
  await press(page, '定稿')
  await agree(page, '定稿')
  await sees(page, '已定稿')
}

/** The counts beside the roster: 应到, 实到 and so on. */
export async function counts(page, expected) {
  await agrees(people(page), 'data-count', expected)
}

/** The numbers of a vote. */
export async function numbers(block, expected) {
  await agrees(block, 'data-number', expected)
}

async function agrees(scope, attribute, expected) {
  for (const [name, value] of Object.entries(expected)) {
    const shown = scope.locator(`[${attribute}="${name}"] dd`)
    await shown.filter({ hasText: new RegExp(`^\\s*${value}\\s*$`) }).waitFor().catch(async () => {
      assert.equal((await shown.innerText()).trim(), String(value), `${attribute} ${name}`)
    })
  }
}

/** A line of the checklist, by its code; fails when it does not come. */
export async function finding(page, code, severity) {
  const list = page.getByRole('complementary', { name: '核对清单' })
  const scope = severity ? list.locator(`[data-severity="${severity}"]`) : list
  const line = scope.locator(`[data-code="${code}"]`).first()
  await line.waitFor()
  return line.innerText()
}

export { button, field, follow }
