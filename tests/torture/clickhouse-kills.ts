import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../simulation/random.ts'
import { waitFor } from '../support/wait-for.ts'
import type { Layout } from './chains.ts'
import { check, type Verdict } from './checker.ts'
import { attemptsIn, readHistory, storedSteps } from './history.ts'
import type { Proxy } from './proxy.ts'
import { undisturbed } from './reference.ts'
import { openStack, type TortureStack } from './stack.ts'

export interface KillOptions {
  readonly kills: number
  readonly random: Random
  readonly layout: Layout
  /** Of one underlying. */
  readonly intervalMs: number
}

export interface KilledVerdict extends Verdict {
  /** Kills that left rows without a commit row, for the read-back to find. */
  readonly midFlush: number
  readonly slowestReopenMs: number
}

/** A processor writes without a break, the engine under it is killed again and again, shortly after it has begun to write. */
export async function killClickHouse(options: KillOptions): Promise<KilledVerdict> {
  const directory = await mkdtemp(join(tmpdir(), 'strikeflow-kills-'))
  // A run that fails leaves its logs.
  const verdict = await killIn(directory, options)
  if (verdict.violations.length === 0) await rm(directory, { recursive: true, force: true })
  return verdict
}

async function killIn(directory: string, options: KillOptions): Promise<KilledVerdict> {
  await using stack = await openStack({
    directory,
    processors: 1,
    publishers: 1,
    underlyingsEach: 24,
    intervalMs: options.intervalMs,
    flushMs: 20,
    isWhole: false,
    layout: options.layout,
  })
  return await kill(stack, options)
}

async function kill(stack: TortureStack, { kills, random, layout }: KillOptions): Promise<KilledVerdict> {
  const [clickhouse, publisher] = [stack.part('clickhouse'), stack.part('publisher-1')]
  await publisher.start()
  await moreCommitted(stack, 0)
  const proxy = stack.links.find(({ name }) => name === 'a to clickhouse')?.proxy
  if (proxy === undefined) throw new TypeError('Expected a proxy')
  let slowestReopenMs = 0
  let midFlush = 0
  for (let i = 0; i < kills; i += 1) {
    await momentToKill(stack, proxy, random)
    // Else it would mostly be waited for a back-off that grows with each refused try; refused it is in the other runs.
    if (random.chance(0.75)) proxy.hold()
    // What piled up meanwhile would have to be worked off before the next write is under way.
    publisher.freeze()
    await clickhouse.kill()
    const startedMs = performance.now()
    await clickhouse.start()
    proxy.release()
    publisher.thaw()
    slowestReopenMs = Math.max(slowestReopenMs, performance.now() - startedMs)
    if ((await uncommitted(stack)) > 0) midFlush += 1
  }
  await publisher.stop()
  const attempts = attemptsIn(stack.journals)
  const count = attempts.acked.size
  for (let there = 0; there < count;) there = await moreCommitted(stack, there)
  await stack.part('a').stop()
  const { query } = stack.store
  const reference = await undisturbed(await storedSteps(query, stack.journals), layout)
  // What a kill leaves half of a flush over two partitions of a table is there twice until it is merged.
  const isFinal = layout.weeks === 2
  const verdict = check(await readHistory({ bus: stack.bus, query, attempts, isFinal }, reference))
  return { ...verdict, midFlush, slowestReopenMs }
}

/** Resolves with the number of commit rows when there are more: a slow machine may take its time, as long as it goes on. */
async function moreCommitted(stack: TortureStack, before: number): Promise<number> {
  return await waitFor('further commit rows', async () => {
    const there = await committed(stack)
    return there > before && there
  })
}

/** While partitions are taken; or some time after a commit, which ends the series of setbacks; or in the middle of a flush. */
async function momentToKill(stack: TortureStack, proxy: Proxy, random: Random): Promise<void> {
  const isEarly = random.chance(0.2)
  const count = async (): Promise<number> => (isEarly ? await takings(stack) : 0) + (await committed(stack))
  const before = await count()
  await waitFor('the processor to go on', async () => (await count()) > before)
  if (isEarly || random.chance(0.4)) await delay(random.between(5, isEarly ? 150 : 600))
  else await rowsUnderWay(proxy, random)
}

const takings = (stack: TortureStack): Promise<number> => number(stack, 'SELECT count() AS n FROM partition_epochs_v1')

/** An insert that does not come within this time never comes. */
const insertLimitMs = 120_000

/** Resolves while contract rows are written; or when all rows of a flush are there and its commit rows are about to be. */
async function rowsUnderWay(proxy: Proxy, random: Random): Promise<void> {
  const isWriting = random.chance(0.5)
  const table = isWriting ? 'option_quotes_v1' : 'snapshots_v1'
  if (!(await proxy.passing(`INSERT+INTO+${table}+`, insertLimitMs))) throw new Error(`no insert into ${table}`)
  await delay(random.between(0, isWriting ? 60 : 5))
}

const committed = (stack: TortureStack): Promise<number> => number(stack, 'SELECT count() AS n FROM snapshots_v1')

const uncommitted = (stack: TortureStack): Promise<number> =>
  number(
    stack,
    `SELECT count() AS n FROM option_quotes_v1
     WHERE snapshot_id NOT IN (SELECT snapshot_id FROM snapshots_v1 WHERE outcome = 'stored')`,
  )

async function number({ store }: TortureStack, sql: string): Promise<number> {
  const [row] = await store.query.rows<{ n: number }>(sql)
  return row?.n ?? 0
}
