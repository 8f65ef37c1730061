import { rights } from '../../../../shared/model/snapshot.ts'
import { ivShape, type ScheduledEvent } from './events.ts'
import { type Listing, listingsOn } from './listings.ts'
import { flowCount, type SessionPath } from './paths.ts'
import { hashText, mix, normalOf, uniformOf } from './random.ts'
import { modelPrice, toTick, yearS } from './smile.ts'
import { stepMsOf, type TradingSession } from './trading-time.ts'
import type { UnderlyingProfile } from './universe.ts'

/** Rows of one listing: strike by strike, the call before its put. */
export interface BookGroup extends Listing {
  readonly start: number
  readonly end: number
}

/** All that does not change within a session, one entry per contract. Snapshots of the session share these arrays. */
export interface SessionBook {
  readonly profile: UnderlyingProfile
  readonly session: TradingSession
  readonly path: SessionPath
  readonly events: readonly ScheduledEvent[]
  readonly groups: readonly BookGroup[]
  readonly length: number
  readonly roots: readonly string[]
  readonly rootIndex: Int16Array
  readonly expiryDay: Int32Array
  readonly expiryAtS: Float64Array
  readonly strike: Float64Array
  readonly right: Int8Array
  readonly openInterest: Float64Array
  /** Contracts it trades in the session, expected; what its flow says of the time says how many so far. */
  readonly sessionVolume: Float32Array
  /** In [0, 1): where between two whole contracts it starts. */
  readonly phase: Float32Array
  readonly flow: Uint8Array
  /** Last trade of an earlier session; NaN when it never traded. */
  readonly previousLast: Float64Array
  readonly previousLastAtS: Float64Array
  readonly blocks: readonly BlockTrade[]
}

/** Contracts a volume event adds to one contract in one step. */
interface BlockTrade {
  readonly row: number
  readonly step: number
  readonly contracts: number
}

/** Spot as published: whole cents. */
export const spotAt = ({ basePrice }: UnderlyingProfile, logSpot: number): number =>
  Math.round(basePrice * Math.exp(logSpot) * 100) / 100

/** Parallel shift of all vols at a step, a fraction. */
export function volShiftAt(events: readonly ScheduledEvent[], step: number): number {
  let shift = 0
  for (const event of events) {
    if (event.kind === 'iv_spike') shift += (event.magnitude / 100) * ivShape(step - event.step)
  }
  return shift
}

export interface BookInput {
  readonly profile: UnderlyingProfile
  readonly session: TradingSession
  readonly path: SessionPath
  readonly events: readonly ScheduledEvent[]
  readonly volumeShape: Float64Array
}

/** Lists an underlying's contracts for a session and settles what each of them is like. */
export function openBook({ volumeShape, ...input }: BookInput): SessionBook {
  const groups = groupsOf(listingsOn(input.session.day, input.profile))
  const length = groups.at(-1)?.end ?? 0
  const book: SessionBook = {
    ...input,
    groups,
    length,
    roots: [...new Set(groups.map(({ root }) => root))],
    rootIndex: new Int16Array(length),
    expiryDay: new Int32Array(length),
    expiryAtS: new Float64Array(length),
    strike: new Float64Array(length),
    right: new Int8Array(length),
    openInterest: new Float64Array(length),
    sessionVolume: new Float32Array(length),
    phase: new Float32Array(length),
    flow: new Uint8Array(length),
    previousLast: new Float64Array(length).fill(NaN),
    previousLastAtS: new Float64Array(length).fill(NaN),
    blocks: [],
  }
  for (const group of groups) fillGroup(book, group)
  spreadVolume(book)
  return { ...book, blocks: blocksOf(book, volumeShape) }
}

function groupsOf(listings: readonly Listing[]): readonly BookGroup[] {
  let end = 0
  return listings.map((listing) => {
    const start = end
    end += 2 * listing.strikes.length
    return { ...listing, start, end }
  })
}

function fillGroup(book: SessionBook, group: BookGroup): void {
  const { profile, session } = book
  const root = book.roots.indexOf(group.root)
  const groupKey = mix(mix(profile.key, hashText(group.root)), group.expiryDay)
  book.rootIndex.fill(root, group.start, group.end)
  book.expiryDay.fill(group.expiryDay, group.start, group.end)
  book.expiryAtS.fill(group.expiryAtS, group.start, group.end)
  const appetite = appetiteOf(book, group)
  const usualInterest = (4 * profile.dailyVolume) / profile.targetContracts
  for (let row = group.start; row < group.end; row++) {
    const strike = group.strikes[(row - group.start) >> 1] as number
    const right = (row - group.start) % 2 === 0 ? rights.call : rights.put
    const key = mix(groupKey, Math.round(strike * 1000) * 2 + right)
    const today = mix(key, session.day)
    book.strike[row] = strike
    book.right[row] = right
    book.phase[row] = uniformOf(today)
    book.flow[row] = key % flowCount
    book.sessionVolume[row] = appetite.volume(strike) * Math.exp(0.7 * normalOf(mix(today, 1)))
    book.openInterest[row] = interest(usualInterest * appetite.interest(strike), key, today)
    if ((book.openInterest[row] as number) > 0) rememberTrade(book, group, row, mix(today, 3))
  }
}

/** Open interest of a day: a level of the contract's own, moved a few percent overnight. */
const interest = (usual: number, key: number, today: number): number =>
  Math.round(usual * Math.exp(0.8 * normalOf(mix(key, 2)) + 0.05 * normalOf(mix(today, 2))))

const interestByTenor = { daily: 0.15, weekly: 0.5, monthly: 1.6, leaps: 1.2 } as const

/** How much the market wants of a strike, before each contract's own luck. */
function appetiteOf({ profile, session, path }: SessionBook, { tenor, expiryAtS }: BookGroup) {
  const spot = spotAt(profile, path.logSpot[0] as number)
  const years = Math.max(0, expiryAtS - session.openMs / 1000) / yearS
  const near = (1 + 40 * years) ** -0.8
  const width = profile.baseVol * Math.sqrt(Math.max(years, 3 / 365))
  const wide = profile.baseVol * Math.sqrt(tenor === 'daily' ? 0.04 : 0.3)
  return {
    volume(strike: number): number {
      const x = Math.log(strike / spot) / width
      return years > 0 ? near * Math.exp(-0.35 * x * x) : 0
    },
    interest(strike: number): number {
      const x = Math.log(strike / profile.basePrice) / wide
      return interestByTenor[tenor] * Math.exp(-0.25 * x * x) * (strike % 5 === 0 ? 1.5 : 1)
    },
  }
}

const sessionS = 6.5 * 3600

function rememberTrade(book: SessionBook, { expiryAtS }: BookGroup, row: number, key: number): void {
  const { profile, session, path } = book
  const atS = Math.floor(session.previousCloseMs / 1000 - uniformOf(key) * sessionS * 0.9)
  const point = { spot: spotAt(profile, path.previous.logSpot), logLevel: path.previous.logLevel, volShift: 0 }
  const contract = {
    strike: book.strike[row] as number,
    isCall: book.right[row] === rights.call,
    years: Math.max(60, expiryAtS - atS) / yearS,
  }
  book.previousLast[row] = toTick(profile, modelPrice(profile, point, contract))
  book.previousLastAtS[row] = atS
}

/** Scales the contracts' appetites to the volume the session has. */
function spreadVolume({ sessionVolume, path }: SessionBook): void {
  const sum = sessionVolume.reduce((total, weight) => total + weight, 0)
  if (sum > 0)
    for (let row = 0; row < sessionVolume.length; row++)
      sessionVolume[row] = ((sessionVolume[row] as number) * path.sessionVolume) / sum
}

const blockShares = [0.5, 0.3, 0.2]

/** A volume event is a few contracts of one near expiry that trade many times what the whole chain usually does. */
function blocksOf(book: SessionBook, volumeShape: Float64Array): readonly BlockTrade[] {
  return book.events.flatMap((event) => {
    if (event.kind !== 'volume_spike') return []
    const endMs = stepMsOf(book.session, event.step + event.passes)
    const group = book.groups.find(({ expiryAtS }) => expiryAtS * 1000 > endMs) as BookGroup
    const spot = spotAt(book.profile, book.path.logSpot[event.step] as number)
    const above = group.strikes.findIndex((strike) => strike > spot)
    const first = Math.min(Math.max(0, above), group.strikes.length - blockShares.length)
    return Array.from({ length: event.passes }, (_, pass) => event.step + pass).flatMap((step) => {
      const norm = book.path.sessionVolume * ((volumeShape[step] as number) - (volumeShape[step - 1] as number))
      const contracts = norm * (event.magnitude - 1)
      return blockShares.map((share, i) => ({
        row: group.start + 2 * (first + i),
        step,
        contracts: Math.ceil(contracts * share),
      }))
    })
  })
}
