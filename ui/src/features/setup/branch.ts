/** What the first step asks, as it is typed. */
export interface BranchTyped {
  name: string
  short: string
  type: string
  superior: string
  records_since: string
  committee: '' | 'yes' | 'no'
  seats: number | null
  groups: string
  author: string
}

export function emptyBranch(): BranchTyped {
  return { name: '', short: '', type: 'branch', superior: '', records_since: '', committee: '', seats: null, groups: '', author: '' }
}
