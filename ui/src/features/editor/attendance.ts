import type { AttendanceForm } from '@/host'
import { useEditor } from './editor'

/** Who came: a row is written only for a person about whom something is said. */
export function useAttendance() {
  const { form, derived } = useEditor()
  const rowOf = (person: string) => form.value.attendance.find(row => row.person === person)
  const statusOf = (person: string) => rowOf(person)?.status ?? ''
  const excluded = (person: string) => form.value.exclusions.some(row => row.person === person)

  function set(person: string, status: string) {
    const row = rowOf(person)
    if (status === '') form.value.attendance = form.value.attendance.filter(other => other !== row)
    else if (row) row.status = status
    else form.value.attendance.push(emptyRow(person, status))
  }

  /** 其余全部到会: everybody who is neither registered nor left out of the count. */
  function restPresent() {
    for (const line of derived.value.roster) if (!statusOf(line.person) && !excluded(line.person)) set(line.person, 'present')
  }

  return { statusOf, excluded, set, restPresent }
}

function emptyRow(person: string, status: string): AttendanceForm {
  return { person, status, leave: '', reason: '', approver: '' }
}
