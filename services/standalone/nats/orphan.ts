import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import type { Logger } from '../../../shared/runtime/logger.ts'

const run = promisify(execFile)
const stopLimitMs = 10_000

export interface OrphanFiles {
  /** Written by the server. */
  readonly pidFile: string
  /** Holds the process that started it. */
  readonly ownerFile: string
  /** On the command line of the server, so that no other process can be meant. */
  readonly configFile: string
}

/**
 * Ends a server that a killed process left behind on this store: two servers on one store destroy it, and nats-server does not
 * look. Refuses when the process that started it still lives.
 */
export async function endOrphan({ pidFile, ownerFile, configFile }: OrphanFiles, log: Logger): Promise<void> {
  const pid = await readPid(pidFile)
  if (pid === null) return
  const facts = await processFacts(pid)
  if (facts === null || !facts.commandLine.includes(configFile)) return
  if (facts.parentPid === (await readPid(ownerFile))) {
    throw new StrikeflowError('config', `the NATS store of ${configFile} is in use by process ${facts.parentPid}`)
  }
  log.warn({ pid }, 'ending the nats-server a killed process left behind')
  process.kill(pid, 'SIGTERM')
  const until = performance.now() + stopLimitMs
  while ((await processFacts(pid)) !== null) {
    if (performance.now() > until) process.kill(pid, 'SIGKILL')
    await sleep(20)
  }
}

async function readPid(file: string): Promise<number | null> {
  const pid = Number(await readFile(file, 'utf8').catch(() => ''))
  return Number.isInteger(pid) && pid > 1 ? pid : null
}

interface ProcessFacts {
  readonly parentPid: number
  readonly commandLine: string
}

/** Returns null for a process that has ended. */
async function processFacts(pid: number): Promise<ProcessFacts | null> {
  try {
    return process.platform === 'linux' ? await factsFromProc(pid) : await factsFromPs(pid)
  } catch {
    return null
  }
}

async function factsFromProc(pid: number): Promise<ProcessFacts | null> {
  const [stat, commandLine] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/cmdline`, 'utf8'),
  ])
  // pid (name) state parent …; the name may hold blanks and brackets.
  const [state, parentPid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' ? null : { parentPid: Number(parentPid), commandLine: commandLine.replaceAll('\0', ' ') }
}

async function factsFromPs(pid: number): Promise<ProcessFacts | null> {
  const { stdout } = await run('ps', ['-o', 'ppid=', '-o', 'args=', '-p', String(pid)])
  const [, parentPid, commandLine] = /^\s*(\d+)\s+(.*)/.exec(stdout) ?? []
  return commandLine === undefined ? null : { parentPid: Number(parentPid), commandLine }
}
