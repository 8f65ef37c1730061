import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectBus } from '../../shared/bus/connect.ts'
import { createPublisher } from '../../shared/bus/publisher.ts'
import { chainMessage, chainMessages } from '../support/delivery-stage.ts'
import { silentLog } from '../support/nats.ts'
import { findProcess } from '../support/processes.ts'
import { slowDown } from '../support/slow.ts'
import { startTestStack, storeOnly, type TestStack } from '../support/stack.ts'
import { waitFor } from '../support/wait-for.ts'

const preload = { NODE_OPTIONS: `--import=${new URL('../support/hang.ts', import.meta.url).pathname}` }
const parts = ['processor/main.ts', 'archiver/main.ts', 'clickhouse/main.ts', 'nats-server.conf'] as const
type Part = (typeof parts)[number]

async function startStack(env: Readonly<Record<string, string>>): Promise<TestStack> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'strikeflow-hang-'))
  const stack = await startTestStack({ dataDirectory, env: { ...storeOnly, ...preload, ...env } })
  onTestFinished(async () => {
    await stack.stop()
    await rm(dataDirectory, { recursive: true, force: true })
  })
  return stack
}

const pidOf = (stack: TestStack, part: Part): number => findProcess(stack.process.pid ?? 0, part) ?? 0
const pidsOf = (stack: TestStack): readonly number[] => parts.map((part) => pidOf(stack, part))
const supervisorLog = (stack: TestStack): string => readFileSync(join(stack.dataDirectory, 'standalone.log'), 'utf8')

describe('a process that hangs', () => {
  it('is found within 30 s and started again, the reason is told', async () => {
    const stack = await startStack({})
    const [archiver, nats] = [pidOf(stack, 'archiver/main.ts'), pidOf(stack, 'nats-server.conf')]
    const others = [pidOf(stack, 'processor/main.ts'), pidOf(stack, 'clickhouse/main.ts')]
    process.kill(archiver, 'SIGUSR2')
    process.kill(nats, 'SIGSTOP')
    const isAnother = (part: Part, pid: number): boolean => ![0, pid].includes(pidOf(stack, part))
    await waitFor(
      'another archiver and nats-server',
      () => isAnother('archiver/main.ts', archiver) && isAnother('nats-server.conf', nats),
    )
    // Seconds in which the process could have run: a busy machine takes longer by the clock.
    const hungSeconds = [...supervisorLog(stack).matchAll(/"why":"hung for (\d+) s"/g)].map(([, seconds]) =>
      Number(seconds),
    )
    expect(hungSeconds.length).toBeGreaterThanOrEqual(2)
    expect(Math.max(...hungSeconds)).toBeLessThanOrEqual(30)
    expect([pidOf(stack, 'processor/main.ts'), pidOf(stack, 'clickhouse/main.ts')]).toEqual(others)
  })

  it('because of a message has that message given up after the usual attempts, and everything else stored', async () => {
    const stack = await startStack({ STANDALONE_HANG_SECONDS: '4' })
    await using bus = await connectBus({ ...stack.bus, name: 'test', log: silentLog })
    const publisher = createPublisher(bus, { publisherId: 'test/1' })
    const poison = chainMessage({ underlying: 'HANG', step: 3 })
    const innocent = chainMessages(16, 4)
    for (const { subject, payload, messageId, headers } of [...innocent.slice(0, 32), poison, ...innocent.slice(32)]) {
      await publisher.enqueue(subject, payload, { messageId, headers })
    }
    await publisher.flush()
    const outcomes = await waitFor('all commit rows', async () => {
      const rows = await stack.store.query
        .rows<{ message_id: string; outcome: string; reason: string }>(
          'SELECT message_id, toString(outcome) AS outcome, reason FROM snapshots_v1 FINAL',
        )
        .catch(() => [])
      return rows.length > innocent.length ? rows : null
    })
    expect(outcomes.filter(({ outcome }) => outcome !== 'stored')).toEqual([
      { message_id: poison.messageId, outcome: 'dead-lettered', reason: 'crashed_processor' },
    ])
    expect(supervisorLog(stack)).toContain('"why":"hung for')
  })
})

describe('a process that only gets little of the machine', () => {
  it('is left alone and goes on, under a limit of a tenth of a CPU', async () => {
    const stack = await startStack({
      STANDALONE_HANG_SECONDS: '8',
      STANDALONE_PROVIDER: 'simulator',
      STANDALONE_SPEED: '12',
      COLLECTOR_SIM_UNDERLYINGS: '5',
      COLLECTOR_SIM_CONTRACTS: '500',
      COLLECTOR_SIM_WARM_UP_PASSES: '0',
    })
    const before = pidsOf(stack)
    const newest = async (): Promise<number> => {
      const sql = 'SELECT toUnixTimestamp64Milli(max(market_time)) AS newest FROM snapshots_v1'
      const [row] = await stack.store.query.rows<{ newest: number }>(sql).catch(() => [])
      return row?.newest ?? 0
    }
    using slow = slowDown([pidOf(stack, 'processor/main.ts'), pidOf(stack, 'archiver/main.ts')], 0.1)
    expect(slow).toBeDefined()
    const fromMs = performance.now()
    const start = await newest()
    await waitFor(
      'rows, over more than twice the limit',
      async () => (await newest()) > start && performance.now() - fromMs > 20_000,
      {
        intervalMs: 500,
      },
    )
    expect(pidsOf(stack)).toEqual(before)
  })

  it('is left alone when the supervisor was stopped for longer than the limit', async () => {
    const stack = await startStack({ STANDALONE_HANG_SECONDS: '4' })
    const before = pidsOf(stack)
    const supervisor = stack.process.pid ?? 0
    process.kill(supervisor, 'SIGSTOP')
    const fromMs = performance.now()
    await waitFor('more than twice the limit to pass', () => performance.now() - fromMs > 9_000)
    process.kill(supervisor, 'SIGCONT')
    // The log tells of an end of the archiver only after some looks of the supervisor at all of them.
    process.kill(pidOf(stack, 'archiver/main.ts'), 'SIGUSR2')
    await waitFor('the hang of the archiver', () => supervisorLog(stack).includes('hung for'))
    const [processor, , clickhouse, nats] = pidsOf(stack)
    expect([processor, clickhouse, nats]).toEqual([before[0], before[2], before[3]])
  })
})
