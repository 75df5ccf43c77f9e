import type { FieldProblem, FindingLine } from './contract'

/** Why the program refused a call. The words for `code` are in `@/words`. */
export class CallFailed extends Error {
  constructor(
    readonly code: string,
    readonly params: Record<string, unknown> = {},
    /** One for every field that was refused. */
    readonly problems: readonly FieldProblem[] = [],
    /** What stands against it. */
    readonly findings: readonly FindingLine[] = [],
  ) {
    super(code)
    this.name = 'CallFailed'
  }
}

/** Turns whatever a host threw into a `CallFailed`; what has no code was not said by the program. */
export function callFailed(thrown: unknown): CallFailed {
  if (thrown instanceof CallFailed) return thrown
  if (isObject(thrown) && typeof thrown.code === 'string') {
    return new CallFailed(
      thrown.code,
      isObject(thrown.params) ? thrown.params : {},
      Array.isArray(thrown.problems) ? (thrown.problems as FieldProblem[]) : [],
      Array.isArray(thrown.findings) ? (thrown.findings as FindingLine[]) : [],
    )
  }
  return new CallFailed('unreachable')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
