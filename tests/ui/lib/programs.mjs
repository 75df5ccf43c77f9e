// Starts the programs under test: the browser shell and the city, each on a fresh folder and, where a story asks for
// it, on another day. Only the programs' wall clock is moved; time that is waited for stays real.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const WEB = process.env.JISHI_WEB ?? join(root, 'target/debug/jishi-web')
const CITY = process.env.JISHI_CITY ?? join(root, 'target/debug/city')

/** A folder that is gone when the test is over. */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'jishi-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/**
 * The browser shell. `at` is a civil time at +08:00, `2026-10-13T20:00`; without it the real time. It reports when a
 * story says so, or by itself where that is the story.
 */
export async function shell(data, { at, byItself = false } = {}) {
  const program = start(WEB, ['--data', data, '--no-browser', '--stay', ...(byItself ? [] : ['--by-hand'])], at)
  const address = await program.line(/(http:\/\/127\.0\.0\.1:\d+\/enter\?token=\w+)/)
  return Object.assign(program, { address, origin: new URL(address).origin })
}

/** The city with the made-up town and the organisations that a story adds (CSV lines). */
export async function city(data, { at, organisations = [] } = {}) {
  const town = readFileSync(join(root, 'tests/fixtures/town/organisations.csv'), 'utf8').trimEnd()
  const list = join(data, 'organisations.csv')
  writeFileSync(list, [town, ...organisations, ''].join('\n'))
  const folder = join(data, 'city')
  const said = await output(CITY, ['init', '--data', folder, '--organisations', list], at)
  const password = said.match(/管理密码.*?：(\S+)/)?.[1]
  if (!password) throw new Error(`city init printed no password:\n${said}`)
  const program = await serve(folder, at)
  const enrol = async (organisation) => {
    const printed = await output(CITY, ['enrol', '--data', folder, '--organisation', organisation], at)
    return printed.trim().split('\n').at(-1)
  }
  const seal = (organisation, kind, record, ...off) =>
    output(CITY, ['seal', '--data', folder, '--organisation', organisation, '--kind', kind, '--record', record, ...off], at)
  const check = () => output(CITY, ['check', '--data', folder], at)
  return Object.assign(program, { password, enrol, seal, check })
}

async function serve(folder, at) {
  const program = start(CITY, ['serve', '--data', folder, '--listen', '127.0.0.1:0'], at)
  const origin = await program.line(/(http:\/\/127\.0\.0\.1:\d+)/)
  return Object.assign(program, { origin })
}

/** A running program: what it printed, and its end. */
function start(path, words, at) {
  const child = spawn(path, words, { env: { ...environment(), ...moved(at) }, stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  let waiting = []
  const hear = (line) => {
    said += `${line}\n`
    waiting = waiting.filter((one) => !one(line))
  }
  createInterface({ input: child.stdout }).on('line', hear)
  createInterface({ input: child.stderr }).on('line', hear)
  const ended = new Promise((resolve) => child.once('close', resolve))
  const line = (pattern) =>
    new Promise((resolve, reject) => {
      const found = said.match(pattern)
      if (found) return resolve(found[1])
      waiting.push((text) => {
        const match = text.match(pattern)
        if (match) resolve(match[1])
        return match
      })
      ended.then((code) => reject(new Error(`${path} ended with ${code}:\n${said}`)))
    })
  return {
    line,
    said: () => said,
    ask: () => child.stdin.write('\n'),
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
  }
}

async function output(path, words, at) {
  const program = start(path, words, at)
  const code = await program.stop(0)
  if (code !== 0) throw new Error(`${path} ${words[0]} ended with ${code}:\n${program.said()}`)
  return program.said()
}

// The programs must not depend on where the computer thinks it is, nor see the settings of the person at it.
function environment() {
  const { PATH, HOME, LD_LIBRARY_PATH } = process.env
  return { PATH, HOME, LD_LIBRARY_PATH, TZ: 'UTC', LANG: 'C.UTF-8' }
}

// The library of faketime without its wrapper, which would stand between us and the program's end.
function moved(at) {
  if (!at) return {}
  const library = readdirSync('/usr/lib', { withFileTypes: true })
    .map(({ name }) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`)
    .find((path) => existsSync(path))
  if (!library) throw new Error('faketime is not installed')
  const seconds = Math.round((Date.parse(`${at}+08:00`) - Date.now()) / 1000)
  return { LD_PRELOAD: library, FAKETIME: seconds < 0 ? String(seconds) : `+${seconds}`, DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' }
}
