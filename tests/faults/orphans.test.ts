import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { isRunning, type ProcessName, processStart } from '../../shared/runtime/process-start.ts'
import { family, findProcess, stillRunning } from '../support/processes.ts'
import { storeOnly, strikeflow } from '../support/stack.ts'
import { waitFor } from '../support/wait-for.ts'

const root = new URL('../../', import.meta.url).pathname
/** Promised are 10 s; the rest is for a machine on which much else runs. */
const goneLimitMs = 20_000

let data = ''
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'strikeflow-orphans-'))
  onTestFinished(() => rmSync(data, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 }))
})

interface Typed {
  /** What a person started. */
  readonly process: ChildProcess
  readonly supervisor: number
  readonly everything: readonly ProcessName[]
  pid(part: string): number
  output(): string
}

/** Types a command that starts a small stack, in a terminal's process group of its own, and waits until it is up. */
async function typed(command: string, args: readonly string[]): Promise<Typed> {
  const child = spawn(command, args, {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      ...storeOnly,
      STANDALONE_DATA_DIRECTORY: data,
      STANDALONE_NATS_PORT: '0',
      STANDALONE_CLICKHOUSE_PORT: '0',
    },
  })
  let output = ''
  child.stdout.on('data', (text) => (output += String(text)))
  await waitFor('the stack to be up', () => output.includes('"ready":true'))
  const pid = child.pid ?? 0
  const find = (part: string): number => {
    const found = findProcess(pid, part)
    if (found === null) throw new Error(`${part} does not run`)
    return found
  }
  const everything = family(pid)
  onTestFinished(() => {
    for (const each of everything) if (isRunning(each)) process.kill(each.pid, 'SIGKILL')
  })
  return { process: child, supervisor: find('standalone/main.ts'), everything, pid: find, output: () => output }
}

const start = (): Promise<Typed> => typed(process.execPath, [join(root, 'services/cli/main.ts'), 'start'])

/** What still runs after the limit. */
async function leftOf({ everything }: Typed): Promise<readonly string[]> {
  await waitFor('everything to be gone', () => !everything.some(isRunning), { timeoutMs: goneLimitMs }).catch(() => {})
  return stillRunning(everything)
}

describe('nothing is left of a stack', () => {
  it('after `kill -9` of `npm start`, though services hang', async () => {
    const stack = await typed('npm', ['start'])
    process.kill(stack.pid('processor/main.ts'), 'SIGSTOP')
    process.kill(stack.pid('clickhouse/main.ts'), 'SIGSTOP')
    expect(stack.everything.length).toBeGreaterThanOrEqual(6)
    stack.process.kill('SIGKILL')
    expect(await leftOf(stack)).toEqual([])
  })

  it('after `kill -9` of `strikeflow start`, though the supervisor itself and nats-server hang', async () => {
    const stack = await start()
    process.kill(stack.supervisor, 'SIGSTOP')
    process.kill(stack.pid('nats-server.conf'), 'SIGSTOP')
    process.kill(stack.process.pid ?? 0, 'SIGKILL')
    expect(await leftOf(stack)).toEqual([])
  })

  it('after a second Ctrl-C, though a service hangs', async () => {
    const stack = await start()
    process.kill(stack.pid('processor/main.ts'), 'SIGSTOP')
    process.kill(-(stack.process.pid ?? 0), 'SIGINT')
    // Two signals that come together count as one.
    await waitFor('the stop to begin', () => stack.output().includes('stopping: sources first'))
    process.kill(-(stack.process.pid ?? 0), 'SIGINT')
    expect(await leftOf(stack)).toEqual([])
  })
})

describe('strikeflow stop', () => {
  it('stops the stack of the data directory in order, and has nothing to do after that', async () => {
    const stack = await start()
    const exited = once(stack.process, 'exit')
    expect(await strikeflow(['stop', '--data', data])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^stopped after \d+\.\d s\n$/) as string,
    })
    expect(await leftOf(stack)).toEqual([])
    expect(await exited).toEqual([0, null])
    expect(await strikeflow(['stop', '--data', data])).toMatchObject({ code: 0, stdout: `no stack runs on ${data}\n` })
  })

  it('says that a stack which hangs still runs, and kills it and its services when told to', async () => {
    const stack = await start()
    process.kill(stack.supervisor, 'SIGSTOP')
    process.kill(stack.pid('processor/main.ts'), 'SIGSTOP')
    const asked = await strikeflow(['stop', '--data', data, '--timeout', '1'])
    expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') as string })
    expect(stillRunning(stack.everything)).toHaveLength(stack.everything.length)
    expect(await strikeflow(['stop', '--data', data, '--timeout', '0', '--force'])).toMatchObject({ code: 0 })
    expect(await leftOf(stack)).toEqual([])
  })

  it('leaves alone a process that has got the number of an earlier stack', async () => {
    const other = spawn('sleep', ['600'], { stdio: 'ignore' })
    onTestFinished(() => void other.kill('SIGKILL'))
    await once(other, 'spawn')
    const pid = other.pid ?? 0
    const facts = { pid, start: 'another time', natsUrl: '', clickhouseUrl: '', apiUrl: null, archiveDirectory: null }
    writeFileSync(join(data, 'owner.json'), JSON.stringify(facts))
    writeFileSync(join(data, 'stack.json'), JSON.stringify(facts))
    expect(await strikeflow(['stop', '--data', data, '--force', '--timeout', '0'])).toMatchObject({
      code: 0,
      stdout: `no stack runs on ${data}\n`,
    })
    expect(isRunning({ pid, start: processStart(pid) })).toBe(true)
  })

  it('refuses a directory that is none of a stack', async () => {
    mkdirSync(join(data, 'photos'))
    expect(await strikeflow(['stop', '--data', data])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no data directory of strikeflow') as string,
    })
  })
})
