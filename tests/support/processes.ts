import { readFileSync } from 'node:fs'
import { isRunning, type ProcessName, processStart } from '../../shared/runtime/process-start.ts'

const childrenOf = (pid: number): readonly number[] => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** Everything that a process has started, directly or not. */
export const descendants = (pid: number): readonly number[] =>
  childrenOf(pid).flatMap((child) => [child, ...descendants(child)])

/** The same, each with its start, so that a later process with its number is not taken for it. */
export const family = (pid: number): readonly ProcessName[] =>
  [pid, ...descendants(pid)].map((each) => ({ pid: each, start: processStart(each) }))

/** Empty for a process that is gone, and for a zombie. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

/** The first among a process and its descendants whose command line contains the text. */
export const findProcess = (root: number, text: string): number | null =>
  [root, ...descendants(root)].find((pid) => commandLine(pid).includes(text)) ?? null

/** What still runs, in words for the message of a failed test. */
export const stillRunning = (processes: readonly ProcessName[]): readonly string[] =>
  processes.filter(isRunning).map(({ pid }) => `${pid} ${commandLine(pid)}`)
