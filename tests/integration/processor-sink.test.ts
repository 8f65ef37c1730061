import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Flush, type Processed, type RowCounts } from '../../services/processor/flush.ts'
import { type Ownership, takeOwnership } from '../../services/processor/ownership.ts'
import { recover } from '../../services/processor/recover.ts'
import { Sink } from '../../services/processor/sink.ts'
import { openStore, type Store } from '../../shared/store/connect.ts'
import { migrate } from '../../shared/store/migrate.ts'
import { startClickHouse, type TestClickHouse } from '../support/clickhouse.ts'
import { computeChain } from '../../services/processor/features/compute-chain.ts'
import { chainOf } from '../fixtures/quant/chain-builder.ts'
import { silentLog } from '../support/nats.ts'
import { flatParams } from '../fixtures/quant/parameters.ts'

const never = new AbortController().signal
const account = { user: 'default', password: '' }
const idOf = (n: number): string => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}`

/** A message with a chain of so many contracts, stored at partition 0. */
function message(n: number, contracts = 3): Processed {
  const strikes = Array.from({ length: contracts }, (_, i) => 95 + 5 * i)
  const snapshot = chainOf(
    strikes.map((strike) => ({ root: 'XYZ', expiry: '2026-07-17', strike, right: 'C', bid: 4.35, ask: 4.5 })),
    { snapshotId: idOf(n), marketTimeMs: 1_781_000_000_000 + n * 60_000 },
  )
  const computed = computeChain(snapshot, flatParams(0))
  return {
    delivery: { streamSeq: n, previousSeq: n - 1, messageId: idOf(n), publishedAtMs: 0, publisher: null },
    partition: 0,
    outcome: 'stored',
    reason: '',
    snapshot,
    standing: { late: false, contentUnchanged: false, mayBeStored: false },
    computed,
    alerts: [],
    state: null,
  }
}

describe('the sink of a processor', () => {
  let clickhouse: TestClickHouse
  let store: Store
  beforeAll(async () => {
    clickhouse = await startClickHouse()
    {
      await using server = openStore({ ...account, url: clickhouse.url, database: 'default' })
      await server.command('CREATE DATABASE strikeflow')
    }
    store = openStore({ ...account, url: clickhouse.url, database: 'strikeflow' })
    await migrate(store)
    // A merge would hide what was written twice.
    await store.command('SYSTEM STOP MERGES')
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await clickhouse[Symbol.asyncDispose]()
  })

  const take = (): Promise<Ownership> => takeOwnership(store, [0], 'test', never)
  const sinkOn = (through: Store, ownership: Ownership): Sink =>
    new Sink({
      store: through,
      ownership,
      log: silentLog,
      signal: never,
      onStoreError: () => {},
      pauseBeforeCommitMs: 0,
    })
  const flushOf = (ownership: Ownership, messages: readonly (readonly [Processed, RowCounts | undefined])[]): Flush => {
    const writer = { epoch: ownership.epoch, codeVersion: 'v', parameters: flatParams(0) }
    const flush = new Flush()
    for (const [processed, present] of messages) flush.add(processed, writer, present)
    flush.seal('incarnation', writer)
    return flush
  }
  /** Writes rows without their commit row, as an owner does that is killed between the two. */
  const writeRowsOnly = async (ownership: Ownership, messages: readonly Processed[]): Promise<void> => {
    const flush = flushOf(
      ownership,
      messages.map((processed) => [processed, undefined] as const),
    )
    const commits = {
      insert: (sql: string, body: Uint8Array) =>
        sql.includes('snapshots_v1') ? Promise.reject(new Error('killed')) : store.insert(sql, body),
    }
    await expect(sinkOn({ ...store, ...commits }, ownership).write(flush)).rejects.toThrow('killed')
  }
  const rowsOf = async (n: number): Promise<number> => {
    const [row] = await store.query.rows<{ n: number }>(
      'SELECT count() AS n FROM option_quotes_v1 WHERE snapshot_id = {id:UUID}',
      { id: idOf(n) },
    )
    return row?.n ?? 0
  }

  it('does not write again what was stored, when the answer to the insert is lost', async () => {
    const ownership = await take()
    await using cutting = await cutAnswers(clickhouse.url, 'option_quotes_v1', 1)
    await sinkOn(cutting.store, ownership).write(flushOf(ownership, [[message(1), undefined]]))
    expect(cutting.cuts()).toBe(1)
    expect(await rowsOf(1)).toBe(3)
  })

  it('tells its own rows from those a dead owner left, when the answer is lost', async () => {
    await writeRowsOnly(await take(), [message(2)])
    const ownership = await take()
    const { leftovers } = await recover(store, 'incarnation', 'v')
    await using cutting = await cutAnswers(clickhouse.url, 'option_quotes_v1', 1)
    const flush = flushOf(ownership, [
      [message(2), leftovers.get(idOf(2))],
      [message(3), undefined],
    ])
    await sinkOn(cutting.store, ownership).write(flush)
    expect([await rowsOf(2), await rowsOf(3)]).toEqual([3, 3])
  })

  it('finds leftovers of an owner even after a later one has committed other snapshots', async () => {
    await writeRowsOnly(await take(), [message(10), message(11)])
    // The server's clock counts whole seconds, with some slack.
    await new Promise((resolve) => setTimeout(resolve, 7000))
    const second = await take()
    await sinkOn(store, second).write(flushOf(second, [[message(12), undefined]]))
    await take()
    const { leftovers } = await recover(store, 'incarnation', 'v')
    expect([...leftovers.keys()].toSorted()).toEqual([idOf(10), idOf(11)])
    expect(leftovers.get(idOf(10))).toMatchObject({ quotes: 3, chains: 1 })
  })

  it('does not take rows of other code for its own', async () => {
    await writeRowsOnly(await take(), [message(20)])
    const { leftovers } = await recover(store, 'incarnation', 'newer')
    expect(leftovers.get(idOf(20))?.quotes).toBe(0)
  })

  it('is refused once a later owner has taken a partition, and writes nothing', async () => {
    const first = await take()
    await take()
    const write = sinkOn(store, first).write(flushOf(first, [[message(30), undefined]]))
    await expect(write).rejects.toMatchObject({ code: 'fenced' })
    expect(await rowsOf(30)).toBe(0)
  })
})

/** A store behind a proxy that lets inserts into a table through and cuts the connection instead of answering. */
async function cutAnswers(url: string, table: string, times: number) {
  const target = new URL(url)
  let cuts = 0
  const proxy = createServer((incoming, answer) => {
    const { url: path = '/', method, headers } = incoming
    const upstream = request({ host: target.hostname, port: target.port, path, method, headers }, (response) => {
      if (cuts < times && decodeURIComponent(path).includes(`INSERT INTO ${table}`.replaceAll(' ', '+'))) {
        cuts += 1
        response.resume().on('end', () => incoming.socket.destroy())
        return
      }
      answer.writeHead(response.statusCode ?? 500, response.headers)
      response.pipe(answer)
    })
    incoming.pipe(upstream)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as AddressInfo
  const store = openStore({ ...account, url: `http://127.0.0.1:${port}`, database: 'strikeflow' })
  return {
    store,
    cuts: () => cuts,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      proxy.closeAllConnections()
      await new Promise((resolve) => proxy.close(resolve))
    },
  }
}
