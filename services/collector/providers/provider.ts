import type { RefusalReason, RejectReason, Snapshot } from '../../../shared/model/snapshot.ts'

/**
 * A source of option chains. One collector loop serves live polling, recordings and the simulator, because each of them
 * decides itself when its next pass begins: the loop only pulls.
 *
 * Error contract: `fetch` never rejects for what a provider may do (bad bytes, refusal, silence): that is a `refused`
 * outcome. It rejects only when the signal aborts or on a defect of ours. `passes` may reject for settings that can never
 * work, such as a path that does not exist.
 */
export interface OptionChainProvider {
  /** What it was configured as: `cboe`, `recording`, `simulator`. */
  readonly name: string
  /** IANA zone of the exchange: `America/New_York`. */
  readonly exchangeZone: string
  readonly capabilities: ProviderCapabilities
  /** When its chains are due; absent where nothing says so, as in a recording: then nothing counts as missing. */
  readonly schedule?: ProviderSchedule
  /** Epoch milliseconds on the provider's clock: the wall's when live, else the recorded or simulated one. */
  now(): number
  /**
   * Yields passes in order of their start and ends when there is nothing more to come. Waiting until a pass is due happens
   * in here; it ends early and quietly when the signal aborts. The next pass is asked for after the last one is published.
   */
  passes(signal: AbortSignal): AsyncIterable<Pass>
  /** Rejects for settings that can never work; called before the service is ready. */
  check?(): Promise<void>
}

export interface ProviderSchedule {
  /** From the start of one pass to the start of the next. */
  readonly intervalMs: number
  /** How far what it gives lies behind its clock: 15 minutes for delayed quotes. */
  readonly delayMs: number
}

interface ProviderCapabilities {
  /** True when `now()` is the wall clock. */
  readonly live: boolean
  /** Fetches of one pass that may run side by side. 1 where the order of items must be kept. */
  readonly maxConcurrency: number
  /** True when the provider gives greeks and IV of its own. */
  readonly givesGreeks: boolean
}

/** One round over the universe. */
export interface Pass {
  /** Provider name as it stands in `SnapshotMeta.provider`; a recording of cboe says `cboe`. */
  readonly provider: string
  /** Epoch milliseconds on the provider's clock. */
  readonly startedAtMs: number
  /** What there is to fetch, in canonical order of publication; an underlying may occur twice in a recording. */
  readonly items: readonly PassItem[]
  /** Where this pass stands among all of them, for progress; `total` is null when it has no end. */
  readonly position: { readonly index: number; readonly total: number | null }
}

export interface PassItem {
  /** Canonical ticker. Where a file is too broken to tell, the name of the file. */
  readonly underlying: string
  /** Where it is read from, for a person: a recording's file. Every refusal begins with it. */
  readonly source?: string
  fetch(context: FetchContext): Promise<FetchOutcome>
}

export interface FetchContext {
  /** Goes into the snapshot's meta. */
  readonly scanId: string
  readonly signal: AbortSignal
}

export type FetchOutcome = FetchedSnapshot | FetchRefusal

export interface FetchedSnapshot {
  readonly kind: 'snapshot'
  readonly snapshot: Snapshot
  /** Total per reason; `snapshot.meta.rejects` holds the first ones only. @default counted from `snapshot.meta.rejects` */
  readonly rejectsByReason?: Readonly<Partial<Record<RejectReason, number>>>
}

export interface FetchRefusal {
  readonly kind: 'refused'
  readonly reason: RefusalReason
  /** What was seen, for a person; never a payload. */
  readonly detail: string
  /** Of a chain that was read: how many of its rows were refused, by reason. @default none */
  readonly rejectsByReason?: Readonly<Partial<Record<RejectReason, number>>>
}

export const refused = (reason: RefusalReason, detail: string): FetchRefusal => ({ kind: 'refused', reason, detail })
