import { reactive } from 'vue'
import type { Matter, MatterSide } from '@/host'
import { words } from '@/words'

const w = words.conflicts

/** The way to the card of a record; one event on two records has a card of its own. */
export function cardOf({ kind, id, other = null }: { kind: string; id: string; other?: string | null }) {
  return other ? { name: 'same-event', params: { keep: id, other } } : { name: 'conflict', params: { kind, id } }
}

/** The page of a record, where its kind has one. */
export function recordOf(kind: string, id: string) {
  if (kind === 'meeting') return { name: 'record', params: { id } }
  if (kind === 'person') return { name: 'people', query: { open: id } }
  if (kind === 'organisation') return { name: 'branch' }
  if (kind === 'explanation') return { name: 'home' }
  return { name: 'ledger', params: { kind }, query: { open: id } }
}

/** One of several ways to decide. */
export interface Option {
  take: number
  label: string
  disabled: boolean
}

/** What a side is called at the head of its column. */
export function sideName(matter: Matter, side: MatterSide): string {
  if (matter.about === 'late' && side.take === 0) return w.closed
  if (matter.about === 'same_event' || matter.about === 'item_added') return side.take === 0 ? w.twinKept : w.twinOther
  if (side.here) return w.here
  const others = matter.sides.filter(other => !other.here && !(matter.about === 'late' && other.take === 0))
  return others.length > 1 ? w.there2(others.indexOf(side) + 1) : w.there
}

/** Who, on which computer. */
export function signature(side: MatterSide): string {
  const who = side.who || (side.at ? w.unknown : '')
  return [who, side.computer && w.computer(side.computer)].filter(Boolean).join(' · ')
}

/** The ways to decide a matter, in the order of its columns. */
export function optionsOf(matter: Matter, correction: boolean): Option[] {
  const options = matter.sides.map(side => ({ take: side.take, label: optionLabel(matter, side, correction), disabled: side.says === 'withheld' }))
  return matter.both ? [...options, { take: matter.sides.length, label: w.take.both, disabled: false }] : options
}

function optionLabel(matter: Matter, side: MatterSide, correction: boolean): string {
  switch (matter.about) {
    case 'deleted':
      return side.says === 'keeps' ? w.keep : correction ? w.annul : w.remove
    case 'item_removed':
      return side.says === 'keeps' ? w.keepItem : w.removeItem
    case 'late':
      return side.take === 0 ? w.giveUp : w.adopt
    case 'same_event':
      return side.take === 0 ? w.twinTake.keep : w.twinTake.other
    case 'item_added':
      return side.take === 0 ? w.twinTake.leave : w.twinTake.add
    case 'closings':
      return w.stands(sideName(matter, side))
    default:
      return w.take.of(sideName(matter, side))
  }
}

/** What a person took so far: for each matter one place of the side, for a text one for each open place. */
export function useChoices() {
  const taken = reactive<Record<string, readonly (number | null)[]>>({})

  /** What is taken for each place of a matter; at first what the program proposes. */
  function slots(matter: Matter): readonly (number | null)[] {
    const places = matter.parts.length ? matter.parts.filter(part => part.is === 'open').length : 1
    const known = taken[matter.key]
    return known?.length === places ? known : Array.from({ length: places }, () => matter.proposed)
  }

  function take(matter: Matter, at: number, side: number) {
    taken[matter.key] = slots(matter).map((before, index) => (index === at ? side : before))
  }

  /** Decisions for the matters that are decided as a whole. */
  function decisions(matters: readonly Matter[]) {
    return matters
      .map(matter => ({ key: matter.key, takes: slots(matter) }))
      .filter((one): one is { key: string; takes: readonly number[] } => one.takes.every(take => take !== null))
      .map(one => ({ ...one, takes: [...one.takes] }))
  }

  function forget() {
    for (const key of Object.keys(taken)) delete taken[key]
  }

  return { slots, take, decisions, forget }
}

/** What a decision comes to, as it will be read; `undefined` while something is open. */
export function resultOf(matter: Matter, slots: readonly (number | null)[]): string | undefined {
  if (matter.parts.length) {
    let open = 0
    let text = ''
    for (const part of matter.parts) {
      if (part.is === 'merged') text += part.text
      else {
        const take = slots[open++]
        if (take === null || take === undefined) return undefined
        text += part.texts[take] ?? ''
      }
    }
    return text
  }
  const take = slots[0]
  if (take === null || take === undefined) return undefined
  if (take === matter.sides.length) return matter.joined
  const side = matter.sides.find(one => one.take === take)
  return side && sideText(side, matter)
}

/** What a side says, in words. */
export function sideText(side: MatterSide, matter: Matter): string {
  switch (side.says) {
    case 'value':
      return side.text
    case 'cleared':
      return w.says.cleared
    case 'withheld':
      return w.says.withheld
    case 'keeps':
      return side.text ? `${w.says.keeps}\n${side.text}` : w.says.keepsPlain
    case 'removes':
      return matter.about === 'deleted' && side.reason ? w.says.annuls : w.says.removes
    case 'closes':
      return side.text ? `${w.says.closes}\n${side.text}` : w.says.closes
  }
}
