import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const stretchMs = 1_000

/**
 * Gives processes a share of one CPU until disposed: by a limit of the kernel where this may be set, else by stopping them for the
 * rest of each second.
 */
export function slowDown(pids: readonly number[], share: number): Disposable {
  return byKernel(pids, share) ?? byStopping(pids, share)
}

function byKernel(pids: readonly number[], share: number): Disposable | null {
  const name = `strikeflow-slow-${process.pid}-${pids[0]}`
  const periodUs = 100_000
  const quotaUs = Math.round(periodUs * share)
  const v1 = { root: '/sys/fs/cgroup/cpu', limit: 'cpu.cfs_quota_us', value: String(quotaUs) }
  const v2 = { root: '/sys/fs/cgroup', limit: 'cpu.max', value: `${quotaUs} ${periodUs}` }
  for (const { root, limit, value } of [v1, v2]) {
    const group = join(root, name)
    try {
      mkdirSync(group)
    } catch {
      continue
    }
    try {
      writeFileSync(join(group, limit), value)
      for (const pid of pids) writeFileSync(join(group, 'cgroup.procs'), String(pid))
      return { [Symbol.dispose]: () => leave(root, group, pids) }
    } catch {
      leave(root, group, pids)
    }
  }
  return null
}

function leave(root: string, group: string, pids: readonly number[]): void {
  for (const pid of pids) attempt(() => writeFileSync(join(root, 'cgroup.procs'), String(pid)))
  attempt(() => rmdirSync(group))
}

function byStopping(pids: readonly number[], share: number): Disposable {
  const signalAll = (signal: NodeJS.Signals): void => {
    for (const pid of pids) attempt(() => process.kill(pid, signal))
  }
  const go = (): void => {
    signalAll('SIGCONT')
    stopping = setTimeout(() => signalAll('SIGSTOP'), stretchMs * share)
  }
  let stopping: NodeJS.Timeout
  go()
  const starting = setInterval(go, stretchMs)
  return {
    [Symbol.dispose]() {
      clearInterval(starting)
      clearTimeout(stopping)
      signalAll('SIGCONT')
    },
  }
}

/** A process may be gone, and a group not empty yet. */
function attempt(action: () => void): void {
  try {
    action()
  } catch {}
}
