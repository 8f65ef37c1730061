import { z } from 'zod'
import { integer } from '../../shared/runtime/config.ts'

/** Settings under the prefix `PROCESSOR`. */
export const processorSettings = z.object({
  /** Name of this instance in epochs and logs. */
  instance: z.string().default('processor'),
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
