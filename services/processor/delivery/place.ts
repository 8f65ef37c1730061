import { StrikeflowError } from '../../../shared/model/errors.ts'
import type { ChainStream, CommittedMessage, Ledger, Place, Segment, StreamFacts } from './ports.ts'
import type { DeliveryRules } from './rules.ts'

/** Where an owner goes on, and what he has to know of it. */
export interface Placed extends Place {
  /** Message id at the cursor; null where it is not known. */
  readonly cursorMessageId: string | null
  /** There are commit rows up to here; past the cursor they stand behind a hole. */
  readonly committedTo: number
  /** True when sequences now stand for other messages than the commit log says. */
  readonly wentBack: boolean
}

interface PlaceDeps {
  readonly ledger: Ledger
  readonly stream: ChainStream
  readonly rules: DeliveryRules
}

/** So many of the newest commit rows are searched for the point where a stream went back; beyond, it is read from its beginning. */
const searchedCommits = 4096

/**
 * Finds the cursor of each partition, and out whether the stream still is the one the commit log speaks of. A server that lost
 * its end (a power cut, a restored backup) gives the same sequences to new messages: read on from the old cursor, they would be
 * passed over in silence. Then a new incarnation begins after the last message that is still the same.
 */
export async function findPlaces(partitions: readonly number[], deps: PlaceDeps): Promise<readonly Placed[]> {
  const { ledger, stream } = deps
  const facts = await stream.facts()
  const known = await ledger.incarnations(facts.created, partitions)
  const names = new Map(partitions.map((partition) => [partition, known.get(partition) ?? facts.created]))
  const segments = await ledger.segments(names, facts.firstSeq)
  return Promise.all(
    [...names].map(([partition, incarnation]) => {
      const own = segments.filter((segment) => segment.partition === partition)
      return findPlace({ partition, incarnation }, own, facts, deps)
    }),
  )
}

async function findPlace(
  { partition, incarnation }: Omit<Place, 'cursor'>,
  segments: readonly Segment[],
  facts: StreamFacts,
  deps: PlaceDeps,
): Promise<Placed> {
  const beginSeq = beginOf(incarnation)
  const end = deps.rules.chainEnd(segments, facts.firstSeq, beginSeq)
  const last: CommittedMessage | null =
    end === null
      ? await deps.ledger.committedBelow(partition, incarnation, facts.firstSeq)
      : { streamSeq: end.lastSeq, messageId: end.lastMessageId }
  const committedTo = Math.max(0, ...segments.map(({ lastSeq }) => lastSeq))
  if (last === null || (await isStillThere(last, facts, deps))) {
    const cursor = last?.streamSeq ?? beginSeq
    return { partition, incarnation, cursor, cursorMessageId: last?.messageId ?? null, committedTo, wentBack: false }
  }
  const same = await lastSame(partition, incarnation, facts, deps)
  return {
    partition,
    incarnation: nextIncarnation(incarnation, same?.streamSeq ?? 0),
    cursor: same?.streamSeq ?? 0,
    cursorMessageId: same?.messageId ?? null,
    committedTo: 0,
    wentBack: true,
  }
}

/** True when the stream still holds a committed message, or has discarded it in the course of time. */
async function isStillThere(
  { streamSeq, messageId }: CommittedMessage,
  { created, firstSeq }: StreamFacts,
  { stream, rules }: PlaceDeps,
): Promise<boolean> {
  if (streamSeq < firstSeq) return true
  // Asked even past the last sequence: a later owner may have committed what came after the first look.
  const stored = await stream.messageIdAt(streamSeq)
  if (stored !== null && rules.isSameMessage(messageId, stored.messageId)) return true
  // Since the first look its time may have come, or the whole stream's.
  const now = await stream.facts()
  if (now.created !== created) throw new StrikeflowError('bus', 'The stream was made anew', { retryable: true })
  return stored === null && (streamSeq < now.firstSeq || rules.isSameMessage(messageId, ''))
}

/** The newest committed message that is still there: what was lost is the end, so all before it are the same as well. */
async function lastSame(
  partition: number,
  incarnation: string,
  facts: StreamFacts,
  deps: PlaceDeps,
): Promise<CommittedMessage | null> {
  const commits = await deps.ledger.newestCommits(partition, incarnation, searchedCommits)
  let differing = 0
  let same = commits.length
  while (differing < same) {
    const middle = (differing + same) >> 1
    const commit = commits[middle]
    if (commit !== undefined && (await isStillThere(commit, facts, deps))) same = middle
    else differing = middle + 1
  }
  return commits[same] ?? null
}

/*
 * An incarnation is the creation time of the stream; once that has gone back without being made anew, `#n@seq` follows: the
 * n-th time, read on after `seq`.
 */
const form = /^(.*?)(?:#(\d+)(?:@(\d+))?)?$/s

export const createdOf = (incarnation: string): string => form.exec(incarnation)?.[1] ?? incarnation

/** The sequence an incarnation begins after. */
export const beginOf = (incarnation: string): number => Number(form.exec(incarnation)?.[3] ?? 0)

const nextIncarnation = (incarnation: string, beginSeq: number): string =>
  `${createdOf(incarnation)}#${Number(form.exec(incarnation)?.[2] ?? 0) + 1}@${beginSeq}`
