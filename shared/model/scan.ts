import type { RefusalReason, RejectReason } from './snapshot.ts'

export const scanStatuses = ['running', 'completed', 'failed', 'cancelled'] as const
export type ScanStatus = (typeof scanStatuses)[number]

/** One pass of the plan over the universe. Published whole at start and end on `scans.summary.<scan>`; the newest version wins. */
export interface Scan {
  readonly scanId: string
  readonly provider: string
  readonly status: ScanStatus
  /** Epoch milliseconds on the provider's clock. */
  readonly startedAtMs: number
  readonly finishedAtMs: number | null
  /** Underlyings the pass set out to fetch. */
  readonly planned: number
  readonly delivered: number
  /** Delivered, but the same snapshot as before. */
  readonly repeated: number
  readonly refused: number
  readonly contracts: number
  readonly rejectsByReason: Readonly<Partial<Record<RejectReason, number>>>
  readonly refusalsByReason: Readonly<Partial<Record<RefusalReason, number>>>
}
