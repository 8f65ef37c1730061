import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { findProcess } from '../support/processes.ts'
import { slowDown } from '../support/slow.ts'
import { startTestStack, strikeflow } from '../support/stack.ts'
import { waitFor } from '../support/wait-for.ts'

const underlyings = 20
const passes = 30

it('a backlog is worked off by a ClickHouse at a tenth of its pace, without its partitions being taken again and again', async () => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'strikeflow-slow-'))
  onTestFinished(() => rm(dataDirectory, { recursive: true, force: true }))
  const stack = await startTestStack({
    dataDirectory,
    env: {
      STANDALONE_STAGES: 'store',
      STANDALONE_SPEED: '0',
      COLLECTOR_SIM_UNDERLYINGS: String(underlyings),
      COLLECTOR_SIM_CONTRACTS: '60000',
      COLLECTOR_SIM_PASSES: String(passes),
    },
  })
  onTestFinished(async () => void (await stack.stop()))
  const stored = async (): Promise<number> => {
    const rows = await stack.store.query.rows<{ n: number }>('SELECT count() AS n FROM snapshots_v1').catch(() => [])
    return rows[0]?.n ?? 0
  }
  {
    using slow = slowDown([findProcess(stack.process.pid ?? 0, 'clickhouse/main.ts') ?? 0], 0.1)
    expect(slow).toBeDefined()
    await waitFor('the whole backlog to be stored', async () => (await stored()) >= underlyings * passes, {
      intervalMs: 1_000,
    })
  }
  const log = readFileSync(join(dataDirectory, 'logs', 'processor.log'), 'utf8')
  const taken = log.match(/"msg":"partitions taken"/g)?.length ?? 0
  // Once at the start; the first inserts that show how slow the server is may have been too large. A fixed limit takes them for ever.
  expect(taken).toBeLessThanOrEqual(3)
  expect(await strikeflow(['verify', '--commits', '--data', dataDirectory])).toMatchObject({ code: 0 })
})
