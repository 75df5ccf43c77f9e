import { computed, inject, provide, type ComputedRef, type InjectionKey, type Ref } from 'vue'

/** A person to pick, with the readings that the host made. */
export interface Pick {
  id: string
  name: string
  keys: string
  /** What tells two persons of one name apart. */
  note?: string
}

/** Does what was typed (Chinese, initials, full pinyin; input methods put `'` and spaces between) name this person? */
export function matches(person: Pick, typed: string): boolean {
  const text = typed.replace(/['\s]/g, '').toLowerCase()
  return text === '' || person.name.includes(text) || person.keys.split(' ').some(key => key.startsWith(text))
}

const key: InjectionKey<Readonly<Ref<readonly Pick[]>>> = Symbol('people')

/** Makes the persons of the branch known to every picker below. */
export function providePeople(people: Readonly<Ref<readonly Pick[]>>): void {
  provide(key, people)
}

export function usePeople(): Readonly<Ref<readonly Pick[]>> {
  const people = inject(key)
  if (!people) throw new Error('providePeople() stands above every picker')
  return people
}

/** Names of the branch's persons by id. */
export function useNames(): ComputedRef<Readonly<Record<string, string>>> {
  const people = usePeople()
  return computed(() => Object.fromEntries(people.value.map(person => [person.id, person.name])))
}
