import { setTimeout as delay } from 'node:timers/promises'
import { connectBus } from '../../shared/bus/connect.ts'
import { type StreamInfo, streamInfo } from '../../shared/bus/streams.ts'
import { createLogger } from '../../shared/runtime/logger.ts'
import { openStore, type Store } from '../../shared/store/connect.ts'
import { committedMessages } from '../../shared/store/queries/board.ts'
import { latestIncarnation } from '../../shared/store/queries/commits.ts'
import { progressText } from './progress.ts'

export interface Endpoints {
  readonly natsUrl: string
  readonly clickhouseUrl: string
}

/** Where CHAINS stands now. */
export async function chainsPosition({ natsUrl }: Pick<Endpoints, 'natsUrl'>): Promise<StreamInfo> {
  const log = createLogger({ service: 'cli', level: 'warn' })
  await using bus = await connectBus({ servers: natsUrl, name: 'cli', log })
  // Awaited here: the connection closes with this scope.
  return await streamInfo(bus, 'CHAINS')
}

/** The database of the embedded stack. */
export const stackStore = ({ clickhouseUrl }: Pick<Endpoints, 'clickhouseUrl'>): Store =>
  openStore({ url: clickhouseUrl, database: 'strikeflow', user: 'default', password: '' })

/** Messages of CHAINS, from a sequence on, that have their commit row. */
export async function committedOf(store: Store, created: string, fromSeq: number): Promise<number> {
  const incarnation = (await latestIncarnation(store.query, created)) ?? created
  return await committedMessages(store.query, { incarnation, fromSeq })
}

/** Waits until every message of CHAINS from a sequence on is committed, and says so. */
export async function waitForCommits(endpoints: Endpoints, fromSeq: number): Promise<void> {
  const { created, lastSeq } = await chainsPosition(endpoints)
  const total = lastSeq - fromSeq + 1
  await using store = stackStore(endpoints)
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
