import type { ForwardSource } from '../../../shared/model/features.ts'

/** The forward of one expiry and where it is from. */
export interface ForwardEstimate {
  /** NaN where there is none. */
  readonly forward: number
  readonly source: ForwardSource
  /** Added for the early exercise of both legs; 0 without. */
  readonly correction: number
  /** Pairs in the median. */
  readonly nUsed: number
  /** 0..100. */
  readonly quality: number
}

/** The carry an expiry had in an earlier snapshot, for one in which its pairs say nothing. Plain JSON. */
export interface KnownCarry {
  readonly root: string
  readonly expiryDay: number
  /** ln(F/S)/T, rounded: it is stored and read back, and both must be the same number. */
  readonly carry: number
  /** Session it was seen in. */
  readonly sessionDay: number
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
  readonly strikesUsed: number
}

const previousCarryQuality = 50
const neighbourQuality = 25
/** A neighbour's carry reaches no further than to so many times its own time to expiry. */
const neighbourReach = 4
const carryScale = 1e8

/**
 * Completes the forwards of a chain. Where an expiry's own pairs do not say, in this order: the carry it had within a
 * session before; ln(F/S) interpolated between the expiries on both sides (spot itself is the one at T = 0), beyond the last
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
    const { forward, confidence, correction, strikesUsed: nUsed, yearsToExpiry, rate } = expiry
    if (!Number.isNaN(forward)) return { forward, source: 'parity', correction, nUsed, quality: 100 * confidence }
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

/** The carries to remember after a snapshot: today's from parity, and those of the session before that today did not bring. */
export function rememberCarries(
  expiries: readonly ParityForward[],
  spot: number,
  sessionDay: number,
  known: readonly KnownCarry[],
): readonly KnownCarry[] {
  const fresh = expiries
    .filter(({ forward, yearsToExpiry }) => !Number.isNaN(forward) && yearsToExpiry > 0)
    .map(({ root, expiryDay, forward, yearsToExpiry }) => ({
      root,
      expiryDay,
      carry: Math.round((Math.log(forward / spot) / yearsToExpiry) * carryScale) / carryScale + 0,
      sessionDay,
    }))
  const brought = new Set(fresh.map(keyOf))
  return [...fresh, ...known.filter((carry) => !brought.has(keyOf(carry)))]
}

const keyOf = ({ root, expiryDay }: { readonly root: string; readonly expiryDay: number }): string =>
  `${root} ${expiryDay}`
