import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { describe, expect, it, onTestFinished } from 'vitest'
import { waitFor } from '../../tests/support/wait-for.ts'
import { isRunning, type ProcessName, processStart } from './process-start.ts'

const module = new URL('guard.ts', import.meta.url).href

/** Neither notices the end of its parent: one turns in its loop for ever, one is stopped. */
const hanging = [
  `setTimeout(() => { process.stdout.write('hangs\\n'); for (;;) {} })`,
  `setTimeout(() => { process.stdout.write('hangs\\n'); process.kill(process.pid, 'SIGSTOP') }); setInterval(() => {}, 1000)`,
]

/** A process that starts the two hanging ones under a guard and then does as it is told. */
async function startGuarding(
  { before = '', after = '' } = {},
  graceSeconds = 1,
): Promise<{ owner: ChildProcess; children: readonly ProcessName[] }> {
  const code = `
    import { spawn } from 'node:child_process'
    import { once } from 'node:events'
    import { Guard } from '${module}'
    const guard = new Guard(${graceSeconds})
    const pids = []
    for (const code of ${JSON.stringify(hanging)}) {
      const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
      guard.watch(child.pid)
      await once(child.stdout, 'data')
      pids.push(child.pid)
    }
    ${before}
    console.log(JSON.stringify(pids))
    ${after}
    setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string]
  const children = (JSON.parse(line) as readonly number[]).map((pid) => ({ pid, start: processStart(pid) }))
  onTestFinished(() => {
    for (const child of children) if (isRunning(child)) process.kill(child.pid, 'SIGKILL')
    owner.kill('SIGKILL')
  })
  return { owner, children }
}

const gone = (children: readonly ProcessName[]): Promise<boolean> =>
  waitFor('the hanging processes to be gone', () => !children.some(isRunning))

describe('a guard', () => {
  it('kills processes that hang once the one that started them was killed', async () => {
    const { owner, children } = await startGuarding()
    expect(children.every(isRunning)).toBe(true)
    owner.kill('SIGKILL')
    expect(await gone(children)).toBe(true)
  })

  it('lives on when it is killed itself', async () => {
    const { owner, children } = await startGuarding()
    const [first] = await waitFor('the guard', () => someOf(guardsOf(owner.pid ?? 0)))
    process.kill(first ?? 0, 'SIGKILL')
    await waitFor('another guard', () => someOf(guardsOf(owner.pid ?? 0).filter((pid) => pid !== first)))
    owner.kill('SIGKILL')
    expect(await gone(children)).toBe(true)
  })

  it('kills at once when it is told to', async () => {
    const { owner, children } = await startGuarding({ after: 'guard.killAll()' }, 600)
    expect(await gone(children)).toBe(true)
    owner.kill('SIGKILL')
  })

  it('leaves alone a process that it was told to forget', async () => {
    const { owner, children } = await startGuarding({ before: 'guard.watch(pids[0])()' })
    const guards = guardsOf(owner.pid ?? 0).map((pid) => ({ pid, start: processStart(pid) }))
    owner.kill('SIGKILL')
    await waitFor('the end of the guard', () => !guards.some(isRunning))
    // A killed process is gone a moment after the kill.
    await waitFor('the end of the watched one', () => !children.slice(1).some(isRunning))
    expect(children.map(isRunning)).toEqual([true, false])
  })
})

const someOf = (pids: readonly number[]): readonly number[] | null => (pids.length === 0 ? null : pids)

function guardsOf(parent: number): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        const isChild = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(parent)
        return isChild && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('strikeflow-guard')
      } catch {
        return false
      }
    })
}
