import { createHash } from 'node:crypto'
import { z } from 'zod'
import { integer } from '../../shared/runtime/config.ts'

/** Settings under the prefix `PROCESSOR`. */
export const processorSettings = z.object({
  /** Name of this instance, its own among those that live: a new start under it takes over at once from the one before. Empty: made of host and process. */
  instance: z
    .string()
    .regex(/^[A-Za-z0-9_-]*$/, 'letters, digits, - and _ only')
    .default(''),
  /** A processor whose leases were not renewed for so long is taken for dead. */
  leaseTtlMs: integer(500, 600_000).default(8_000),
  /** Leases are renewed this often. */
  leaseRenewMs: integer(50, 200_000).default(2_000),
  /** ClickHouse ends an insert that takes longer; a new owner waits so long for one begun before. Rounded up to seconds. */
  insertLimitMs: integer(1_000, 60_000).default(3_000),
  /** A flush is written when it holds so many contract rows … */
  flushRows: integer(1, 1_000_000).default(100_000),
  /** … or so long after its first message, whichever comes first. */
  flushMs: integer(1, 60_000).default(200),
  /** Must equal the publishers'. */
  partitions: integer(1, 1024).default(16),
  /** Continuously compounded and flat, a fraction a year. */
  riskFreeRate: z.coerce.number().min(-0.1).max(1).default(0.037),
  /** Where the rate is from, for the record. */
  curveDate: z.string().default('2026-06-22'),
  /** Contracts with less time to live get no IV. */
  minutesFloor: integer(0, 60).default(5),
  /** Holds each flush for so long between its rows and its commit rows; for tests of being killed there. */
  pauseBeforeCommitMs: integer(0, 60_000).default(0),
})
export type ProcessorSettings = z.output<typeof processorSettings>

/**
 * The version rows carry: that of the code, and behind the `+` a hash of the parameters that decide figures. Rows a dead owner left
 * behind count as whole only when both are the same.
 */
export function codeVersionOf(version: string, settings: ProcessorSettings): string {
  const { riskFreeRate, curveDate, minutesFloor } = settings
  const text = JSON.stringify([riskFreeRate, curveDate, minutesFloor, process.versions.node])
  return `${version}+${createHash('sha256').update(text).digest('hex').slice(0, 8)}`
}
