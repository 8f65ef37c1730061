import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { checksums, type TableSum } from '../support/checksum.ts'
import { recordingsAt } from '../support/recordings.ts'
import { startTestStack, storeOnly, strikeflow, type TestStack } from '../support/stack.ts'
import { preventMerges } from '../support/no-merges.ts'
import { waitFor } from '../support/wait-for.ts'

/** Small flushes and a pause between rows and commit rows: many moments to be killed at, and each kill can hit the worst of them. */
const smallFlushes = { PROCESSOR_FLUSH_ROWS: '2000', PROCESSOR_PAUSE_BEFORE_COMMIT_MS: '120' } as const

const recordings = [
  { name: 'Cboe', folder: 'cboe/intraday', snapshots: 112 },
  { name: 'options-desk', folder: 'options_desk', snapshots: 1264 },
] as const

describe.each(recordings)('the processor on $name recordings', ({ folder, snapshots }) => {
  const data = recordingsAt(folder)
  beforeEach((context) => context.skip('missing' in data, 'missing' in data ? data.missing : ''))

  it('leaves the same rows after kill -9 between rows and commit rows as when nothing happens', async () => {
    const path = 'path' in data ? data.path : ''
    const undisturbed = await ingested(path)
    const { sums, kills, midFlush } = await ingestedWithKills(path, snapshots)
    expect(kills).toBeGreaterThanOrEqual(3)
    expect(midFlush).toBeGreaterThanOrEqual(1)
    expect(sums).toEqual(undisturbed)
  })
})

async function ingested(path: string): Promise<Readonly<Record<string, TableSum>>> {
  await using stack = await startTestStack({ env: storeOnly })
  expect(await strikeflow(['ingest', path, '--wait', '--data', stack.dataDirectory])).toMatchObject({ code: 0 })
  // Awaited here: the stack stops with this scope.
  return await checksums(stack.store.query)
}

interface Disturbed {
  readonly sums: Readonly<Record<string, TableSum>>
  /** Kills while 20 to 80 % of the commit rows were there. */
  readonly kills: number
  /** Of these, kills that left rows without a commit row. */
  readonly midFlush: number
}

async function ingestedWithKills(path: string, snapshots: number): Promise<Disturbed> {
  await using stack = await startTestStack({ env: { ...storeOnly, ...smallFlushes } })
  await preventMerges(stack.store)
  const ingest = strikeflow(['ingest', path, '--wait', '--data', stack.dataDirectory])
  let kills = 0
  let midFlush = 0
  let sinceMs = 0
  for (const share of [0.2, 0.35, 0.5]) {
    await waitFor(`${share} of the commit rows`, async () => (await committed(stack)) >= share * snapshots, {
      intervalMs: 10,
    })
    await waitFor('rows without a commit row', async () => (await uncommitted(stack, sinceMs)) > 0, { intervalMs: 5 })
    process.kill(await waitFor('the processor', () => processorPid(stack)), 'SIGKILL')
    const killedMs = Date.now()
    const done = await committed(stack)
    expect(done).toBeLessThan(0.8 * snapshots)
    kills += 1
    if ((await uncommitted(stack, sinceMs)) > 0) midFlush += 1
    sinceMs = killedMs
  }
  expect(await ingest).toMatchObject({ code: 0 })
  return { sums: await checksums(stack.store.query), kills, midFlush }
}

const committed = (stack: TestStack): Promise<number> =>
  number(stack, `SELECT count() AS n FROM snapshots_v1 WHERE outcome = 'stored'`)

/** Rows of the processor that runs since then: those an earlier kill left behind may still be there. */
const uncommitted = (stack: TestStack, sinceMs: number): Promise<number> =>
  number(
    stack,
    `SELECT count() AS n FROM option_quotes_v1 WHERE stored_at > fromUnixTimestamp(${Math.floor(sinceMs / 1_000)})
       AND snapshot_id NOT IN (SELECT snapshot_id FROM snapshots_v1 WHERE outcome = 'stored')`,
  )

async function number(stack: TestStack, sql: string): Promise<number> {
  const [row] = await stack.store.query.rows<{ n: number }>(sql)
  return row?.n ?? 0
}

/** Process id of the processor, a child of the stack; null between two starts. */
function processorPid(stack: TestStack): number | null {
  const children = readFileSync(`/proc/${stack.process.pid}/task/${stack.process.pid}/children`, 'utf8')
    .trim()
    .split(' ')
  const pid = children.find((child) =>
    readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('services/processor/main.ts'),
  )
  return pid === undefined ? null : Number(pid)
}
