import type { ForwardSource } from '../../../shared/model/features.ts'

/** The forward of one expiry and where it is from. */
export interface ForwardEstimate {
  /** NaN where there is none. */
  readonly forward: number
  readonly source: ForwardSource
  /** Added for the early exercise of both legs; 0 without. */
  readonly correction: number
  /** The method is `american`, and early exercise could not be taken out: volatilities are to be solved as European ones. */
  readonly isUncorrected?: boolean
  /** Pairs in the median. */
  readonly nUsed: number
  /** 0..100. */
  readonly quality: number
}

/** The carry an expiry had earlier in the session, for a snapshot in which its pairs say nothing. Plain JSON. */
export interface KnownCarry {
  readonly root: string
  readonly expiryDay: number
  /** ln(F/S)/T, rounded: it is stored and read back, and both must be the same number. */
  readonly carry: number
  /** Session it was seen in. */
  readonly sessionDay: number
  /** When it was seen. Absent in what was stored before it was kept, which is not used. */
  readonly marketTimeMs?: number
}

/** The snapshot the forwards are of. */
export interface SnapshotTime {
  readonly sessionDay: number
  readonly marketTimeMs: number
}

/** One expiry as its own pairs leave it. */
export interface ParityForward {
  readonly root: string
  readonly expiryDay: number
  readonly yearsToExpiry: number
  /** Zero rate of the curve. */
  readonly rate: number
  /** NaN where its pairs do not say. */
  readonly forward: number
  /** 0..1. */
  readonly confidence: number
  readonly correction: number
  readonly isUncorrected: boolean
  readonly strikesUsed: number
}

/** A carry beyond this, per year, with a forward this far from spot (as ln F/S) is more likely a spot that is off. */
const sanestCarry = 0.5
const sanestLogRatio = 0.03
/** What the quality of such a forward is multiplied by. */
const farShare = 0.25
const previousCarryQuality = 50
const neighbourQuality = 25
/** A neighbour's carry reaches no further than to so many times its own time to expiry. */
const neighbourReach = 4
const carryScale = 1e8

/**
 * Completes the forwards of a chain. Where an expiry's own pairs do not say, in this order: the carry it had earlier in
 * the session; ln(F/S) interpolated between the expiries on both sides (spot itself is the one at T = 0), beyond the last
 * one its carry; the spot at the curve's rate. Expiries may come in any order; the answer keeps it.
 */
export function completeForwards(
  expiries: readonly ParityForward[],
  spot: number,
  known: readonly KnownCarry[],
): readonly ForwardEstimate[] {
  const carries = new Map(known.map((carry) => [keyOf(carry), carry.carry]))
  const own = expiries
    .filter(({ forward }) => !Number.isNaN(forward))
    .toSorted((a, b) => a.yearsToExpiry - b.yearsToExpiry)
  return expiries.map((expiry) => {
    const { forward, confidence, correction, isUncorrected, strikesUsed: nUsed, yearsToExpiry, rate } = expiry
    if (!Number.isNaN(forward)) {
      const quality = 100 * confidence * (isFar(expiry, spot) ? farShare : 1)
      return { forward, source: 'parity', correction, isUncorrected, nUsed, quality }
    }
    const standIn = (logRatio: number, source: ForwardSource, quality: number): ForwardEstimate => ({
      forward: spot * Math.exp(logRatio),
      source,
      correction: 0,
      nUsed,
      quality,
    })
    const previous = carries.get(keyOf(expiry))
    if (previous !== undefined) return standIn(previous * yearsToExpiry, 'previous_carry', previousCarryQuality)
    const neighbour = neighbourLogRatio(own, spot, yearsToExpiry)
    if (!Number.isNaN(neighbour)) return standIn(neighbour, 'neighbour_carry', neighbourQuality)
    return standIn(rate * yearsToExpiry, yearsToExpiry > 0 ? 'spot_carry' : 'none', 0)
  })
}

/** ln(F/S) at a maturity from the expiries around it; NaN where none is near enough. */
function neighbourLogRatio(own: readonly ParityForward[], spot: number, yearsToExpiry: number): number {
  let before = { years: 0, logRatio: 0 }
  for (const { yearsToExpiry: years, forward } of own) {
    const logRatio = Math.log(forward / spot)
    if (years >= yearsToExpiry) {
      if (years === yearsToExpiry) return logRatio
      const share = (yearsToExpiry - before.years) / (years - before.years)
      return before.logRatio + share * (logRatio - before.logRatio)
    }
    before = { years, logRatio }
  }
  const isNear = before.years * neighbourReach >= yearsToExpiry
  return isNear ? (before.logRatio / before.years) * yearsToExpiry : NaN
}

/**
 * The forward is too far from spot for dividends and borrow. It is what the options say all the same, but spot and options are
 * hardly of the same moment.
 */
function isFar({ forward, yearsToExpiry }: ParityForward, spot: number): boolean {
  return Math.abs(Math.log(forward / spot)) > Math.max(sanestLogRatio, sanestCarry * yearsToExpiry)
}

/**
 * The carries a snapshot may use: those of its own session (overnight a share may go ex dividend) from before it. A snapshot
 * that comes late thus sees nothing of what came after it.
 */
export function usableCarries(known: readonly KnownCarry[], at: SnapshotTime): readonly KnownCarry[] {
  return known.filter(
    ({ sessionDay, marketTimeMs = NaN }) => sessionDay === at.sessionDay && marketTimeMs < at.marketTimeMs,
  )
}

/**
 * The carries to remember after a snapshot: its own from parity, and those known that it did not bring. Where the forward of
 * the nearest expiry is too far from spot, spot is taken to be off, which puts every carry off: none is remembered.
 */
export function rememberCarries(
  expiries: readonly ParityForward[],
  spot: number,
  at: SnapshotTime,
  known: readonly KnownCarry[],
): readonly KnownCarry[] {
  const own = expiries.filter(({ forward, yearsToExpiry }) => !Number.isNaN(forward) && yearsToExpiry > 0)
  const nearest = own.reduce((least, { yearsToExpiry }) => Math.min(least, yearsToExpiry), Infinity)
  if (own.some((expiry) => expiry.yearsToExpiry === nearest && isFar(expiry, spot))) return known
  const fresh = own
    .filter((expiry) => !isFar(expiry, spot))
    .map(({ root, expiryDay, forward, yearsToExpiry }) => ({
      root,
      expiryDay,
      carry: Math.round((Math.log(forward / spot) / yearsToExpiry) * carryScale) / carryScale + 0,
      ...at,
    }))
  const brought = new Set(fresh.map(keyOf))
  return [...fresh, ...known.filter((carry) => !brought.has(keyOf(carry)))]
}

const keyOf = ({ root, expiryDay }: { readonly root: string; readonly expiryDay: number }): string =>
  `${root} ${expiryDay}`
