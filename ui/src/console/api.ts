/** What the city answers to its console. The session is a cookie that the page never sees. */

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

export interface Device {
  id: string
  name: string
  since: number | null
  seen: number | null
  state: 'in_use' | 'revoked' | 'not_let_in'
  quarantined: number
}

/** What a revoked computer sent: held, and not counted until somebody lets it. */
export interface Waiting {
  id: string
  device: string
  author: string
  at: number
  received_at: number
  records: { kind: string; kind_label: string; id: string; title: string }[]
  writes: { path: string; label: string; text: string }[]
}

export interface Redaction {
  id: number
  branch: Pick<Branch, 'id' | 'name'>
  kind_label: string | null
  record: string
  field: string | null
  reason: string
  asked_by: string
  asked_at: number
  decided_by: string | null
  decided_at: number | null
  done: boolean | null
  /** How much would go; nothing once it is gone. */
  changes: number | null
  records: number | null
}

export interface Advice {
  code: 'key_ends' | 'key_ended' | 'fresh_key_wanted' | 'no_spare_key'
  days?: number
}

/** What a file on a USB stick did. */
export interface UsbReport {
  organisation: string
  organisation_name: string
  device: string
  enrolled: boolean
  made_at: number
  since: number
  new: number
  known: number
  waiting: number
  refused: string[]
  kept: boolean
  linked: number
  /** Absent in what an earlier program noted. */
  attachments?: number
  attachments_refused?: number
  attachments_back?: number
  attachments_left?: number
  damaged: [number, number] | null
}

export interface UsbFile {
  id: number
  at: number
  report: UsbReport
  /** The file that goes back. */
  name: string
  /** 0: it is not kept any more. */
  bytes: number
  waits: boolean
}

/** A refusal of the city, by its code. */
export class Refused extends Error {
  constructor(readonly code: string) {
    super(code)
    this.name = 'Refused'
  }
}

const post = (body: unknown = {}): RequestInit => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

export const api = {
  usbFiles: () => ask('usb') as Promise<{ files: UsbFile[] }>,
  usbImport: (file: Blob) => ask('usb', { method: 'POST', body: file }) as Promise<Pick<UsbFile, 'id' | 'report' | 'name'>>,
  usbAnswer: (id: number) => fetch(`/console/api/usb/${id}/answer`),
  login: (name: string, password: string) => ask('login', post({ name, password })),
  logout: () => ask('logout', { method: 'POST' }),
  me: () => ask('me') as Promise<{ name: string; advice: Advice[] }>,
  branches: () => ask('branches') as Promise<{ branches: Branch[] }>,
  records: (stream: string) => ask(`branches/${stream}/records`) as Promise<{ branch: Pick<Branch, 'id' | 'name'>; records: RecordLine[] }>,
  record: (stream: string, kind: string, id: string) =>
    ask(`branches/${stream}/records/${kind}/${encodeURIComponent(id)}`) as Promise<{ branch: Pick<Branch, 'id' | 'name'>; record: ShownRecord; figures: Figures | null }>,
  devices: (stream: string) => ask(`branches/${stream}/devices`) as Promise<{ branch: Pick<Branch, 'id' | 'name'>; devices: Device[]; waiting: Waiting[] }>,
  revoke: (stream: string, device: string) => ask(`branches/${stream}/devices/${device}/revoke`, post()),
  reinstate: (stream: string, device: string) => ask(`branches/${stream}/devices/${device}/reinstate`, post()),
  release: (stream: string, changes: string[]) => ask(`branches/${stream}/release`, post({ changes })),
  redactions: () => ask('redactions') as Promise<{ me: string; redactions: Redaction[] }>,
  askRedaction: (subject: { stream: string; kind: string; record: string; path?: string; reason: string }) => ask('redactions', post(subject)),
  confirmRedaction: (id: number) => ask(`redactions/${id}/confirm`, post()),
  declineRedaction: (id: number) => ask(`redactions/${id}/decline`, post()),
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
