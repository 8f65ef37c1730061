import { type ChainFeatureName, chainFeatureSpecs } from '../../shared/model/feature-registry.ts'
import {
  type ChainFeatures,
  type ContractFigures,
  type ExpiryFeatures,
  timeConvention,
} from '../../shared/model/features.ts'
import type { Snapshot, SnapshotMeta } from '../../shared/model/snapshot.ts'
import { parseDay } from '../../shared/calendar/days.ts'
import type { ColumnBuffer } from '../../shared/store/column-buffer.ts'
import { zeroRate } from '../../shared/quant/rate-curve.ts'
import type { TableBuffer } from '../../shared/store/table-buffer.ts'
import type { chainFeatures, expiryFeatures, optionQuotes } from '../../shared/store/tables.ts'
import { exposureConvention } from './features/exposures.ts'
import type { FeatureParams } from './features/compute-chain.ts'
import type { Standing } from './key-states.ts'

/** Who writes, and under which parameters: the conventions stand on every row of a chain. */
export interface Writer {
  readonly epoch: number
  readonly codeVersion: string
  readonly parameters: FeatureParams
}

/** The columns every table keyed by snapshot begins and ends with. */
interface KeyColumns {
  readonly underlying: ColumnBuffer
  readonly market_time: ColumnBuffer
  readonly provider: ColumnBuffer
  readonly snapshot_id: ColumnBuffer
  readonly epoch: ColumnBuffer
  readonly code_version: ColumnBuffer
}

/** Appends what all rows of a snapshot share, for so many rows. */
export function appendKey(columns: KeyColumns, meta: SnapshotMeta, { epoch, codeVersion }: Writer, rows = 1): void {
  columns.underlying.appendText(meta.underlying, rows)
  columns.market_time.append(meta.marketTimeMs, rows)
  columns.provider.appendText(meta.provider, rows)
  columns.snapshot_id.appendText(meta.snapshotId, rows)
  columns.epoch.append(epoch, rows)
  columns.code_version.appendText(codeVersion, rows)
}

export function appendQuotes(
  { columns }: TableBuffer<typeof optionQuotes>,
  { meta, columns: chain }: Snapshot,
  figures: ContractFigures,
  writer: Writer,
): void {
  appendKey(columns, meta, writer, chain.length)
  columns.root.appendTexts(chain.roots, chain.rootIndex)
  columns.expiry.appendAll(chain.expiryDay)
  columns.expiry_at.appendAll(chain.expiryAtS)
  columns.strike.appendAll(chain.strike)
  columns.right.appendAll(chain.right)
  columns.bid.appendAll(chain.bid)
  columns.ask.appendAll(chain.ask)
  columns.bid_size.appendAll(chain.bidSize)
  columns.ask_size.appendAll(chain.askSize)
  columns.last.appendAll(chain.last)
  columns.last_trade_at.appendAll(chain.lastTradeAtS)
  columns.volume.appendAll(chain.volume)
  columns.open_interest.appendAll(chain.openInterest)
  columns.iv.appendAll(figures.iv)
  columns.iv_code.appendAll(figures.ivCode)
  columns.delta.appendAll(figures.delta)
  columns.gamma.appendAll(figures.gamma)
  columns.theta.appendAll(figures.theta)
  columns.vega.appendAll(figures.vega)
  columns.iv_bias_vp.appendAll(figures.ivBiasVp)
  columns.theta_to_expiry.appendAll(figures.thetaToExpiry)
  columns.provider_iv.appendAll(chain.providerIv)
  columns.provider_delta.appendAll(chain.providerDelta)
  columns.provider_gamma.appendAll(chain.providerGamma)
  columns.provider_theta.appendAll(chain.providerTheta)
  columns.provider_vega.appendAll(chain.providerVega)
  columns.provider_rho.appendAll(chain.providerRho)
  columns.flags.appendAll(figures.flags)
}

const chainNames = Object.keys(chainFeatureSpecs) as ChainFeatureName[]

export function appendExpiries(
  buffer: TableBuffer<typeof expiryFeatures>,
  meta: SnapshotMeta,
  expiries: readonly ExpiryFeatures[],
  writer: Writer,
): void {
  const { columns, figures } = buffer
  for (const expiry of expiries) {
    appendKey(columns, meta, writer)
    columns.root.appendText(expiry.root)
    columns.expiry.append(expiry.expiryDay)
    columns.expiry_at.append(expiry.expiryAtS)
    columns.exercise_style.appendText(expiry.exerciseStyle)
    columns.forward_source.appendText(expiry.forwardSource)
    // The buffer's figures have the registry's order.
    for (let i = 0; i < figures.length; i++) figures[i]?.append(expiry.figures[i] ?? NaN)
  }
}

export function appendChain(
  buffer: TableBuffer<typeof chainFeatures>,
  meta: SnapshotMeta,
  chain: ChainFeatures,
  standing: Standing,
  writer: Writer,
): void {
  const { columns, figures } = buffer
  appendKey(columns, meta, writer)
  columns.scan_id.appendText(meta.scanId)
  columns.session_date.append(parseDay(meta.sessionDate))
  columns.spot.append(meta.spot)
  columns.content_unchanged.append(Number(standing.contentUnchanged))
  columns.late.append(Number(standing.late))
  appendByStrike(columns, chain.byStrike)
  appendConventions(columns, writer.parameters)
  for (let i = 0; i < figures.length; i++) figures[i]?.append(chain[chainNames[i] as ChainFeatureName])
}

type ChainColumns = TableBuffer<typeof chainFeatures>['columns']

function appendByStrike(columns: ChainColumns, byStrike: ChainFeatures['byStrike']): void {
  columns.exposure_strikes.appendList(byStrike.strike)
  columns.gex_by_strike.appendList(byStrike.gexUsd1pct)
  columns.dex_by_strike.appendList(byStrike.dexUsd)
  columns.vex_by_strike.appendList(byStrike.vexUsd)
  columns.cex_by_strike.appendList(byStrike.cexUsd)
}

const thirtyDaysYears = 30 / 365

function appendConventions(columns: ChainColumns, { curve, ivMethod }: FeatureParams): void {
  columns.risk_free_rate.append(zeroRate(curve, thirtyDaysYears))
  columns.curve_source.appendText(curve.source)
  columns.curve_date.appendText(curve.date)
  columns.time_convention.appendText(timeConvention)
  columns.iv_method.appendText(ivMethod)
  columns.exposure_convention.appendText(exposureConvention)
}
