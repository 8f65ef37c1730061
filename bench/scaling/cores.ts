import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Two cores this process may use, by their numbers; null where there are fewer, or nothing to give them out with. */
export async function twoCores(): Promise<readonly [number, number] | null> {
  try {
    const [first, second] = (await coresOf(process.pid)).split(',').flatMap(expand)
    return first === undefined || second === undefined ? null : [first, second]
  } catch {
    return null
  }
}

/** `0-3` is four of them. */
function expand(range: string): readonly number[] {
  const [from = Number.NaN, to = from] = range.split('-').map(Number)
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

/** Keeps processes, with all threads they have now, on one core until disposed; null keeps nothing. */
export async function confine(pids: readonly number[], core: number | null): Promise<AsyncDisposable> {
  if (core === null) return { [Symbol.asyncDispose]: () => Promise.resolve() }
  const before = await coresOf(process.pid)
  const keepOn = async (cores: string): Promise<void> => {
    for (const pid of pids) await run('taskset', ['--all-tasks', '--pid', '--cpu-list', cores, String(pid)])
  }
  await keepOn(String(core))
  return { [Symbol.asyncDispose]: () => keepOn(before) }
}

async function coresOf(pid: number): Promise<string> {
  const { stdout } = await run('taskset', ['--cpu-list', '--pid', String(pid)])
  return (stdout.split(':').at(-1) ?? '').trim()
}
