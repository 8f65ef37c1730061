import { execFileSync } from 'node:child_process'

/** Mounts a tmpfs over a directory, `size=8m` or `ro,size=1m`; returns the way to take it off, null where that is not allowed. */
export function mountTmpfs(path: string, options: string): (() => void) | null {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'ignore' })
  } catch {
    return null
  }
  return () => void execFileSync('umount', ['-l', path])
}
