import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Bus } from '../../../shared/bus/connect.ts'
import { headerNames, messageAt, type StoredMessage } from '../../../shared/bus/messages.ts'
import { createPublisher } from '../../../shared/bus/publisher.ts'
import { streamInfo } from '../../../shared/bus/streams.ts'
import { auditCommits, type CommitDamage } from '../../../shared/store/queries/commit-audit.ts'
import type { Query } from '../../../shared/store/queries/query.ts'
import { lacking } from './audit.ts'

export interface Repaired {
  /** Snapshots whose rows are all there again. */
  readonly repaired: number
  /** Snapshots whose message was in the stream, and whose rows nobody wrote in time. */
  readonly waiting: readonly CommitDamage[]
  /** Snapshots whose message is no longer in the stream. */
  readonly gone: readonly CommitDamage[]
}

export interface RepairOptions {
  readonly bus: Bus
  readonly query: Query
  /** Without any progress for so long it gives up. */
  readonly patienceMs: number
  readonly onProgress: (done: number, total: number) => void
}

/** So many are under way at a time: a stream has its bounds, and must not push out what nobody has read. */
const atOnce = 256

/**
 * Has the owners write lost rows again: publishes the messages once more, under ids of their own. An owner that gets a copy of a
 * stored snapshot whose rows are gone computes them from the state they were computed from, and writes them.
 */
export async function repair(damaged: readonly CommitDamage[], options: RepairOptions): Promise<Repaired> {
  const { bus, onProgress } = options
  const all = lacking(damaged)
  const { created } = await streamInfo(bus, 'CHAINS')
  const publisher = createPublisher(bus, { publisherId: `verify/${randomUUID()}` })
  const gone: CommitDamage[] = []
  const waiting: CommitDamage[] = []
  let repaired = 0
  for (let from = 0; from < all.length; from += atOnce) {
    const sent: CommitDamage[] = []
    const acks: Promise<unknown>[] = []
    for (const damage of all.slice(from, from + atOnce)) {
      const message = await original(bus, created, damage)
      if (message === null) gone.push(damage)
      else {
        const { acked } = await publisher.enqueue(message.subject, message.payload, {
          messageId: `repair-${randomUUID()}`,
          headers: { ...keptHeaders(message), [headerNames.replayOf]: damage.messageId },
        })
        acks.push(acked)
        sent.push(damage)
      }
    }
    await Promise.all(acks)
    const left = await untilWhole(sent, options)
    waiting.push(...left)
    repaired += sent.length - left.length
    onProgress(Math.min(all.length, from + atOnce), all.length)
    if (left.length > 0) return { repaired, gone, waiting: [...waiting, ...all.slice(from + atOnce)] }
  }
  return { repaired, waiting, gone }
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

async function untilWhole(
  sent: readonly CommitDamage[],
  { query, patienceMs }: RepairOptions,
): Promise<readonly CommitDamage[]> {
  let left = sent
  for (let movedMs = performance.now(); left.length > 0 && performance.now() - movedMs < patienceMs;) {
    const still = lacking(await auditCommits(query, { snapshotIds: left.map(({ snapshotId }) => snapshotId) }))
    if (still.length < left.length) movedMs = performance.now()
    left = still
    if (left.length > 0) await delay(100)
  }
  return left
}
