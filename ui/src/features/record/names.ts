import { computed, type ComputedRef } from 'vue'
import { usePeople } from '@/kit/people'

/** Names of the branch's persons by id. */
export function useNames(): ComputedRef<Readonly<Record<string, string>>> {
  const people = usePeople()
  return computed(() => Object.fromEntries(people.value.map(person => [person.id, person.name])))
}
