import { createHash } from 'node:crypto'
import { z } from 'zod'
import { ivMethods } from '../../shared/model/features.ts'
import { flatCurve, type RateCurve } from '../../shared/quant/rate-curve.ts'
import { integer } from '../../shared/runtime/config.ts'
import type { FeatureParams } from './features/compute-chain.ts'

const rate = z.coerce.number().min(-0.1).max(1)

interface Point {
  readonly days: number
  readonly rate: number
}

function parsePoints(text: string, context: z.RefinementCtx): readonly Point[] {
  const points = text.split(/[\s,]+/).filter((part) => part !== '')
  const parsed = points.map((point) => {
    const match = /^(\d+):(.+)$/.exec(point)
    const value = rate.safeParse(match?.[2])
    return { days: Number(match?.[1] ?? NaN), rate: value.success ? value.data : NaN }
  })
  const isAscending = parsed.every(({ days }, i) => days > (parsed[i - 1]?.days ?? 0))
  if (!isAscending || parsed.some(({ rate }) => Number.isNaN(rate))) {
    context.addIssue({
      code: 'custom',
      message: 'Expected DAYS:RATE pairs with ascending days and rates as fractions, such as "30:0.0366 365:0.0352"',
    })
  }
  return parsed
}

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
  /** ClickHouse ends an insert that takes longer. The limit grows with the rows and with how slow the server is. Rounded up to seconds. */
  insertLimitMs: integer(1_000, 60_000).default(3_000),
  /** It does not grow beyond this: so long may a new owner of a partition have to wait for an insert that was begun before. */
  insertLimitMostMs: integer(1_000, 60_000).default(25_000),
  /** A flush is written when it holds so many contract rows … */
  flushRows: integer(1, 1_000_000).default(100_000),
  /** … or so long after its first message, whichever comes first. */
  flushMs: integer(1, 60_000).default(400),
  /** Must equal the publishers'. */
  partitions: integer(1, 1024).default(16),
  /** The flat rate where no curve is given: continuously compounded, a fraction a year. */
  riskFreeRate: rate.default(0.037),
  /** Zero rates by calendar days, `30:0.0366 365:0.0352`: linear in between, flat outside. Empty: the flat rate. */
  curve: z.string().default('').transform(parsePoints),
  /** Who published the rates and the day of them: stored with every row they made. */
  curveSource: z.string().default('flat'),
  curveDate: z.iso.date().default('2026-06-22'),
  /** `european_otm`: every option as European, from its out-of-the-money leg. `american`: early exercise where the root has it. */
  ivMethod: z.enum(ivMethods).default('european_otm'),
  /** Contracts with less time to live get no IV. */
  minutesFloor: integer(0, 60).default(5),
  /** A slot is missing so long after its end, and late when its chain was received after that. */
  slotGraceMs: integer(0, 3_600_000).default(60_000),
  /** The gap ledger looks for what is over so often. */
  ledgerIntervalMs: integer(50, 600_000).default(1_000),
  /** A chain that was acknowledged, is not stored after this, and is not in the stream either, is lost. */
  ledgerSettleMs: integer(0, 3_600_000).default(10_000),
  /** How often the cursors are compared with what CHAINS keeps. */
  lagCheckMs: integer(50, 600_000).default(10_000),
  /** Share of the stream's retention, in bytes or age, at which a cursor is said to be in danger. */
  lagNearShare: z.coerce.number().min(1e-9).max(1).default(0.8),
  /** Holds each flush for so long between its rows and its commit rows; for tests of being killed there. */
  pauseBeforeCommitMs: integer(0, 60_000).default(0),
})
export type ProcessorSettings = z.output<typeof processorSettings>

type RateSettings = Pick<ProcessorSettings, 'curve' | 'riskFreeRate' | 'curveSource' | 'curveDate'>

function curveOf({ curve, riskFreeRate, curveSource, curveDate }: RateSettings): RateCurve {
  if (curve.length === 0) return flatCurve(riskFreeRate, curveSource, curveDate)
  const years = curve.map(({ days }) => days / 365)
  return { source: curveSource, date: curveDate, years, rates: curve.map(({ rate }) => rate) }
}

/** Everything that decides the figures beside the snapshot itself. */
export function featureParams(
  settings: RateSettings & Pick<ProcessorSettings, 'ivMethod' | 'minutesFloor'>,
): FeatureParams {
  return { curve: curveOf(settings), ivMethod: settings.ivMethod, minutesFloor: settings.minutesFloor }
}

/**
 * The version rows carry: that of the code, and behind the `+` a hash of what else decides figures. Rows a dead owner left behind count
 * as whole only when both are the same.
 */
export function codeVersionOf(version: string, settings: ProcessorSettings): string {
  const { node, tz } = process.versions
  const text = JSON.stringify([featureParams(settings), node, tz])
  return `${version}+${createHash('sha256').update(text).digest('hex').slice(0, 8)}`
}
