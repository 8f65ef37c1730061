import { setTimeout as delay } from 'node:timers/promises'
import { connectBus } from '../../shared/bus/connect.ts'
import { type StreamInfo, streamInfo } from '../../shared/bus/streams.ts'
import type { Env } from '../../shared/runtime/config.ts'
import { createLogger } from '../../shared/runtime/logger.ts'
import { openStore, type Store } from '../../shared/store/connect.ts'
import { committedMessages } from '../../shared/store/queries/board.ts'
import { busAccount, storeAccount } from './accounts.ts'
import { progressText } from './progress.ts'

/** A stack, and where its secrets are. */
export interface Endpoints {
  readonly natsUrl: string
  readonly clickhouseUrl: string
  readonly dataDirectory: string
}

/** Where CHAINS stands now. */
export async function chainsPosition(
  endpoints: Omit<Endpoints, 'clickhouseUrl'>,
  environment: Env,
): Promise<StreamInfo> {
  const log = createLogger({ service: 'cli', level: 'warn' })
  const account = busAccount(endpoints, 'reader', environment)
  await using bus = await connectBus({ ...account, servers: endpoints.natsUrl, name: 'cli', log })
  // Awaited here: the connection closes with this scope.
  return await streamInfo(bus, 'CHAINS')
}

/** The database of the embedded stack. */
export const stackStore = (endpoints: Omit<Endpoints, 'natsUrl'>, environment: Env): Store =>
  openStore({ ...storeAccount(endpoints, 'reader', environment), database: 'strikeflow' })

/** Messages of CHAINS, from a sequence on, that have their commit row. */
export async function committedOf(store: Store, created: string, fromSeq: number): Promise<number> {
  return await committedMessages(store.query, { incarnation: created, fromSeq })
}

/** Waits until every message of CHAINS from a sequence on is committed, and says so. */
export async function waitForCommits(endpoints: Endpoints, fromSeq: number, environment: Env): Promise<void> {
  const { created, lastSeq } = await chainsPosition(endpoints, environment)
  const total = lastSeq - fromSeq + 1
  await using store = stackStore(endpoints, environment)
  const startedMs = performance.now()
  let shownMs = startedMs
  for (;;) {
    const done = await committedOf(store, created, fromSeq)
    const nowMs = performance.now()
    if (done >= total) {
      console.log('every message is committed')
      return
    }
    if (nowMs - shownMs > 2000) {
      shownMs = nowMs
      console.error(progressText('committed', { done, total, unit: 'messages', seconds: (nowMs - startedMs) / 1000 }))
    }
    await delay(100)
  }
}
