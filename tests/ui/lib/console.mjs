// What the city holds, asked for the way its console asks.
import assert from 'node:assert/strict'

/** Signs in as the operator; answers what reads the records of a branch. */
export async function signIn(city) {
  const login = await fetch(`${city.origin}/console/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: city.origin },
    body: JSON.stringify({ password: city.password }),
  })
  assert.equal(login.status, 204, 'the operator signs in with the printed password')
  const cookie = login.headers.get('set-cookie').split(';')[0]
  const read = async (path) => {
    const answer = await fetch(`${city.origin}/console/api/${path}`, { headers: { cookie } })
    assert.equal(answer.status, 200, path)
    return answer.json()
  }
  /** The meetings of a branch by their titles, each with its figures. */
  const meetings = async (organisation) => {
    const { branches } = await read('branches')
    const { stream } = branches.find(({ id }) => id === organisation)
    assert.ok(stream, `${organisation} has reported`)
    const { records } = await read(`branches/${stream}/records`)
    const whole = records
      .filter(({ kind }) => kind === 'meeting')
      .map(async ({ id, title }) => [title, await read(`branches/${stream}/records/meeting/${id}`)])
    return Object.fromEntries(await Promise.all(whole))
  }
  return { read, meetings }
}
