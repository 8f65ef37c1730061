import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const script = new URL('burn.ts', import.meta.url).pathname
const durationMs = 3_000

export interface Ceiling {
  readonly oneContractsPerSecond: number
  readonly twoContractsPerSecond: number
  readonly ratio: number
}

/** What two cores do beside each other over what one does: cores that share caches, or a machine that is shared, give less than 2. */
export async function measureCeiling(cores: readonly [number, number]): Promise<Ceiling> {
  const [one] = await burn([cores[0]])
  const two = (await burn(cores)).reduce((sum, rate) => sum + rate, 0)
  const alone = one ?? Number.NaN
  return { oneContractsPerSecond: alone, twoContractsPerSecond: two, ratio: Math.round((1000 * two) / alone) / 1000 }
}

async function burn(cores: readonly number[]): Promise<readonly number[]> {
  const children = cores.map((core) => {
    const child = spawn('taskset', ['--cpu-list', String(core), process.execPath, script, String(durationMs)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
  })
  try {
    for (const { lines } of children) await lines.next()
    for (const { child } of children) child.stdin.write('go\n')
    return await Promise.all(children.map(async ({ lines }) => Number((await lines.next()).value)))
  } finally {
    await Promise.all(children.map(({ child }) => ended(child)))
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill()
  await once(child, 'exit')
}
