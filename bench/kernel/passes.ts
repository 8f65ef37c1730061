import { chainArbitrage, expiryArbitrage } from '../../services/processor/features/arbitrage.ts'
import { createFigures, type FeatureParams } from '../../services/processor/features/compute-chain.ts'
import type { ChainContext } from '../../services/processor/features/context.ts'
import { computeExpiry } from '../../services/processor/features/expiry-figures.ts'
import { expiryMarket } from '../../services/processor/features/expiry-market.ts'
import { exposeStrikes, sumExposures } from '../../services/processor/features/exposures.ts'
import { chainExposures } from '../../services/processor/features/gamma-levels.ts'
import { groupByExpiry } from '../../services/processor/features/group.ts'
import { maxPainOf } from '../../services/processor/features/open-interest.ts'
import { positioningOf, sessionStartS, sumPositions } from '../../services/processor/features/positioning.ts'
import { countQuoteStates, markQuoteStates } from '../../services/processor/features/quote-state.ts'
import { smileFeatures } from '../../services/processor/features/smile.ts'
import { solveExpiries } from '../../services/processor/features/solve-expiries.ts'
import { termFeatures, termPoint } from '../../services/processor/features/term.ts'
import { varianceFeatures } from '../../services/processor/features/variance.ts'
import { parseDay } from '../../shared/calendar/days.ts'
import { chainFeatureSpecs, expiryFeatureSpecs } from '../../shared/model/feature-registry.ts'
import type { Snapshot } from '../../shared/model/snapshot.ts'

/** One pass over a chain and the columns it makes. */
export interface Pass {
  readonly run: () => unknown
  readonly features: readonly string[]
}

/** Columns of the figures a pass returned, by the registry's names. */
function columnsOf(...figures: readonly object[]): readonly string[] {
  const specs: Readonly<Record<string, { readonly column: string }>> = { ...expiryFeatureSpecs, ...chainFeatureSpecs }
  const names = new Set(figures.flatMap((one) => Object.keys(one)))
  return [...new Set([...names].flatMap((name) => specs[name]?.column ?? []))]
}

const pass = (run: () => unknown, ...made: readonly object[]): Pass => ({ run, features: columnsOf(...made) })

/** A snapshot with everything the passes start from. */
function prepare({ meta, columns }: Snapshot, params: FeatureParams) {
  const figures = createFigures(columns)
  const startS = sessionStartS(meta)
  const marketTimeS = meta.marketTimeMs / 1000
  const spot = meta.spot ?? NaN
  const { multiplier } = meta
  const sessionDay = parseDay(meta.sessionDate) ?? NaN
  const context: ChainContext = { columns, figures, spot, multiplier, marketTimeS, sessionStartS: startS, sessionDay }
  const group = () => groupByExpiry(columns, marketTimeS, figures.ivCode)
  const groups = group()
  const solve = () => solveExpiries(context, groups, meta, params, []).expiries
  const expiries = solve()
  const states = () => {
    markQuoteStates(columns, startS, figures.flags)
    return countQuoteStates(columns, groups.rows, figures.flags)
  }
  return { context, group, solve, states, expiries, computed: expiries.map((expiry) => computeExpiry(context, expiry)) }
}

/** The passes that together are `computeChain`, each over the whole chain. */
export function passesOf(
  snapshot: Snapshot,
  params: FeatureParams,
): { readonly expiries: number; readonly passes: Readonly<Record<string, Pass>> } {
  const { context, group, solve, states, expiries, computed } = prepare(snapshot, params)
  const { columns, spot } = context
  const all = computed.map((one) => one.figures)
  const exposed = computed.map((one) => one.exposed)
  const markets = computed.map(({ market }) => market)
  const points = computed.map(({ expiry, figures }) => termPoint(expiry, figures))
  const position = () => expiries.map(({ rows }) => positioningOf(sumPositions(context, rows)))
  return {
    expiries: expiries.length,
    passes: {
      'canonical order': pass(group),
      'quote states': pass(states, states()),
      'forwards, volatilities, greeks, bias': pass(solve, {
        forward: 0,
        carry: 0,
        dividendYield: 0,
        forwardQuality: 0,
      }),
      smile: pass(() => expiries.map(smileFeatures), smileFeatures(expiries[0] as (typeof expiries)[number])),
      'variance index': pass(() => expiries.map((expiry) => varianceFeatures(context, expiry)), {
        varianceIndex: 0,
        varianceComplete: 0,
      }),
      'volume, open interest, premium': pass(position, position()[0] ?? {}),
      'max pain': pass(() => expiries.map(({ rows }) => maxPainOf(columns, rows)), { maxPain: 0 }),
      'exposures of expiries': pass(
        () => expiries.map((expiry) => sumExposures([exposeStrikes(context, expiry)], spot)),
        sumExposures(exposed, spot),
      ),
      'exposures by strike, walls, flips, zero gamma': pass(
        () => chainExposures(context, expiries, exposed),
        chainExposures(context, expiries, exposed).figures,
      ),
      'arbitrage of expiries': pass(
        () => expiries.map((expiry) => expiryArbitrage(expiryMarket(columns, expiry))),
        expiryArbitrage(markets[0] as (typeof markets)[number]),
      ),
      'calendar arbitrage': pass(() => chainArbitrage(markets, all), { calendarArbitrage: 0 }),
      'term structure': pass(() => termFeatures(points, spot), termFeatures(points, spot)),
    },
  }
}
