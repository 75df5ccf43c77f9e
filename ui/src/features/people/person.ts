import type { PersonForm } from '@/host'

export function emptyPerson(): PersonForm {
  return {
    name: '',
    category: 'member',
    sex: '',
    ethnic: '',
    born: '',
    education: '',
    id_number: '',
    phone: '',
    address: '',
    unit: '',
    job: '',
    joined: '',
    confirmed: '',
    membership: '',
    member_from: '',
    member_to: '',
    member_where: '',
    posts: [],
    group: '',
    group_from: '',
    moved: '',
    moved_from: '',
    moved_place: '',
    limit: '',
    limit_from: '',
    limit_to: '',
    note: '',
  }
}
