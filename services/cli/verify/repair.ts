import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Bus } from '../../../shared/bus/connect.ts'
import { headerNames, messageAt, type StoredMessage } from '../../../shared/bus/messages.ts'
import { createPublisher, type Publisher } from '../../../shared/bus/publisher.ts'
import { streamInfo } from '../../../shared/bus/streams.ts'
import { auditCommits, type CommitDamage, committedCount } from '../../../shared/store/queries/commit-audit.ts'
import type { Query } from '../../../shared/store/queries/query.ts'
import { lacking } from './audit.ts'

export interface Repaired {
  /** Snapshots whose rows are all there again. */
  readonly repaired: number
  /** Snapshots whose message was published again, and whose rows are not all there all the same. */
  readonly waiting: readonly CommitDamage[]
  /** Snapshots whose message is in the stream and was not published again: nobody reads what was published before. */
  readonly untried: readonly CommitDamage[]
  /** Snapshots whose message is no longer in the stream. */
  readonly gone: readonly CommitDamage[]
}

export interface RepairOptions {
  readonly bus: Bus
  readonly query: Query
  /** Without any progress for so long it gives up. */
  readonly patienceMs: number
  /** So many are under way at a time: a stream has its bounds, and must not push out what nobody has read. @default 256 */
  readonly atOnce?: number
  readonly onProgress: (done: number, total: number) => void
}

/**
 * Has the owners write lost rows again: publishes the messages once more, under ids of their own. An owner that gets a copy of a
 * stored snapshot whose rows are gone computes them from the state they were computed from, and writes them. It goes on past those
 * that cannot be made whole, for as long as somebody reads the copies.
 */
export async function repair(damaged: readonly CommitDamage[], options: RepairOptions): Promise<Repaired> {
  const { bus, onProgress, atOnce = 256 } = options
  const all = lacking(damaged)
  const { created } = await streamInfo(bus, 'CHAINS')
  const publisher = createPublisher(bus, { publisherId: `verify/${randomUUID()}` })
  const gone: CommitDamage[] = []
  const waiting: CommitDamage[] = []
  const untried: CommitDamage[] = []
  let repaired = 0
  let isRead = true
  for (let from = 0; from < all.length; from += atOnce) {
    const sent: Sent[] = []
    for (const damage of all.slice(from, from + atOnce)) {
      const message = await original(bus, created, damage)
      if (message === null) gone.push(damage)
      else if (isRead) sent.push({ damage, ...(await publishAgain(publisher, message, damage)) })
      else untried.push(damage)
    }
    await Promise.all(sent.map(({ acked }) => acked))
    const { left, hasMoved } = await untilWhole(sent, options)
    waiting.push(...left)
    repaired += sent.length - left.length
    isRead &&= sent.length === 0 || hasMoved
    onProgress(Math.min(all.length, from + atOnce), all.length)
  }
  return { repaired, waiting, untried, gone }
}

interface Sent {
  readonly damage: CommitDamage
  /** Message id of the copy. */
  readonly copyId: string
  readonly acked: Promise<unknown>
}

async function publishAgain(
  publisher: Publisher,
  message: StoredMessage,
  { messageId }: CommitDamage,
): Promise<Omit<Sent, 'damage'>> {
  const copyId = `repair-${randomUUID()}`
  const headers = { ...keptHeaders(message), [headerNames.replayOf]: messageId }
  const { acked } = await publisher.enqueue(message.subject, message.payload, { messageId: copyId, headers })
  return { copyId, acked }
}

/** The message a commit row speaks of; null when the stream no longer has it. */
async function original(bus: Bus, created: string, damage: CommitDamage): Promise<StoredMessage | null> {
  if (damage.incarnation !== created && !damage.incarnation.startsWith(`${created}#`)) return null
  const message = await messageAt(bus, 'CHAINS', damage.streamSeq)
  return message !== null && (message.messageId ?? '') === damage.messageId ? message : null
}

/** Not those the server reads, nor the number its publisher gave it. */
const keptHeaders = ({ headers }: StoredMessage): Readonly<Record<string, string>> =>
  Object.fromEntries([...headers].filter(([name]) => !name.startsWith('Nats-') && name !== headerNames.publisher))

/** What is not whole once all copies have commit rows, or nothing has moved for too long. */
async function untilWhole(
  sent: readonly Sent[],
  { query, patienceMs }: RepairOptions,
): Promise<{ readonly left: readonly CommitDamage[]; readonly hasMoved: boolean }> {
  const of = {
    snapshotIds: sent.map(({ damage }) => damage.snapshotId),
    messageIds: sent.map(({ copyId }) => copyId),
  }
  let left: readonly CommitDamage[] = sent.map(({ damage }) => damage)
  let committed = 0
  for (let movedMs = performance.now(); left.length > 0 && performance.now() - movedMs < patienceMs;) {
    // Before the comparison: what a copy writes is there before its commit row.
    const now = await committedCount(query, of)
    const still = lacking(await auditCommits(query, { snapshotIds: left.map(({ snapshotId }) => snapshotId) }))
    if (still.length < left.length || now > committed) movedMs = performance.now()
    left = still
    committed = now
    if (committed === sent.length) break
    if (left.length > 0) await delay(100)
  }
  return { left, hasMoved: committed > 0 || left.length < sent.length }
}
