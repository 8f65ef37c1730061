import type { Bus } from '../../shared/bus/connect.ts'
import { ensureStreams } from '../../shared/bus/streams.ts'
import { openStore, type Store } from '../../shared/store/connect.ts'
import { migrate } from '../../shared/store/migrate.ts'
import { startClickHouse, type TestClickHouse } from '../../tests/support/clickhouse.ts'
import { startTestNats } from '../../tests/support/nats.ts'

export const database = 'default'

/** Servers of the measurement alone, on free ports and temporary directories that go with them. */
export interface Stand extends AsyncDisposable {
  readonly natsUrl: string
  readonly natsPid: number
  readonly bus: Bus
  /** A further connection, closed with the stand. */
  connect(name: string): Promise<Bus>
  readonly clickhouse: TestClickHouse
  readonly store: Store
}

export async function startStand(): Promise<Stand> {
  await using opening = new AsyncDisposableStack()
  const nats = opening.use(await startTestNats())
  const clickhouse = opening.use(await startClickHouse())
  const bus = await nats.connect('bench')
  await ensureStreams(bus, 'embedded')
  const store = opening.use(openStore({ ...clickhouse.account, database }))
  await migrate(store)
  const kept = opening.move()
  return {
    natsUrl: nats.url,
    natsPid: nats.server.pid,
    bus,
    connect: (name) => nats.connect(name),
    clickhouse,
    store,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** Resolves when no merge runs, so that one phase does not pay for the one before it. */
export async function mergesIdle({ store }: Stand, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(120_000)])
  for (let quietLooks = 0; quietLooks < 3;) {
    limit.throwIfAborted()
    const [row] = await store.query.rows<{ n: number }>('SELECT count() AS n FROM system.merges')
    quietLooks = row?.n === 0 ? quietLooks + 1 : 0
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
