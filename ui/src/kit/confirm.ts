import { shallowRef } from 'vue'

export interface Question {
  title: string
  text: string
  /** What the button does, as a verb: never "确定". */
  action: string
  /** A reason that must be typed before. */
  reason?: string
  /** The reason that stands so far; it may be emptied, which takes it back. */
  before?: string
}

interface Open extends Question {
  answer: (reason: string | undefined) => void
}

const question = shallowRef<Open>()

/** Asks before something that people regret; answers `true` for the action. */
export async function confirm(asked: Question): Promise<boolean> {
  return (await ask(asked)) !== undefined
}

/** Asks for a reason; answers `undefined` when the person turned back. */
export function askReason(asked: Question & { reason: string }): Promise<string | undefined> {
  return ask(asked)
}

function ask(asked: Question): Promise<string | undefined> {
  return new Promise(resolve => {
    question.value = {
      ...asked,
      answer(reason) {
        question.value = undefined
        resolve(reason)
      },
    }
  })
}

export function useQuestion() {
  return question
}
