import { sessionDate } from '../../shared/calendar/sessions.ts'
import type { Zone } from '../../shared/calendar/zones.ts'
import { snapshotId } from '../../shared/model/identity.ts'
import { printable } from '../../shared/model/printable.ts'
import type { SnapshotMeta } from '../../shared/model/snapshot.ts'
import { contentHash } from './content-hash.ts'
import { buildContracts, type ContractRows, foreignRoot } from './contract-columns.ts'
import type { RawChain } from './providers/raw-chain.ts'
import { type FetchOutcome, refused } from './providers/provider.ts'

/** What a normaliser knows of a chain once it has read it. */
export interface NormalizedChain extends Pick<
  SnapshotMeta,
  'scanId' | 'provider' | 'underlying' | 'spot' | 'timeKind' | 'providerTimeMs' | 'delayMs' | 'receivedAtMs'
> {
  readonly zone: Zone
  /** Units of the underlying a contract stands for. */
  readonly multiplier: number
  /** As the provider gave it, for the content hash. */
  readonly rawSpot: number | null
  readonly raw: RawChain
  readonly values: ContractRows['values']
  readonly claims?: ContractRows['claims']
}

/** Makes the snapshot: identity, times, columns and rejects, the same way for every provider. */
export function assembleSnapshot(chain: NormalizedChain): FetchOutcome {
  const { provider, underlying, timeKind, providerTimeMs, delayMs, zone, raw, claims } = chain
  if (raw.symbols.length === 0) return refused('empty_chain', 'no contract listed')
  const foreign = foreignRoot(underlying, raw.symbols)
  if (foreign !== null)
    return refused('schema', `no root of ${underlying} among the contracts, the first is ${foreign}`)
  const marketTimeMs = providerTimeMs - delayMs
  const { columns, rejects, rejectsByReason } = buildContracts({
    underlying,
    zone,
    marketTimeMs,
    symbols: raw.symbols,
    values: chain.values,
    ...(claims === undefined ? {} : { claims }),
  })
  // A chain without a contract says nothing of the market, and stored it would count as delivered.
  const [first] = rejects
  if (columns.length === 0 && first !== undefined) {
    const { symbol, reason, detail } = first
    const count = raw.symbols.length
    const what = `each of ${count} rows was refused, the first is ${printable(symbol)} (${reason}: ${printable(detail)})`
    return { ...refused('all_rejected', what), rejectsByReason }
  }
  const identity = {
    provider,
    underlying,
    timeKind,
    providerTimeMs,
    sessionDate: sessionDate(zone, marketTimeMs),
    contentHash: contentHash(chain.rawSpot, raw),
  }
  const meta: SnapshotMeta = {
    ...identity,
    snapshotId: snapshotId(identity),
    scanId: chain.scanId,
    spot: chain.spot,
    delayMs,
    marketTimeMs,
    receivedAtMs: chain.receivedAtMs,
    exchangeZone: zone,
    multiplier: chain.multiplier,
    listed: raw.symbols.length,
    rejects,
  }
  return { kind: 'snapshot', snapshot: { meta, columns }, rejectsByReason }
}
