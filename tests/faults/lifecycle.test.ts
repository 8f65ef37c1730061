import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startTestStack, type TestStack } from '../support/stack.ts'
import { waitFor } from '../support/wait-for.ts'

const small = { COLLECTOR_SIM_UNDERLYINGS: '5', STANDALONE_SPEED: '60' } as const

describe('the stack on one machine', () => {
  it('stops everything in order at Ctrl-C, leaves nothing running, and goes on from its data at the next start', async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'strikeflow-life-'))
    const first = await startTestStack({ dataDirectory, env: small })
    await waitFor('snapshots', async () => (await totals(first)).snapshots > 50)
    const pids = descendants(first.process.pid ?? 0)
    expect(pids.length).toBeGreaterThanOrEqual(6)
    expect(await first.stop('SIGINT')).toBe(0)
    expect(pids.filter(isAlive)).toEqual([])

    await using second = await startTestStack({ dataDirectory, env: small })
    const resumed = await totals(second)
    expect(resumed.snapshots).toBeGreaterThan(50)
    await waitFor('newer snapshots', async () => (await totals(second)).newest > resumed.newest)
    const outcomes = await second.store.query.rows(`SELECT DISTINCT toString(outcome) AS outcome FROM snapshots_v1`)
    expect(outcomes).toEqual([{ outcome: 'stored' }])
    await second.stop()
    await rm(dataDirectory, { recursive: true, force: true })
  })

  it('starts again whatever is killed, and goes on', async () => {
    await using stack = await startTestStack({ env: small })
    for (const part of [
      'services/processor/main.ts',
      'services/collector/main.ts',
      'clickhouse/main.ts',
      'nats-server',
    ]) {
      const pid = await waitFor(part, () => childRunning(stack, part))
      const before = await totals(stack)
      process.kill(pid, 'SIGKILL')
      await waitFor(`another ${part}`, () => (childRunning(stack, part) ?? pid) !== pid)
      await waitFor(
        `newer snapshots after the end of ${part}`,
        async () => (await totals(stack).catch(() => before)).newest > before.newest,
      )
    }
    expect(await stack.store.query.rows(`SELECT DISTINCT toString(outcome) AS outcome FROM snapshots_v1`)).toEqual([
      { outcome: 'stored' },
    ])
  })

  it('takes its services with it when it is killed itself, and starts again on the same data', async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'strikeflow-life-'))
    const first = await startTestStack({ dataDirectory, env: small })
    await waitFor('snapshots', async () => (await totals(first)).snapshots > 0)
    const services = descendants(first.process.pid ?? 0).filter((pid) => commandLine(pid).includes('/services/'))
    expect(await first.stop('SIGKILL')).toBe(null)
    await waitFor('the services to end', () => services.every((pid) => !isAlive(pid)))
    await using second = await startTestStack({ dataDirectory, env: small })
    await waitFor('snapshots', async () => (await totals(second)).snapshots > 0)
    await second.stop()
    await rm(dataDirectory, { recursive: true, force: true })
  })

  it('names a busy port, and leaves nothing running', async () => {
    await using blocker = await busyPort()
    await expect(startTestStack({ env: { ...small, STANDALONE_API_PORT: String(blocker.port) } })).rejects.toThrow(
      new RegExp(`port ${blocker.port}`),
    )
    await expect(
      startTestStack({ env: { ...small, STANDALONE_CLICKHOUSE_PORT: String(blocker.port) } }),
    ).rejects.toThrow(new RegExp(`port ${blocker.port}`))
    await expect(startTestStack({ env: { ...small, STANDALONE_NATS_PORT: String(blocker.port) } })).rejects.toThrow(
      new RegExp(`${blocker.port}`),
    )
  })

  it('refuses a second stack on the same data, naming the first', async () => {
    await using stack = await startTestStack({ env: small })
    await expect(startTestStack({ dataDirectory: stack.dataDirectory, env: small })).rejects.toThrow(
      new RegExp(`already running.*pid ${stack.process.pid}`, 's'),
    )
  })

  it('listens on loopback only', async () => {
    await using stack = await startTestStack({ env: small })
    const inodes = new Set(descendants(stack.process.pid ?? 0).flatMap(listeningAddresses))
    expect(inodes.size).toBeGreaterThan(0)
    expect([...inodes].filter((address) => address !== '0100007F')).toEqual([])
  })
})

async function totals(stack: TestStack): Promise<{ readonly snapshots: number; readonly newest: number }> {
  const [row] = await stack.store.query.rows<{ snapshots: number; newest: number }>(
    'SELECT count() AS snapshots, toUnixTimestamp64Milli(max(market_time)) AS newest FROM snapshots_v1',
  )
  return row ?? { snapshots: 0, newest: 0 }
}

const childrenOf = (pid: number): readonly number[] => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

const descendants = (pid: number): readonly number[] =>
  childrenOf(pid).flatMap((child) => [child, ...descendants(child)])

const commandLine = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** A zombie's command line is empty: it is gone but for its parent's notice. */
const isAlive = (pid: number): boolean => commandLine(pid) !== ''

const childRunning = (stack: TestStack, script: string): number | null =>
  descendants(stack.process.pid ?? 0).find((pid) => commandLine(pid).includes(script)) ?? null

/** Addresses, in hex as the kernel shows them, on which a process listens. */
function listeningAddresses(pid: number): readonly string[] {
  const lines = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1)
  const own = new Set(socketInodes(pid))
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && own.has(fields[9] ?? ''))
    .map((fields) => (fields[1] ?? '').split(':')[0] ?? '')
}

function socketInodes(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []
    } catch {
      return []
    }
  })
}

async function busyPort(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
