/** Every word of the interface. Pages ask here; nothing else holds Chinese text. */

import type { CallFailed, FieldProblem } from '@/host'
import { errorSentences, problemSentences, refusalReasons } from './errors'
import { findingSentences, programSentences } from './findings'
import * as labels from './labels'
import { returnReasons } from './returned'
import { words } from './ui'

export { words } from './ui'
export * from './labels'

/** The sentence of an error, with the rules that stand against it. An unknown code still says that nothing was lost. */
export function errorWords(failed: Pick<CallFailed, 'code' | 'params'> & Partial<Pick<CallFailed, 'findings'>>): string {
  const sentence = (errorSentences as Readonly<Record<string, string>>)[failed.code] ?? errorSentences.internal
  const { label = words.someField, theirs } = failed.params
  const reason = refusalReasons[String(failed.params.reason)] ?? ''
  const rules = (failed.findings ?? []).filter(finding => finding.severity === 'E').map(findingWords)
  return [fill(sentence, { ...failed.params, reason, label, theirs: theirs === undefined ? '' : words.theirs(String(theirs)) }), ...rules].join(' ')
}

export function problemWords(problem: Pick<FieldProblem, 'code'>): string {
  return problemSentences[problem.code] ?? words.notAccepted
}

/** The problems of a form by path, for its fields; a part of a value (`time.start`) is a step of the path. */
export function problemsByPath(problems: readonly FieldProblem[]): Record<string, string> {
  return Object.fromEntries(problems.map(problem => [problem.path.replaceAll('.', '/'), problemWords(problem)]))
}

/** The problems of a meeting as sentences that name their field, each with the path to jump to. */
export function problemLines(problems: readonly FieldProblem[]): { path: string; text: string }[] {
  const labels: Readonly<Record<string, unknown>> = { ...words.editor, ...words.fieldNames, text: words.editor.speech }
  return Object.entries(problemsByPath(problems)).map(([path, text]) => {
    const label = labels[path.split('/').at(-1) ?? '']
    return { path, text: typeof label === 'string' ? `${label}：${text}` : text }
  })
}

/** Why something came back: the city's own words, else what its code means, else which rule the value breaks. */
export function returnWords(reason: { code: string; words: string; label: string | null }): string {
  if (reason.words) return reason.words
  const meant = returnReasons[reason.code] ?? problemSentences[reason.code] ?? words.notAccepted
  return reason.label ? `${reason.label}：${meant}` : meant
}

export function findingWords(finding: { code: string; params: Readonly<Record<string, unknown>> }): string {
  const sentence = findingSentences[finding.code] ?? programSentences[finding.code] ?? words.unknownFinding
  return fill(sentence, Object.fromEntries(Object.entries(finding.params).map(([name, value]) => [name, paramWords(name, value)])))
}

function fill(sentence: string, params: Readonly<Record<string, unknown>>): string {
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => String(params[name] ?? ''))
}

const codesOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  field: words.fieldNames,
  capacity: labels.capacities,
  rule: labels.voteRules,
  body: labels.deciders,
  duty: labels.meetingTypes,
}

/** A parameter in words: codes by their table, lists joined, date-times without the `T`. */
function paramWords(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.map(one => paramWords(name, one)).join('、')
  const text = String(value ?? '')
  return codesOf[name]?.[text] ?? text.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*$/, '$1 $2')
}
