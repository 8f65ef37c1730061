import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { StrikeflowError } from '../../shared/model/errors.ts'
import { readOwnerFile } from '../../shared/runtime/owner-file.ts'
import { isRunning, type ProcessName, processStart, statFields } from '../../shared/runtime/process-start.ts'
import { findRunningStack } from './running-stack.ts'

const askEveryMs = 100
/** After SIGKILL of the supervisor its guard ends the services within 3 s; what is left then is killed from here. */
const guardLimitMs = 6_000

/** The process that has a data directory, a start that is still under way included; null when none has. */
export async function findOwner(dataDirectory: string): Promise<ProcessName | null> {
  const owner = readOwnerFile(join(dataDirectory, 'owner.json'))
  if (owner !== null && isRunning(owner)) return owner
  // A stack of an earlier version leaves no owner file.
  return await findRunningStack(dataDirectory)
}

/** Asks a process to stop and waits. False when it still runs after the limit. */
export async function stopInOrder(
  owner: ProcessName,
  timeoutMs: number,
  onWaiting: (elapsedMs: number) => void,
): Promise<boolean> {
  signal(owner, 'SIGTERM')
  return await isGone(() => !isRunning(owner), timeoutMs, onWaiting)
}

/** Kills a process and all that it has started, whatever state they are in. False when something is left nevertheless. */
export async function stopByForce(owner: ProcessName): Promise<boolean> {
  const services = descendants(owner.pid)
  signal(owner, 'SIGKILL')
  const left = (): readonly ProcessName[] => [owner, ...services].filter(isRunning)
  if (await isGone(() => left().length === 0, guardLimitMs)) return true
  for (const each of left()) signal(each, 'SIGKILL')
  return await isGone(() => left().length === 0, guardLimitMs)
}

async function isGone(
  gone: () => boolean,
  timeoutMs: number,
  onWaiting: (elapsedMs: number) => void = () => {},
): Promise<boolean> {
  const fromMs = performance.now()
  for (;;) {
    if (gone()) return true
    const elapsedMs = performance.now() - fromMs
    if (elapsedMs >= timeoutMs) return false
    onWaiting(elapsedMs)
    await delay(askEveryMs)
  }
}

function signal({ pid }: ProcessName, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH') return
    throw new StrikeflowError('config', `Process ${pid} belongs to another user (${code}); stop it as that user`)
  }
}

/** Children, their children and so on. Empty where there is no /proc; there the guard alone ends them. */
function descendants(root: number): readonly ProcessName[] {
  const children = new Map<number, number[]>()
  for (const pid of pidsInProc()) {
    const parent = parentOf(pid)
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const below = (pid: number): readonly number[] =>
    (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)])
  return below(root).map((pid) => ({ pid, start: processStart(pid) }))
}

function pidsInProc(): readonly number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

function parentOf(pid: number): number | null {
  try {
    return Number(statFields(readFileSync(`/proc/${pid}/stat`, 'utf8'))[1])
  } catch {
    return null
  }
}
