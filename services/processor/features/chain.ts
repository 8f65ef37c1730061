import {
  type ChainFeatureName,
  chainFeatureSpecs,
  type ExpiryFeatureName,
} from '../../../shared/model/feature-registry.ts'
import type { ChainFeatures, StrikeExposures } from '../../../shared/model/features.ts'
import { chainArbitrage } from './arbitrage.ts'
import { noCompleteness } from './completeness.ts'
import type { ChainContext } from './context.ts'
import type { ComputedExpiry } from './expiry-figures.ts'
import { chainExposures } from './gamma-levels.ts'
import type { ExpiryGroups } from './group.ts'
import { maxPainOf } from './open-interest.ts'
import { addPositions, noPositions, positioningOf } from './positioning.ts'
import { strikesInside } from './quality.ts'
import { countQuoteStates } from './quote-state.ts'
import { atScale, atStoredScale, byName } from './stored-scale.ts'
import { termFeatures, termPoint } from './term.ts'

const toStoredScale = atStoredScale(chainFeatureSpecs)

/** Pools the expiries of a chain, which come in canonical order; figures at their stored scale. */
export function poolChain(
  context: ChainContext,
  groups: ExpiryGroups,
  computed: readonly ComputedExpiry[],
): ChainFeatures {
  const { columns, spot, figures: contracts } = context
  const points = computed.map(({ expiry, figures }) => termPoint(expiry, figures))
  const expiries = computed.map(({ expiry }) => expiry)
  const all = computed.map(({ figures }) => figures)
  const { figures: exposures, byStrike } = chainExposures(
    context,
    expiries,
    computed.map(({ exposed }) => exposed),
  )
  const sums = noPositions()
  for (const expiry of computed) addPositions(sums, expiry.sums)
  const figures: Readonly<Record<ChainFeatureName, number>> = {
    ...countsOf(context, groups, computed),
    ...countQuoteStates(columns, groups.rows, contracts.flags),
    ...noCompleteness,
    quoteQuality: quoteQuality(computed),
    ...termFeatures(points, spot),
    ...positioningOf(sums),
    maxPain: maxPainOf(columns, groups.rows),
    ...exposures,
    ...chainArbitrage(
      computed.map(({ market }) => market),
      all,
    ),
  }
  return { ...byName(chainFeatureSpecs, toStoredScale(figures)), byStrike: atMoneyScale(byStrike) }
}

/** The scale the totals are stored at. */
function atMoneyScale({ strike, ...exposures }: StrikeExposures): StrikeExposures {
  const { decimals } = chainFeatureSpecs.gexUsd1pct
  for (const column of Object.values(exposures)) {
    for (let i = 0; i < column.length; i++) column[i] = atScale(column[i] ?? NaN, decimals) || 0
  }
  return { strike, ...exposures }
}

const total = (computed: readonly ComputedExpiry[], name: ExpiryFeatureName): number =>
  computed.reduce((sum, { figures }) => sum + figures[name], 0)

function countsOf(
  { columns }: ChainContext,
  { nExpired, nAdjusted, rows }: ExpiryGroups,
  computed: readonly ComputedExpiry[],
): Pick<
  Record<ChainFeatureName, number>,
  'nContracts' | 'nLive' | 'nExpired' | 'nAdjusted' | 'nStrikes' | 'nUsed' | 'quality'
> {
  const weighted = computed.reduce((sum, { figures }) => sum + figures.quality * figures.nContracts, 0)
  return {
    nContracts: columns.length,
    nLive: rows.length,
    nExpired,
    nAdjusted,
    nStrikes: total(computed, 'nStrikes'),
    nUsed: total(computed, 'nUsed'),
    quality: rows.length === 0 ? 0 : weighted / rows.length,
  }
}

function quoteQuality(computed: readonly ComputedExpiry[]): number {
  const inside = computed.reduce((sum, { expiry }) => sum + strikesInside(expiry.strikes), 0)
  return (100 * total(computed, 'nUsed')) / inside
}
