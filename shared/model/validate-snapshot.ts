import { z } from 'zod'
import { StrikeflowError } from './errors.ts'
import { instantMs, maxInstantMs } from './instant.ts'
import {
  type ChainColumns,
  contractFlags,
  maxKeptRejects,
  rejectReasons,
  rights,
  type SnapshotMeta,
} from './snapshot.ts'
import { isTicker } from './ticker.ts'

/*
 * What a snapshot has to say for the rest of the pipeline to rely on it. A message that says otherwise is dead-lettered once,
 * instead of stopping its partition at each insert, or every reader of the tables later.
 */

/** Far above any real chain: SPX has some 30,000 contracts. */
const maxContracts = 100_000
/** Pairs of root and expiry. SPX has about 60, and each costs the processor a fit. */
const maxExpiries = 5_000
/** As many as the collector accepts. */
const maxRoots = 1_000

const durationMs = z.int().max(2 ** 32 - 1)
const count = z.int().nonnegative().max(10_000_000)

const rejectSchema = z.object({
  symbol: z.string().max(64),
  reason: z.enum(rejectReasons),
  detail: z.string().max(200),
})

const metaSchema = z.object({
  snapshotId: z.guid(),
  scanId: z.string().max(128),
  provider: z.string().regex(/^[\w.-]{1,32}$/),
  underlying: z.string().refine(isTicker, 'not a ticker'),
  spot: z.number().nullable(),
  timeKind: z.enum(['market', 'file', 'fetch']),
  providerTimeMs: instantMs,
  delayMs: durationMs.nonnegative(),
  marketTimeMs: instantMs,
  receivedAtMs: instantMs,
  sessionDate: z.iso.date().refine((date) => date >= '1970' && date < '2100', 'not a date between 1970 and 2100'),
  exchangeZone: z.string().regex(/^[\w+/-]{1,64}$/),
  contentHash: z.string().min(1).max(128),
  multiplier: z.number().positive().max(1e9),
  listed: count,
  rejects: z.array(rejectSchema),
  slot: z.object({ atMs: instantMs, intervalMs: durationMs.positive(), unchangedBefore: count }).optional(),
})

/** Throws StrikeflowError `decode` for metadata that are not a snapshot's. */
export function readMeta(text: string): SnapshotMeta {
  const said = JSON.parse(text) as { readonly rejects?: unknown } | null
  // Before the schema sees them: a million wrong ones would make a million complaints.
  if (Array.isArray(said?.rejects) && said.rejects.length > maxKeptRejects)
    throw new StrikeflowError('decode', `Snapshot metadata: ${said.rejects.length} rejects, at most ${maxKeptRejects}`)
  const meta = metaSchema.safeParse(said)
  if (meta.success) return meta.data
  const [issue] = meta.error.issues
  throw new StrikeflowError('decode', `Snapshot metadata: ${issue?.path.join('.')}: ${issue?.message}`)
}

/** Throws StrikeflowError `decode` for a column whose values the model does not allow, or that says one contract twice. */
export function checkContracts(columns: ChainColumns): void {
  const { length, roots } = columns
  if (length > maxContracts) throw invalid(`${length} contracts, at most ${maxContracts}`)
  if (roots.length > maxRoots || !roots.every(isTicker)) throw invalid('a root is no ticker, or there are too many')
  if (new Set(roots).size < roots.length) throw invalid('a root is named twice')
  checkRights(columns)
  checkTimes(columns)
  checkFlags(columns)
  if (!areInOrder(columns)) checkDistinct(columns)
}

function checkRights({ right }: ChainColumns): void {
  for (let i = 0; i < right.length; i++) {
    const value = right[i]
    if (value !== rights.call && value !== rights.put) throw invalid(`right ${value} in row ${i}`)
  }
}

const maxDay = Math.floor(maxInstantMs / 86_400_000)
const maxSecond = maxInstantMs / 1000

function checkTimes({ expiryDay, expiryAtS }: ChainColumns): void {
  for (let i = 0; i < expiryDay.length; i++) {
    const day = expiryDay[i] as number
    if (day < 0 || day > maxDay) throw invalid(`expiry ${day} in row ${i}`)
  }
  for (let i = 0; i < expiryAtS.length; i++) {
    const second = expiryAtS[i] as number
    // Written so that NaN fails.
    if (!(second >= 0 && second <= maxSecond)) throw invalid(`expiry_at_s ${second} in row ${i}`)
  }
}

const knownFlags = Object.values(contractFlags).reduce((sum, bit) => sum | bit, 0)

function checkFlags({ flags }: ChainColumns): void {
  let bits = 0
  for (let i = 0; i < flags.length; i++) bits |= flags[i] as number
  if ((bits & ~knownFlags) !== 0) throw invalid('a flag that is not known')
}

/** A strike as its column stores it: two that differ by less are one contract in the table. */
const strikeScale = 1e4
const maxStrike = 1e9

/** True where each contract comes after the one before it in canonical order, as the collector sends them: then none comes twice. */
function areInOrder({ length, roots, rootIndex, expiryDay, strike, right }: ChainColumns): boolean {
  const sorted = roots.toSorted()
  const rank = Int32Array.from(roots, (root) => sorted.indexOf(root))
  let [lastRank, lastDay, lastStrike, lastRight, expiries] = [-1, 0, 0, 0, 0]
  let isOrdered = true
  for (let i = 0; i < length; i++) {
    const value = strike[i] as number
    if (!(value > 0 && value <= maxStrike)) throw invalid(`strike ${value} in row ${i}`)
    const [rootRank, day, side] = [rank[rootIndex[i] as number] as number, expiryDay[i] as number, right[i] as number]
    const scaled = Math.round(value * strikeScale)
    const isSameExpiry = rootRank === lastRank && day === lastDay
    if (isSameExpiry) {
      if (scaled < lastStrike || (scaled === lastStrike && side <= lastRight)) isOrdered = false
    } else {
      if (rootRank < lastRank || (rootRank === lastRank && day < lastDay)) isOrdered = false
      expiries += 1
    }
    lastRank = rootRank
    lastDay = day
    lastStrike = scaled
    lastRight = side
  }
  if (isOrdered && expiries > maxExpiries) throw invalid(`${expiries} expiries, at most ${maxExpiries}`)
  return isOrdered
}

/** Contracts in any other order: ClickHouse would merge two rows of one contract, and the commit row would promise one too many. */
function checkDistinct({ length, rootIndex, expiryDay, strike, right }: ChainColumns): void {
  const contracts = new Set<string>()
  const expiries = new Set<string>()
  for (let i = 0; i < length; i++) {
    const expiry = `${rootIndex[i]} ${expiryDay[i]}`
    expiries.add(expiry)
    const contract = `${expiry} ${Math.round((strike[i] as number) * strikeScale)} ${right[i]}`
    if (contracts.has(contract)) throw invalid(`row ${i} repeats a contract`)
    contracts.add(contract)
  }
  if (expiries.size > maxExpiries) throw invalid(`${expiries.size} expiries, at most ${maxExpiries}`)
}

/** Prices and counts are never negative; the provider's own figures may be. Infinity is no value. */
const ranges = {
  /** Checked by `checkContracts`, with the row that it belongs to. */
  required: [-Infinity, Infinity],
  amount: [0, Number.MAX_VALUE],
  figure: [-Number.MAX_VALUE, Number.MAX_VALUE],
} as const
export type FloatRange = keyof typeof ranges

/**
 * Checks a column of floats, in which NaN is missing and so is a row without its bit in `validity`. Returns true where a missing row
 * holds something else than NaN. Throws StrikeflowError `decode` for a value the model does not allow.
 */
export function checkFloats(
  name: string,
  values: Float64Array,
  validity: Uint8Array | null,
  range: FloatRange,
): boolean {
  const [min, max] = ranges[range]
  let isMasked = false
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (value !== value) continue
    if (validity !== null && ((validity[i >> 3] as number) & (1 << (i & 7))) === 0) isMasked = true
    else if (value < min || value > max) throw invalid(`${name} ${value} in row ${i}`)
  }
  return isMasked
}

const invalid = (what: string): StrikeflowError => new StrikeflowError('decode', `Not a chain: ${what}`)
