// Faults of a disk, made with the system's own means: a small file system of its own that can be filled or closed.
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, rmdirSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Mounting is for root; without it these stories cannot be told and say so. */
export const needsRoot = process.getuid?.() === 0 ? false : 'mounting a file system needs root'

/** A folder on a file system of 16 MB. */
export function smallDisk(t) {
  const path = mkdtempSync(join(tmpdir(), 'jishi-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', path])
  t.after(() => {
    execFileSync('umount', ['--lazy', path])
    rmdirSync(path)
  })
  return {
    path,
    fill: () => fill(join(path, 'filler')),
    clear: () => rmSync(join(path, 'filler')),
    close: () => execFileSync('mount', ['-o', 'remount,ro', path]),
  }
}

function fill(path) {
  const file = openSync(path, 'w')
  try {
    for (;;) writeSync(file, Buffer.alloc(4096))
  } catch (error) {
    if (error.code !== 'ENOSPC') throw error
  } finally {
    closeSync(file)
  }
}
