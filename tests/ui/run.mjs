// Runs the stories one after another with node's own test runner. Words after the command choose files by name.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('./stories/', import.meta.url))
const chosen = process.argv.slice(2)
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.test.mjs'))
  .filter((name) => chosen.length === 0 || chosen.some((word) => name.includes(word)))
  .sort()
  .map((name) => folder + name)

const options = ['--test', '--test-concurrency=1', '--test-reporter=spec']
const ended = spawnSync(process.execPath, [...options, ...files], { stdio: 'inherit' })
process.exit(ended.status ?? 1)
