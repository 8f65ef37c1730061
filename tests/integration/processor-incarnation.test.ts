import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findIncarnation } from '../../services/processor/incarnation.ts'
import { takeOwnership } from '../../services/processor/ownership.ts'
import type { Bus } from '../../shared/bus/connect.ts'
import { createPublisher } from '../../shared/bus/publisher.ts'
import { ensureStreams, streamInfo } from '../../shared/bus/streams.ts'
import { openStore, type Store } from '../../shared/store/connect.ts'
import { migrate } from '../../shared/store/migrate.ts'
import { startClickHouse, type TestClickHouse } from '../support/clickhouse.ts'
import { startTestNats, type TestNats } from '../support/nats.ts'

const account = { user: 'default', password: '' }

describe('what a processor finds out when it starts', () => {
  let clickhouse: TestClickHouse
  let nats: TestNats
  let bus: Bus
  let store: Store
  let created: string
  beforeAll(async () => {
    clickhouse = await startClickHouse()
    nats = await startTestNats()
    bus = await nats.connect()
    {
      await using server = openStore({ ...account, url: clickhouse.url, database: 'default' })
      await server.command('CREATE DATABASE strikeflow')
    }
    store = openStore({ ...account, url: clickhouse.url, database: 'strikeflow' })
    await migrate(store)
    await ensureStreams(bus, 'embedded')
    const publisher = createPublisher(bus, { publisherId: 'test/1' })
    for (const n of [1, 2, 3]) {
      await publisher.publish('chains.raw.0.test.SPY', new Uint8Array(1), { messageId: `id-${n}` })
    }
    created = (await streamInfo(bus, 'CHAINS')).created
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await bus[Symbol.asyncDispose]()
    await nats[Symbol.asyncDispose]()
    await clickhouse[Symbol.asyncDispose]()
  })

  const commit = (incarnation: string, seq: number, messageId: string): Promise<void> =>
    store.command(
      `INSERT INTO snapshots_v1 (incarnation, partition, stream_seq, previous_seq, message_id, outcome)
       SELECT {incarnation:String}, 0, {seq:UInt64}, {seq:UInt64} - 1, {messageId:String}, 'stored'`,
      { incarnation, seq, messageId },
    )

  it('goes on in the same stream while the message at its cursor is the one it committed', async () => {
    expect(await findIncarnation(bus, store)).toEqual({ name: created, wentBack: false })
    await commit(created, 1, 'id-1')
    await commit(created, 2, 'id-2')
    expect(await findIncarnation(bus, store)).toEqual({ name: created, wentBack: false })
  })

  it('begins anew when another message stands at its cursor', async () => {
    await commit(created, 3, 'lost-in-a-power-cut')
    expect(await findIncarnation(bus, store)).toEqual({ name: `${created}#1`, wentBack: true })
  })

  it('begins anew when the stream ends before its cursor', async () => {
    await commit(`${created}#1`, 1, 'id-1')
    expect(await findIncarnation(bus, store)).toEqual({ name: `${created}#1`, wentBack: false })
    for (const seq of [2, 3, 4]) await commit(`${created}#1`, seq, `id-${seq}`)
    expect(await findIncarnation(bus, store)).toEqual({ name: `${created}#2`, wentBack: true })
  })

  it('never shares an epoch with another that starts at the same moment', async () => {
    const never = new AbortController().signal
    const owners = await Promise.all(['a', 'b', 'c', 'd'].map((owner) => takeOwnership(store, [0, 1], owner, never)))
    expect(new Set(owners.map(({ epoch }) => epoch)).size).toBe(4)
  })
})
