import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Names one process for good: the kernel gives its number to another one later. */
export interface ProcessName {
  readonly pid: number
  /** When it started, as `processStart` gives it; null where the system does not say. */
  readonly start: string | null
}

export const ownName = (): ProcessName => ({ pid: process.pid, start: processStart(process.pid) })

/** True while exactly this process runs. A zombie, which only waits for its parent to look, does not run. */
export function isRunning({ pid, start }: ProcessName): boolean {
  const now = processStart(pid)
  if (now !== null) return start === null || now === start
  // Without /proc and ps nobody can say when it started; the number is all there is.
  return !canTell() && answersSignals(pid)
}

/** When a running process started, as a text to compare with; null when there is no such process. */
export function processStart(pid: number): string | null {
  try {
    return process.platform === 'linux' ? startFromProc(pid) : startFromPs(pid)
  } catch {
    return null
  }
}

/** State and later fields of /proc/PID/stat. The name before them may hold blanks and brackets. */
export function statFields(stat: string): readonly string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** Ticks since the machine started, so the machine's start is part of it: a data directory outlives a reboot. */
function startFromProc(pid: number): string | null {
  const fields = statFields(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  return fields[0] === 'Z' || fields[0] === 'X' ? null : `${bootId()}:${fields[19]}`
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().slice(0, 8)
  } catch {
    return 'boot'
  }
}

function startFromPs(pid: number): string | null {
  const output = execFileSync('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' })
  const [, state = '', start = ''] = /^\s*(\S+)\s+(.*\S)/.exec(output) ?? []
  return start === '' || state.startsWith('Z') ? null : start.replaceAll(/\s+/g, '_')
}

const canTell = (): boolean => processStart(process.pid) !== null

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
