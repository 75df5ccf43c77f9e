/** What the city answers to its console. Read only; the session is a cookie that the page never sees. */

export interface Branch {
  id: string
  name: string
  kind: string
  /** Absent until a laptop of the branch enrolled. */
  stream: string | null
  records: number
  /** Unix milliseconds by the city's clock. */
  received_at: number | null
}

/** Four different times; instants in unix milliseconds, the event as its own civil time. */
export interface Times {
  event: string | null
  recorded: number | null
  finalised: number | null
  received: number
}

export interface RecordLine {
  kind: string
  kind_label: string
  id: string
  title: string
  life: 'waiting' | 'live' | 'gone' | 'contested'
  closing: 'open' | 'final' | 'conflict'
  contested: boolean
  times: Times
}

export interface ShownField {
  path: string
  label: string
  /** What tells the items of a list apart: a person's name or the item's id. */
  item: string | null
  secret: boolean
  state: 'one' | 'conflict' | 'withheld'
  text?: string | null
  sides?: { text: string | null; author: string; at: number }[]
}

export interface ShownRecord extends RecordLine {
  fields: ShownField[]
  late: { path: string; label: string; text: string | null; at: number }[]
}

export interface Figures {
  attendance: { due: number; present: number; leave: number; absent: number; unregistered: number; guests: number; rate_permille: number | null }
  votes: { item: string; subject: string | null; due_members: number; present_members: number; eligible: number; present_eligible: number; yes: number | null; quorate: boolean; outcome: string }[]
}

/** A refusal of the city, by its code. */
export class Refused extends Error {
  constructor(readonly code: string) {
    super(code)
    this.name = 'Refused'
  }
}

export const api = {
  login: (password: string) => ask('login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ password }) }),
  logout: () => ask('logout', { method: 'POST' }),
  branches: () => ask('branches') as Promise<{ branches: Branch[] }>,
  records: (stream: string) => ask(`branches/${stream}/records`) as Promise<{ branch: Pick<Branch, 'id' | 'name'>; records: RecordLine[] }>,
  record: (stream: string, kind: string, id: string) =>
    ask(`branches/${stream}/records/${kind}/${encodeURIComponent(id)}`) as Promise<{ branch: Pick<Branch, 'id' | 'name'>; record: ShownRecord; figures: Figures | null }>,
}

async function ask(path: string, init?: RequestInit): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(`/console/api/${path}`, init)
  } catch {
    throw new Refused('unreachable')
  }
  if (response.status === 204) return undefined
  const body = (await response.json().catch(() => ({}))) as { code?: string }
  if (!response.ok) throw new Refused(response.status === 401 ? 'not_signed_in' : (body.code ?? 'city_fault'))
  return body
}
