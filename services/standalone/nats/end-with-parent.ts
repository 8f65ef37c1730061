import { spawn } from 'node:child_process'

/**
 * Has a process ended (SIGTERM) as soon as this one is gone, even by SIGKILL: a shell waits for the end of a pipe that only this
 * process holds. Returns the way to call that off, for when the process has ended by itself.
 */
export function endWithParent(pid: number): () => void {
  // A group of its own: Ctrl-C must not end the guard first.
  const guard = spawn('sh', ['-c', 'read -r _; kill -TERM "$0"', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  // Without a shell there is no guard; the next start on the same store ends what was left behind.
  guard.on('error', () => {})
  guard.stdin.on('error', () => {})
  guard.unref()
  return () => void guard.kill('SIGKILL')
}
