/*
 * What the buckets hold is written by processors, and by whoever else has the right to write there. A record of another shape counts as
 * none: it is written over by the next owner, and ends nobody.
 */

/** Under `member.<instance>`: alive for as long as its revision keeps changing. */
export interface MemberRecord {
  readonly instance: string
  /** Of this start of the process; a later start of the same instance replaces it. */
  readonly boot: string
}

/** Under `lease.p<partition>`; kept when it is released, for its epoch. */
export interface LeaseRecord {
  readonly owner: MemberRecord | null
  readonly epoch: number
}

/** What is written down before a message is touched, under `p<partition>` in the bucket `cursors`. */
export interface InFlightRecord {
  readonly boot: string
  /** Of the newest owner so far; absent in what an earlier version wrote. */
  readonly epoch?: number
  readonly incarnation: string
  /** Messages up to here may have been touched; after a clean end all of them are committed, unless the sink forgets it again. */
  readonly to: number
  /** Messages up to here the newest owner has survived; absent in what an earlier version wrote. */
  readonly from?: number
  /** After `suspectFrom` and up to here an owner before died: message by message. */
  readonly suspectTo: number
  readonly suspectFrom?: number
  /** The one message that is being opened or computed now. */
  readonly at: number | null
  /** Deaths by message. */
  readonly deaths: Readonly<Record<string, number>>
  /** Rows of these messages may have been computed while a message still counted that has been given up since. */
  readonly outdated?: { readonly from: number; readonly to: number } | null
}

/** An epoch goes into a column of 32 bits; one near its end would leave no room for the next. */
const maxEpoch = 2 ** 31

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isCount = (value: unknown, max = Number.MAX_SAFE_INTEGER): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max
const isCountIfAny = (value: unknown, max?: number): boolean => value === undefined || isCount(value, max)
const isName = (value: unknown): value is string => typeof value === 'string' && value.length <= 256

export const memberOf = (value: unknown): MemberRecord | null =>
  isRecord(value) && isName(value['instance']) && isName(value['boot'])
    ? { instance: value['instance'], boot: value['boot'] }
    : null

/** Free and without an epoch where it is none: the sink knows the epochs that were. */
export function leaseOf(value: unknown): LeaseRecord {
  if (!isRecord(value) || !isCount(value['epoch'], maxEpoch)) return { owner: null, epoch: 0 }
  return { owner: memberOf(value['owner']), epoch: value['epoch'] }
}

export function inFlightOf(value: unknown): InFlightRecord | null {
  if (!isRecord(value)) return null
  const { boot, epoch, incarnation, to, from, suspectTo, suspectFrom, at, deaths, outdated } = value
  const areNumbers = isCount(to) && isCount(suspectTo) && isCountIfAny(from) && isCountIfAny(suspectFrom)
  if (!areNumbers || !isCountIfAny(epoch, maxEpoch) || !isName(boot) || !isName(incarnation)) return null
  if (at !== null && !isCount(at)) return null
  if (
    !isRecord(deaths) ||
    Object.keys(deaths).length > 10_000 ||
    !Object.values(deaths).every((count) => isCount(count))
  )
    return null
  const isRange = isRecord(outdated) && isCount(outdated['from']) && isCount(outdated['to'])
  if (outdated !== undefined && outdated !== null && !isRange) return null
  return value as unknown as InFlightRecord
}
