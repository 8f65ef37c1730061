import type { GapReason, SlotState } from '../../model/gap.ts'
import type { PassReport } from '../../model/pass-report.ts'
import type { Store } from '../connect.ts'
import type { Query } from './query.ts'

/* What the gap ledger asks and writes; docs/gaps.md says why. */

/** A start of a collector, as its newest report has it. */
export interface CollectorBoot {
  readonly provider: string
  readonly instance: string
  readonly boot: string
  readonly live: boolean
  readonly zone: string
  readonly intervalMs: number
  readonly delayMs: number
  readonly underlyings: readonly string[]
  readonly ownIntervalsMs: Readonly<Record<string, number>>
  /** On the provider's clock. */
  readonly plannedFromMs: number
  readonly lastStartedMs: number
  readonly lastAcked: number
  readonly duplicates: number
  readonly ended: boolean
  /** By the wall. */
  readonly reportedAtMs: number
}

/** The starts that reported since an instant of the wall, in the order of their first report. */
export async function readBoots(query: Query, sinceMs: number): Promise<readonly CollectorBoot[]> {
  return query.rows<CollectorBoot>(
    `SELECT provider, instance, boot, live, exchange_zone AS zone, interval_ms AS intervalMs, delay_ms AS delayMs, underlyings,
       own_intervals_ms AS ownIntervalsMs, toUnixTimestamp64Milli(planned_from) AS plannedFromMs,
       toUnixTimestamp64Milli(last_started_at) AS lastStartedMs, last_acked AS lastAcked, duplicates, ended,
       toUnixTimestamp64Milli(reported_at) AS reportedAtMs
     FROM collectors_v1 FINAL WHERE reported_at >= fromUnixTimestamp64Milli({sinceMs:Int64}) ORDER BY version`,
    { sinceMs },
  )
}

export async function storeReport(
  store: Store,
  report: PassReport,
  reportedAtMs: number,
  version: number,
): Promise<void> {
  await store.command(
    `INSERT INTO collectors_v1 (provider, instance, boot, live, exchange_zone, interval_ms, delay_ms, underlyings, own_intervals_ms,
       planned_from, last_started_at, last_acked, duplicates, ended, reported_at, version)
     SELECT {provider:String}, {instance:String}, {boot:String}, {live:Bool}, {exchangeZone:String}, {intervalMs:UInt32},
       {delayMs:UInt32}, {underlyings:Array(String)}, {ownIntervalsMs:Map(String, UInt32)},
       fromUnixTimestamp64Milli({plannedFromMs:Int64}, 'UTC'), fromUnixTimestamp64Milli({startedAtMs:Int64}, 'UTC'),
       {lastAcked:UInt64}, {duplicates:UInt64}, {ended:Bool}, fromUnixTimestamp64Milli({reportedAtMs:Int64}, 'UTC'),
       {version:UInt64}`,
    { ...report, published: undefined, repeated: undefined, refused: undefined, reportedAtMs, version },
  )
}

/** A commit row, for its slot. */
export interface CommittedSlot {
  readonly partition: number
  readonly streamSeq: number
  readonly previousSeq: number
  readonly outcome: 'stored' | 'duplicate' | 'dropped' | 'dead-lettered'
  readonly provider: string
  readonly underlying: string
  readonly contentUnchanged: boolean
  readonly zone: string
  /** 0 when it was fetched for none. */
  readonly slotMs: number
  readonly intervalMs: number
  readonly lagMs: number
}

const committedSlot = `partition, stream_seq AS streamSeq, previous_seq AS previousSeq, toString(outcome) AS outcome, provider,
  underlying, content_unchanged AS contentUnchanged, exchange_zone AS zone, toUnixTimestamp64Milli(slot_at) AS slotMs,
  slot_interval_ms AS intervalMs, slot_lag_ms AS lagMs`

/** Cursors by partition: the last sequence read. */
export type Cursors = Readonly<Record<string, number>>

/**
 * The commit rows after some cursors, by partition and sequence, of two under one sequence the newer first. `limit` is of each partition:
 * one whose rows nobody can follow yet must not hide the others.
 */
export async function commitsAfter(
  query: Query,
  incarnation: string,
  cursors: Cursors,
  partitions: number,
  limit: number,
): Promise<readonly CommittedSlot[]> {
  const known = Array.from({ length: partitions }, (_, partition) => cursors[partition] ?? 0)
  // Partition by partition, so that the primary key finds the place of each.
  const places = known.map((_, partition) => `(partition = ${partition} AND stream_seq > {c${partition}:UInt64})`)
  return query.rows<CommittedSlot>(
    `SELECT ${committedSlot} FROM snapshots_v1 WHERE incarnation = {incarnation:String} AND (${places.join(' OR ')})
     ORDER BY partition, stream_seq, epoch DESC LIMIT {limit:UInt32} BY partition`,
    { incarnation, limit, ...Object.fromEntries(known.map((cursor, partition) => [`c${partition}`, cursor])) },
  )
}

/**
 * The incarnations of CHAINS that have commit rows, oldest first: those of the newest so many streams. Each is found by the primary
 * key, below the one before, so that it costs the same after months of commit rows.
 */
export async function readIncarnations(query: Query, streams = 2): Promise<readonly string[]> {
  const found: string[] = []
  for (;;) {
    const [row] = await query.rows<{ incarnation: string }>(
      `SELECT incarnation FROM snapshots_v1 WHERE {below:String} = '' OR incarnation < {below:String}
       ORDER BY incarnation DESC LIMIT 1`,
      { below: found.at(-1) ?? '' },
    )
    if (row === undefined) break
    if (new Set([...found, row.incarnation].map(streamOf)).size > streams) break
    found.push(row.incarnation)
  }
  return found.toSorted((a, b) => compare(streamOf(a), streamOf(b)) || timesBack(a) - timesBack(b) || compare(a, b))
}

const streamOf = (incarnation: string): string => incarnation.split('#')[0] ?? ''
const timesBack = (incarnation: string): number => Number.parseInt(incarnation.split('#')[1] ?? '0', 10)
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export interface KnownSlot {
  readonly underlying: string
  readonly slotMs: number
  readonly state: SlotState
  readonly reason: GapReason | ''
}

/** What is known of a provider's slots, both ends included. */
export async function knownSlots(
  query: Query,
  provider: string,
  fromMs: number,
  toMs: number,
): Promise<readonly KnownSlot[]> {
  return query.rows<KnownSlot>(
    `SELECT underlying, toUnixTimestamp64Milli(slot) AS slotMs, toString(argMax(state, rank)) AS state, argMax(reason, rank) AS reason
     FROM gaps_v1
     WHERE provider = {provider:String} AND slot >= fromUnixTimestamp64Milli({fromMs:Int64})
       AND slot <= fromUnixTimestamp64Milli({toMs:Int64})
     GROUP BY underlying, slot`,
    { provider, fromMs, toMs },
  )
}

export interface PendingSlot {
  readonly provider: string
  readonly underlying: string
  readonly slotMs: number
  readonly sessionDay: number
  readonly intervalMs: number
  readonly coverage: 'published' | 'by_rule' | 'unpublished'
  readonly streamSeq: number
  /** When it was reported. */
  readonly storedAtMs: number
}

export interface PendingRange {
  readonly provider: string
  /** Start of the slot, and in that slot the sequence, behind which it begins. */
  readonly fromMs: number
  readonly fromSeq: number
  /** So long since it was reported. */
  readonly settleMs: number
  readonly limit: number
}

/** Slots whose message has been published for a while and is not committed, oldest first. */
export async function pendingSlots(query: Query, range: PendingRange): Promise<readonly PendingSlot[]> {
  return query.rows<PendingSlot>(
    `SELECT provider, underlying, toUnixTimestamp64Milli(slot) AS slotMs, toInt32(session_date) AS sessionDay,
       interval_ms AS intervalMs, toString(coverage) AS coverage, stream_seq AS streamSeq,
       toUnixTimestamp64Milli(stored_at) AS storedAtMs
     FROM gaps_v1 FINAL
     WHERE provider = {provider:String} AND slot >= fromUnixTimestamp64Milli({fromMs:Int64})
       AND (slot, stream_seq) > (fromUnixTimestamp64Milli({fromMs:Int64}), {fromSeq:UInt64})
       AND state = 'pending' AND stored_at <= now64(3) - toIntervalMillisecond({settleMs:UInt32})
     ORDER BY slot, stream_seq LIMIT {limit:UInt32}`,
    { ...range },
  )
}

/** The commit rows at some sequences of a stream with this creation time; of one that has gone back the newest come last. */
export async function commitsAt(
  query: Query,
  created: string,
  streamSeqs: readonly number[],
): Promise<readonly CommittedSlot[]> {
  return query.rows<CommittedSlot>(
    `SELECT ${committedSlot} FROM snapshots_v1 FINAL
     WHERE (incarnation = {created:String} OR startsWith(incarnation, concat({created:String}, '#')))
       AND stream_seq IN {streamSeqs:Array(UInt64)}
     ORDER BY toUInt32OrZero(extract(toString(incarnation), '#(\\\\d+)'))`,
    { created, streamSeqs },
  )
}

/** How many messages of one start of a collector, up to a number, have a commit row. */
export async function committedNumbers(query: Query, publisher: string, upTo: number): Promise<number> {
  const [row] = await query.rows<{ n: number }>(
    `SELECT uniqExact(publisher_seq) AS n FROM snapshots_v1
     WHERE publisher = {publisher:String} AND publisher_seq BETWEEN 1 AND {upTo:UInt64}`,
    { publisher, upTo },
  )
  return row?.n ?? 0
}
