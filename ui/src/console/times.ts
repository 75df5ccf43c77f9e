import { civilWords, instantWords } from '@/kit/stamp'
import type { Times } from './api'

/** Unix milliseconds at +08:00; nothing for nothing. */
export function millis(at: number | null): string {
  return at === null ? '' : instantWords(new Date(at).toISOString())
}

export function eventWords(times: Times): string {
  return times.event ? civilWords(times.event) : ''
}
