// The real window under WebDriver: a driver of its own, a data folder of its own, nothing of the person at the computer.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { remote } from 'webdriverio'

const root = fileURLToPath(new URL('../../', import.meta.url))
const PROGRAM = process.env.JISHI ?? join(root, 'target/debug/jishi')
const DRIVER = process.env.TAURI_DRIVER ?? join(root, 'target/tools/bin/tauri-driver')

/** A folder that is gone when the test is over. */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'jishi-window-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Title bars, as on a real desktop. */
export function windowManager(t) {
  const manager = spawn('openbox', { stdio: 'ignore' })
  t.after(() => manager.kill())
}

/** Starts the window on a data folder; `quit` ends it like a person who closes it. */
export async function start(t, home) {
  const [port, nativePort] = [await freePort(), await freePort()]
  const words = ['--port', port, '--native-port', nativePort, '--native-driver', '/usr/bin/WebKitWebDriver'].map(String)
  const driver = spawn(DRIVER, words, { env: environment(home), stdio: ['ignore', 'inherit', 'inherit'] })
  let window
  let running = true
  const quit = async () => {
    if (!running) return
    running = false
    try {
      await window?.deleteSession()
    } finally {
      driver.kill()
    }
  }
  t.after(quit)
  await answers(port)
  window = await remote({
    hostname: '127.0.0.1',
    port,
    logLevel: 'error',
    capabilities: { 'tauri:options': { application: PROGRAM }, 'wdio:enforceWebDriverClassic': true },
  })
  return { window, quit }
}

function environment(home) {
  return {
    ...process.env,
    JISHI_DATA: join(home, 'records'),
    XDG_DATA_HOME: join(home, 'data'),
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_CACHE_HOME: join(home, 'cache'),
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

async function answers(port) {
  for (let tries = 0; tries < 100; tries += 1) {
    const status = await fetch(`http://127.0.0.1:${port}/status`).catch(() => undefined)
    if (status?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('the driver does not answer')
}

/** What a person does with the page, by the words on it. */
export class Hands {
  constructor(window) {
    this.window = window
  }

  async sees(text) {
    const found = this.window.$(`//*[contains(normalize-space(.), ${quoted(text)}) and not(.//*[contains(normalize-space(.), ${quoted(text)})])]`)
    await found.waitForDisplayed({ timeout: 15_000, timeoutMsg: `“${text}” does not show` })
    return found
  }

  async press(name) {
    const button = this.window.$(`//*[(self::button or self::a) and normalize-space(.)=${quoted(name)}]`)
    await button.waitForClickable({ timeout: 15_000, timeoutMsg: `“${name}” cannot be pressed` })
    await button.click()
  }

  /** Opens a page of the program. A press may meet a page that is still moving; a person presses again. */
  async goTo(name) {
    const link = this.window.$(`//nav//a[normalize-space(.)=${quoted(name)}]`)
    const isThere = async () => (await link.getAttribute('aria-current')) === 'page'
    const press = async () => {
      await link.click()
      return this.window.waitUntil(isThere, { timeout: 3_000 }).catch(() => false)
    }
    await this.window.waitUntil(press, { timeout: 15_000, timeoutMsg: `the page “${name}” does not open` })
  }

  /** The control under a label, with or without the mark that it must be filled in. */
  async field(name) {
    const label = this.window.$(`//label[@for and (normalize-space(.)=${quoted(name)} or normalize-space(.)=${quoted(`${name}（必填）`)})]`)
    await label.waitForExist({ timeout: 15_000, timeoutMsg: `there is no field “${name}”` })
    return this.window.$(`#${await label.getAttribute('for')}`)
  }

  async type(name, text, key = 'Tab') {
    const control = await this.field(name)
    await control.setValue(text)
    await this.window.keys(key)
  }

  /** Puts many lines into a field at once; as typed keys a tab would leave it. */
  async paste(name, text) {
    const put = (area, value) => {
      area.value = value
      area.dispatchEvent(new Event('input', { bubbles: true }))
    }
    await this.window.execute(put, await this.field(name), text)
  }

  /** One of the numbers of a vote. */
  async number(name) {
    return (await this.window.$(`[data-number="${name}"] dd`).getText()).trim()
  }

  async choose(question, answer) {
    const legend = `legend[normalize-space(.)=${quoted(question)} or normalize-space(.)=${quoted(`${question}（必填）`)}]`
    await this.window.$(`//fieldset[${legend}]//label[normalize-space(.)=${quoted(answer)}]`).click()
  }
}

const quoted = (text) => `'${text}'`
