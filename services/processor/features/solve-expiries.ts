import { parseDay } from '../../../shared/calendar/days.ts'
import { exerciseStyle } from '../../../shared/calendar/roots.ts'
import { isZone } from '../../../shared/calendar/zones.ts'
import type { IvMethod } from '../../../shared/model/features.ts'
import type { SnapshotMeta } from '../../../shared/model/snapshot.ts'
import { ForwardCorrection } from '../../../shared/quant/american/forward-correction.ts'
import { impliedForward } from '../../../shared/quant/implied-forward.ts'
import { zeroRate } from '../../../shared/quant/rate-curve.ts'
import type { FeatureParams } from './compute-chain.ts'
import type { ChainContext, SolvedExpiry, UnsolvedExpiry } from './context.ts'
import { solveExpiry } from './expiry.ts'
import { completeForwards, type KnownCarry, type ParityForward, rememberCarries, usableCarries } from './forward.ts'
import type { ExpiryGroups } from './group.ts'
import { createStrikes, pairLegs, type StrikeColumns } from './strikes.ts'

export interface SolvedChain {
  /** In canonical order: by root, then by expiry. */
  readonly expiries: readonly SolvedExpiry[]
  readonly carries: readonly KnownCarry[]
}

const minutesPerYear = 525_600
const secondsPerYear = 31_536_000

/** Keeps scratch memory between expiries and nothing else. */
const forwardCorrection = new ForwardCorrection()

/*
 * Columns of the first expiry of a chain, of the second and so on, kept from snapshot to snapshot: megabytes made anew for
 * each would cost as much as the volatilities. Nothing of them outlives the computation of one chain.
 */
const workspace: StrikeColumns[] = []

function workspaceFor(group: number, capacity: number): StrikeColumns {
  const kept = workspace[group]
  return kept !== undefined && kept.strike.length >= capacity
    ? kept
    : (workspace[group] = createStrikes(roundedUp(capacity)))
}

const roundedUp = (capacity: number): number => 2 ** Math.ceil(Math.log2(capacity))

/** Finds every expiry's forward, from its own pairs or from what is known of others, and solves its strikes. */
export function solveExpiries(
  context: ChainContext,
  groups: ExpiryGroups,
  meta: SnapshotMeta,
  params: FeatureParams,
  known: readonly KnownCarry[],
): SolvedChain {
  const { spot } = context
  const unsolved = Array.from({ length: groups.count }, (_, g) => toUnsolved(context, groups, g, meta, params))
  const parity = unsolved.map((expiry) => parityOf(expiry, spot, params.ivMethod))
  const at = { sessionDay: parseDay(meta.sessionDate) ?? NaN, marketTimeMs: meta.marketTimeMs }
  const usable = usableCarries(known, at)
  const forwards = completeForwards(parity, spot, usable)
  const options = { ivMethod: params.ivMethod, floorYears: params.minutesFloor / minutesPerYear }
  return {
    expiries: unsolved.map((expiry, g) =>
      solveExpiry(context, expiry, forwards[g] as (typeof forwards)[number], options),
    ),
    carries: rememberCarries(parity, spot, at, usable),
  }
}

function toUnsolved(
  { columns, marketTimeS }: ChainContext,
  { rows, starts }: ExpiryGroups,
  group: number,
  { exchangeZone }: SnapshotMeta,
  { curve }: FeatureParams,
): UnsolvedExpiry {
  const from = starts[group] ?? 0
  const to = starts[group + 1] ?? 0
  const own = rows.subarray(from, to)
  const first = own[0] ?? 0
  const root = columns.roots[columns.rootIndex[first] ?? 0] ?? ''
  const expiryDay = columns.expiryDay[first] ?? NaN
  const expiryAtS = columns.expiryAtS[first] ?? NaN
  const yearsToExpiry = (expiryAtS - marketTimeS) / secondsPerYear
  const rate = zeroRate(curve, yearsToExpiry)
  // There are never more strikes than contracts.
  const strikes = workspaceFor(group, to - from)
  pairLegs(columns, own, strikes)
  return {
    root,
    expiryDay,
    expiryAtS,
    exerciseStyle: isZone(exchangeZone) ? exerciseStyle({ zone: exchangeZone, root, expiryDay }) : 'american',
    rows: own,
    strikes,
    yearsToExpiry,
    rate,
    discount: Math.exp(-rate * yearsToExpiry),
  }
}

function parityOf(expiry: UnsolvedExpiry, spot: number, ivMethod: IvMethod): ParityForward {
  const { root, expiryDay, yearsToExpiry, rate, discount, strikes, exerciseStyle: style } = expiry
  const inputs = { spot, discount, yearsToExpiry }
  const { forward, confidence, strikesUsed } = impliedForward(strikes, inputs)
  // The uncorrected forward spreads the premium over both legs, which halves the error of a volatility solved as European.
  const needsCorrection = ivMethod === 'american' && style === 'american' && !Number.isNaN(forward)
  const own = { root, expiryDay, yearsToExpiry, rate, confidence, strikesUsed }
  if (!needsCorrection) return { ...own, forward, correction: 0, isUncorrected: false }
  const { pairsUsed, ...corrected } = forwardCorrection.correct(strikes, inputs, forward)
  return { ...own, ...corrected, isUncorrected: pairsUsed === 0 }
}
