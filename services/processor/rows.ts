import type { ChainFeatures, ContractFigures, ExpiryFeatures, Positioning } from '../../shared/model/features.ts'
import type { Snapshot, SnapshotMeta } from '../../shared/model/snapshot.ts'
import { parseDay } from '../../shared/calendar/days.ts'
import type { ColumnBuffer } from '../../shared/store/column-buffer.ts'
import type { TableBuffer } from '../../shared/store/table-buffer.ts'
import type { chainFeatures, expiryFeatures, optionQuotes } from '../../shared/store/tables.ts'
import type { Standing } from './key-states.ts'

/** Who writes, and under which parameters: part of every row. */
export interface Writer {
  readonly epoch: number
  readonly codeVersion: string
  readonly riskFreeRate: number
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
  columns.provider_iv.appendAll(chain.providerIv)
  columns.provider_delta.appendAll(chain.providerDelta)
  columns.provider_gamma.appendAll(chain.providerGamma)
  columns.provider_theta.appendAll(chain.providerTheta)
  columns.provider_vega.appendAll(chain.providerVega)
  columns.provider_rho.appendAll(chain.providerRho)
  columns.flags.appendAll(chain.flags)
}

/** Appends the sums that an expiry and a chain have in common. */
function appendSums({ columns }: TableBuffer<typeof expiryFeatures | typeof chainFeatures>, sums: Positioning): void {
  columns.call_volume.append(sums.callVolume)
  columns.put_volume.append(sums.putVolume)
  columns.call_open_interest.append(sums.callOpenInterest)
  columns.put_open_interest.append(sums.putOpenInterest)
  columns.pcr_volume.append(sums.pcrVolume)
  columns.pcr_oi.append(sums.pcrOi)
  columns.max_pain.append(sums.maxPain)
  columns.gex_usd_1pct.append(sums.gexUsd1pct)
}

export function appendExpiries(
  buffer: TableBuffer<typeof expiryFeatures>,
  meta: SnapshotMeta,
  expiries: readonly ExpiryFeatures[],
  writer: Writer,
): void {
  const { columns } = buffer
  for (const expiry of expiries) {
    appendKey(columns, meta, writer)
    columns.root.appendText(expiry.root)
    columns.expiry.append(expiry.expiryDay)
    columns.expiry_at.append(expiry.expiryAtS)
    columns.years_to_expiry.append(expiry.yearsToExpiry)
    columns.n_contracts.append(expiry.nContracts)
    columns.n_used.append(expiry.nUsed)
    columns.forward.append(expiry.forward)
    columns.forward_source.appendText(expiry.forwardSource)
    columns.atm_iv.append(expiry.atmIv)
    columns.straddle.append(expiry.straddle)
    columns.expected_move.append(expiry.expectedMove)
    appendSums(buffer, expiry)
    columns.quality.append(expiry.quality)
  }
}

export function appendChain(
  buffer: TableBuffer<typeof chainFeatures>,
  meta: SnapshotMeta,
  chain: ChainFeatures,
  standing: Standing,
  writer: Writer,
): void {
  const { columns } = buffer
  appendKey(columns, meta, writer)
  columns.scan_id.appendText(meta.scanId)
  columns.session_date.append(parseDay(meta.sessionDate))
  columns.spot.append(meta.spot)
  columns.n_contracts.append(chain.nContracts)
  columns.n_expired.append(chain.nExpired)
  columns.n_used.append(chain.nUsed)
  columns.atm_iv_30d.append(chain.atmIv30d)
  columns.atm_iv_front.append(chain.atmIvFront)
  columns.expected_move.append(chain.expectedMove)
  appendSums(buffer, chain)
  columns.content_unchanged.append(Number(standing.contentUnchanged))
  columns.late.append(Number(standing.late))
  columns.quality.append(chain.quality)
  columns.risk_free_rate.append(writer.riskFreeRate)
}
