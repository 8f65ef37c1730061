import { z } from 'zod'
import type { Bus } from '../../../shared/bus/connect.ts'
import type { Publisher } from '../../../shared/bus/publisher.ts'
import type { Clock } from '../../../shared/runtime/clock.ts'
import type { Logger } from '../../../shared/runtime/logger.ts'
import type { Store } from '../../../shared/store/connect.ts'
import type { ProcessorSettings } from '../config.ts'
import type { LedgerMetrics } from './metrics.ts'

export interface LedgerDeps {
  readonly bus: Bus
  readonly store: Store
  readonly publisher: Publisher
  readonly settings: Pick<ProcessorSettings, 'partitions' | 'slotGraceMs' | 'ledgerIntervalMs' | 'ledgerSettleMs'>
  /** The wall's: the time of live providers goes on with it, whoever is dead. */
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: LedgerMetrics
}

/** A plan stands, and its starts are looked at, so long after a collector's last sign of life: as long as QUALITY keeps reports. */
export const horizonMs = 7 * 24 * 3_600_000

export const progressSchema = z.object({
  /** By incarnation of CHAINS and partition: commit rows read. */
  commits: z.record(z.string(), z.record(z.string(), z.number())),
  /** By plan: start of the last slot closed. */
  closed: z.record(z.string(), z.number()),
})
export type Progress = Readonly<z.output<typeof progressSchema>>
