// Faults of a disk, made with the system's own means: a small file system of its own that can be filled or closed.
import { execFileSync } from 'node:child_process'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folder } from './programs.mjs'

/** Mounting is for root; without it these stories cannot be told and say so. */
export const needsRoot = process.getuid?.() === 0 ? false : 'mounting a file system needs root'

/** A folder on a file system of 16 MB. */
export function smallDisk(t) {
  const path = folder(t)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', path])
  t.after(() => execFileSync('umount', ['--lazy', path]))
  return {
    path,
    fill: () => {
      const { bavail, bsize } = statfsSync(path)
      writeFileSync(join(path, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize)))
    },
    clear: () => rmSync(join(path, 'filler')),
    close: () => execFileSync('mount', ['-o', 'remount,ro', path]),
  }
}
